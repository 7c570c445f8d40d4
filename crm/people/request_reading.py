"""How requests of people stand: which steps are done, what their log says, how many are to be answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from crm.kernel.requests import RequestKind, Step, request_kinds
from crm.models import PersonRequest, RequestLine
from crm.people import request_days

EVENTS = {
    "received": "wrote it down",
    "passed_on": "passed it on",
    "again": "heard it again",
    "who": "found who asks",
    "waits": "asked for proof of who they are",
    "identity": "saw that it is they who ask",
    "extended": "took two more months, and told them why",
    "note": "noted",
    "answered": "answered",
    "refused": "refused",
    "withdrawn": "closed it: they take it back",
    "unknown": "answered: nobody of that is known here",
    "erased": "erased the person, which closed it",
}
"""What the log says of lines that are no step of a kind."""


@dataclass(frozen=True)
class Doing:
    """A step of a request as it stands: `line` says that it was done, `old` that that was too long ago, and
    `ready` that everything before it is done.
    """

    step: Step
    line: RequestLine | None
    old: bool
    ready: bool


def kind_of(request: PersonRequest) -> RequestKind:
    """Its kind; one without steps, where whatever brought it is gone."""
    return request_kinds.get(request.kind) if request.kind in request_kinds else RequestKind()


def doings(request: PersonRequest, lines: Sequence[RequestLine], now: datetime) -> list[Doing]:
    """The steps of a request in order, each with what was done of it."""
    found = []
    ready = request.contact_id is not None and is_proven(request)
    for step in kind_of(request).steps:
        done = [line for line in lines if line.what == step.key]
        line = max(done, key=lambda one: (one.at, one.pk), default=None)
        old = line is not None and step.holds is not None and now > line.at + step.holds
        found.append(Doing(step, line, old, ready))
        ready = ready and line is not None and not old
    return found


def is_proven(request: PersonRequest) -> bool:
    """Whether it is known to be they, where that is needed."""
    return bool(request.identity) or not kind_of(request).needs_proof


def said_of(request: PersonRequest, line: RequestLine) -> str:
    """What a line of the log says, after who did it."""
    if line.what in EVENTS:
        return EVENTS[line.what]
    steps = {step.key: step.noted for step in kind_of(request).steps}
    return steps.get(line.what, line.what)


def to_answer(now: datetime) -> str:
    """How many requests are to be answered and how soon, in words; blank where there are none."""
    rows = PersonRequest.objects.filter(ended_at=None).values_list("due_at").order_by("due_at")
    days = Counter(dict(rows.annotate(number=Count("pk"))))
    if not days:
        return ""
    number = sum(days.values())
    head = f"{number:,} request{'s' * (number != 1)} to answer"
    if late := sum(count for due_at, count in days.items() if due_at < now):
        return f"{head}, {late:,} overdue"
    first = min(days)
    return f"{head}, {days[first]:,} due {request_days.on(first, now)}"
