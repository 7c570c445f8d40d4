"""Who enters when they order, when a checkout is left, and when they do something of the shop's own."""

from datetime import timedelta

import pytest

from campaigns.delivery import outbox
from campaigns.flows.kinds import triggers
from campaigns.models import Decision, Delivery, Enrolment
from crm.kernel.kinds import BrokenParams
from crm.kernel.work import Budget
from crm.models import Contact, Order
from crm.people.identity import Known
from tests.campaigns.flows.shopping import (
    DAY,
    HOUR,
    MINUTE,
    entered,
    fills_cart,
    lamp,
    looks,
    signs_in,
    waiting,
)
from tests.campaigns.flows.stage import AT, SEND, WAIT, advance, buy, enrol, run
from tests.tracking.browsing import ANA, BORIS, MINE, OTHER, Told, tell
from tracking.api import taking
from tracking.visits import ingest

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    lamp()
    return signs_in()


def ordering(which="any", days=0, *steps, **changes):
    params = {"which": which, "days": str(days)}
    return waiting("ordered", *steps, params=params, exit_on_purchase=False, **changes)


def test_whoever_orders_enters_at_once_and_about_that_order(ana):
    ordering()
    order = buy(ana, AT)
    assert [enrol(AT), enrol(AT + MINUTE)] == [1, 0]
    [run_] = entered()
    assert (run_.subject_kind, run_.subject_id, run_.qualified_at) == ("order", order.pk, AT)
    assert Decision.objects.get().evidence["total"] == "50.00 EUR"


def test_so_many_days_after_it_and_forward_only(ana):
    ordering(days=3, launched_at=AT)
    buy(ana, AT - 3 * DAY - MINUTE)
    assert enrol(AT + MINUTE) == 0, "due before the launch"
    buy(ana, AT - DAY)
    assert [enrol(AT + 2 * DAY - MINUTE), enrol(AT + 2 * DAY)] == [0, 1]


@pytest.mark.parametrize(("which", "number"), [("first", 0), ("second", 1), ("later", 2), ("later", 3)])
def test_the_first_the_second_and_later_orders_are_told_apart(ana, which, number):
    ordering(which, reentry_days=0)
    for place in range(4):
        at = AT + place * DAY
        if place == 1:
            buy(ana, at - MINUTE, status=Order.Status.CANCELLED)
        buy(ana, at)
        expected = (2 if which == "later" else number) == place or (which == "later" and place == 3)
        assert enrol(at) == expected


def test_an_earlier_order_that_comes_to_be_known_late_counts(ana):
    ordering("second")
    buy(ana, AT)
    buy(ana, AT - 9 * DAY)
    assert enrol(AT + MINUTE) == 1


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_an_order_that_is_undone_starts_nothing_ends_the_run_and_keeps_the_message_in(ana, status):
    ordering("any", 0, WAIT, SEND)
    ordering(name="at once")
    order = buy(ana, AT)
    run(AT)
    Order.objects.filter(pk=order.pk).update(status=status)
    outbox.deliver(lambda: AT + MINUTE, Budget(30))
    assert Delivery.objects.values_list("state", "reason").get() == ("skipped", "order_undone")
    advance(AT + DAY + MINUTE)
    assert Enrolment.objects.get(campaign__name="ordered").left_reason == f"order_{status}"
    boris = signs_in(email=BORIS, browser=OTHER)
    buy(boris, AT + DAY, status=status)
    assert enrol(AT + DAY + MINUTE) == 0


def test_where_an_order_ends_it_a_later_one_does_and_not_the_order_itself(ana):
    campaign = ordering("any", 0, WAIT, SEND)
    campaign.exit_on_purchase = True
    campaign.save()
    buy(ana, AT)
    run(AT)
    run(AT + MINUTE)
    assert Enrolment.objects.get().state == Enrolment.State.ACTIVE
    buy(ana, AT + HOUR)
    run(AT + HOUR)
    advance(AT + DAY + MINUTE)
    runs = Enrolment.objects.order_by("entered_at")
    assert [one.left_reason for one in runs] == ["purchased", ""], "and it begins anew with the later one"
    buy(ana, AT + 2 * DAY)
    buy(ana, AT + 2 * DAY + MINUTE)
    assert [enrol(AT + 2 * DAY + HOUR), enrol(AT + 2 * DAY + HOUR)] == [1, 0], "two at once are one"


def test_a_merged_contact_does_not_enter_and_a_test_person_is_marked(ana):
    ordering()
    boris = signs_in(email=BORIS, browser=OTHER)
    Contact.objects.filter(pk=boris.pk).update(is_test=True)
    Contact.objects.filter(pk=ana.pk).update(merged_into=boris)
    buy(ana, AT)
    buy(boris, AT)
    assert enrol(AT) == 1 and entered()[0].is_test


@pytest.mark.parametrize("more", [{"checkout_id": "ch-1"}, {}])
def test_a_checkout_that_was_left_is_told_from_a_cart(ana, more):
    waiting("abandoned_checkout")
    waiting("abandoned_cart", params={"not_checkouts": True})
    fills_cart(AT)
    assert [enrol(AT + 8 * MINUTE), entered()[0].campaign.name] == [1, "abandoned_cart"]
    boris = signs_in(email=BORIS, browser=OTHER)
    fills_cart(AT + DAY, browser=OTHER, token="c-2")
    fills_cart(AT + DAY + MINUTE, browser=OTHER, kind="checkout", token="c-2", **more)
    assert enrol(AT + DAY + 8 * MINUTE) == 0, "the checkout is the last thing they did"
    assert [enrol(AT + DAY + 9 * MINUTE), enrol(AT + DAY + HOUR)] == [1, 0]
    run_ = entered()[1]
    assert (run_.campaign.name, run_.contact_id, run_.subject_kind) == (
        "abandoned_checkout",
        boris.pk,
        "cart",
    )


def test_a_checkout_of_an_earlier_cart_is_not_this_ones(ana):
    waiting("abandoned_checkout")
    fills_cart(AT - 2 * DAY)
    fills_cart(AT - 2 * DAY + MINUTE, kind="checkout")
    fills_cart(AT - 2 * DAY + HOUR, lines=[])
    fills_cart(AT)
    assert enrol(AT + HOUR) == 0


def test_any_order_ends_a_checkout_that_was_left(ana):
    waiting("abandoned_checkout", WAIT, SEND)
    fills_cart(AT)
    fills_cart(AT, kind="checkout")
    run(AT + 8 * MINUTE)
    buy(ana, AT + HOUR)
    advance(AT + 25 * HOUR)
    assert Enrolment.objects.get().left_reason == "purchased"


def done(name="quiz_done", at=AT, browser=MINE, **props):
    tell(Told(browser, "custom", at, details={"name": name, "props": props}))


def test_an_event_of_the_shops_own_lets_in_whoever_did_it_once(ana):
    waiting("own_event", params={"name": "Quiz_done"})
    done("another")
    assert enrol(AT + MINUTE) == 0
    done()
    assert [enrol(AT + MINUTE), enrol(AT + 2 * MINUTE)] == [1, 0]
    assert (entered()[0].contact_id, entered()[0].qualified_at) == (ana.pk, AT)


def test_what_the_shops_own_server_tells_of_somebody_counts_as_well(ana):
    waiting("own_event", params={"name": "demo_booked"})
    told = taking.cleaned("custom", ["k-1"], AT, Known(email=ANA), None, {"name": "demo_booked"})
    for _ in range(2):
        taking.keep([told], AT)
        ingest.apply(AT)
    assert [enrol(AT + MINUTE), enrol(AT + HOUR)] == [1, 0]
    assert entered()[0].contact_id == ana.pk


@pytest.mark.parametrize(("value", "enters"), [("warm", 1), ("COLD", 0), ("", 1)])
def test_with_a_property_only_where_it_is_what_is_asked(ana, value, enters):
    waiting("own_event", params={"name": "quiz_done", "property": "result", "value": value})
    done(other="x")
    assert enrol(AT + MINUTE) == 0
    done(result="Warm")
    assert enrol(AT + 2 * MINUTE) == enters
    if enters:
        assert Decision.objects.get().evidence["result"] == "Warm"


def test_what_a_browser_tells_of_somebody_unproven_starts_nothing_until_they_are_known(ana):
    waiting("own_event", params={"name": "quiz_done"})
    raw = Told(OTHER, "identify", AT, details={"email": ANA}).row()
    raw.body["e"][0]["p"].pop("signature")
    raw.save()
    done(browser=OTHER)
    assert enrol(AT + MINUTE) == 0
    signs_in(AT + 2 * MINUTE, email=BORIS, browser=OTHER)
    assert enrol(AT + 3 * MINUTE) == 1
    assert entered()[0].contact.email == BORIS


def test_late_and_old_news_machines_and_the_time_before_the_launch(ana):
    waiting("own_event", params={"name": "quiz_done"}, launched_at=AT)
    done(at=AT - MINUTE)
    tell(Told(MINE, "custom", AT + MINUTE, agent="Googlebot/2.1", details={"name": "quiz_done"}))
    assert enrol(AT + 2 * MINUTE) == 0
    done(at=AT + 3 * MINUTE)
    assert enrol(AT + 2 * DAY) == 0, "nobody looked for two days: by now it would puzzle"
    assert enrol(AT + DAY) == 1


def test_a_value_without_a_property_is_a_mistake_that_says_so():
    with pytest.raises(BrokenParams, match="say of which property"):
        triggers.get("campaigns.own_event").read({"name": "quiz", "value": "warm"})


def test_each_trigger_says_in_words_what_it_waits_for_and_can_be_tried(ana):
    chen = Contact.objects.create(email="chen@example.com", created_at=AT)
    said = {}
    for key in ("abandoned_checkout", "browsed", "back_in_stock", "price_drop", "came_back", "ordered"):
        trigger = triggers.get(f"campaigns.{key}")
        said[key] = trigger.sentence(trigger.read(trigger.blank()))
        assert trigger.rehearse(trigger.read(trigger.blank()), chen.pk, AT) is None
    looks(AT, "lamp")
    buy(ana, AT)
    fills_cart(AT)
    for key in said:
        trigger = triggers.get(f"campaigns.{key}")
        tried = trigger.rehearse(trigger.read(trigger.blank()), ana.pk, AT + MINUTE)
        assert (tried.subject_kind, tried.is_test) == (trigger.subject_kind, True) and tried.subject_id
    assert said == {
        "abandoned_checkout": "A checkout was left: nothing done for 8 minutes, nothing bought",
        "browsed": "Looked at 2 products or more, put nothing in a cart, and left 1 hour ago",
        "back_in_stock": "A product they looked at, saved or had in a cart in the last 60 days is back",
        "price_drop": "A product they looked at or saved in the last 30 days became 10 % cheaper",
        "came_back": "Came back to the shop after 30 days of nothing",
        "ordered": "Ordered",
    }
    own = triggers.get("campaigns.own_event")
    told = own.sentence(own.read({"name": "quiz_done", "property": "result", "value": "warm"}))
    assert told == "Did “quiz_done” with “result” “warm”"
    second = triggers.get("campaigns.ordered").read({"which": "second", "days": "3"})
    assert (
        triggers.get("campaigns.ordered").sentence(second) == "Ordered for the second time; 3 days after it"
    )


def test_the_delay_of_a_checkout_is_its_own(ana):
    trigger = triggers.get("campaigns.abandoned_checkout")
    with pytest.raises(BrokenParams):
        trigger.read({"delay_minutes": "8", "not_checkouts": "on"})
    assert trigger.read({"delay_minutes": "20"})["delay_minutes"] == timedelta(minutes=20) / MINUTE
