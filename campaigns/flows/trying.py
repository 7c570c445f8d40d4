"""Trying a flow before people get it: test messages to a colleague, and a test person walked through on a
fast clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from campaigns.delivery import outbox
from campaigns.flows import variants
from campaigns.flows.course import Course
from campaigns.flows.kinds import Entrant, steps, triggers
from campaigns.messages import rendering
from campaigns.models import (
    Campaign,
    Decision,
    Delivery,
    Due,
    Enrolment,
    FlowVersion,
    Offer,
    Sender,
    Step,
    Template,
)
from crm.kernel import rules, tokens
from crm.models import Channel, Contact, Purpose
from tracking.models import Cart

MOST_STOPS = 200
TEST_MAY_WAIT = timedelta(hours=1)


class CannotTry(ValueError):
    """It cannot be tried like this; says what is missing."""


@dataclass(frozen=True)
class Stop:
    """One thing that would happen to the person: when, at which step, in words, and the message it would
    be.
    """

    at: datetime
    step_key: str
    verdict: str
    words: str
    evidence: dict[str, Any] = field(default_factory=dict)
    template: Template | None = None
    message: Any = None
    problem: str = ""
    offer: Offer | None = None


def send_test(
    campaign: Campaign,
    to: str,
    contact: Contact,
    by: Any,
    now: datetime,
    *,
    version: FlowVersion | None = None,
) -> list[Delivery]:
    """Really send every message of the flow to `to`, as this contact would get it. Counted nowhere."""
    version = version or campaign.versions.order_by("-number").first()
    rows = version.steps.all() if version else Step.objects.none()
    rows = rows.select_related("template", "offer").prefetch_related("variants__template")
    messages = [(template, row.offer) for row in rows for _label, template in variants.messages_of(row)]
    if not messages:
        raise CannotTry("No step of the flow sends a message yet.")
    subject = _subject_of(campaign, contact, now)
    made = [
        _test(template, to, contact.pk, subject, campaign.purpose, _sender(campaign), now, campaign, offer)
        for template, offer in messages
    ]
    outbox.enqueue(made)
    return made


def send_template_test(template: Template, to: str, contact: Contact, by: Any, now: datetime) -> Delivery:
    """Really send one message to `to`, as this contact would get it."""
    row = variants.step_of(template)
    campaign = row.version.campaign if row else None
    purpose = campaign.purpose if campaign else Purpose.objects.filter(kind=Purpose.Kind.MARKETING).first()
    if purpose is None:
        raise CannotTry("There is no purpose to write for yet.")
    subject = _subject_of(campaign, contact, now) if campaign else _cart_of(contact.pk)
    offer = row.offer if row else None
    made = _test(template, to, contact.pk, subject, purpose, _sender(campaign), now, offer=offer)
    outbox.enqueue([made])
    return made


def walk(
    campaign: Campaign, contact: Contact, now: datetime, *, send_to: str = "", by: Any = ""
) -> list[Stop]:
    """What would happen to this person when, from now to the end of the flow, if they do nothing.

    The real engine runs on a clock that jumps from due moment to due moment, and all it wrote is taken
    back. With `send_to` the messages of the walk are then really sent there, at once.
    """
    with transaction.atomic():
        stops = list(_walked(campaign, contact, now))
        transaction.set_rollback(True)
    if send_to:
        subject = _subject_of(campaign, contact, now)
        outbox.enqueue(
            _test(
                stop.template,
                send_to,
                contact.pk,
                subject,
                campaign.purpose,
                _sender(campaign),
                now,
                campaign,
                stop.offer,
            )
            for stop in stops
            if stop.template
        )
    return stops


class _Told(Course):
    """Notes by which steps somebody was let pass, because their own condition was not true."""

    def __init__(self, campaign: Campaign, version_ids: Iterable[int], now: datetime) -> None:
        super().__init__(campaign, version_ids, now)
        self.passed: list[Step] = []

    def meant(self, step: Step, people: list[Enrolment]) -> list[Enrolment]:
        found = super().meant(step, people)
        if not found:
            self.passed.append(step)
        return found


def _walked(campaign: Campaign, contact: Contact, now: datetime) -> Iterator[Stop]:
    tried = Campaign.objects.get(pk=campaign.pk)
    version = tried.versions.order_by("-number").first()
    if version is None:
        raise CannotTry("The flow has no steps yet.")
    tried.current, tried.control_share = version, Decimal(0)
    entrant = _entrant(tried, contact, now)
    person, due = _put_in(tried, version, entrant, now)
    yield Stop(now, "", Decision.Verdict.ENTERED, f"Enters: {triggers.get(tried.trigger).label.lower()}.")
    for _ in range(MOST_STOPS):
        now = max(now, due)
        course = _Told(tried, [version.pk], now)
        waiting = course.walk([person], {person.pk: due})
        course.write([person], waiting)
        yield from _stops(course, now)
        yield from (Stop(now, step.key, "passed", _passes(step)) for step in course.passed)
        if person.pk not in waiting:
            break
        due = waiting[person.pk]
    if person.state == Enrolment.State.FINISHED:
        yield Stop(now, "", "finished", "Reaches the end of the flow.")


def _put_in(
    campaign: Campaign, version: FlowVersion, entrant: Entrant, now: datetime
) -> tuple[Enrolment, datetime]:
    person = Enrolment(
        contact_id=entrant.contact_id,
        campaign=campaign,
        version=version,
        entry=f"{entrant.entry}:{uuid4()}",
        subject_kind=entrant.subject_kind,
        subject_id=entrant.subject_id,
        qualified_at=now,
        entered_at=now,
        is_test=True,
    )
    due = Course(campaign, [version.pk], now).begin(person, now)
    person.save(force_insert=True)
    Due.objects.create(enrolment_id=person.pk, contact_id=person.contact_id, campaign=campaign, due_at=due)
    return person, due


def _stops(course: Course, now: datetime) -> Iterator[Stop]:
    made = {delivery.public_id: delivery for delivery in course.deliveries}
    saved = list(Delivery.objects.filter(public_id__in=made).select_related("template", "offer"))
    letters = [delivery for delivery in saved if delivery.origin == Delivery.Origin.FLOW]
    mails = rendering.prepare(letters, now) if letters else {}
    by_public_id = {str(delivery.public_id): (delivery, mails.get(delivery.pk)) for delivery in saved}
    for decision in course.decisions:
        delivery, mail = by_public_id.get(decision.evidence.get("delivery", ""), (None, None))
        problem = mail.words if isinstance(mail, rendering.RenderProblem) else ""
        yield Stop(
            at=now,
            step_key=decision.step_key,
            verdict=decision.verdict,
            words=_gets(delivery) if delivery and delivery.template else decision.words,
            evidence=decision.evidence,
            template=delivery.template if delivery else None,
            message=None if problem else mail,
            problem=problem,
            offer=delivery.offer if delivery else None,
        )


def _passes(step: Step) -> str:
    asked = rules.sentence(step.only_if).removesuffix(".")
    kind = steps.get(step.kind)
    what = kind.sentence(kind.read(step.params), step)
    return f"Passes by step {step.position}, {what}: it is only for {asked[:1].lower()}{asked[1:]}."


def _gets(delivery: Delivery) -> str:
    return f"Gets “{delivery.template}”{f', variant {delivery.variant}' if delivery.variant else ''}."


def _entrant(campaign: Campaign, contact: Contact, now: datetime) -> Entrant:
    trigger = triggers.get(campaign.trigger)
    entrant = trigger.rehearse(trigger.read(campaign.trigger_params), contact.pk, now)
    if entrant is None:
        raise CannotTry(f"{contact} has no {trigger.subject_kind} to try it with: choose somebody who has.")
    return entrant


def _subject_of(campaign: Campaign, contact: Contact, now: datetime) -> tuple[str, UUID | None]:
    trigger = triggers.get(campaign.trigger)
    entrant = trigger.rehearse(trigger.read(campaign.trigger_params), contact.pk, now)
    return (entrant.subject_kind, entrant.subject_id) if entrant else ("", None)


def _cart_of(contact_id: UUID) -> tuple[str, UUID | None]:
    cart = Cart.objects.filter(contact_id=contact_id, item_count__gt=0).order_by("-changed_at").first()
    return ("cart", cart.pk) if cart else ("", None)


def _sender(campaign: Campaign | None) -> Sender:
    sender = (campaign.sender if campaign else None) or Sender.objects.filter(is_default=True).first()
    if sender is None:
        raise CannotTry("Set up a sender first: messages come from a person.")
    return sender


def _test(
    template: Template | None,
    to: str,
    contact_id: UUID,
    subject: tuple[str, UUID | None],
    purpose: Purpose,
    sender: Sender,
    now: datetime,
    campaign: Campaign | None = None,
    offer: Offer | None = None,
) -> Delivery:
    try:
        address_hash, _ = tokens.address_hash(Channel.EMAIL, to)
    except ValueError as wrong:
        raise CannotTry(f"The test cannot be sent to “{to}”: {wrong}.") from None
    return Delivery(
        dedupe_key=f"test:{uuid4()}",
        origin=Delivery.Origin.TEST,
        channel=Channel.EMAIL,
        contact_id=contact_id,
        address_hash=address_hash,
        test_address=tokens.normalise(Channel.EMAIL, to),
        purpose=purpose,
        sender=sender,
        campaign=campaign,
        template=template,
        offer=offer,
        subject_kind=subject[0],
        subject_id=subject[1],
        due_at=now,
        not_before=now,
        not_after=now + TEST_MAY_WAIT,
        priority=10,
        created_at=now,
    )
