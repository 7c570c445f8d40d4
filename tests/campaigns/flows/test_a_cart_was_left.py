"""Who enters when a cart was left: once the delay has passed, forward only, once a series."""

from datetime import timedelta

import pytest

from campaigns.models import Enrolment
from crm.models import Order
from tests.campaigns.flows.stage import AT, DELAY, MINUTE, buy, enrol, flow, leave_cart, seen, shopper

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)


def test_they_enter_at_the_minute_the_delay_has_passed():
    campaign = flow()
    cart = leave_cart(shopper(campaign), AT - DELAY)
    assert enrol(AT - timedelta(seconds=1)) == 0
    assert enrol(AT) == 1
    run = Enrolment.objects.get()
    assert (run.qualified_at, run.entry, run.subject_id) == (AT, f"cart:{cart.pk}:0", cart.pk)


def test_whoever_is_still_looking_around_has_not_left():
    campaign = flow()
    ana = shopper(campaign)
    leave_cart(ana, AT - DELAY)
    seen(ana, AT - MINUTE)
    assert enrol(AT) == 0
    assert enrol(AT - MINUTE + DELAY) == 1


def test_entering_may_run_any_number_of_times():
    campaign = flow()
    leave_cart(shopper(campaign), AT - DELAY)
    assert [enrol(AT), enrol(AT), enrol(AT + MINUTE)] == [1, 0, 0]


def test_a_campaign_looks_forward_only():
    campaign = flow(launched_at=AT)
    leave_cart(shopper(campaign), AT - DELAY - MINUTE)
    assert enrol(AT + MINUTE) == 0


def test_what_fell_due_hours_ago_is_let_be():
    campaign = flow()
    leave_cart(shopper(campaign), AT - timedelta(hours=4))
    assert enrol(AT) == 0


@pytest.mark.parametrize("state", ["draft", "paused", "stopped"])
def test_nobody_enters_a_campaign_that_does_not_run(state):
    campaign = flow(state=state)
    leave_cart(shopper(campaign), AT - DELAY)
    assert enrol(AT) == 0


def test_any_order_since_the_cart_was_opened_ends_it():
    campaign = flow()
    ana = shopper(campaign)
    leave_cart(ana, AT - DELAY)
    order = buy(ana, AT - DELAY - MINUTE, channel="phone")
    assert enrol(AT) == 0
    Order.objects.filter(pk=order.pk).update(status=Order.Status.CANCELLED)
    assert enrol(AT) == 1


def test_a_cart_without_a_price_is_no_cart_to_write_about():
    campaign = flow()
    leave_cart(shopper(campaign), AT - DELAY, has_priced_line=False)
    assert enrol(AT) == 0


def test_one_series_a_person_in_a_week_and_only_for_a_change_of_their_own():
    campaign = flow()
    ana = shopper(campaign)
    cart = leave_cart(ana, AT - DELAY)
    enrol(AT)
    changed = AT + timedelta(days=2)
    _change(cart, changed)
    seen(ana, changed)
    assert enrol(changed + DELAY) == 0, "within the week"
    seen(ana, AT + WEEK)
    assert enrol(AT + WEEK + DELAY) == 1, "they changed it since, and a week has passed"
    assert list(Enrolment.objects.order_by("entered_at").values_list("entry", flat=True)) == [
        f"cart:{cart.pk}:0",
        f"cart:{cart.pk}:1",
    ]
    seen(ana, AT + 3 * WEEK)
    assert enrol(AT + 3 * WEEK + DELAY) == 0, "not touched since the last series"


def test_after_a_purchase_a_new_cart_starts_a_new_series_at_once():
    campaign = flow()
    ana = shopper(campaign)
    first = leave_cart(ana, AT - DELAY)
    enrol(AT)
    buy(ana, AT + MINUTE)
    first.state = "bought"
    first.save()
    leave_cart(ana, AT + 10 * MINUTE, token="second")
    assert enrol(AT + 10 * MINUTE + DELAY) == 1


def test_two_carts_of_one_person_make_one_series():
    campaign = flow()
    ana = shopper(campaign)
    leave_cart(ana, AT - DELAY - MINUTE, token="phone")
    newest = leave_cart(ana, AT - DELAY, token="laptop")
    assert enrol(AT) == 1
    assert Enrolment.objects.get().subject_id == newest.pk
    assert enrol(AT + MINUTE) == 0


def test_the_entry_rule_may_ask_of_the_cart_itself():
    worth = {"all": [{"kind": "tracking.this_cart", "params": {"at_least": "100"}}]}
    campaign = flow(entry_rule=worth)
    leave_cart(shopper(campaign, 1), AT - DELAY, total=99)
    dear = leave_cart(shopper(campaign, 2), AT - DELAY, total=100)
    assert enrol(AT) == 1
    assert Enrolment.objects.get().subject_id == dear.pk


def test_another_persons_series_does_not_hold_them_back():
    campaign = flow()
    leave_cart(shopper(campaign, 1), AT - DELAY)
    leave_cart(shopper(campaign, 2), AT - DELAY)
    assert enrol(AT) == 2


def test_the_same_queries_for_two_people_and_for_twenty(django_assert_num_queries):
    campaign = flow()
    leave_cart(shopper(campaign), AT - DELAY)
    enrol(AT)
    for number in range(2, 4):
        leave_cart(shopper(campaign, number), AT - DELAY)
    with django_assert_num_queries(17):
        assert enrol(AT) == 2
    for number in range(4, 24):
        leave_cart(shopper(campaign, number), AT - DELAY)
    with django_assert_num_queries(17):
        assert enrol(AT) == 20


def _change(cart, at):
    cart.changed_at = at
    cart.save()
