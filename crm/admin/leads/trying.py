"""A wording tried on one person: every line of the score with points and evidence, every rule with why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.access import reach
from crm.audience.leads import scoring
from crm.audience.leads.people import known
from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact, LeadVersion, ScoreLine
from crm.people import identity

ASKED = {
    "is_lead": "is a lead",
    "enter_nurturing": "would be nurtured",
    "sales_ready": "would be ready for sales",
}


@dataclass(frozen=True)
class TriedLine:
    """One line of the score as it stands for the person."""

    words: str
    points: int
    of: int
    evidence: list[str]


@dataclass
class Tried:
    """What was typed, whom it means, and what the wording says of them."""

    typed: str
    person: Contact | None = None
    score: int = 0
    lines: list[TriedLine] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)


def try_person(version: LeadVersion, typed: str, now: datetime) -> Tried | None:
    """None where nobody was asked about; without a person where nobody has that address."""
    typed = typed.strip()
    if not typed:
        return None
    digest = identity.hash_of(typed)
    people = (
        reach.seen(Contact.objects.filter(points__address_hash=digest, merged_into=None))
        if digest
        else Contact.objects.none()
    )
    tried = Tried(typed, people.first())
    if tried.person is None:
        return tried
    scope = Scope(current=True, among=[tried.person.pk])
    lines = scoring.lines_of(version)
    if lines:
        asked = known(now, [tried.person.pk]).annotate(parts=scoring.parts(lines, now, scope))
        parts = asked.values_list("parts", flat=True).first() or [0] * len(lines)
        tried.lines = [
            _line(line, got, tried.person, now, scope) for line, got in zip(lines, parts, strict=True)
        ]
        tried.score = sum(parts)
    mine = Contact.objects.filter(pk=tried.person.pk)
    for name, words in ASKED.items():
        rule = getattr(version, name)
        if not rules.is_blank(rule):
            tried.rules.append({"words": words, "why": rules.explain(mine, rule, now, scope)})
    return tried


def _line(line: ScoreLine, got: int, person: Contact, now: datetime, scope: Scope) -> TriedLine:
    why = rules.explain(Contact.objects.filter(pk=person.pk), line.rule, now, scope)
    told = [leaf.evidence for leaf in why.root.leaves() if leaf.evidence] if why and why.root else []
    return TriedLine(scoring.named(line), got, line.points, told)
