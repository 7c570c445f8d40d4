"""Send a message: one delivery a person and visit of the step, and a decision beside it, also where it is
a no.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Value, prefetch_related_objects

from campaigns.delivery.arbitration import No, Wish, arbitrate
from campaigns.delivery.guards import NotAllowed, guards
from campaigns.flows import acting, first_few, joined, variants
from campaigns.flows.kinds import ASKED_FOR, Batch, Move, Step, Withheld, steps
from campaigns.flows.waiting import Waits
from campaigns.models import Decision, Delivery, Enrolment, Sender
from campaigns.models import Step as StepRow
from campaigns.offers import granting, slots
from campaigns.offers.granting import HAD_TODAY, Refused
from crm.models import Channel, ContactPoint
from crm.people import consent

WITHOUT, WAIT, SKIP = "send", "wait", "skip"

UNREACHABLE = {ContactPoint.Status.HARD, ContactPoint.Status.INVALID}


@steps.register
class SendEmail(Step):
    """Puts one e-mail on its way to everyone who may get it. Where several messages are compared, each person
    gets one of them, always the same.

    Whether they may is asked here and again by the fence in the moment of sending: consent, quiet hours, the
    frequency limits, which of several messages goes first. Whoever has to wait stays here until it is their
    turn, or too late. What they asked for waits for no limit and no other message. People of the control
    group get nothing but a decision that they were held out. Whoever may not be written to goes on through
    the flow.
    """

    key = "campaigns.send_email"
    label = "Send an e-mail"
    group = acting.WRITE
    icon = "mail"
    has_template = True
    has_offer = True
    channel = Channel.EMAIL
    aside = (first_few.PERCENT, first_few.HOURS)

    class Params(first_few.FirstFew):
        without_offer = forms.ChoiceField(
            label="who may not have the offer",
            choices=[
                (WITHOUT, "gets the message without it"),
                (WAIT, "waits for the next day if they had one today, else gets it without"),
                (SKIP, "gets no message"),
            ],
            required=False,
            help_text="Asked where the step has an offer: they had one today, a code may be gone, or the "
            "discount guard says no.",
        )
        asked_for = forms.BooleanField(
            label="they asked for this message",
            required=False,
            help_text="Such as a first welcome, or what is back in stock. It goes before all others and "
            "passes the frequency limits, but counts in them: what comes after it waits.",
        )
        field_order = ("without_offer", ASKED_FOR)

    def run(self, batch: Batch) -> dict[UUID, Move]:
        points = _points(batch)
        prefetch_related_objects([batch.step], "variants")
        sender = batch.campaign.sender or Sender.objects.filter(is_default=True).first()
        if sender is None:
            raise NoSender("No sender is set: choose one in the campaign, or a default sender.")
        waits, moves = Waits(batch), dict[UUID, Move]()
        wishes: list[Wish] = []
        shadows: dict[UUID, Withheld] = {}
        rest = first_few.Rest(batch)
        joins = joined.Joins(batch, waits, moves)
        for person in _up_to_now(batch, joins.left, rest, waits, moves):
            point = points.get(person.contact_id)
            if point is None:
                batch.decide(person, Decision.Verdict.SKIPPED, "no_address", "No e-mail address is known.")
            elif point.status in UNREACHABLE:
                words = f"The address is {point.get_status_display()}."
                batch.decide(person, Decision.Verdict.SKIPPED, "unreachable", words)
            elif point.refusal:
                words = guards.get(NotAllowed.key).say(point.refusal)
                batch.decide(person, Decision.Verdict.SUPPRESSED, point.refusal, words)
            else:
                withheld = batch.withheld(person)
                if withheld and withheld.verdict != Decision.Verdict.SHADOW:
                    batch.withhold(person)
                    continue
                if withheld:
                    shadows[person.pk] = withheld
                due, won_before = waits.due(person), rest.counts_from(person)
                wishes.append(Wish(person, _delivery(batch, person, point, sender, due, won_before)))
        return moves | _pass_gate(batch, wishes, shadows, waits, joins)

    def sentence(self, params: dict[str, Any], step: StepRow) -> str:
        what = variants.sentence(step) or (f"“{step.template}”" if step.template else "")
        if not what:
            return self.label
        asked = ", which they asked for" if params[ASKED_FOR] else ""
        first = first_few.sentence(params, step)
        return f"Send {what}" + (f" with “{step.offer}”" if step.offer else "") + first + asked

    def problems(self, params: dict[str, Any], step: StepRow) -> list[str]:
        compared = variants.problems(step) if step.variants.all() else super().problems(params, step)
        return compared + first_few.problems(params, step)


def _up_to_now(
    batch: Batch, people: list[Enrolment], rest: first_few.Rest, waits: Waits, moves: dict[UUID, Move]
) -> list[Enrolment]:
    """Those of these people whose turn has come. The others wait for the winner of a comparison; whoever gets
    nothing anyway does not.
    """
    now, is_over = [], False
    for person in people:
        if person in rest and not batch.withheld(person):
            if no := rest.wait_of(person):
                if move := waits.tell(person, no):
                    moves[person.pk] = move
                continue
            is_over = True
        now.append(person)
    if is_over:
        rest.settle()
    return now


def _pass_gate(
    batch: Batch, wishes: list[Wish], shadows: dict[UUID, Withheld], waits: Waits, joins: joined.Joins
) -> dict[UUID, Move]:
    """Queue what may leave now. Returns who stays here to wait for their turn."""
    moves: dict[UUID, Move] = {}
    asked_for = batch.params[ASKED_FOR]
    # A message that is nothing without its offer joins none: what joins brings no offer.
    needs_offer = batch.step.offer is not None and batch.params["without_offer"] == SKIP
    may_join = set() if needs_offer else joins.templates(wish.delivery for wish in wishes)
    held = arbitrate(
        batch.campaign, wishes, batch.frequency, batch.now, asked_for=asked_for, may_join=may_join
    )
    made = []
    for wish in wishes:
        person = wish.person
        if no := held.get(person.pk):
            if move := waits.tell(person, no):
                moves[person.pk] = move
            if no.joins:
                joins.wait(person, wish.delivery)
        elif shadow := shadows.get(person.pk):
            batch.decide(person, shadow.verdict, shadow.reason, shadow.words)
        else:
            made.append((person, wish.delivery))
    refused = _offered(batch, made)
    for person, tomorrow in _for_tomorrow(batch, made, refused):
        if move := waits.tell(person, tomorrow):
            moves[person.pk] = move
    _queue(batch, [(person, delivery) for person, delivery in made if person.pk not in moves], refused)
    waits.store()
    joins.store()
    return moves


def _for_tomorrow(
    batch: Batch, made: list[tuple[Enrolment, Delivery]], refused: dict[UUID, Refused]
) -> list[tuple[Enrolment, No]]:
    """Those who had an offer today and get this one another day, if the message is still good then."""
    if batch.params["without_offer"] != WAIT:
        return []
    late = [
        (person, delivery)
        for person, delivery in made
        if (no := refused.get(delivery.public_id)) and no.reason == HAD_TODAY.reason
    ]
    if not late:
        return []
    days = slots.next_days({person.contact_id for person, _ in late}, batch.now)
    found = []
    for person, delivery in late:
        until = days[person.contact_id]
        if delivery.not_after is None or until < delivery.not_after:
            words = f"{HAD_TODAY.words}; it waits for the next day."
            found.append((person, No(HAD_TODAY.reason, words, until, f"offer:{until:%Y%m%d}")))
    return found


def _queue(batch: Batch, made: list[tuple[Enrolment, Delivery]], refused: dict[UUID, Refused]) -> None:
    """Put on its way what goes, with its offer or without."""
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


def _delivery(
    batch: Batch, person: Enrolment, point: Any, sender: Sender, due_at: datetime, won_before: datetime
) -> Delivery:
    guard, campaign = batch.guard(person), batch.campaign
    ends_on_order = campaign.exit_on_purchase
    good_for = batch.step.expires_after or campaign.expires_after
    chosen = variants.choose(batch.step, campaign.pk, person.contact_id, won_before)
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
