"""The frequency limits that every shop begins with.

Added after every migration where there are none; what a marketer has changed or removed is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, router, transaction

from campaigns.models import ChannelLimit, FrequencySettings
from crm.models import Channel
from crm.seed import is_up_to_date

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Limit:
    """A limit every shop begins with, and why it is what it is."""

    channel: str
    at_most: int
    within: timedelta
    reason: str


LIMITS = [
    Limit(Channel.EMAIL, 1, timedelta(hours=20), "One a day; 20 hours, so that its hour may move a little"),
    Limit(Channel.EMAIL, 4, WEEK, "Who gets more than four a week unsubscribes more than buys"),
    Limit(Channel.SMS, 1, WEEK, "It rings, and each one costs: only what is worth it"),
    Limit(Channel.WEBPUSH, 3, WEEK, "A browser’s messages are blocked for good where they annoy"),
]


def plant(using: str = DEFAULT_DB_ALIAS) -> None:
    """Add what is missing. Repeating it changes nothing."""
    with transaction.atomic(using=using):
        rules, is_new = FrequencySettings.objects.using(using).get_or_create(pk=1)
        if is_new:
            ChannelLimit.objects.using(using).bulk_create(
                ChannelLimit(
                    settings=rules, channel=limit.channel, at_most=limit.at_most, within=limit.within
                )
                for limit in LIMITS
            )


def after_migrate(sender: AppConfig, using: str, plan: Any = (), **_rest: Any) -> None:
    if router.allow_migrate_model(using, FrequencySettings) and is_up_to_date(sender, using, plan):
        plant(using)
