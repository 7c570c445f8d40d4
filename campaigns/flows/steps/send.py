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
from campaigns.offers import granting
from campaigns.offers.granting import Refused
from crm.models import Channel, ContactPoint
from crm.people import consent

WITHOUT, SKIP = "send", "skip"

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
    icon = "✉"
    has_template = True
    has_offer = True

    class Params(forms.Form):
        without_offer = forms.ChoiceField(
            label="who may not have the offer",
            choices=[(WITHOUT, "gets the message without it"), (SKIP, "gets no message")],
            required=False,
            help_text="Asked where the step has an offer: a code may be gone, or the discount guard says no.",
        )

    def run(self, batch: Batch) -> dict[UUID, Move]:
        points = _points(batch)
        prefetch_related_objects([batch.step], "variants")
        sender = batch.campaign.sender or Sender.objects.filter(is_default=True).first()
        if sender is None:
            raise NoSender("No sender is set: choose one in the campaign, or a default sender.")
        made: list[tuple[Enrolment, Delivery]] = []
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
            elif not batch.withhold(person):
                made.append((person, _delivery(batch, person, point, sender)))
        _queue(batch, made)
        return {}

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        what = variants.sentence(step) or (f"“{step.template}”" if step.template else "")
        if not what:
            return self.label
        return f"Send {what}" + (f" with “{step.offer}”" if step.offer else "")

    def problems(self, params: dict[str, Any], step: StepRow) -> list[str]:
        if step.variants.all():
            return variants.problems(step)
        return super().problems(params, step)


def _queue(batch: Batch, made: list[tuple[Enrolment, Delivery]]) -> None:
    """Give the offer to whoever may have it, and put on its way what goes."""
    refused = _offered(batch, made)
    for person, delivery in made:
        no = refused.get(delivery.public_id)
        if no and delivery.needs_offer:
            batch.decide(person, Decision.Verdict.SKIPPED, no.reason, f"{no.words}.")
            continue
        batch.deliveries.append(delivery)
        evidence = {"delivery": str(delivery.public_id), "due_at": delivery.due_at.isoformat()}
        if no:
            evidence |= {"offer": str(delivery.offer), "without": no.reason}
        if delivery.variant:
            evidence["variant"] = delivery.variant
        how = f": variant {delivery.variant}" if delivery.variant else ""
        words = f"To be sent{how}" + (f", without its offer: {no.words}." if no else ".")
        batch.decide(person, Decision.Verdict.QUEUED, no.reason if no else "due", words[:300], evidence)


def _offered(batch: Batch, made: list[tuple[Enrolment, Delivery]]) -> dict[UUID, Refused]:
    offer = batch.step.offer
    if offer is None or not made:
        return {}
    for _, delivery in made:
        delivery.offer, delivery.needs_offer = offer, batch.params["without_offer"] == SKIP
    real = [delivery for person, delivery in made if not person.is_test]
    tried = [delivery for person, delivery in made if person.is_test]
    refused = granting.grant(offer, real, batch.now) if real else {}
    return refused | (granting.rehearse(offer, tried, batch.now) if tried else {})


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
    good_for = batch.step.expires_after or campaign.expires_after
    chosen = variants.choose(batch.step, campaign.pk, person.contact_id, person.entered_at)
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
        not_after=due_at + good_for if good_for else None,
        priority=campaign.priority,
        created_at=batch.now,
    )
