"""What is done on the page of a request: each button is one of these, with the words typed at it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format

from crm.kernel.requests import CannotDo
from crm.models import Contact, PersonRequest
from crm.people import finding, request_reading, requests

Act = Callable[[UUID, str, datetime, str], str]


def _step(key: str) -> Act:
    """A step of its kind: done right here, or written down that it was done."""

    def act(pk: UUID, words: str, now: datetime, by: str) -> str:
        asked = PersonRequest.objects.get(pk=pk)
        step = request_reading.kind_of(asked).step(key)
        if step.here:
            return requests.do_here(pk, key, now, by=by)
        if not step.by_hand or not words:
            raise CannotDo(
                "Write down what was done." if step.by_hand else "This is done on a page of theirs."
            )
        requests.did(pk, key, now, by=by, words=words)
        return "It is written down."

    return act


def _prove(pk: UUID, words: str, now: datetime, by: str) -> str:
    requests.prove(pk, words, now, by=by)
    return "Now it can be done what they ask."


def _wait(pk: UUID, words: str, now: datetime, by: str) -> str:
    requests.wait(pk, now, by=by)
    return "It waits for proof. The day on which it is due stays."


def _who(pk: UUID, words: str, now: datetime, by: str) -> str:
    found = Contact.objects.filter(pk__in=finding.whole(words) or [], merged_into=None)[:2]
    if len(found) != 1:
        raise CannotDo("Nobody here has exactly this. Type a whole address, telephone number or outside id.")
    requests.belongs_to(pk, found[0].pk, now, by=by)
    return f"It is {found[0]} who asks."


def _unknown(pk: UUID, words: str, now: datetime, by: str) -> str:
    requests.unknown(pk, now, by=by)
    return "It is closed. What they wrote is not kept."


def _extend(pk: UUID, words: str, now: datetime, by: str) -> str:
    due_at = requests.extend(pk, words, now, by=by)
    return f"It is due on {date_format(timezone.localtime(due_at), 'j F Y')} now."


def _answer(pk: UUID, words: str, now: datetime, by: str) -> str:
    requests.answer(pk, words, now, by=by)
    return "It is answered."


def _refuse(pk: UUID, words: str, now: datetime, by: str) -> str:
    requests.refuse(pk, words, now, by=by)
    return "It is refused, with its reason."


def _withdraw(pk: UUID, words: str, now: datetime, by: str) -> str:
    requests.withdraw(pk, now, by=by)
    return "It is closed: they took it back."


def _note(pk: UUID, words: str, now: datetime, by: str) -> str:
    requests.note(pk, words, now, by=by)
    return "It is noted."


ACTS: dict[str, Act] = {
    "identity": _prove,
    "waits": _wait,
    "who": _who,
    "unknown": _unknown,
    "extend": _extend,
    "answer": _answer,
    "refuse": _refuse,
    "withdraw": _withdraw,
    "note": _note,
}


def act(what: str) -> Act:
    """The act of a button; what is none of these is a step of the request's kind."""
    return ACTS.get(what) or _step(what)
