"""Who is a lead, kept up. Everybody is asked when a wording is new, once a day since scores fade, and once an
hour where a rule cannot say whom time alone changes it for; in between, those it may have changed for.

A person becomes a lead when *is a lead* is true of them. They cease to be one when it is not and they stand
where the rules put them, at a stage that means *is a lead* or *is nurtured*; whoever a hand has moved, or
sales has to do with, stays until a person or a stage's own rule says otherwise. Scores are computed first,
stages after, so that the rule for *sales-ready* may ask for the score.

Each batch of people is one transaction and a fixed number of queries. A refresh that is killed leaves whole
batches behind and is simply done again: nothing that is as it should be is written twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.models import Exists, F, OuterRef, QuerySet

from crm.audience.leads import definitions, scoring
from crm.audience.leads.batches import Course, work_on
from crm.audience.leads.people import BECAME, PATIENCE, known
from crm.kernel import rules
from crm.kernel.patience import TookTooLong, at_most
from crm.kernel.rules import Scope
from crm.kernel.work import Budget, in_batches, stopping
from crm.models import Lead, LeadDefinition
from crm.people.stirring import mark, stirred_since

BATCH = 2_000
# What others stored with an instant of their own may be seen a little after it.
_OVERLAP = timedelta(minutes=15)
_FAILED = -1  # in the place of a mark

logger = logging.getLogger(__name__)


def refresh(definition: LeadDefinition, now: datetime, *, whole: bool = False) -> int:
    """Bring leads, scores and stages up to date. Returns how many people something changed for.

    A wording with a problem in it, at whatever place, changes nobody; the definition says why.
    """
    started = monotonic()
    definition = LeadDefinition.objects.get(pk=definition.pk)
    version = definitions.published(definition)
    if version is None:
        return 0
    found = definitions.problems(version)
    if found:
        _close(definition, now, "; ".join(found), marked=0)
        return 0
    course = Course(definition, version, scoring.lines_of(version), list(definition.stages.all()))
    here = mark()
    changed = 0
    for batch in _asked(course, now, here, whole=whole):
        changed += work_on(course, batch, now)
        if stopping():
            return changed
    # Not where the wording was changed meanwhile: the mark says so, and the next refresh asks everybody.
    LeadDefinition.objects.filter(pk=definition.pk, marked=definition.marked).update(
        marked=here, problem="", refreshed_at=now, refresh_seconds=monotonic() - started
    )
    return changed


def refresh_all(now: datetime, budget: Budget) -> int:
    """Refresh every definition, the longest waiting first. One that fails says so on its own page, and
    is tried again once an hour.
    """
    worked = 0
    for definition in LeadDefinition.objects.order_by(F("refreshed_at").asc(nulls_first=True), "pk"):
        if not budget:
            break
        last = definition.refreshed_at
        if definition.marked == _FAILED and last is not None and _hour(last) == _hour(now):
            continue
        try:
            worked += refresh(definition, now)
        except (DatabaseError, TookTooLong) as error:
            if connection.in_atomic_block and connection.needs_rollback:
                raise
            logger.warning("The leads of %s could not be refreshed: %s", definition.pk, error)
            _close(definition, now, f"It could not be refreshed: {error}"[:1000], marked=_FAILED)
    return worked


def _close(definition: LeadDefinition, now: datetime, problem: str, *, marked: int) -> None:
    LeadDefinition.objects.filter(pk=definition.pk).update(problem=problem, refreshed_at=now, marked=marked)


def _hour(at: datetime) -> tuple[Any, int]:
    return at.date(), at.hour


def _asked(course: Course, now: datetime, here: int, *, whole: bool) -> Iterator[list[UUID]]:
    """Batches of the people to ask. Once a day everybody, since scores fade by the day."""
    last = course.definition.refreshed_at
    if whole or not 0 < course.definition.marked <= here or last is None or last.date() != now.date():
        return _everybody(course, now)
    scope = Scope(current=True, entered_at=F(BECAME))
    since = last - _OVERLAP
    joining = rules.drift(course.version.is_lead, since, now, scope)
    # Scores and stages are of leads alone.
    about_leads = [rules.drift(rule, since, now, scope) for rule in course.rules_of_leads()]
    unforeseen = joining is None or any(turned is None for turned in about_leads)
    if unforeseen and last.hour != now.hour:
        return _everybody(course, now)
    leads = Lead.objects.filter(definition=course.definition, ended_at=None)
    queries = [stirred_since(course.definition.marked).values_list("contact_id", flat=True)]
    queries += [known(now).filter(pk__in=turned).values_list("pk", flat=True) for turned in joining or ()]
    queries += [
        leads.filter(contact__in=turned).values_list("contact_id", flat=True)
        for turned in chain.from_iterable(turned or () for turned in about_leads)
    ]
    return in_batches(sorted({contact_id for query in queries for contact_id in _read(query)}), BATCH)


def _everybody(course: Course, now: datetime) -> Iterator[list[UUID]]:
    """First all who are leads, then all who should become one."""
    definition = course.definition
    leads = Lead.objects.filter(definition=definition, ended_at=None)
    yield from in_batches(_read(leads.values_list("contact_id", flat=True)), BATCH)
    if definition.is_active:
        is_lead = rules.compile(course.version.is_lead, now, Scope(current=True))
        meant = known(now).filter(is_lead).filter(~Exists(leads.filter(contact=OuterRef("pk"))))
        yield from in_batches(_read(meant.values_list("pk", flat=True)), BATCH)


def _read(query: QuerySet[Any, UUID]) -> list[UUID]:
    with at_most(PATIENCE):
        return list(query)
