"""The rules of a campaign, asked of whoever may enter and of the people inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Model, OuterRef, QuerySet

from campaigns.flows.kinds import triggers
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


def those(
    rule: Any, name: str, enrolments: Sequence[Enrolment], now: datetime, since: str = "entered_at"
) -> set[UUID]:
    """The runs of whose people the rule is true, asked about these people alone; a query a subject kind.

    `since` is the field of the run that *since entering* means.
    """
    found: set[UUID] = set()
    for kind in sorted({enrolment.subject_kind for enrolment in enrolments}):
        of_kind = [enrolment for enrolment in enrolments if enrolment.subject_kind == kind]
        runs = Enrolment.objects.filter(rules.AnyOf(F("pk"), [enrolment.pk for enrolment in of_kind]))
        among = [enrolment.contact_id for enrolment in of_kind]
        true = fulfilling(runs, rule, name, now, kind, since=since, among=among)
        found |= set(true.values_list("pk", flat=True))
    return found


def fulfilling(
    runs: QuerySet[Enrolment],
    rule: Any,
    name: str,
    now: datetime,
    subject_kind: str,
    *,
    since: str = "entered_at",
    among: Sequence[UUID] | None = None,
) -> QuerySet[Enrolment]:
    """Those of these runs, all about one kind of subject, of whose people the rule is true."""
    scope = rules.Scope(
        OuterRef(since),
        subject_kind,
        OuterRef("subject_id") if subject_kind else None,
        current=True,
        among=among,
    )
    return runs.filter(Exists(people(rule, now, name, scope)))


def offers_of(campaign: Campaign) -> frozenset[str]:
    """What rules within this campaign may ask of: the run, and what its trigger is about."""
    subject = triggers.get(campaign.trigger).subject_kind if campaign.trigger in triggers else ""
    return rules.Scope(True, subject, True if subject else None).offers
