"""Replenishment: by the person's own rhythm for a product, or by how long it lasts; not with a substitute."""

from datetime import timedelta
from decimal import Decimal

import pytest

from campaigns.flows.kinds import playbooks
from campaigns.models import Decision, Enrolment
from crm.models import Bought, OrderLine, Product
from crm.shop.bought import differences, recount
from tests.campaigns.flows.stage import AT, MINUTE, buy, enrol, flow, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def needing(**changes):
    usual = {"launched_at": AT - 2 * DAY, "expires_after": None, "created_at": AT - 2 * DAY}
    return flow(trigger="campaigns.replenishment", trigger_params={"days_before": "5"}, **(usual | changes))


def product(name="Coffee", category="Coffee", **changes):
    return Product.objects.create(name=name, external_id=name, category=category, **changes)


def bought(contact, thing, *moments, pieces=1, **changes):
    for at in moments:
        order = buy(contact, at, **changes)
        OrderLine.objects.create(
            contact=contact, order=order, product=thing, name=thing.name, occurred_at=at, quantity=pieces
        )
    recount([contact.pk])


def test_five_days_before_the_usual_gap_is_over_once_a_purchase():
    ana, coffee = shopper(needing()), product()
    bought(ana, coffee, AT - 85 * DAY, AT - 55 * DAY, AT - 25 * DAY)
    assert [enrol(AT - MINUTE), enrol(AT), enrol(AT + MINUTE)] == [0, 1, 0]
    entered = Enrolment.objects.get()
    assert (entered.subject_kind, entered.subject_id) == ("product", coffee.pk)
    why = Decision.objects.get().evidence
    assert (why["usual_gap_days"], why["by"], why["product"]) == (30.0, "their own rhythm", "Coffee")
    for day in range(1, 40):
        assert enrol(AT + day * DAY) == 0


def test_the_gap_is_the_median_so_that_one_long_holiday_does_not_count_and_one_errand_is_one():
    ana, coffee = shopper(needing()), product()
    days = (300, 270, 240, 100, 70, 40)
    bought(ana, coffee, *[AT - day * DAY for day in days], AT - 40 * DAY + MINUTE)
    row = Bought.objects.get()
    assert row.again_at - row.last_at == 30 * DAY
    assert differences() == 0


def test_one_purchase_says_nothing_of_a_rhythm_unless_the_shop_says_how_long_it_lasts():
    campaign = needing()
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    bought(ana, product("Lamp", "Lamps"), AT - 25 * DAY)
    bought(boris, product("Oil", "Oil", days_of_supply=15), AT - 25 * DAY, pieces=2)
    assert [enrol(AT - MINUTE), enrol(AT)] == [0, 1]
    entered = Enrolment.objects.get()
    assert entered.contact_id == boris.pk
    assert Decision.objects.get().evidence["by"] == "how long it lasts"


def test_whoever_bought_something_else_of_its_kind_since_has_a_substitute():
    campaign = needing()
    ana, boris, coffee = shopper(campaign, 1), shopper(campaign, 2), product()
    for person in (ana, boris):
        bought(person, coffee, AT - 55 * DAY, AT - 25 * DAY)
    bought(ana, product("Other coffee"), AT - 10 * DAY)
    bought(boris, product("Cup", "Cups"), AT - 10 * DAY)
    assert enrol(AT) == 1
    assert Enrolment.objects.get().contact_id == boris.pk


def test_whoever_bought_it_again_already_is_counted_from_then():
    ana, coffee = shopper(needing()), product()
    bought(ana, coffee, AT - 55 * DAY, AT - 25 * DAY, AT - 3 * DAY)
    assert enrol(AT) == 0
    again = Bought.objects.get().again_at
    assert enrol(again - 5 * DAY) == 1


def test_what_is_sold_out_or_no_longer_sold_is_not_spoken_of():
    campaign = needing()
    for number, changes in enumerate(({"in_stock": False}, {"is_active": False}), start=1):
        thing = product(f"Coffee {number}", **changes)
        bought(shopper(campaign, number), thing, AT - 55 * DAY, AT - 25 * DAY)
    assert enrol(AT) == 0


def test_of_a_rhythm_of_a_week_half_goes_by_before_anybody_is_written_to():
    bought(shopper(needing()), product(), AT - 10 * DAY, AT - 4 * DAY)
    assert enrol(AT - DAY - MINUTE) == 0
    assert enrol(AT - DAY) == 1


def test_it_looks_forward_only():
    campaign = needing(launched_at=AT + DAY)
    bought(shopper(campaign), product(), AT - 55 * DAY, AT - 25 * DAY)
    assert enrol(AT + 2 * DAY) == 0


def test_a_cancelled_order_is_no_purchase():
    ana, coffee = shopper(needing()), product()
    bought(ana, coffee, AT - 25 * DAY)
    bought(ana, coffee, AT - 55 * DAY, status="cancelled", total=Decimal(9))
    assert enrol(AT) == 0 and Bought.objects.get().again_at is None


def test_the_play_leaves_out_whoever_ordered_anything_in_the_last_two_days():
    campaign = needing(entry_rule=dict(playbooks.get("campaigns.replenishment").entry_rule))
    ana, boris, coffee = shopper(campaign, 1), shopper(campaign, 2), product()
    bought(ana, coffee, AT - 4 * DAY, AT - 2 * DAY - MINUTE)
    bought(boris, coffee, AT - 3 * DAY, AT - DAY)
    assert enrol(AT) == 1
    assert Enrolment.objects.get().contact_id == ana.pk
    assert enrol(AT + DAY + MINUTE) == 1, "two days after it, it is known whether that was a rhythm"
