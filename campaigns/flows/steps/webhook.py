"""Tell another system about a person."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms

from campaigns.flows import acting
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import WEBHOOK, Decision, Delivery, Enrolment
from campaigns.models import Step as StepRow
from crm.kernel.webaddress import WebAddress


@steps.register
class Webhook(Step):
    """Posts the facts of the person as JSON to an https address, signed with the webhook key under *Server
    keys*. Each call is a delivery: held, stopped and paused as messages are, and repeated under the same key
    for hours when the receiver does not answer. Who it goes to is asked for no consent, so think about what
    the receiver does with it; the body says whether the person may be written to.
    """

    key = "campaigns.webhook"
    label = "Call a webhook"
    group = acting.TELL
    icon = "webhook"
    permission = "campaigns.call_webhooks"
    takes_care = "it posts what is known of people to another system"

    class Params(forms.Form):
        url = WebAddress(
            label="address", help_text="An https address that anybody on the internet can reach."
        )
        event = forms.CharField(
            label="what it is called there",
            max_length=60,
            required=False,
            help_text="Sent as event: the receiver tells its calls apart by it. Blank: the campaign's name.",
        )
        with_address = forms.BooleanField(
            label="with their e-mail address and telephone number", required=False, initial=True
        )

    def run(self, batch: Batch) -> dict[UUID, Move]:
        host = _host(batch.params)
        for person in acting.whom(batch):
            delivery = _call(batch, person)
            batch.deliveries.append(delivery)
            evidence = {"delivery": str(delivery.public_id), "due_at": delivery.due_at.isoformat()}
            batch.decide(person, Decision.Verdict.QUEUED, "due", f"To be told to {host}."[:300], evidence)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        return f"Tell {_host(params)}" + (f" of “{params['event']}”" if params["event"] else "")


def _host(params: dict[str, Any]) -> str:
    return urlsplit(params["url"]).hostname or ""


def _call(batch: Batch, person: Enrolment) -> Delivery:
    """Ended by an order and held to its time as a message of the same campaign would be."""
    guard, campaign = batch.guard(person), batch.campaign
    ends_on_order = campaign.exit_on_purchase
    due_at = batch.due[person.pk]
    good_for = batch.step.expires_after or campaign.expires_after
    return Delivery(
        dedupe_key=f"j:{person.pk}:{batch.step.key}:{person.visit}",
        origin=Delivery.Origin.SYSTEM,
        channel=WEBHOOK,
        contact_id=person.contact_id,
        address_hash=b"",
        purpose_id=campaign.purpose_id,
        campaign=campaign,
        step_key=batch.step.key,
        enrolment_id=person.pk,
        subject_kind=person.subject_kind,
        subject_id=person.subject_id,
        since=(guard.since or person.entered_at) if ends_on_order else None,
        cart_token=guard.cart_token if ends_on_order else "",
        checkout_id=guard.checkout_id if ends_on_order else "",
        due_at=due_at,
        not_before=batch.now,
        not_after=due_at + good_for if good_for else None,
        priority=campaign.priority,
        created_at=batch.now,
    )
