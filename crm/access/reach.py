"""Whom a colleague gets to see: everybody, or as the setting of their group has it their own people, and
nobody's.

Their own are people whose owner they are, and those of whom they have an open lead, a hand-over that waits
or a task to do; while somebody is away, their people are also those of who stands in. Of several groups the
widest counts. Whoever is out of reach is in no list, and their pages are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from crm.access import sight
from crm.kernel import clock, people_rows
from crm.models import Absence, Contact, HandOver, Lead, Sight, Task

MOST = 1000
"""So many people of one's leads and tasks are named one by one, which reads an index; more are asked for."""
_KEPT = "_reach"
_reader: ContextVar[Callable[[], Any] | None] = ContextVar("reader", default=None)


@dataclass(frozen=True)
class Reach:
    """These colleagues' people, with those in `besides`, and whoever has no owner where `nobodys`."""

    users: tuple[int, ...]
    nobodys: bool
    besides: Q

    @property
    def within(self) -> Q:
        """Of contacts, by columns that have an index."""
        theirs = Q(owner__in=self.users) | self.besides
        return theirs | Q(owner=None) if self.nobodys else theirs


@contextmanager
def reading(reader: Callable[[], Any]) -> Iterator[None]:
    """Within it `seen` is what this colleague gets to see; asked only where it is needed."""
    token = _reader.set(reader)
    try:
        yield
    finally:
        _reader.reset(token)


def seen[M: Any](rows: QuerySet[M]) -> QuerySet[M]:
    """The rows whoever reads the page gets to see; outside of pages all of them."""
    reader = _reader.get()
    user = reader() if reader is not None else None
    return rows if user is None or not user.is_authenticated else people_rows.narrowed(rows, user)


def person(pk: Any) -> Contact:
    """A person of this id whom the reader gets to see. Raises Http404."""
    found = seen(Contact.objects.filter(pk=pk, merged_into=None)).first()
    if found is None:
        raise Http404("There is no such person.")
    return found


def still_sees(user: Any, contact_id: UUID) -> bool:
    """Whether they see the person, as it is after what was just done."""
    user.__dict__.pop(_KEPT, None)
    return people_rows.narrowed(Contact.objects.filter(pk=contact_id), user).exists()


@people_rows.narrows
def visible(rows: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """The rows of people within reach: a condition on the owner, or a join with people; no query a row."""
    reach = of(user, clock.now())
    if reach is None:
        return rows
    for column in people_rows.columns(rows.model):
        if rows.model is Contact:
            rows = rows.filter(reach.within)
        elif reach.nobodys:
            # Also what is of nobody we know: only rows of somebody else's people are left out.
            others = Contact.objects.filter(pk=OuterRef(column), owner__isnull=False)
            rows = rows.filter(~Exists(others.exclude(owner__in=reach.users).exclude(reach.besides)))
        else:
            rows = rows.filter(Exists(Contact.objects.filter(reach.within, pk=OuterRef(column))))
    return rows


def of(user: Any, now: datetime) -> Reach | None:
    """Their reach, asked of the database once for each user object; None is everybody."""
    if _KEPT not in user.__dict__:
        people = sight.widest(user, "people", sight.PEOPLE)
        user.__dict__[_KEPT] = None if people == Sight.People.EVERYBODY else _reach(user, people, now)
    kept: Reach | None = user.__dict__[_KEPT]
    return kept


def _reach(user: Any, people: str, now: datetime) -> Reach:
    today = timezone.localtime(now).date()
    away = Absence.objects.filter(stand_in=user, from_day__lte=today, to_day__gte=today)
    users = (user.pk, *away.values_list("user", flat=True))
    leads = Lead.objects.filter(owner__in=users, ended_at=None).order_by().values("contact_id")
    waiting = HandOver.objects.filter(owner__in=users, answer=HandOver.Answer.WAITING).values("contact_id")
    tasks = Task.objects.filter(owner__in=users, done_at=None).order_by().values("contact_id")
    few = [row["contact_id"] for row in leads.union(waiting, tasks)[: MOST + 1]]
    many = Q(pk__in=leads) | Q(pk__in=waiting) | Q(pk__in=tasks)
    return Reach(users, people == Sight.People.UNOWNED, Q(pk__in=few) if len(few) <= MOST else many)
