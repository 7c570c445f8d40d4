"""The rules of a campaign, asked of whoever may enter and of the people inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, QuerySet

from campaigns.models import Campaign, Enrolment
from crm.kernel import rules
from crm.models import Contact


class BrokenRule(ValueError):
    """A rule of a campaign cannot be read; nobody is judged by it until it is mended."""


def may_enter[M: Model](
    rows: QuerySet[M], campaign: Campaign, now: datetime, subject_kind: str, subject: str = "pk"
) -> QuerySet[M]:
    """Only those rows (each with a `contact`) whose person the entry rule lets in; without a rule all.

    The rows are what the campaign is about (carts, orders), or name it in the column `subject`, and the rule
    may ask of it.
    """
    if rules.is_blank(campaign.entry_rule):
        return rows
    scope = rules.Scope(subject_kind=subject_kind, subject_id=OuterRef(subject), current=True)
    return rows.filter(Exists(people(campaign.entry_rule, now, "The entry rule", scope)))


def people(rule: Any, at: datetime, name: str, scope: rules.Scope | None = None) -> QuerySet[Contact]:
    """The contact of the outer row, if the rule is true of them. Raises BrokenRule where it cannot be
    read.
    """
    if problems := rules.problems(rule, (scope or rules.Scope()).offers):
        raise BrokenRule(f"{name} cannot be read: {problems[0]}")
    return Contact.objects.filter(pk=OuterRef("contact")).filter(rules.compile(rule, at, scope))


def those(rule: Any, name: str, enrolments: Sequence[Enrolment], now: datetime) -> set[UUID]:
    """The runs of whose people the rule is true, asked about these people alone; a query a subject kind."""
    found: set[UUID] = set()
    for kind in sorted({enrolment.subject_kind for enrolment in enrolments}):
        of_kind = [enrolment for enrolment in enrolments if enrolment.subject_kind == kind]
        scope = rules.Scope(
            OuterRef("entered_at"),
            kind,
            OuterRef("subject_id") if kind else None,
            current=True,
            among=[enrolment.contact_id for enrolment in of_kind],
        )
        runs = Enrolment.objects.filter(pk__in=[enrolment.pk for enrolment in of_kind])
        found |= set(runs.filter(Exists(people(rule, now, name, scope))).values_list("pk", flat=True))
    return found
