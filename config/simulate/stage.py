"""The stage of a replay: a shop with its keys, a sender, the play launched before the first act, mail into
a sink.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from celery import current_app
from django.test.utils import override_settings
from django.utils.module_loading import autodiscover_modules

from campaigns.flows import launching
from campaigns.flows.kinds import playbooks
from campaigns.models import Campaign, FrequencySettings, Sender
from config.simulate import clickstream, independent, report, servers
from config.simulate.replay import Doors, Replay
from config.simulate.sink import Sink
from crm.kernel import clock, tokens
from crm.models import ServerKey, ShopSettings
from crm.ticking import ticks

DELAY_MINUTES = 8
REENTRY_DAYS = 7


@contextmanager
def by_hand(at: datetime) -> Iterator[clock.Hand]:
    """Time stands still until it is moved, ticks are stepped by hand, hints for workers go nowhere."""
    autodiscover_modules("tasks")
    before = current_app.conf.broker_url
    current_app.conf.broker_url = "memory://"
    try:
        with clock.frozen(at, everywhere=True) as hand:
            yield hand
    finally:
        current_app.conf.broker_url = before


@contextmanager
def mail_into(sink: Sink) -> Iterator[None]:
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST=servers.LOCALHOST,
        EMAIL_PORT=sink.port,
        EMAIL_HOST_USER="",
        EMAIL_HOST_PASSWORD="",
        EMAIL_USE_TLS=False,
        EMAIL_USE_SSL=False,
        REKINDLE_SAFE_SINK=True,
    ):
        yield


def run(
    path: Path, people: int | None = None, progress: Callable[[datetime, int], None] = lambda at, place: None
) -> report.Report:
    """Replay a file in the present (empty) database and lay what came of it beside the independent count."""
    acts = clickstream.read(path, people)
    begin = datetime.fromtimestamp(acts[0].at, tz=UTC) - timedelta(minutes=1)
    with ExitStack() as stack:
        hand = stack.enter_context(by_hand(begin))
        server_key = set_up(begin)
        campaign = make_campaign(begin)
        sink = stack.enter_context(servers.mailbox())
        stack.enter_context(mail_into(sink))
        doors = Doors(
            stack.enter_context(servers.collector()), stack.enter_context(servers.web()), server_key
        )
        shop = clickstream.Shop(ShopSettings.objects.get(pk=1).ingest_key, tokens.derive("shop-server").hex())
        replay = Replay(acts, shop, doors, timedelta(minutes=DELAY_MINUTES), hand, progress)
        replay.run()
        rows = independent.read(path, people)
        return report.compare(
            rows,
            sink.arrivals,
            campaign,
            DELAY_MINUTES * independent.MINUTE,
            REENTRY_DAYS * independent.DAY,
            ticks["campaigns.trigger"].every,
            requests=replay.requests,
            steps=replay.steps,
        )


def set_up(now: datetime) -> str:
    """The shop's settings, its keys and who writes; nobody is held out. Returns the server key."""
    server_key = secrets.token_urlsafe(32)
    ServerKey.objects.create(
        name="replay",
        prefix=server_key[:8],
        sha256=hashlib.sha256(server_key.encode()).digest(),
        created_at=now,
    )
    ShopSettings.objects.update_or_create(
        pk=1,
        defaults={
            "name": "Recorded shop",
            "url": clickstream.SHOP,
            "currency": clickstream.CURRENCY,
            "time_zone": "Asia/Shanghai",
            "postal_address": "1 Replay Street, Example Town",
            "telephone": "+86 10 5555 0100",
            "allowed_origins": [clickstream.SHOP],
            "ingest_key": secrets.token_urlsafe(16),
            "cart_restore_url": f"{clickstream.SHOP}/restore",
            "set_up_at": now,
        },
    )
    FrequencySettings.objects.update_or_create(pk=1, defaults={"control_percent": 0})
    Sender.objects.update_or_create(
        is_default=True,
        defaults={
            "name": "Mei at the recorded shop",
            "email": "mei@shop.example.com",
            "person": "Mei",
            "role": "Customer care",
            "reply_to": "mei@shop.example.com",
            "telephone": "+86 10 5555 0100",
            "created_at": now,
        },
    )
    return server_key


def make_draft(now: datetime) -> Campaign:
    """The first message of the abandoned cart play, without a control group: every one can be counted."""
    return playbooks.get("campaigns.abandoned_cart").make(
        now,
        only_first=True,
        trigger_params={"delay_minutes": str(DELAY_MINUTES)},
        reentry_days=REENTRY_DAYS,
        control_share=Decimal(0),
    )


def make_campaign(now: datetime) -> Campaign:
    """That play, launched."""
    return launching.launch(make_draft(now), "simulate", now)
