"""A condition: the smallest thing a rule can say of a person, with one meaning, in SQL.

As of an instant. `at` is an argument of everything here. Behaviour is history: events, orders, deliveries,
changes of consent and stage carry the instant they happened (`occurred_at`) and the one we learned of them
(`recorded_at`), and a condition counts what had happened **and** was known by `at`: `occurred_at <= at` and
`recorded_at <= at`. Plain attributes without a history are as they are now; a condition over them says
`exact_in_past = False`, and so does the interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet

from crm.kernel.kinds import Kind, Registry
from crm.kernel.rules.narrowing import AnyOf

ENTERED_AT = "entered_at"
SUBJECT = "subject"


@dataclass(frozen=True)
class Scope:
    """Where a rule is asked: nothing for a segment; within a campaign, since when and about what.

    Each is a value, or an expression valid in the query over contacts that the rule filters: `F` of an
    annotation, `OuterRef` of an enclosing query over enrolments. A condition that looks into a table below
    contacts takes `scope.inside`.

    `current` says that `at` is this very moment, so that what is kept up besides the history (rollups,
    states) may answer in its place: the same people, found sooner. `among` says that only these people are
    asked about, so that a condition which looks at everybody's rows first needs to look at theirs alone.
    """

    entered_at: Any = None
    subject_kind: str = ""
    subject_id: Any = None
    current: bool = False
    among: Sequence[UUID] | None = None

    @property
    def offers(self) -> frozenset[str]:
        given = {ENTERED_AT} if self.entered_at is not None else set()
        if self.subject_id is not None:
            given |= {SUBJECT, f"{SUBJECT}:{self.subject_kind}"}
        return frozenset(given)

    @property
    def inside(self) -> Scope:
        """The same scope, as a subquery of the query over contacts has to spell it."""
        return replace(self, entered_at=_one_deeper(self.entered_at), subject_id=_one_deeper(self.subject_id))

    def narrowed[R: QuerySet[Any]](self, rows: R, contact: str = "contact_id") -> R:
        """These rows of everybody, or of the people asked about alone. For subqueries that are not bound to
        the contact of the query around: `pk__in` of an aggregate.
        """
        return rows if self.among is None else rows.filter(AnyOf(F(contact), self.among))


def _one_deeper(value: Any) -> Any:
    if isinstance(value, OuterRef):
        return OuterRef(value)
    return OuterRef(value.name) if isinstance(value, F) else value  # type: ignore[attr-defined]


class Condition(Kind):
    """What can be true of a contact. Its `q` filters contacts and is the only meaning it has.

    Look into other tables with `Exists(…OuterRef("pk")…)`, never by joining to many rows: a join would
    count a person twice. Where the scope is needed, name in `needs` what of it: "entered_at", "subject", or
    "subject:cart".
    """

    exact_in_past = True
    needs: frozenset[str] = frozenset()

    def q(self, params: dict[str, Any], at: datetime, scope: Scope) -> Q:
        """Contacts of whom this is true as of `at`."""
        raise NotImplementedError(f"{type(self).__name__} says nothing")

    def sentence(self, params: dict[str, Any]) -> str:
        """The condition as words that follow "people who": "bought in Headphones at least 2 times"."""
        raise NotImplementedError(f"{type(self).__name__} has no words")

    def drift(
        self, params: dict[str, Any], since: datetime, at: datetime, scope: Scope
    ) -> Sequence[QuerySet[Any]] | None:
        """Queries of one column, the ids of contacts, that hold everybody whose verdict may have changed
        between two instants though nothing was written about them: only time went by.

        An empty list: time changes nothing here. None: not known, so everybody is asked again each time.
        Whoever answers also promises that whatever is written about its facts stirs the contact
        (`crm.people.stirring`).
        """
        return None

    def evidence(self, params: dict[str, Any], at: datetime, scope: Scope) -> Any:
        """An annotation over contacts that shows what the verdict rests on, or None."""
        return None

    def tell(self, params: dict[str, Any], value: Any) -> str:
        """The evidence of one person in words: "bought 1 time, last on 3 October"."""
        return "" if value is None else str(value)

    def change(self, params: dict[str, Any], value: Any, *, wanted: bool) -> str:
        """The smallest change that would turn the verdict into `wanted`, given the evidence: "1 more order",
        "a cart worth €3.00 more". Blank: the sentence itself says it.
        """
        return ""


conditions: Registry[Condition] = Registry(Condition)
