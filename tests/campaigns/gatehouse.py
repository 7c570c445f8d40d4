"""Campaigns that write to people put in by hand, so that tests of limits, priority and hours need no shop."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from campaigns.flows import journeys
from campaigns.flows.kinds import Entrant, Trigger, triggers
from campaigns.models import Campaign, Decision, Delivery, DeliveryState
from crm.models import Contact
from tests.campaigns import mailing
from tests.campaigns.flows import stage

AT = stage.AT
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Nobody(Trigger):
    """Lets nobody in by itself."""

    key = "tests.nobody"
    label = "By hand"

    def entrants(
        self, params: dict[str, Any], campaign: Campaign, now: datetime, *, limit: int
    ) -> Sequence[Entrant]:
        return []

    def rehearse(self, params: dict[str, Any], contact_id: Any, now: datetime) -> Entrant | None:
        return Entrant(contact_id, "tried", now)


@contextmanager
def by_hand() -> Iterator[None]:
    with triggers.temporarily(Nobody):
        yield


def writes(name: str = "News", *steps: dict[str, Any], **changes: Any) -> Campaign:
    """A running campaign that sends one message, good for ever, to whoever is put in."""
    usual = {
        "name": name,
        "trigger": Nobody.key,
        "trigger_params": {},
        "expires_after": None,
        "in_caps": True,
    }
    return stage.flow(*steps, **(usual | {"exit_on_purchase": False} | changes))


def put_in(campaign: Campaign, *people: Contact, at: datetime = AT) -> None:
    journeys.enter(campaign, [Entrant(person.pk, f"{at.isoformat()}", at) for person in people], at)


def told(contact: Contact, campaign: Campaign, at: datetime, **changes: Any) -> Delivery:
    """A message of this campaign that left and counts."""
    message = mailing.message(
        contact,
        campaign,
        dedupe_key=f"told:{contact.pk}:{campaign.pk}:{at.isoformat()}",
        counts=True,
        created_at=at,
        due_at=at,
        not_before=at,
        **changes,
    )
    message.save()
    leaves(message, at)
    return message


def leaves(message: Delivery, at: datetime) -> None:
    for state in (DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.SENT):
        Delivery.objects.filter(pk=message.pk).update(state=state, fenced_at=at)


def all_leave(at: datetime) -> None:
    """Everything in the queue is sent."""
    for message in Delivery.objects.filter(state=DeliveryState.QUEUED):
        leaves(message, at)


def said_of(campaign: Campaign) -> list[tuple[str, str, str]]:
    """The gate's verdicts in the order they were written: verdict, reason, words."""
    rows = Decision.objects.filter(campaign=campaign).exclude(verdict="entered").order_by("decided_at", "id")
    return list(rows.values_list("verdict", "reason", "words"))
