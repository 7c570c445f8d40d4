"""Losers of the gate whose products come along in another message to the same person: what waits to join,
what a message took in, and whether that is still true as it leaves.

The message says it all: a run has joined only while the message that was made with its products, under that
very lease, is on its way or has left. Whatever else becomes of it, the run waits as before. Nobody is told
of a join twice, and nothing is sent for the run itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from campaigns.delivery.guards import Guard, Verdict, guards
from campaigns.models import Delivery, DeliveryState, Due, Joining
from crm.kernel.rules import AnyOf
from crm.models.writing import insert_rows, update_rows

# So soon a run looks what became of the message it joined.
LOOKS_AGAIN = timedelta(seconds=15)
IN_HAND = (DeliveryState.CLAIMED, DeliveryState.SENDING)
# Where nobody knows whether it arrived, nothing is said twice.
LEFT = (DeliveryState.SENT, DeliveryState.UNKNOWN)


@dataclass(frozen=True)
class Fate:
    """What became of a run's joining: the message it was made part of, of which campaign; whether that is
    still in the hands of a sender, and whether it left.
    """

    delivery: UUID
    campaign: str
    is_in_hand: bool
    has_left: bool
    shows: Sequence[str]

    @property
    def words(self) -> str:
        if not self.has_left:
            return f"The message of “{self.campaign}” that it had joined has not left."
        first, *others = self.shows
        more = f" and {len(others)} more" if others else ""
        return f"Joined the message of “{self.campaign}”: {first}{more}."


def fates(places: Mapping[UUID, str]) -> dict[UUID, Fate]:
    """Of these runs, by the places they wait at, those that a message took in. Two queries at most."""
    rows = list(Joining.objects.filter(AnyOf(F("pk"), list(places)), joined__isnull=False))
    rows = [row for row in rows if row.place == places[row.pk]]
    if not rows:
        return {}
    deliveries = Delivery.objects.filter(public_id__in={row.joined for row in rows})
    known = {
        key: (token, state, name)
        for key, token, state, name in deliveries.values_list(
            "public_id", "lease_token", "state", "campaign__name"
        )
    }
    found = {}
    for row in rows:
        if row.joined not in known:
            continue
        token, state, name = known[row.joined]
        same = token == row.lease_seen
        found[row.pk] = Fate(row.joined, name, same and state in IN_HAND, same and state in LEFT, row.shows)
    return found


def wait_to_join(rows: Sequence[Joining], enrolment_ids: Collection[UUID]) -> None:
    """Of these runs only those may join a message from now on. Call it under the locks of their dues. What a
    sender has in hand stays as it is: the fence has to see that it is over.
    """
    if gone := {*enrolment_ids, *(row.pk for row in rows)}:
        Joining.objects.filter(AnyOf(F("pk"), list(gone))).exclude(Exists(_of_message(*IN_HAND))).delete()
    insert_rows(rows, ignore_conflicts=True)


def may_join(contact_ids: Collection[UUID], deliveries: Collection[Delivery], now: datetime) -> list[Joining]:
    """What may join one of these claimed messages, to these people, those first that are too late first. Its
    runs are locked until the transaction ends; whoever is being moved on at this moment is left alone.
    """
    waiting = Joining.objects.filter(contact_id__in=contact_ids).values("pk")
    dues = Due.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    held = list(dues.filter(pk__in=waiting).order_by("pk").values_list("pk", flat=True))
    taken = _of_message(*IN_HAND, *LEFT).exclude(pk__in=[delivery.pk for delivery in deliveries])
    rows = Joining.objects.filter(~Exists(taken), pk__in=held).exclude(pk__in=_over(now).values("pk"))
    return list(rows.select_related("campaign", "template__current").order_by("not_after", "pk"))


def waiting(contact_ids: Collection[UUID], now: datetime) -> QuerySet[Joining]:
    """What would join a message to one of these people, were it made now."""
    rows = Joining.objects.filter(contact_id__in=contact_ids).exclude(Exists(_of_message(*IN_HAND, *LEFT)))
    rows = rows.exclude(pk__in=_over(now).values("pk"))
    return rows.select_related("campaign", "template__current").order_by("not_after", "pk")


def join(rows: Sequence[Joining], now: datetime) -> None:
    """Write down which message took in each, and let its run look soon what became of that."""
    update_rows(rows, "joined", "lease_seen", "shows")
    update_rows([Due(enrolment_id=row.pk, due_at=now + LOOKS_AGAIN) for row in rows], "due_at")


def tidy() -> int:
    """Forget what waits no more: its run went on by another way, or ended. Returns how many."""
    return Joining.objects.exclude(Exists(_waiting())).exclude(Exists(_of_message(*IN_HAND))).delete()[0]


def _of_message(*states: str) -> QuerySet[Delivery]:
    """The message that took it in and is made with it still, in one of these states."""
    return Delivery.objects.filter(
        public_id=OuterRef("joined"), lease_token=OuterRef("lease_seen"), state__in=states
    )


def _waiting() -> QuerySet[Due]:
    return Due.objects.filter(pk=OuterRef("enrolment_id"), waits_at=OuterRef("place"))


def _over(now: datetime) -> QuerySet[Joining]:
    """What nobody wants to say any more: its run does not wait there, or a guard is against it."""
    against = ~Q(Exists(_waiting()))
    for guard in guards:
        if guard.stops_joined:
            against |= Q(guard.blocks(now))
    return Joining.objects.filter(against)


@guards.register
class JoinedIsOver(Guard):
    """What joined the message is not true any more (they bought, their consent is gone, its campaign is
    paused, it is too late for it): the message is made anew, without it.
    """

    key = "campaigns.joined_is_over"
    label = "What joined it is over"
    place = 84
    verdict = Verdict.REQUEUE
    reason = "joined_is_over"
    words = "What had joined the message is over; it is made anew without"
    tells = False

    def blocks(self, now: datetime) -> Q:
        mine = _over(now).filter(joined=OuterRef("public_id"), lease_seen=OuterRef("lease_token"))
        return Q(Exists(mine))
