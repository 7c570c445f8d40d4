"""Who is told that a product is back, or costs less: whoever wanted it, once, and only while it is true."""

import pytest

from campaigns.delivery import outbox
from campaigns.models import Campaign, Decision, Delivery, Enrolment
from crm.kernel.work import Budget
from crm.models import Contact
from tests.campaigns.flows.shopping import (
    DAY,
    HOUR,
    MINUTE,
    back,
    entered,
    fills_cart,
    lamp,
    looks,
    offers,
    signs_in,
    sold_out,
    waiting,
)
from tests.campaigns.flows.stage import AT, SEND, WAIT, advance, buy, enrol, run
from tests.tracking.browsing import BORIS, MINE, OTHER, THIRD

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    lamp()
    return signs_in()


def wanted_and_gone(at=AT - 5 * DAY):
    looks(at, "lamp")
    sold_out(AT - 4 * DAY)


def test_whoever_looked_at_it_before_it_was_sold_out_is_told_once_when_it_is_back(ana):
    waiting("back_in_stock")
    wanted_and_gone()
    assert enrol(AT - DAY) == 0
    back(AT)
    assert [enrol(AT + MINUTE), enrol(AT + 2 * MINUTE), enrol(AT + 2 * DAY)] == [1, 0, 0]
    [run_] = entered()
    assert (run_.contact_id, run_.qualified_at, run_.subject_kind) == (ana.pk, AT, "product")
    decision = Decision.objects.get()
    assert decision.words == "Entered: a product is back in stock."
    assert decision.evidence["product"] == "Lamp" and "looked_at" in decision.evidence


@pytest.mark.parametrize("kind", ["favourite", "cart"])
def test_saving_it_or_having_it_in_a_cart_while_it_was_sold_out_counts_as_well(ana, kind):
    waiting("back_in_stock")
    sold_out(AT - 4 * DAY)
    if kind == "cart":
        fills_cart(AT - DAY)
    else:
        looks(AT - DAY, "lamp", kind=kind)
    back(AT)
    assert enrol(AT + MINUTE) == 1


def test_whoever_looked_too_long_ago_or_only_since_it_is_back_is_not_told(ana):
    waiting("back_in_stock", params={"look_back_days": "30"})
    boris, _chen = signs_in(email=BORIS, browser=OTHER), signs_in(email="chen@example.com", browser=THIRD)
    looks(AT - 31 * DAY, "lamp")
    sold_out(AT - 4 * DAY)
    looks(AT - HOUR, "lamp", browser=OTHER)
    back(AT)
    looks(AT + MINUTE, "lamp", browser=THIRD)
    assert enrol(AT + 2 * MINUTE) == 1
    assert entered()[0].contact_id == boris.pk


def test_whoever_has_seen_that_it_is_back_or_has_bought_it_since_is_not_told(ana):
    waiting("back_in_stock")
    boris = signs_in(email=BORIS, browser=OTHER)
    wanted_and_gone()
    looks(AT - 5 * DAY, "lamp", browser=OTHER)
    back(AT)
    looks(AT + MINUTE, "lamp")
    _buys(boris, AT - 3 * DAY)
    assert enrol(AT + 2 * MINUTE) == 0


def test_looks_that_are_told_doubled_late_and_out_of_order_end_the_same(ana):
    waiting("back_in_stock")
    sold_out(AT - 4 * DAY)
    back(AT)
    looks(AT - DAY, "lamp", late=DAY + MINUTE)
    looks(AT - 2 * DAY, "lamp", late=2 * DAY + MINUTE)
    looks(AT - DAY, "lamp", late=DAY + MINUTE)
    assert [enrol(AT + 2 * MINUTE), enrol(AT + 3 * MINUTE)] == [1, 0]


def test_each_return_counts_after_the_time_of_re_entry_and_it_looks_forward_only(ana):
    campaign = waiting("back_in_stock", reentry_days=2, launched_at=AT - 3 * DAY)
    wanted_and_gone()
    back(AT - 3 * DAY - MINUTE)
    assert enrol(AT) == 0, "before the launch"
    for day in (1, 2, 5):
        sold_out(AT + day * DAY - HOUR)
        back(AT + day * DAY)
        run(AT + day * DAY + MINUTE)
    assert [one.entered_at for one in entered()] == [AT + DAY + MINUTE, AT + 5 * DAY + MINUTE]
    assert campaign.state == Campaign.State.RUNNING


def test_of_two_products_the_one_they_looked_at_last_comes_first_and_the_other_when_it_may(ana):
    waiting("back_in_stock", reentry_days=1)
    chair = offers("chair", AT - 90 * DAY)
    looks(AT - 5 * DAY, "lamp", "chair")
    for name in ("lamp", "chair"):
        sold_out(AT - 4 * DAY, name)
    for name in ("lamp", "chair"):
        back(AT, name)
    assert [enrol(AT + MINUTE), enrol(AT + HOUR), enrol(AT + DAY + HOUR)] == [1, 0, 1]
    assert entered()[0].subject_id == chair.pk and entered()[1].subject_id != chair.pk


def test_sold_out_again_before_the_step_ends_the_run(ana):
    waiting("back_in_stock", WAIT, SEND)
    wanted_and_gone()
    back(AT)
    run(AT + MINUTE)
    sold_out(AT + HOUR)
    advance(AT + 25 * HOUR)
    assert Enrolment.objects.get().left_reason == "sold_out"
    assert Decision.objects.get(verdict=Decision.Verdict.LEFT).words == "It is sold out again."
    assert not Delivery.objects.exists()


def test_sold_out_again_at_the_fence_keeps_the_message_in(ana):
    waiting("back_in_stock")
    wanted_and_gone()
    back(AT)
    run(AT + MINUTE)
    sold_out(AT + 2 * MINUTE)
    _deliver(AT + 3 * MINUTE)
    assert _end() == ("skipped", "sold_out")


def test_a_merged_contact_is_not_told_and_a_test_person_is_marked(ana):
    waiting("back_in_stock")
    boris = signs_in(email=BORIS, browser=OTHER)
    wanted_and_gone()
    looks(AT - 5 * DAY, "lamp", browser=OTHER)
    Contact.objects.filter(pk=ana.pk).update(merged_into=boris)
    Contact.objects.filter(pk=boris.pk).update(is_test=True)
    back(AT)
    assert enrol(AT + MINUTE) == 1
    [run_] = entered()
    assert (run_.contact_id, run_.is_test) == (boris.pk, True)


def test_the_entry_rule_is_part_of_the_question(ana):
    looked = {"kind": "tracking.did", "params": {"event": "product", "which": "least", "times": "1"}}
    named = {"all": [{"kind": "crm.name", "params": {"contains": "boris"}}, looked]}
    waiting("back_in_stock", entry_rule=named)
    boris = signs_in(email=BORIS, browser=OTHER)
    wanted_and_gone()
    looks(AT - 5 * DAY, "lamp", browser=OTHER)
    back(AT)
    assert enrol(AT + MINUTE) == 1 and entered()[0].contact_id == boris.pk


def test_the_same_queries_for_one_person_and_for_many(ana, django_assert_max_num_queries):
    waiting("back_in_stock")
    wanted_and_gone()
    back(AT)
    enrol(AT + MINUTE)
    counted = []
    for first, many in ((1, 1), (10, 8)):
        for number in range(many):
            browser = type(MINE)(int=first + number)
            signs_in(email=f"more{first + number}@example.com", browser=browser)
            looks(AT - DAY, "lamp", browser=browser)
        with django_assert_max_num_queries(30) as queries:
            assert enrol(AT + 2 * MINUTE) == many
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_a_price_that_fell_by_ten_percent_since_they_looked_is_told(ana):
    waiting("price_drop")
    looks(AT - 3 * DAY, "lamp")
    lamp(AT - DAY, "91.00")
    assert enrol(AT - HOUR) == 0, "nine percent"
    lamp(AT, "90.00")
    assert [enrol(AT + MINUTE), enrol(AT + HOUR)] == [1, 0]
    evidence = Decision.objects.get().evidence
    assert (evidence["price"], evidence["was"]) == ("90.00 EUR", "100.00 EUR")


def test_it_is_the_price_of_when_they_last_looked_that_counts(ana):
    waiting("price_drop")
    boris = signs_in(email=BORIS, browser=OTHER)
    for browser in (MINE, OTHER):
        looks(AT - 3 * DAY, "lamp", browser=browser)
    lamp(AT - DAY, "92.00")
    looks(AT - HOUR, "lamp")
    lamp(AT, "85.00")
    assert enrol(AT + MINUTE) == 1
    assert entered()[0].contact_id == boris.pk


def test_whoever_has_seen_the_new_price_is_not_told_and_a_rise_tells_nobody(ana):
    waiting("price_drop")
    looks(AT - 3 * DAY, "lamp")
    lamp(AT, "80.00")
    looks(AT + MINUTE, "lamp")
    assert enrol(AT + HOUR) == 0
    lamp(AT + 2 * HOUR, "90.00")
    lamp(AT + 3 * HOUR, "120.00")
    assert enrol(AT + 4 * HOUR) == 0


def test_other_money_or_a_product_that_is_sold_out_is_no_lower_price(ana):
    waiting("price_drop")
    looks(AT - 3 * DAY, "lamp")
    lamp(AT, "80.00", currency="CHF")
    assert enrol(AT + MINUTE) == 0
    lamp(AT + HOUR, "70.00", currency="CHF", stock=0)
    assert enrol(AT + 2 * HOUR) == 0


def test_a_price_told_late_and_out_of_order_is_no_drop(ana):
    waiting("price_drop")
    looks(AT - 3 * DAY, "lamp")
    lamp(AT - DAY, "110.00")
    lamp(AT - 2 * DAY, "50.00")
    assert enrol(AT) == 0


def test_a_price_that_rose_again_ends_the_run_or_keeps_the_message_in(ana):
    waiting("price_drop", WAIT, SEND)
    waiting("price_drop", name="at once")
    looks(AT - 3 * DAY, "lamp")
    lamp(AT, "80.00")
    run(AT + MINUTE)
    lamp(AT + 2 * MINUTE, "85.00")
    _deliver(AT + 3 * MINUTE)
    assert _end() == ("skipped", "price_rose")
    advance(AT + 25 * HOUR)
    assert Enrolment.objects.get(campaign__name="price_drop").left_reason == "price_rose"
    assert "Its price rose again." in Decision.objects.values_list("words", flat=True)


def test_a_price_that_fell_further_is_told_with_the_price_of_now(ana):
    waiting("price_drop")
    looks(AT - 3 * DAY, "lamp")
    lamp(AT, "80.00")
    run(AT + MINUTE)
    lamp(AT + 2 * MINUTE, "75.00")
    assert _blocked(AT + 3 * MINUTE) == set()


def _buys(contact, at):
    from crm.models import OrderLine, Product

    order = buy(contact, at)
    product = Product.objects.get(external_id="lamp")
    OrderLine.objects.create(contact=contact, order=order, product=product, name="Lamp", occurred_at=at)


def _deliver(at):
    outbox.deliver(lambda: at, Budget(30))


def _end():
    return Delivery.objects.values_list("state", "reason").get()


def _blocked(at):
    from campaigns.flows import guards

    own = (guards.SoldOutAgain, guards.PriceRose, guards.OrderUndone, guards.CartSince)
    return {guard.reason for guard in own if Delivery.objects.filter(guard().blocks(at)).exists()}
