"""What people ask of us about their data: written down, done step by step, answered in time.

Every act is a line of the request's log. Acts on one request take turns by its row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from crm.kernel.keeping import Person
from crm.kernel.requests import CannotDo, Step, request_kinds
from crm.models import Contact, ContactPoint, PersonRequest, RequestLine
from crm.people import request_days, request_telling
from crm.people.request_reading import doings, is_proven, kind_of

MAY = "crm.handle_requests"
State = PersonRequest.State


@transaction.atomic
def record(
    kind: str,
    contact_id: UUID | None,
    now: datetime,
    *,
    user: Any,
    received_at: datetime,
    way: str,
    words: str = "",
) -> PersonRequest:
    """Write down what somebody asked for. Asked again while it is open, it is a line of the request there is.

    Whoever answers requests is told of what a colleague passed on. Raises CannotDo.
    """
    request_kinds.get(kind)
    by = user.get_username()[:150]
    if received_at > now:
        raise CannotDo("This day has not come yet: say when they asked.")
    if contact_id is not None:
        # They may be merged or erased at this moment: whoever comes first.
        there = Contact.objects.select_for_update(no_key=True).filter(pk=contact_id, merged_into=None)
        if not there.exists():
            raise CannotDo("There is no such person any more.")
        before = PersonRequest.objects.filter(contact=contact_id, kind=kind, ended_at=None).first()
        if before is not None:
            _note(before, "again", now, by, words)
            return before
    made = PersonRequest.objects.create(
        contact_id=contact_id,
        kind=kind,
        received_at=received_at,
        way=way,
        words=words,
        recorded_at=now,
        recorded_by=by,
        due_at=request_days.due(received_at),
    )
    handles = user.has_perm(MAY)
    _note(made, "received" if handles else "passed_on", now, by)
    if not handles:
        request_telling.came_in(made, now)
    return made


def asked_by(request_id: UUID, contact_id: UUID, step: str, now: datetime) -> PersonRequest | None:
    """The request of this person for which a step is about to be done. Raises CannotDo where it is not to be
    done, or not yet; None where there is no such request of theirs.
    """
    request = PersonRequest.objects.filter(pk=request_id, contact=contact_id, ended_at=None).first()
    if request is not None:
        _ready(request, step, now)
    return request


@transaction.atomic
def did(request_id: UUID, key: str, now: datetime, *, by: str, words: str = "") -> None:
    """A step of it was done. Raises CannotDo."""
    request = _locked(request_id)
    _ready(request, key, now)
    _note(request, key, now, by, words)


@transaction.atomic
def do_here(request_id: UUID, key: str, now: datetime, *, by: str) -> str:
    """Do a step that is done by itself, and say what was done. Raises CannotDo."""
    request = _locked(request_id)
    step = _ready(request, key, now)
    if not step.here or request.contact_id is None:
        raise CannotDo("This is not done from here.")
    said = kind_of(request).do(key, request.contact_id, now, by=by)
    _note(request, key, now, by)
    return said


@transaction.atomic
def prove(request_id: UUID, how: str, now: datetime, *, by: str) -> None:
    """It was seen that they are who they say."""
    request = _locked(request_id)
    if not how:
        raise CannotDo("Say how you saw that it is they.")
    request.identity, request.state = how[:300], State.OPEN
    request.save(update_fields=["identity", "state"])
    _note(request, "identity", now, by, how)


@transaction.atomic
def wait(request_id: UUID, now: datetime, *, by: str) -> None:
    """They were asked to prove who they are. The day on which it is due stays."""
    request = _locked(request_id)
    if request.identity or request.state == State.WAITING:
        raise CannotDo("That was settled already.")
    request.state = State.WAITING
    request.save(update_fields=["state"])
    _note(request, "waits", now, by)


@transaction.atomic
def belongs_to(request_id: UUID, contact_id: UUID, now: datetime, *, by: str) -> None:
    """It was found who asks."""
    request = _locked(request_id)
    there = Contact.objects.select_for_update(no_key=True).filter(pk=contact_id, merged_into=None)
    if request.contact_id is not None or not there.exists():
        raise CannotDo("Whose request this is was settled already.")
    request.contact_id = contact_id
    request.save(update_fields=["contact"])
    _note(request, "who", now, by)


@transaction.atomic
def extend(request_id: UUID, why: str, now: datetime, *, by: str) -> datetime:
    """Two more months, once, with a reason that the person was told in time. Returns when it is due now."""
    request = _locked(request_id)
    if request.extended_at:
        raise CannotDo("It was given more time once already: there is no second time.")
    if not why:
        raise CannotDo("Say why it takes longer, as you told them.")
    if now > request.due_at:
        raise CannotDo("It is overdue: more time has to be taken, and they be told, before it is.")
    request.due_at = request_days.due(request.received_at, request_days.MONTHS + request_days.MONTHS_MORE)
    request.extended_at, request.extended_why, request.reminded_days = now, why[:500], None
    request.save(update_fields=["due_at", "extended_at", "extended_why", "reminded_days"])
    _note(request, "extended", now, by, why)
    return request.due_at


@transaction.atomic
def answer(request_id: UUID, words: str, now: datetime, *, by: str) -> None:
    """They have their answer. Every step was done before."""
    request = _locked(request_id)
    _done_all(request, now)
    _end(request, State.ANSWERED, "answered", now, by, words)


@transaction.atomic
def unknown(request_id: UUID, now: datetime, *, by: str) -> None:
    """They were told that nothing is kept of them: nobody here is they."""
    request = _locked(request_id)
    if request.contact_id is not None:
        raise CannotDo("We know who asks.")
    _end(request, State.ANSWERED, "unknown", now, by)


@transaction.atomic
def refuse(request_id: UUID, why: str, now: datetime, *, by: str) -> None:
    """It is not done, and they were told why."""
    request = _locked(request_id)
    if not why:
        raise CannotDo("Say why you refuse it, as you told them.")
    request.reason = why[:500]
    _end(request, State.REFUSED, "refused", now, by, why)


@transaction.atomic
def withdraw(request_id: UUID, now: datetime, *, by: str) -> None:
    """They take it back."""
    _end(_locked(request_id), State.WITHDRAWN, "withdrawn", now, by)


@transaction.atomic
def note(request_id: UUID, words: str, now: datetime, *, by: str) -> None:
    """Something about it for colleagues who answer requests."""
    if not words:
        raise CannotDo("Write down what there is to note.")
    _note(_locked(request_id), "note", now, by, words)


def end_erased(who: Person, now: datetime, *, by: str) -> None:
    """The person is being erased: what they asked for is closed, and of whom it was is only a keyed hash."""
    requests = PersonRequest.objects.filter(contact__in=who.ids).select_for_update()
    still = [request for request in requests if request.is_to_do]
    for request in still:
        is_answer = kind_of(request).ends_by_erasing
        request.state = State.ANSWERED if is_answer else State.ERASED
        request.ended_at, request.ended_by = now, by[:150]
    PersonRequest.objects.bulk_update(still, ["state", "ended_at", "ended_by"])
    RequestLine.objects.bulk_create(
        RequestLine(request=request, what="erased", at=now, by=by[:150]) for request in still
    )
    point = ContactPoint.objects.filter(contact__in=who.ids).order_by("-is_primary", "channel", "pk").first()
    if point is not None:
        told = {"address_hash": point.address_hash, "hash_key_id": point.hash_key_id}
        PersonRequest.objects.filter(contact__in=who.ids).update(**told)


def _locked(request_id: UUID) -> PersonRequest:
    request = PersonRequest.objects.select_for_update().filter(pk=request_id).first()
    if request is None or not request.is_to_do:
        raise CannotDo("This request is closed already.")
    return request


def _ready(request: PersonRequest, key: str, now: datetime) -> Step:
    step = kind_of(request).step(key)
    if request.contact_id is None:
        raise CannotDo("First find who asks.")
    if not is_proven(request):
        raise CannotDo("First see that it is they who ask.")
    for doing in doings(request, list(request.lines.all()), now):
        if doing.step == step and not doing.ready:
            raise CannotDo("First do what stands above it.")
    return step


def _done_all(request: PersonRequest, now: datetime) -> None:
    if request.contact_id is None:
        raise CannotDo("First find who asks, or say that nobody is known here.")
    if not is_proven(request):
        raise CannotDo("First see that it is they who ask.")
    for doing in doings(request, list(request.lines.all()), now):
        if doing.line is None:
            raise CannotDo(f"Not yet: {doing.step.title.lower()} first.")
        if doing.old:
            raise CannotDo(f"{doing.step.title} once more: what was done is out of date by now.")


def _end(request: PersonRequest, state: str, what: str, now: datetime, by: str, words: str = "") -> None:
    request.state, request.ended_at, request.ended_by = state, now, by[:150]
    request.save(update_fields=["state", "reason", "ended_at", "ended_by"])
    _note(request, what, now, by, words)
    if request.contact_id is None:
        # Nobody would find it again when whoever it was asks to be erased.
        blank(Q(pk=request.pk))


def blank(which: Q) -> int:
    """Take everything that tells of a person out of these requests. Returns how many they are."""
    # Named first: afterwards nothing tells any more which they were.
    keys = list(PersonRequest.objects.filter(which).values_list("pk", flat=True))
    RequestLine.objects.filter(request__in=keys).exclude(words="").update(words="")
    told = {"contact": None, "words": "", "identity": "", "extended_why": "", "reason": ""}
    return PersonRequest.objects.filter(pk__in=keys).update(**told)


def _note(request: PersonRequest, what: str, now: datetime, by: str, words: str = "") -> None:
    RequestLine.objects.create(request=request, what=what, words=words[:2000], at=now, by=by[:150])
