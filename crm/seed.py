"""The rows the product cannot do without: purposes, and the settings of the shop, of its sales desk and of
who is at risk.

Added after every migration where they are missing; what a user has changed is left alone.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connections, router, transaction
from django.db.migrations.executor import MigrationExecutor

from crm.models import Channel, DeskSettings, Purpose, RiskSettings, ShopSettings

MARKETING, TRACKING, TRANSACTIONAL = Purpose.Kind.MARKETING, Purpose.Kind.TRACKING, Purpose.Kind.TRANSACTIONAL
CONSENT = ["consent"]
EVERY_CHANNEL = list(Channel.values)

PURPOSES: list[tuple[str, str, str, Purpose.Kind, list[str], list[str]]] = [
    ("newsletter", "Newsletter", "News and offers of the shop.", MARKETING, [Channel.EMAIL], CONSENT),
    (
        "cart_recovery",
        "Reminders of your cart",
        "A reminder of things left in the cart.",
        MARKETING,
        EVERY_CHANNEL,
        [*CONSENT, "existing_customer"],
    ),
    (
        "product_reminder",
        "Reminders of products",
        "A reminder of products looked at, or about to run out.",
        MARKETING,
        EVERY_CHANNEL,
        [*CONSENT, "existing_customer"],
    ),
    (
        "win_back",
        "We miss you",
        "An offer after a long time without an order.",
        MARKETING,
        EVERY_CHANNEL,
        [*CONSENT, "existing_customer"],
    ),
    ("back_in_stock", "Back in stock", "A note when something is back.", MARKETING, EVERY_CHANNEL, CONSENT),
    ("sms_marketing", "Text messages", "Offers by text message.", MARKETING, [Channel.SMS], CONSENT),
    (
        "webpush_marketing",
        "Browser messages",
        "Offers in the browser.",
        MARKETING,
        [Channel.WEBPUSH],
        CONSENT,
    ),
    (
        "open_tracking",
        "Notice what I open",
        "Whether a message was opened, to send fewer that nobody reads.",
        TRACKING,
        [Channel.EMAIL],
        CONSENT,
    ),
    (
        "click_tracking",
        "Notice what I click",
        "Which links were clicked, to write about what is wanted.",
        TRACKING,
        EVERY_CHANNEL,
        CONSENT,
    ),
    (
        "web_profile",
        "Remember my visits",
        "Pages looked at in the shop, beyond the cart itself.",
        TRACKING,
        EVERY_CHANNEL,
        CONSENT,
    ),
    (
        "transactional",
        "About your orders",
        "Messages that an order or a request needs.",
        TRANSACTIONAL,
        EVERY_CHANNEL,
        ["contract"],
    ),
]


def plant(using: str = DEFAULT_DB_ALIAS) -> None:
    """Add what is missing. Repeating it changes nothing."""
    with transaction.atomic(using=using):
        Purpose.objects.using(using).bulk_create(
            [
                Purpose(
                    key=key,
                    name=name,
                    description=description,
                    kind=kind,
                    channels=channels,
                    legal_bases=bases,
                )
                for key, name, description, kind, channels, bases in PURPOSES
            ],
            ignore_conflicts=True,
        )
        RiskSettings.objects.using(using).get_or_create(pk=1)
        DeskSettings.objects.using(using).get_or_create(pk=1)
        shop, _ = ShopSettings.objects.using(using).get_or_create(pk=1)
        if not shop.ingest_key:
            shop.ingest_key = f"pk_{secrets.token_urlsafe(18)}"
            shop.save(using=using, update_fields=["ingest_key"])


def after_migrate(sender: AppConfig, using: str, plan: Any = (), **_rest: Any) -> None:
    if router.allow_migrate_model(using, Purpose) and is_up_to_date(sender, using, plan):
        plant(using)


def is_up_to_date(app: AppConfig, using: str, plan: Any = ()) -> bool:
    """Whether this app's tables are as this code knows them: nothing is planted half-way through its
    migrations.
    """
    if not plan:
        return True
    executor = MigrationExecutor(connections[using])
    newest = [node for node in executor.loader.graph.leaf_nodes() if node[0] == app.label]
    return not executor.migration_plan(newest)
