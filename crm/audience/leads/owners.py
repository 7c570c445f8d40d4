"""Who gets a lead that goes to sales: the owner there is, else an assignment rule, else the definition's.

State lives in rows that are locked until the transaction ends, so that two batches at once deal on where the
other stopped. A batch costs a fixed number of queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from crm.audience.leads.crew import Crew
from crm.audience.leads.people import known
from crm.kernel import rules
from crm.kernel.choosing import Candidate, choosers
from crm.kernel.kinds import UnknownKind
from crm.kernel.rules import Scope
from crm.kernel.rules.compiling import verdict
from crm.models import AssignmentMember, AssignmentRule, Lead, LeadDefinition, Stage
from crm.models.writing import update_rows

HELD = (Stage.Meaning.SALES_READY, Stage.Meaning.ACCEPTED)


@dataclass(frozen=True)
class Wanted:
    """One person who needs an owner: who comes first, and who was asked before and did not answer."""

    contact_id: UUID
    first: tuple[int | None, ...] = ()
    asked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Choice:
    """Who it is, nobody where there is none, and how they were chosen, in words."""

    user: Any
    how: str = ""


def choose(
    definition: LeadDefinition, wanted: Sequence[Wanted], crew: Crew, now: datetime
) -> dict[UUID, Choice]:
    """An owner for each, by contact. Call it inside a transaction."""
    chosen: dict[UUID, Choice] = {}
    for one in wanted:
        if user := _named(one.first, one, crew):
            chosen[one.contact_id] = Choice(user, _instead(one.first, user))
    rest = [one for one in wanted if one.contact_id not in chosen]
    if rest:
        chosen |= _by_rules(definition, rest, crew, now)
    for one in rest:
        if one.contact_id not in chosen:
            by_default = (definition.owner_by_default_id,)
            user = _named(by_default, one, crew)
            chosen[one.contact_id] = Choice(user, f"the owner “{definition}” names" if user else "")
    return chosen


def _named(pks: Iterable[int | None], one: Wanted, crew: Crew) -> Any:
    for pk in pks:
        user = crew.acting(pk)
        if user is not None and user.pk not in one.asked:
            return user
    return None


def _instead(first: tuple[int | None, ...], user: Any) -> str:
    return "their owner" if user.pk in first else "stands in for their owner, who is away"


def _by_rules(
    definition: LeadDefinition, rest: Sequence[Wanted], crew: Crew, now: datetime
) -> dict[UUID, Choice]:
    mine = Q(definition=None) | Q(definition=definition)
    locked = AssignmentRule.objects.filter(mine, is_active=True).order_by("pk")
    # Whoever deals holds the rules until it is committed: the next one goes on from there.
    found = sorted(
        locked.select_for_update(no_key=True, of=("self",)), key=lambda rule: (rule.position, rule.name)
    )
    if not found:
        return {}
    tables = _Tables(found, crew)
    chosen: dict[UUID, Choice] = {}
    meant = _meant(found, [one.contact_id for one in rest], now)
    for one in rest:
        for rule in found:
            if one.contact_id not in meant[rule.pk]:
                continue
            if user := tables.next_of(rule, one.asked):
                chosen[one.contact_id] = Choice(user, f"by the rule “{rule}”")
                break
    tables.keep()
    return chosen


def _meant(found: Sequence[AssignmentRule], ids: Sequence[UUID], now: datetime) -> dict[UUID, set[UUID]]:
    """Whom of these each rule is true of, by rule, in one query. A rule that cannot be read means nobody."""
    scope = Scope(current=True, among=ids)
    asked = {
        f"rule_{place}": verdict(rules.compile(rule.rule, now, scope))
        for place, rule in enumerate(found)
        if not rules.is_blank(rule.rule)
    }
    meant = {rule.pk: set(ids) if rules.is_blank(rule.rule) else set() for rule in found}
    if asked:
        for pk, *answers in known(now, ids).annotate(**asked).values_list("pk", *asked):
            for name, true in zip(asked, answers, strict=True):
                if true:
                    meant[found[int(name.removeprefix("rule_"))].pk].add(pk)
    return meant


class _Tables:
    """Who sits at the table of each rule, as dealt so far."""

    def __init__(self, found: Sequence[AssignmentRule], crew: Crew) -> None:
        members = list(AssignmentMember.objects.filter(rule__in=[rule.pk for rule in found]))
        members.sort(key=lambda member: (member.position, member.pk))
        self._highest: dict[UUID, int] = {}
        self._turned: dict[UUID, AssignmentMember] = {}
        self._seats: dict[UUID, dict[int, tuple[AssignmentMember, int, Any]]] = {}
        for place, member in enumerate(members):
            self._highest[member.rule_id] = max(self._highest.get(member.rule_id, 0), member.turn)
            user = crew.acting(member.user_id)
            if user is None:
                continue
            seats = self._seats.setdefault(member.rule_id, {})
            # Who stands in for somebody of the same table sits there once, on a seat of their own if any.
            if user.pk not in seats or member.user_id == user.pk:
                seats[user.pk] = (member, place, user)
        self._open = _open_leads(pk for seats in self._seats.values() for pk in seats)

    def next_of(self, rule: AssignmentRule, asked: frozenset[int]) -> Any:
        """Whoever ranks lowest of those who were not asked; they have had their turn."""
        try:
            chooser = choosers.get(rule.chooser)
        except UnknownKind:
            return None
        seats = self._seats.get(rule.pk, {})
        free = [seat for seat in seats.values() if seat[2].pk not in asked]
        if not free:
            return None
        member, _place, user = min(
            free,
            key=lambda seat: chooser.rank(Candidate(seat[2], seat[1], seat[0].turn, self._open[seat[2].pk])),
        )
        member.turn = self._highest[rule.pk] = self._highest[rule.pk] + 1
        self._turned[member.pk] = member
        self._open[user.pk] += 1
        return user

    def keep(self) -> None:
        update_rows(list(self._turned.values()), "turn")


def _open_leads(users: Iterable[int]) -> Counter[int]:
    """How many leads each has to look after."""
    held = Lead.objects.filter(owner__in=set(users), ended_at=None, stage__meaning__in=HELD)
    return Counter(dict(held.order_by().values_list("owner").annotate(number=Count("pk"))))
