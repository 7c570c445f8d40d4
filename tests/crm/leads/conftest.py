"""A small cast, and a definition of a lead that a marketer could have written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from crm.audience.leads import definitions, qualifying
from crm.models import Contact, Lead, LeadDefinition, LeadVersion, ScoreLine
from crm.people import changes
from crm.people.identity import Known, resolve
from crm.people.stirring import stir
from crm.shop.intake import SHOP, OrderIn, record_orders

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
MINUTE = timedelta(minutes=1)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def rule(kind: str, **params: Any) -> dict[str, Any]:
    return {"all": [{"kind": kind, "params": params}]}


def tagged(name: str) -> dict[str, Any]:
    return rule("crm.tag", tag=name)


def tag(contact: Contact, *tags: str, at: datetime = NOW) -> None:
    """As the contact's page does it: the change is noted and stirs."""
    before = Contact.objects.get(pk=contact.pk)
    contact.tags = list(tags)
    contact.save()
    changes.note(before, contact, at, actor="ada")
    stir([contact.pk])


def order(contact: Contact, at: datetime, number: str, total: int = 50) -> None:
    given = OrderIn(number, at, Decimal(total), contact_id=contact.pk)
    record_orders([given], at, source=SHOP, is_backfill=True)


def people(*names: str, at: datetime = LONG_AGO) -> list[Contact]:
    known = [Known(email=f"{name.lower()}@example.com", first_name=name) for name in names]
    found = Contact.objects.in_bulk(resolve(known, at, source="shop"))
    return sorted(found.values(), key=lambda contact: names.index(contact.first_name))


def lines(version: LeadVersion, *each: tuple[str, dict[str, Any], int, int | None]) -> list[ScoreLine]:
    return [
        ScoreLine.objects.create(
            version=version, label=label, rule=what, points=points, halves_days=halves, position=place
        )
        for place, (label, what, points, halves) in enumerate(each)
    ]


def stage(definition: LeadDefinition, meaning: str) -> Any:
    return definition.stages.get(meaning=meaning)


def at_stage(contact: Contact) -> str:
    lead = Lead.objects.select_related("stage").get(contact=contact)
    return "no lead" if lead.ended_at else str(lead.stage)


@pytest.fixture
def cast(db: None) -> dict[str, Contact]:
    return {contact.first_name: contact for contact in people("Ana", "Boris", "Chen", "Dana")}


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user("olga", "olga@office.example", is_staff=True)


@pytest.fixture
def definition(db: None, olga: User) -> LeadDefinition:
    """A lead has the tag *interested*; *reader* nurtures; 50 points make sales-ready."""
    made = definitions.new_definition("Ready to buy", NOW - days(100), "ada")
    made.owner_by_default = olga
    made.save()
    draft = definitions.draft_of(made, NOW)
    draft.is_lead = tagged("interested")
    draft.enter_nurturing = tagged("reader")
    draft.sales_ready = rule("crm.lead_score", definition=str(made.pk), at_least="50")
    draft.save()
    lines(
        draft,
        ("Asked for a price", tagged("asked"), 40, 10),
        ("Read the guide", tagged("reader"), 20, None),
        ("Works for a competitor", tagged("competitor"), -30, None),
    )
    definitions.publish(draft, NOW - days(100), "ada")
    return made


def refresh(definition: LeadDefinition, now: datetime = NOW, **more: Any) -> int:
    return qualifying.refresh(definition, now, **more)
