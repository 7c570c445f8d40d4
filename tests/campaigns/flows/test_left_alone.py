"""Whoever leaves our messages alone: two in a row halve the pace of the course, four end it."""

from datetime import timedelta

import pytest
from django.db.models import Value

from campaigns.flows import journeys, launching
from campaigns.flows.kinds import Entrant, playbooks
from campaigns.models import Campaign, Delivery, Due, Enrolment
from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows.stage import AT, advance
from tracking.models import Actor, Event, EventKind

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FOUR = ["promised", "choose", "proof", "picks"]


def sent(person, campaign, at):
    message = mailing.message(person, campaign, dedupe_key=f"{person.pk}:{at.isoformat()}", created_at=at)
    message.save()
    arrived(at)
    return message


def arrived(at):
    for state in ("claimed", "sending", "sent"):
        Delivery.objects.exclude(state="sent").update(state=state, finished_at=at, fenced_at=at)


def clicks(message, at, actor=Actor.HUMAN):
    Event.objects.create(
        contact_id=message.contact_id,
        kind=EventKind.CLICK,
        actor=actor,
        ref=message.public_id,
        occurred_at=at,
        recorded_at=at,
    )


@pytest.mark.parametrize(
    ("at", "times", "is_true"),
    [
        (AT + 3 * DAY, 1, True),
        (AT + 3 * DAY, 2, False),  # the second one is a day old: there was no time to click
        (AT + 4 * DAY, 2, True),
        (AT + 9 * DAY, 4, False),  # one was before they entered
        (AT + 9 * DAY, 3, True),
    ],
)
def test_it_is_true_of_who_left_so_many_in_a_row_alone(at, times, is_true):
    campaign = mailing.campaign()
    ana, boris = mailing.people(2, campaign.purpose)
    for days in (-1, 0, 2, 5):
        sent(ana, campaign, AT + days * DAY)
        clicks(sent(boris, campaign, AT + days * DAY), AT + days * DAY + HOUR)
    clicks(Delivery.objects.filter(contact_id=ana.pk).first(), AT + 6 * DAY, Actor.MACHINE)
    rule = {"all": [{"kind": "campaigns.left_alone", "params": {"times": str(times), "days": "2"}}]}
    found = Contact.objects.filter(rules.compile(rule, at, Scope(entered_at=Value(AT))))
    assert list(found) == ([ana] if is_true else [])


@pytest.mark.parametrize(
    ("clicked", "got"),
    [
        ([], FOUR),
        (["promised"], [*FOUR, "first-order"]),
        (["promised", "picks"], [*FOUR, "first-order", "new", "read", "goodbye"]),
    ],
)
def test_four_in_a_row_end_the_course_however_long_ago_the_last_click_is(clicked, got):
    office.set_up_shop()
    office.sender()
    campaign = playbooks.get("campaigns.nurture").make(AT, control_share=0, quiet_hours=False, in_caps=False)
    launching.editable_version(campaign, AT)
    campaign.current = launching.newest_version(campaign)
    campaign.state, campaign.launched_at = Campaign.State.RUNNING, AT
    campaign.save()
    ana = mailing.people(1, campaign.purpose)[0]
    journeys.enter(campaign, [Entrant(ana.pk, "lead", AT)], AT)
    at = AT
    while (due := Due.objects.first()) and at < AT + 90 * DAY:
        at = max(at, due.due_at)
        advance(at)
        arrived(at)
        for message in Delivery.objects.filter(step_key__in=clicked, finished_at=at):
            clicks(message, at + HOUR)
    keys = Delivery.objects.order_by("pk").values_list("step_key", flat=True)
    assert list(keys) == got
    assert Enrolment.objects.get().state != Enrolment.State.ACTIVE
