"""The discount guard: never better than the site, never on what they just bought, never below the margin."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Delivery, OfferProduct, OfferSettings
from campaigns.offers.judging import Asked, judge
from crm.models import Status
from crm.people import statuses
from tests.campaigns import mailing
from tests.campaigns.offers.shelf import AT, DAY, bought, cart, give, offer, product, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return mailing.people(1, mailing.campaign().purpose)[0]


def test_a_message_promises_nothing_better_than_the_site_unless_it_is_said_so(ana):
    secret = offer(may_beat_site=False)
    assert verdict(secret, ana).reason == "beats_site"
    secret.may_beat_site = True
    assert verdict(secret, ana).allowed


@pytest.mark.parametrize(
    ("on_site", "allowed"),
    [
        ({"value": Decimal(20)}, True),
        ({"value": Decimal(25)}, True),
        ({"value": Decimal(19)}, False),
        ({"value": Decimal(20), "minimum": Decimal(50)}, False),
        ({"value": Decimal(20), "on": "category", "category": "Speakers"}, False),
        ({"value": Decimal(20), "kind": "amount"}, False),
        ({"value": Decimal(20), "ends_at": AT}, False),
        ({"value": Decimal(20), "starts_at": AT + timedelta(seconds=1)}, False),
        ({"value": Decimal(20), "is_active": False}, False),
    ],
)
def test_what_the_site_gives_everybody_may_be_given_in_a_message(ana, on_site, allowed):
    site = offer("Site", place="site", codes="none", may_beat_site=False, **on_site)
    found = verdict(offer(may_beat_site=False), ana)
    assert found.allowed is allowed
    assert found.rests_on == (site if allowed else None)


def test_an_offer_on_one_brand_is_no_better_than_the_sites_on_the_products_of_that_brand(ana):
    things = [product(f"p-{number}") for number in range(2)]
    offer("Site", place="site", codes="none", on="brand", brand="ORIEL")
    small = offer(may_beat_site=False, on="products")
    OfferProduct.objects.bulk_create(OfferProduct(offer=small, product=thing) for thing in things)
    assert verdict(small, ana).allowed
    OfferProduct.objects.create(offer=small, product=product("p-9", brand="Halden"))
    assert verdict(small, ana).reason == "beats_site"


def test_an_offer_that_is_over_or_has_not_begun_is_not_given(ana):
    assert "is over" in verdict(offer("A", ends_at=AT), ana).words
    assert "has not begun" in verdict(offer("B", starts_at=AT + DAY), ana).words
    assert verdict(offer("C", starts_at=AT, ends_at=AT + DAY), ana).allowed


def test_what_they_just_bought_at_full_price_turns_it_into_something_off_the_next_order(ana):
    thing = product()
    bought(ana, thing, AT - 13 * DAY)
    found = verdict(offer(), ana)
    assert found.allowed and found.next_order
    assert not verdict(offer("Other goods", on="category", category="Cables"), ana).next_order


@pytest.mark.parametrize(
    ("at", "how"),
    [
        (AT - 15 * DAY, {}),
        (AT - 3 * DAY, {"price": "80"}),
        (AT - 3 * DAY, {"coupon_code": "X"}),
        (AT - 3 * DAY, {"discount": Decimal(5)}),
        (AT - 3 * DAY, {"status": "cancelled"}),
        (AT - 3 * DAY, {"status": "refunded"}),
    ],
)
def test_what_was_bought_long_ago_or_with_something_off_changes_nothing(ana, at, how):
    bought(ana, product(), at, **how)
    assert not verdict(offer(), ana).next_order


def test_full_price_is_what_the_site_asked_then_and_not_what_it_asks_now(ana):
    thing = product()
    bought(ana, thing, AT - 5 * DAY)
    product(at=AT - 2 * DAY, price=Decimal(150))
    assert verdict(offer(), ana).next_order


def test_a_reduced_price_of_the_site_is_no_full_price(ana):
    thing = product(list_price=Decimal(130))
    bought(ana, thing, AT - 5 * DAY)
    assert not verdict(offer(), ana).next_order


def test_nothing_is_offered_on_only_what_they_have_just_bought(ana):
    thing, other = product(), product("p-2")
    bought(ana, thing, AT - DAY)
    few = offer(on="products")
    OfferProduct.objects.create(offer=few, product=thing)
    assert verdict(few, ana).reason == "just_bought"
    OfferProduct.objects.create(offer=few, product=other)
    assert verdict(few, ana).next_order


@pytest.mark.parametrize(
    ("price", "cost", "value", "allowed"),
    [
        ("100", "68", "20", True),
        ("100", "68.01", "20", False),
        ("100", None, "25", True),
        ("100", None, "25.01", False),
        ("100", "10", "50", True),
        ("100", "0", "100", False),
    ],
)
def test_the_margin_floor_is_kept_and_bounds_the_depth_where_the_cost_is_not_known(
    ana, price, cost, value, allowed
):
    thing = product(price=Decimal(price), cost=Decimal(cost) if cost else None)
    deep = offer(value=Decimal(value))
    about_it = verdict(deep, ana, cart(ana, thing))
    assert about_it.allowed is allowed and (allowed or about_it.reason == "margin_floor")
    # A message that shows no goods is weighed against everything the offer is on.
    assert verdict(deep, ana).allowed is allowed


def test_one_thing_below_the_floor_is_enough_and_goods_the_offer_is_not_on_do_not_count(ana):
    good, bad = product(cost=Decimal(10)), product("p-2", cost=Decimal(90), category="Cables")
    assert verdict(offer(), ana, cart(ana, good)).allowed
    ana.carts.all().delete()
    both = cart(ana, good, bad)
    assert "Thing p-2" in verdict(offer("All"), ana, both).words
    assert verdict(offer("Some", on="category", category="speakers"), ana, both).allowed


def test_an_amount_off_is_weighed_against_the_whole_cart(ana):
    thing = product(cost=Decimal(60))
    about = cart(ana, thing)
    assert verdict(offer("Ten", kind="amount", value=Decimal(10)), ana, about).allowed
    assert verdict(offer("Thirty", kind="amount", value=Decimal(30)), ana, about).reason == "margin_floor"
    assert "give the offer a minimum" in verdict(offer("Any", kind="amount", value=Decimal(5)), ana).words
    fifth = offer("From 50", kind="amount", value=Decimal(10), minimum=Decimal(50))
    assert verdict(fifth, ana).allowed


def test_the_guards_own_numbers_are_the_marketers_to_change(ana):
    bought(ana, product(cost=Decimal(70)), AT - 20 * DAY)
    OfferSettings.objects.create(full_price_days=21, margin_floor=Decimal(5))
    found = verdict(offer(), ana)
    assert found.allowed and found.next_order


def test_first_time_buyers_only(ana):
    first = offer(first_time_only=True)
    assert verdict(first, ana).allowed
    bought(ana, product(), AT - 100 * DAY, status="cancelled")
    assert verdict(first, ana).allowed
    bought(ana, product("p-2"), AT - 99 * DAY)
    assert verdict(first, ana).reason == "not_first_time"


def test_an_offer_for_a_status_is_for_those_who_hold_it_now(ana):
    vip = Status.objects.create(key="vip", name="VIP", lasts_days=30, created_at=AT)
    early = offer("Early", for_status=vip)
    assert verdict(early, ana).reason == "not_status"
    assert "only for people who are VIP" in verdict(early, ana).words
    statuses.grant(ana.pk, vip, AT - DAY, "mira")
    assert verdict(early, ana).allowed
    assert verdict(early, ana, now=AT + 40 * DAY).reason == "not_status"


def test_discount_dependent_customers_are_left_out_where_the_offer_says_so(ana):
    for number in range(3):
        bought(ana, product(f"p-{number}"), AT - (100 + number) * DAY, coupon_code=f"C{number}")
    assert verdict(offer("All"), ana).allowed
    assert verdict(offer("Not hunters", skip_hunters=True), ana).reason == "discount_dependent"


def sent(contact, at, of=None):
    if of is None:
        message = mailing.message(contact, mailing.campaign(), created_at=at, dedupe_key=f"{contact.pk}:{at}")
        message.save()
    else:
        message, refused = give(of, contact, at)
        assert refused is None
    for state in ("claimed", "sending", "sent"):
        Delivery.objects.filter(pk=message.pk).update(state=state)


def test_the_ladder_begins_without_a_discount_and_goes_up_a_step_at_a_time(ana):
    mailing.campaign()
    shipping = offer("Ship", kind="free_shipping", value=None, rung=1, follows_ladder=True, codes="none")
    percent = offer("Percent", rung=2, follows_ladder=True, codes="none")
    best = offer("Best", rung=3, follows_ladder=True, codes="none")
    assert "first message" in verdict(shipping, ana).words
    sent(ana, AT - 100 * DAY)
    assert verdict(shipping, ana).allowed
    assert verdict(percent, ana).reason == "ladder"
    sent(ana, AT - 80 * DAY, shipping)
    assert verdict(percent, ana).allowed
    assert verdict(best, ana).reason == "ladder"
    sent(ana, AT - 31 * DAY, percent)
    assert verdict(best, ana).allowed
    assert verdict(best, ana, now=AT + 300 * DAY).reason == "ladder"


def test_never_twice_within_the_quiet_days(ana):
    mailing.campaign()
    sent(ana, AT - 100 * DAY)
    shipping = offer("Ship", kind="free_shipping", value=None, rung=1, follows_ladder=True, codes="none")
    sent(ana, AT - 29 * DAY, shipping)
    assert verdict(shipping, ana).reason == "offer_lately"
    assert verdict(shipping, ana, now=AT + 2 * DAY).allowed
    # What was promised, such as a welcome, and what the site gives everybody ask for no ladder.
    assert verdict(offer("Promised", codes="none"), ana).allowed
    assert verdict(offer("Site", place="site", codes="none", follows_ladder=True), ana).allowed


def test_a_whole_batch_costs_the_same_as_one(ana):
    campaign = mailing.campaign()
    everybody = [ana, *mailing.people(30, campaign.purpose, first=2)]
    thing = product()
    for contact in everybody[:10]:
        bought(contact, thing, AT - DAY)
    vip = Status.objects.create(key="vip", name="VIP", lasts_days=30, created_at=AT)
    for contact in everybody[:5]:
        statuses.grant(contact.pk, vip, AT - DAY, "mira")
    of = offer(follows_ladder=True, skip_hunters=True, first_time_only=True, for_status=vip)

    def cost(some):
        asked = [Asked(who.pk, of, who.pk) for who in some]
        with CaptureQueriesContext(connection) as queries:
            judge(asked, AT)
        return len(queries)

    cost(everybody[:1])
    assert cost(everybody) == cost(everybody[:1]) <= 14
