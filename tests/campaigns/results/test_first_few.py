"""A broadcast whose messages are compared on a few first: the winner goes to the rest a day later."""

import re
from datetime import timedelta

import pytest

from campaigns.flows import first_few, launching, variants
from campaigns.flows.kinds import playbooks, steps
from campaigns.models import Decision, Delivery, Due, Enrolment, Template, VariantPick
from campaigns.results import picking
from crm.kernel import clock
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows.stage import SEND, WAIT, advance
from tests.campaigns.gatehouse import AT, DAY, HOUR, by_hand, put_in, said_of, writes
from tracking.models import Event

pytestmark = pytest.mark.django_db

FIRST = SEND | {"params": {"first_percent": "10"}}
PEOPLE = 120


@pytest.fixture(autouse=True)
def nobody_enters_by_themselves():
    with by_hand():
        yield


def compared(*steps_, expected=30_000, **changes):
    """A message in two wordings, first to ten percent each."""
    campaign = writes("Cast", *(steps_ or (FIRST, WAIT)), forecast={"expected": expected}, **changes)
    step = campaign.current.steps.get(key="step-1")
    other, _ = Template.objects.get_or_create(name="B", defaults={"current": step.template.current})
    variants.keep(step, [variants.Wanted("A", step.template, 1), variants.Wanted("B", other, 1)])
    return campaign


def cast(campaign, number=PEOPLE):
    people = mailing.people(number, campaign.purpose)
    put_in(campaign, *people)
    advance(AT)
    return people


def all_arrive(at):
    for state in ("claimed", "sending", "sent"):
        Delivery.objects.exclude(state="sent").update(state=state, fenced_at=at, finished_at=at)


def click(delivery, at):
    told = {
        "kind": "click",
        "ref": delivery.public_id,
        "actor": "human",
        "occurred_at": at,
        "recorded_at": at,
    }
    Event.objects.create(contact_id=delivery.contact_id, **told)


def labels(deliveries):
    found = sorted(deliveries.values_list("variant", flat=True))
    return {label: found.count(label) for label in set(found)}


def test_a_fifth_gets_them_at_once_and_the_rest_what_was_ahead_a_day_later():
    campaign = compared()
    cast(campaign)
    first = Delivery.objects.all()
    few = first.count()
    assert 10 <= few <= 40 and set(labels(first)) == {"A", "B"}
    waits = [words for verdict, reason, words in said_of(campaign) if reason == "comparing"]
    assert len(waits) == PEOPLE - few
    assert set(waits) == {"Compared on 20 % first; the better message goes to them 24 hours later."}
    all_arrive(AT)
    for one in Delivery.objects.filter(variant="B"):
        click(one, AT + HOUR)
    advance(AT + 23 * HOUR)
    assert Delivery.objects.count() == few and not VariantPick.objects.exists()
    advance(AT + DAY)
    later = Delivery.objects.filter(created_at__gt=AT)
    assert labels(later) == {"B": PEOPLE - few}
    pick = VariantPick.objects.get()
    a, b = (Delivery.objects.filter(created_at=AT, variant=label).count() for label in "AB")
    assert (pick.label, pick.picked_by) == ("B", "")
    said = re.fullmatch(
        f"Ahead after 24 hours: clicked A 0 of {a}, B {b} of {b}, chance to be best (\\d+) %\\.", pick.words
    )
    assert said and int(said[1]) >= 99
    # Late is counted from the rest's own moment, and what they got does not count in the comparison.
    assert {one.due_at for one in later} == {AT + DAY}
    rows = picking.experiments(campaign, campaign.current, AT + 2 * DAY)[0].rows
    assert {row.label: row.people for row in rows} == {"A": a, "B": b}
    # Everybody once, and everybody walks on.
    assert Delivery.objects.values("contact_id").distinct().count() == Delivery.objects.count() == PEOPLE
    assert set(Enrolment.objects.values_list("step_position", flat=True)) == {2}


def test_who_is_picked_by_hand_meanwhile_is_what_the_rest_gets():
    campaign = compared()
    cast(campaign)
    all_arrive(AT)
    picking.pick(campaign, "step-1", "A", "ada", AT + HOUR)
    for one in Delivery.objects.filter(variant="B"):
        click(one, AT + HOUR)
    advance(AT + DAY)
    assert set(labels(Delivery.objects.filter(created_at__gt=AT))) == {"A"}
    assert VariantPick.objects.get().picked_by == "ada"


def test_of_what_drives_people_away_nothing_goes_to_the_rest(monkeypatch):
    campaign = compared()
    cast(campaign)
    all_arrive(AT)
    for one in Delivery.objects.filter(variant="B"):
        click(one, AT + HOUR)
    monkeypatch.setattr(
        "campaigns.results.experiments._worse",
        lambda row, rows: "more people complain" if row.label == "B" else "",
    )
    advance(AT + DAY)
    assert VariantPick.objects.get().label == "A"


def test_where_nothing_was_sent_yet_both_go_on_competing():
    campaign = compared()
    cast(campaign, 60)
    few = Delivery.objects.count()
    advance(AT + DAY)
    assert not VariantPick.objects.exists()
    assert set(labels(Delivery.objects.filter(created_at__gt=AT))) == {"A", "B"}
    assert Delivery.objects.count() == 60 > few


def test_of_fewer_than_twenty_thousand_everybody_gets_one_of_them_at_once_half_and_half():
    campaign = compared(expected=19_999)
    cast(campaign, 60)
    assert Delivery.objects.count() == 60
    assert min(labels(Delivery.objects.all()).values()) > 15


def test_whoever_is_held_out_does_not_wait_for_a_winner_and_gets_none():
    campaign = compared(control_share=1)
    cast(campaign, 20)
    assert not Delivery.objects.exists() and not Due.objects.filter(due_at__lt=AT + DAY).exists()
    assert set(Decision.objects.exclude(verdict="entered").values_list("verdict", flat=True)) == {"held_out"}


def test_what_the_step_says_and_what_keeps_it_from_working():
    office.set_up_shop()
    office.sender()
    campaign = playbooks.get("campaigns.broadcast").make(clock.now())
    step = launching.newest_version(campaign).steps.get(key="news")
    kind = steps.get(step.kind)
    said = dict(launching.describe(campaign))[step]
    assert said.endswith(", each first to 10 %, the better one to the rest after 24 hours")
    assert kind.problems(kind.read(step.params), step) == []
    for params, words in (
        ({"first_percent": "45"}, []),
        ({"first_percent": "45", "compared": 3}, "3 messages to 45 % each leave too few"),
        ({"first_percent": "10", "compared": 0}, "needs messages to compare"),
        (
            {"first_percent": "10", "trigger": "campaigns.abandoned_cart"},
            "Only a message to many at one time",
        ),
    ):
        number = params.pop("compared", 2)
        step.version.campaign.trigger = params.pop("trigger", "campaigns.on_date")
        wanted = [variants.Wanted(label, mailing.template(f"M {label}"), 1) for label in "ABC"[:number]]
        variants.keep(step, wanted)
        fresh = type(step).objects.get(pk=step.pk)
        fresh.version = step.version
        found = first_few.problems(kind.read(params), fresh)
        assert found == [] if not words else words in found[0]


def test_the_checklist_says_that_few_people_get_them_half_and_half():
    office.set_up_shop()
    office.sender()
    campaign = playbooks.get("campaigns.broadcast").make(clock.now())
    for expected, is_said in ((19_999, True), (20_000, False), (None, False)):
        lines = launching.checklist(campaign, clock.now(), expected=expected)
        assert any("fewer than 20,000 people are expected" in line.note for line in lines) is is_said


def test_of_two_who_pick_the_second_finds_what_the_first_picked():
    campaign = compared()
    cast(campaign)
    all_arrive(AT)
    later = AT + timedelta(hours=24)
    assert picking.pick_leader(campaign, "step-1", 24, later) in ("A", "B")
    picked = VariantPick.objects.get().label
    assert picking.pick_leader(campaign, "step-1", 24, later) == picked
    assert VariantPick.objects.count() == 1
