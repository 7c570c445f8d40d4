"""The pages and the server API in a process of their own, and the links ten messages would carry."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.db import connection

from campaigns.models import Delivery, Sender, Survey, SurveyChoice
from campaigns.surveys import links as survey_links
from crm.kernel import clock
from crm.models import Channel, Purpose
from crm.people import consent, links
from crm.people.consent import Said
from crm.people.identity import Known, hash_of, primary_points, resolve
from tests import servers
from tests.collecting import ORIGIN, Collector, running
from tracking.mail import links as mail_links
from tracking.models import Cart

PURPOSES = ("cart_recovery", "newsletter", "click_tracking")


@pytest.fixture(scope="session")
def web_process(django_db_setup: None, servers_run: servers.Run) -> Iterator[Collector]:
    quiet = servers_run.environment() | {"REKINDLE_LOG_LEVEL": "CRITICAL"}
    with running(quiet, "config.wsgi:application", "wsgi") as found:
        yield found


@pytest.fixture
def web(web_process: Collector, transactional_db: None) -> Collector:
    return web_process


class Message:
    """What one message of a cart flow links to: by page, the path with its token."""

    def __init__(self, email: str) -> None:
        now = clock.now()
        self.email = email
        self.public_id = uuid.uuid4()
        contact_id = resolve([Known(email=email)], now, source="test")[0]
        self.address_hash = hash_of(email) or b""
        consent.record(
            [
                Said(self.address_hash, Channel.EMAIL, key, "granted", now, "form", wording="Yes.")
                for key in PURPOSES
            ],
            now,
        )
        cart = Cart.objects.create(
            contact_id=contact_id,
            token=email,
            opened_at=now,
            changed_at=now - timedelta(hours=1),
            recorded_at=now,
        )
        purpose_id = Purpose.objects.get(key="cart_recovery").pk
        mailed = (self.address_hash, purpose_id, self.public_id)
        target = f"{ORIGIN}/cart"
        urls = {
            "u": links.unsubscribe_url(*mailed),
            "p": links.preferences_url(*mailed),
            "why": links.why_url(*mailed),
            "s": survey_links.answer_url(self.public_id, self.asks(contact_id, purpose_id).pk),
            "o": mail_links.open_url(self.public_id, contact_id),
            "k": mail_links.click_urls(self.public_id, contact_id, [target])[target],
        }
        restore = mail_links.tokens.sign_restore(cart.pk, contact_id, self.public_id)
        self.paths = {page: urlsplit(url).path for page, url in urls.items()} | {
            "restore": f"/restore/{restore}"
        }
        self.point = primary_points([contact_id])[contact_id]

    def asks(self, contact_id: uuid.UUID, purpose_id: int) -> SurveyChoice:
        """The message asks a survey; an answer of it."""
        Delivery.objects.create(
            public_id=self.public_id,
            dedupe_key=self.email,
            contact_id=contact_id,
            address_hash=self.address_hash,
            purpose_id=purpose_id,
            sender=Sender.objects.get_or_create(email="mira@shop.example", name="Mira")[0],
            due_at=clock.now(),
            not_before=clock.now(),
        )
        survey, _ = Survey.objects.get_or_create(slug="why_not", question="What held you back?")
        return SurveyChoice.objects.get_or_create(survey=survey, label="The price")[0]

    def may_send(self, purpose: str = "cart_recovery") -> bool:
        return consent.may_send(self.address_hash, Channel.EMAIL, purpose)[0]


ON_THE_WEB = ("u", "p", "why", "s")


def everything(*, but: tuple[str, ...] = ()) -> dict[str, str]:
    """A fingerprint of each table of ours."""
    prints = {}
    with connection.cursor() as cursor:
        for app in ("crm", "tracking", "campaigns"):
            for model in apps.get_app_config(app).get_models():
                table = model._meta.db_table
                if table not in but:
                    rows = "SELECT md5(COALESCE(string_agg(r::text, '|' ORDER BY r::text), ''))"
                    cursor.execute(f"{rows} FROM {table} AS r")
                    prints[table] = cursor.fetchone()[0]
    return prints
