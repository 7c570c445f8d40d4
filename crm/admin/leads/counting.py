"""Whom a wording would make leads, counted before it counts: last quarter and from now on, or that it took
too long to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from crm.audience.leads import stages
from crm.audience.leads.retro import retro
from crm.audience.segmentation import NOW, members
from crm.kernel import rules
from crm.kernel.patience import within
from crm.models import Lead, LeadDefinition

CHANGE_SECONDS = 10
LOCK_SPACE = 0x4C656164  # advisory locks of this module; the second key is the colleague who counts


@dataclass(frozen=True)
class Counted:
    """What stands above a draft."""

    problems: Sequence[str] = ()
    is_blank: bool = False
    sentence: str = ""
    quarter: str = ""
    retro: str = ""
    change: str = ""


@contextmanager
def one_at_a_time(user_id: int) -> Iterator[bool]:
    """Whether this colleague has no other count running: each takes seconds, and typing asks for many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_SPACE, user_id])
        yield cursor.fetchone()[0]


def count(definition: LeadDefinition, typed: Any, field: Any, now: datetime) -> Counted:
    """What the form says of *is a lead*, counted as far as patience goes."""
    if rules.is_blank(typed):
        return Counted(is_blank=True)
    try:
        rule = field.clean(typed)
    except ValidationError as error:
        return Counted(problems=error.messages)
    start, end = last_quarter(now)
    told = within(CHANGE_SECONDS, lambda: what_would_change(definition, rule, now))
    return Counted(
        sentence=rules.sentence(rule),
        quarter=f"{start:%B} to {end - timedelta(days=1):%B %Y}",
        retro=_looked_back(rule, start, end, now),
        change=told or f"How many that is today takes longer than {CHANGE_SECONDS} seconds to count.",
    )


def _looked_back(rule: Any, start: datetime, end: datetime, now: datetime) -> str:
    found = retro(rule, start, end, now)
    if found.is_whole and not found.people:
        return "Under this wording nobody would have become a lead: it was true of nobody who was known then."
    return found.sentence


def last_quarter(now: datetime) -> tuple[datetime, datetime]:
    """The whole calendar quarter before this one, in the shop's time."""
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    end = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    before = end - timedelta(days=1)
    return before.replace(month=before.month - 2, day=1), end


def what_would_change(definition: LeadDefinition, rule: Any, now: datetime) -> str:
    """How many would become leads and how many cease to be ones, were it published now."""
    meant = members(rule, now, NOW)
    leads = Lead.objects.filter(definition=definition, ended_at=None)
    come = meant.filter(~Exists(leads.filter(contact=OuterRef("pk")))).count() if definition.is_active else 0
    # Whom a hand or sales holds stays.
    by_rule = leads.filter(stage__meaning__in=stages.OF_RULES, stage=F("rule_stage"))
    go = by_rule.filter(~Exists(meant.filter(pk=OuterRef("contact_id")))).count()
    if not come and not go:
        return "Publishing it would change nobody’s being a lead."
    become = f"{_people(come)} would become {'a lead' if come == 1 else 'leads'}"
    cease = f"{_people(go)} would stop being one"
    return (
        f"Publish it, and {' and '.join(words for words, number in ((become, come), (cease, go)) if number)}."
    )


def _people(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"
