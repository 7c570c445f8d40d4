"""People's way through a flow: none lost, none doubled, out at the first order, one broken campaign alone."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django import forms
from django.db import connection

from campaigns.flows import journeys
from campaigns.flows.kinds import Step as StepKind
from campaigns.flows.kinds import steps
from campaigns.models import Campaign, Decision, Delivery, Due, Enrolment
from campaigns.results import goals
from crm.kernel.work import Budget
from crm.people import engagement
from crm.people.stirring import stir
from tests.campaigns import mailing
from tests.campaigns.flows.stage import (
    AT,
    DELAY,
    LEAVE,
    MINUTE,
    SEND,
    WAIT,
    advance,
    buy,
    enrol,
    flow,
    leave_cart,
    run,
    seen,
    shopper,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_message_is_queued_with_all_that_its_fence_needs():
    campaign = flow()
    ana = shopper(campaign)
    cart = leave_cart(ana, AT - DELAY, checkout_id="co-1")
    run(AT + 10 * MINUTE / 60)
    delivery, person = Delivery.objects.get(), Enrolment.objects.get()
    assert delivery.dedupe_key == f"j:{person.pk}:step-1:1"
    assert (delivery.due_at, delivery.not_after) == (AT, AT + timedelta(hours=3))
    assert (delivery.since, delivery.cart_token, delivery.checkout_id) == (cart.opened_at, cart.token, "co-1")
    assert (delivery.idle_for, delivery.subject_id) == (DELAY, cart.pk)
    assert person.state == Enrolment.State.FINISHED
    assert not Due.objects.exists()


def test_moving_on_may_run_any_number_of_times():
    campaign = flow()
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    run(AT)
    run(AT + MINUTE)
    assert Delivery.objects.count() == 1


def test_a_wait_lasts_as_long_as_it_says():
    campaign = flow(SEND, WAIT, SEND)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    assert Due.objects.get().due_at == AT + DAY
    assert Enrolment.objects.get().step_position == 2
    advance(AT + DAY - MINUTE)
    assert Delivery.objects.count() == 1
    advance(AT + DAY)
    assert [delivery.due_at for delivery in Delivery.objects.order_by("pk")] == [AT, AT + DAY]
    assert Enrolment.objects.get().state == Enrolment.State.FINISHED


def test_the_steps_below_an_exit_are_for_others():
    campaign = flow(LEAVE, SEND)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    person = Enrolment.objects.get()
    assert (person.state, person.left_reason) == (Enrolment.State.LEFT, "enough")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("matched_by", ["person", "address", "cart", "checkout"])
def test_whoever_bought_leaves_before_the_next_message(matched_by):
    campaign = flow(SEND, WAIT, SEND)
    ana, other = shopper(campaign, 1), shopper(campaign, 2)
    cart = leave_cart(ana, AT - DELAY, checkout_id="co-1")
    run(AT)
    point = ana.points.get()
    told = {
        "person": {},
        "address": {"address_hash": point.address_hash},
        "cart": {"cart_token": cart.token},
        "checkout": {"checkout_id": "co-1"},
    }[matched_by]
    buy(ana if matched_by == "person" else other, AT + MINUTE, **told)
    advance(AT + DAY)
    person = Enrolment.objects.get()
    assert (person.state, person.left_reason) == (Enrolment.State.LEFT, "purchased")
    assert Delivery.objects.count() == 1
    assert Decision.objects.filter(verdict=Decision.Verdict.LEFT, reason="purchased").count() == 1


def test_an_emptied_cart_ends_it():
    campaign = flow(SEND, WAIT, SEND)
    cart = leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    cart.state = "emptied"
    cart.save()
    advance(AT + DAY)
    assert Enrolment.objects.get().left_reason == "cart_emptied"


@pytest.mark.parametrize(
    ("kind", "params"),
    [("crm.ordered_since_entering", {"times": "1"}), ("tracking.this_cart", {"at_least": "10"})],
)
def test_rules_within_a_flow_may_ask_of_the_run_and_of_its_cart(kind, params):
    campaign = flow(WAIT, SEND, exit_on_purchase=False, exit_rule={"all": [{"kind": kind, "params": params}]})
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    leave_cart(ana, AT - DELAY)
    leave_cart(boris, AT - DELAY, total=5)
    enrol(AT)
    buy(boris, AT - 2 * DAY)
    buy(ana, AT + MINUTE)
    advance(AT + DAY)
    assert Enrolment.objects.get(left_reason="exit_rule").contact == ana
    assert Delivery.objects.get().contact_id == boris.pk


def test_the_exit_rule_is_asked_before_each_step():
    rule = {"all": [{"kind": "campaigns.received", "params": {"days": "3", "times": "1"}}]}
    campaign = flow(SEND, WAIT, SEND, exit_rule=rule)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    for state in ("claimed", "sending", "sent"):
        Delivery.objects.update(state=state, finished_at=AT + MINUTE)
    advance(AT + DAY)
    assert Enrolment.objects.get().left_reason == "exit_rule"


def test_a_broken_exit_rule_pauses_the_campaign_and_lets_nobody_through():
    campaign = flow(exit_rule={"all": [{"kind": "crm.not_there", "params": {}}]})
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PAUSED
    assert "exit rule cannot be read" in campaign.problem
    assert not Delivery.objects.exists()


def test_a_step_passes_by_those_of_whom_its_condition_is_not_true():
    never = {"all": [{"kind": "campaigns.received", "params": {"days": "3", "times": "5"}}]}
    campaign = flow({**SEND, "only_if": never}, SEND)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    assert list(Delivery.objects.values_list("step_key", flat=True)) == ["step-2"]


def test_held_out_people_walk_the_flow_and_get_a_decision_instead():
    campaign = flow(SEND, WAIT, SEND, control_share=1)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    advance(AT + DAY)
    assert not Delivery.objects.exists()
    held = Decision.objects.filter(verdict=Decision.Verdict.HELD_OUT).order_by("decided_at")
    assert [decision.step_key for decision in held] == ["step-1", "step-3"]
    assert Enrolment.objects.get().arm == Enrolment.Arm.CONTROL


@pytest.mark.proof
def test_about_a_fifth_is_held_out_and_the_same_people_for_ever():
    campaign = flow(control_share="0.2")
    people = [shopper(campaign, number) for number in range(1, 201)]
    for person in people:
        leave_cart(person, AT - DELAY)
    enrol(AT)
    arms = dict(Enrolment.objects.values_list("contact_id", "arm"))
    assert 14 <= list(arms.values()).count("control") <= 68
    Enrolment.objects.all().delete()
    enrol(AT)
    assert dict(Enrolment.objects.values_list("contact_id", "arm")) == arms


def test_whoever_has_not_agreed_gets_a_decision_and_no_delivery():
    campaign = flow()
    ana = shopper(campaign)
    from crm.models import ConsentState

    ConsentState.objects.update(may_send=False, status="withdrawn")
    leave_cart(ana, AT - DELAY)
    run(AT)
    assert not Delivery.objects.exists()
    assert Decision.objects.filter(verdict=Decision.Verdict.SUPPRESSED).count() == 1


def test_a_person_without_an_address_is_skipped_with_the_reason():
    campaign = flow()
    ana = shopper(campaign)
    ana.points.all().delete()
    leave_cart(ana, AT - DELAY)
    run(AT)
    assert Decision.objects.get(verdict=Decision.Verdict.SKIPPED).reason == "no_address"


class PoisonStep(StepKind):
    """Cannot bear one person."""

    key = "tests.poison"
    label = "Poison"

    class Params(forms.Form):
        who = forms.CharField()

    def run(self, batch):
        if any(str(person.contact_id) == batch.params["who"] for person in batch.people):
            raise RuntimeError("indigestible")
        return {}


def test_one_person_that_raises_is_parked_and_pauses_only_their_campaign():
    with steps.temporarily(PoisonStep):
        other = flow(name="Other")
        people = [shopper(other, number) for number in range(1, 6)]
        poisoned = flow({"kind": PoisonStep.key, "params": {"who": str(people[2].pk)}}, SEND, name="Poisoned")
        for person in people:
            leave_cart(person, AT - DELAY)
        run(AT)
        poisoned.refresh_from_db()
        other.refresh_from_db()
        assert (poisoned.state, other.state) == (Campaign.State.PAUSED, Campaign.State.RUNNING)
        assert "indigestible" in poisoned.problem
        parked = Due.objects.get(campaign=poisoned)
        assert parked.contact_id == people[2].pk
        assert "indigestible" in parked.problem
        assert Delivery.objects.filter(campaign=poisoned).count() == 4
        assert Delivery.objects.filter(campaign=other).count() == 5


def test_a_trigger_that_cannot_be_read_pauses_its_campaign_alone():
    broken, sound = flow(trigger_params={"delay_minutes": "soon"}), flow(name="Sound")
    leave_cart(shopper(sound), AT - DELAY)
    run(AT)
    broken.refresh_from_db()
    assert broken.state == Campaign.State.PAUSED
    assert Delivery.objects.get().campaign == sound


def test_people_of_a_stopped_campaign_are_let_go():
    campaign = flow(SEND, WAIT, SEND)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    Campaign.objects.update(state=Campaign.State.STOPPED)
    advance(AT + MINUTE)
    assert Enrolment.objects.get().left_reason == "stopped"
    assert not Due.objects.exists()


def test_people_of_a_paused_campaign_stay_where_they_are():
    campaign = flow(WAIT, SEND)
    leave_cart(shopper(campaign), AT - DELAY)
    run(AT)
    Campaign.objects.update(state=Campaign.State.PAUSED)
    assert advance(AT + 2 * DAY) == 0
    Campaign.objects.update(state=Campaign.State.RUNNING)
    assert advance(AT + 2 * DAY) == 1
    assert Delivery.objects.count() == 1


def told_of(monkeypatch, name):
    """For which campaign this part of the journeys is called, one after the other."""
    monkeypatch.setattr(journeys, "ENTER_AT_ONCE", 1)
    monkeypatch.setattr(journeys, "ADVANCE_AT_ONCE", 1)
    calls, act = [], getattr(journeys, name)

    def noted(campaign_id, *rest):
        calls.append(campaign_id)
        return act(campaign_id, *rest)

    monkeypatch.setattr(journeys, name, noted)
    return calls


def test_the_campaign_that_goes_first_is_moved_on_first_and_equals_take_turns(monkeypatch):
    crowd, twin = (flow(WAIT, name=name, priority=80) for name in ("Crowd", "Twin"))
    urgent = flow(name="Carts", priority=30)
    for number in range(1, 4):
        leave_cart(shopper(urgent, number), AT - DELAY)
    enrol(AT)
    Due.objects.exclude(campaign=urgent).update(due_at=AT - MINUTE)
    moved = told_of(monkeypatch, "_advance_group")
    advance(AT)
    assert moved == [urgent.pk] * 3 + [crowd.pk, twin.pk] * 3


def test_a_crowd_on_its_way_in_keeps_nobody_out_of_another_campaign(monkeypatch):
    crowd, other = flow(name="Crowd", priority=10), flow(name="Other", priority=20)
    for number in range(1, 4):
        leave_cart(shopper(crowd, number), AT - DELAY)
    asked = told_of(monkeypatch, "enrol_one")
    assert journeys.enrol(AT, Budget(0)) == 2 and asked == [crowd.pk, other.pk]
    assert enrol(AT) == 4 and asked[2:] == [crowd.pk, other.pk] * 3


def test_the_same_queries_for_two_people_and_for_twenty(django_assert_max_num_queries):
    campaign = flow(SEND, WAIT)
    for number in range(1, 3):
        leave_cart(shopper(campaign, number), AT - DELAY)
    enrol(AT)
    with django_assert_max_num_queries(27) as few:
        advance(AT)
    for number in range(3, 23):
        leave_cart(shopper(campaign, number), AT - DELAY)
    enrol(AT)
    with django_assert_max_num_queries(27) as many:
        advance(AT)
    assert len(few) == len(many)
    assert Delivery.objects.count() == 22


@pytest.mark.django_db(transaction=True)
def test_entering_and_moving_on_in_many_processes_at_once_doubles_and_loses_nobody():
    campaign = flow(SEND, WAIT)
    people = [shopper(campaign, number) for number in range(1, 41)]
    for person in people:
        leave_cart(person, AT - DELAY, token=f"one-{person.pk}")
        leave_cart(person, AT - DELAY, token=f"two-{person.pk}")
        seen(person, AT - DELAY)
    at_once(6, lambda: run(AT))
    run(AT)
    assert Enrolment.objects.count() == Delivery.objects.count() == len(people)
    assert Due.objects.filter(problem="").count() == len(people)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.RUNNING, campaign.problem


def at_once(number, act):
    """The same act in so many threads, begun in the same moment."""
    barrier, problems = Barrier(number), []

    def work():
        try:
            barrier.wait()
            act()
        except Exception as problem:  # noqa: BLE001 - told to the test
            problems.append(problem)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


def test_a_goal_is_noticed_while_they_wait_and_after_they_are_through_and_counted():
    goal = {"all": [{"kind": "crm.ordered", "params": {"times": "1"}}]}
    slow = flow(WAIT, SEND, goal=goal, exit_on_purchase=False)
    quick = flow(SEND, goal=goal, exit_on_purchase=False)
    people = mailing.people(2, slow.purpose)
    for contact in people:
        leave_cart(contact, AT - DELAY)
    run(AT)
    buy(people[0], AT + HOUR)
    engagement.recount_orders([people[0].pk])
    stir([people[0].pk])
    advance(AT + 2 * HOUR)
    advance(AT + 3 * HOUR)
    for campaign, state in ((slow, "active"), (quick, "finished")):
        run_ = Enrolment.objects.exclude(goal_at=None).get(campaign=campaign)
        assert (run_.contact_id, run_.state, run_.goal_at) == (people[0].pk, state, AT + 2 * HOUR)
        assert Decision.objects.filter(campaign=campaign, verdict="goal").count() == 1
        [treated] = goals.reached(campaign)
        assert (treated.runs, treated.reached, treated.in_a_day, treated.percent) == (2, 1, 1, "50.0")
    assert goals.reached(flow(SEND)) == []
