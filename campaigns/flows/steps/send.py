"""Send a message: one delivery a person and visit of the step, and a decision beside it, also where it is
a no.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Value, prefetch_related_objects

from campaigns.delivery.guards import NotAllowed, guards
from campaigns.flows import variants
from campaigns.flows.kinds import Batch, Move, Step, steps
from campaigns.models import Decision, Delivery, Enrolment, Sender
from campaigns.models import Step as StepRow
from crm.models import Channel, ContactPoint
from crm.people import consent

UNREACHABLE = {ContactPoint.Status.HARD, ContactPoint.Status.INVALID}


@steps.register
class SendEmail(Step):
    """Puts one e-mail on its way to everyone who may get it. Where several messages are compared, each person
    gets one of them, always the same.

    Whether they may is asked here and again by the fence in the moment of sending. People of the control
    group get nothing but a decision that they were held out. Whoever may not be written to goes on through
    the flow.
    """

    key = "campaigns.send_email"
    label = "Send an e-mail"
    has_template = True

    class Params(forms.Form):
        """Messages are references of the step; an e-mail has no further parameters."""

    def run(self, batch: Batch) -> dict[UUID, Move]:
        points = _points(batch)
        prefetch_related_objects([batch.step], "variants")
        sender = batch.campaign.sender or Sender.objects.filter(is_default=True).first()
        if sender is None:
            raise NoSender("No sender is set: choose one in the campaign, or a default sender.")
        for person in batch.people:
            point = points.get(person.contact_id)
            if point is None:
                batch.decide(person, Decision.Verdict.SKIPPED, "no_address", "No e-mail address is known.")
            elif point.status in UNREACHABLE:
                words = f"The address is {point.get_status_display()}."
                batch.decide(person, Decision.Verdict.SKIPPED, "unreachable", words)
            elif point.refusal:
                words = guards.get(NotAllowed.key).say(point.refusal)
                batch.decide(person, Decision.Verdict.SUPPRESSED, point.refusal, words)
            elif person.arm == Enrolment.Arm.CONTROL:
                batch.decide(
                    person, Decision.Verdict.HELD_OUT, "control_group", "Held out to measure what it earns."
                )
            else:
                delivery = _delivery(batch, person, point, sender)
                batch.deliveries.append(delivery)
                batch.decide(
                    person,
                    Decision.Verdict.QUEUED,
                    "due",
                    f"To be sent: variant {delivery.variant}." if delivery.variant else "To be sent.",
                    {"delivery": str(delivery.public_id), "due_at": delivery.due_at.isoformat()}
                    | ({"variant": delivery.variant} if delivery.variant else {}),
                )
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        if compared := variants.sentence(step):
            return f"Send {compared}"
        return f"Send “{step.template}”" if step.template else self.label

    def problems(self, params: dict[str, Any], step: StepRow) -> list[str]:
        if step.variants.all():
            return variants.problems(step)
        return super().problems(params, step)


class NoSender(ValueError):
    """Nobody to send from."""


def _points(batch: Batch) -> dict[UUID, Any]:
    """The address each person is written to, with the reason why not, if there is one."""
    points = (
        ContactPoint.objects.filter(
            contact_id__in={person.contact_id for person in batch.people}, channel=Channel.EMAIL
        )
        .annotate(
            refusal=consent.refusal_reason(
                "address_hash", Value(Channel.EMAIL.value), Value(batch.campaign.purpose_id)
            )
        )
        .order_by("is_primary", "-created_at", "id")
    )
    # The last one wins: the primary address, where there is one.
    return {point.contact_id: point for point in points}


def _delivery(batch: Batch, person: Enrolment, point: Any, sender: Sender) -> Delivery:
    guard, campaign = batch.guard(person), batch.campaign
    ends_on_order = campaign.exit_on_purchase
    due_at = batch.due[person.pk]
    chosen = variants.choose(batch.step, campaign.pk, person.contact_id)
    assert chosen.template_id is not None
    return Delivery(
        dedupe_key=f"j:{person.pk}:{batch.step.key}:{person.visit}",
        channel=Channel.EMAIL,
        contact_id=person.contact_id,
        address_hash=point.address_hash,
        purpose_id=campaign.purpose_id,
        sender=sender,
        campaign=campaign,
        step_key=batch.step.key,
        enrolment_id=person.pk,
        template_id=chosen.template_id,
        variant=chosen.label,
        subject_kind=person.subject_kind,
        subject_id=person.subject_id,
        subject_version=guard.subject_version,
        since=(guard.since or person.entered_at) if ends_on_order else None,
        cart_token=guard.cart_token if ends_on_order else "",
        checkout_id=guard.checkout_id if ends_on_order else "",
        idle_for=guard.idle_for,
        due_at=due_at,
        not_before=batch.now,
        not_after=due_at + campaign.expires_after if campaign.expires_after else None,
        priority=campaign.priority,
        created_at=batch.now,
    )
