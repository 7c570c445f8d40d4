"""What colleagues are told of leads handed over: one notice a lead, or one about all of them where many came
at once (a first wording, an import).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.audience.leads.crew import Crew
from crm.audience.leads.pages import page_of_board, page_of_task
from crm.models import Contact, HandOver, Lead, LeadDefinition, Notice
from crm.shop.settings import shop_zone

MOST_SINGLE = 10
_MOST_NAMED = 20


@dataclass(frozen=True)
class Asked:
    """One colleague asked to take one lead. `by` moved the lead by hand, and need not be told."""

    lead: Lead
    contact: Contact
    row: HandOver
    user: Any
    why: str
    by: str = ""


def tell(definition: LeadDefinition, asked: Sequence[Asked], crew: Crew, now: datetime) -> None:
    """A notice to whoever was asked; where nobody could be, to every superuser."""
    told: dict[Any, list[Asked]] = {}
    for one in asked:
        for user in [one.user] if one.user else crew.superusers:
            if user.get_username() != one.by:
                told.setdefault(user, []).append(one)
    notices = [notice for user, rows in told.items() for notice in _notices(definition, user, rows, now)]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)


def _notices(definition: LeadDefinition, user: Any, rows: list[Asked], now: datetime) -> list[Notice]:
    if len(rows) > MOST_SINGLE:
        return [_summary(definition, user, rows, now)]
    return [
        Notice(
            key=f"lead:{one.row.move_id}:{user.pk}",
            user=user,
            contact_id=one.lead.contact_id,
            subject=f"{one.contact} is sales-ready"[:200],
            body=f"{one.contact} is ready for sales, by “{definition}”.\n\n{one.why}\n\n{_asks(one)}",
            path=page_of_task(one.row.move_id),
            created_at=now,
        )
        for one in rows
    ]


def _summary(definition: LeadDefinition, user: Any, rows: list[Asked], now: datetime) -> Notice:
    rows = sorted(rows, key=lambda one: -one.lead.score)
    listed = [f"  {one.contact}: {one.lead.score} points" for one in rows[:_MOST_NAMED]]
    rest = len(rows) - len(listed)
    if rest:
        listed.append(f"  and {rest:,} more")
    first = min(one.row.move_id for one in rows)
    return Notice(
        key=f"leads:{first}:{user.pk}",
        user=user,
        subject=f"{len(rows):,} people are sales-ready ({definition})"[:200],
        body="\n".join(
            [f"They became ready for sales by “{definition}”, each with a task of its own.", *listed]
        ),
        path=page_of_board(),
        created_at=now,
    )


def _asks(one: Asked) -> str:
    if one.user is None:
        return "Nobody owns this lead: please give it to somebody."
    chosen = f"It came to you: {one.row.chosen}. " if one.row.chosen else ""
    if one.row.answer_by is None:
        return f"{chosen}Please accept or refuse the lead."
    until = one.row.answer_by.astimezone(shop_zone())
    return (
        f"{chosen}Please accept or refuse the lead by {until:%A %-d %B, %H:%M}: after that it goes to the"
        " next colleague."
    )
