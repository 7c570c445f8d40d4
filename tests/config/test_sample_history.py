"""The sample year: always the same, ending yesterday, bought as the published model says."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - seeded, to draw many customers of the published model
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.embedded.sample import history
from config.embedded.sample.bgnbd import Buying, hypergeometric
from config.embedded.sample.catalogue import BY_ID
from config.embedded.sample.records import Life, Year

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1), timezones=st.just(UTC))


@pytest.fixture(scope="module")
def year() -> list[Life]:
    return list(history.lives(NOW))


@settings(max_examples=12)
@given(seed=st.integers(min_value=0, max_value=2**40), now=moments, later=st.integers(0, 3_600))
def test_the_same_seed_and_day_give_the_same_year(seed: int, now: datetime, later: int) -> None:
    once = list(history.lives(now, seed=seed, number=12))
    again = list(history.lives(now, seed=seed, number=12))
    assert once == again
    same_day = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(seconds=later)
    assert list(history.lives(same_day, seed=seed, number=12)) == once


@settings(max_examples=12)
@given(seed=st.integers(min_value=0, max_value=2**40), now=moments)
def test_nothing_happens_after_yesterday_or_before_the_year(seed: int, now: datetime) -> None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for life in history.lives(now, seed=seed, number=25):
        instants = [life.joined_at, *(event.at for event in life.events), *(c.at for c in life.consents)]
        instants += [order.placed_at for order in life.orders]
        for cart in life.carts:
            instants += [at for at in (cart.opened_at, cart.changed_at, cart.closed_at) if at]
        assert all(midnight - timedelta(days=365) <= at < midnight for at in instants)


def test_another_seed_gives_another_year() -> None:
    assert list(history.lives(NOW, seed=1, number=5)) != list(history.lives(NOW, seed=2, number=5))


def test_the_expectation_agrees_with_the_published_figure_and_with_many_customers() -> None:
    buying = Buying()
    assert hypergeometric(1, 1, 2, 0.5) == pytest.approx(1.3862943611198906)
    assert buying.expected_repeats(0) == pytest.approx(0)
    chance = Random(7)
    for weeks in (4, 26, 52):
        drawn = [len(buying.repeats(chance, weeks)) for _ in range(40_000)]
        assert sum(drawn) / len(drawn) == pytest.approx(buying.expected_repeats(weeks), rel=0.05)


@pytest.mark.proof
def test_the_year_buys_as_the_model_expects() -> None:
    """Over ten years of 2,000 people: what to expect of one depends on how long they are a customer."""
    buying = Buying()
    bought = expected = people = 0.0
    for seed in range(10):
        end = Year.before(NOW).ends_at
        for plan in history.plans(NOW, seed=seed):
            people += 1
            bought += len(plan.purchases) - 1
            expected += buying.expected_repeats(max((end - plan.purchases[0]).total_seconds() / 604_800, 0))
    assert bought / people == pytest.approx(expected / people, rel=0.04)


def test_two_thousand_people_with_an_address_of_their_own(year: list[Life]) -> None:
    assert len(year) == 2_000
    addresses = [life.name.email for life in year]
    assert len(set(addresses)) == 2_000
    assert all(address.endswith("@example.com") and address.isascii() for address in addresses)
    assert len({life.visitor_id for life in year}) == 2_000
    phones = [life.name.phone for life in year if life.name.phone]
    assert len(phones) == len(set(phones)) > 100
    countries = Counter(life.name.country for life in year)
    assert len(countries) > 20 and countries.most_common(1)[0][0] == "NL"
    assert all(ZoneInfo(life.name.time_zone) for life in year)


def test_order_numbers_count_through_the_year_in_order_of_time(year: list[Life]) -> None:
    orders = sorted((order for life in year for order in life.orders), key=lambda order: order.placed_at)
    assert [order.number for order in orders] == list(range(1001, 1001 + len(orders)))
    assert 2_900 < len(orders) < 4_600


def test_amounts_add_up(year: list[Life]) -> None:
    for order in itertools.chain.from_iterable(life.orders for life in year):
        assert order.goods == sum(item.unit_price * item.quantity for item in order.items)
        assert order.total == order.goods - order.discount + order.shipping > 0
        assert bool(order.discount) == bool(order.coupon)
        assert all(item.product in BY_ID and item.unit_price <= item.list_price for item in order.items)


def test_carts_are_left_bought_emptied_and_forgotten(year: list[Life]) -> None:
    carts = [cart for life in year for cart in life.carts]
    states = Counter(cart.state for cart in carts)
    assert min(states[state] for state in ("open", "bought", "emptied", "expired")) > 30
    assert 0.3 < 1 - states["bought"] / len(carts) < 0.7
    assert len({cart.token for cart in carts}) == len(carts)
    midnight = Year.before(NOW).ends_at
    for cart in carts:
        assert cart.opened_at <= cart.changed_at
        assert (cart.closed_at is None) == (cart.state == "open")
        assert cart.items
        assert cart.state != "open" or midnight - cart.changed_at <= timedelta(days=30)
        assert (cart.order is not None) == (cart.state == "bought")


def test_one_person_has_one_open_cart_at_a_time(year: list[Life]) -> None:
    for life in year:
        for earlier, later in itertools.pairwise(sorted(life.carts, key=lambda cart: cart.opened_at)):
            assert earlier.closed_at is not None and earlier.closed_at <= later.changed_at


def test_consent_has_its_form_and_wording_and_some_take_it_back(year: list[Life]) -> None:
    consents = [consent for life in year for consent in life.consents]
    granted = Counter(consent.purpose for consent in consents if consent.action == "granted")
    assert 1_100 < granted["cart_recovery"] < 1_450 and granted["newsletter"] > 700
    assert all(consent.wording and consent.form for consent in consents if consent.action == "granted")
    assert sum(consent.action == "withdrawn" for consent in consents) > 100
    for life in year:
        if not any(consent.purpose == "web_profile" for consent in life.consents):
            assert not life.events and not life.carts


def test_people_shop_in_their_waking_hours(year: list[Life]) -> None:
    hours = Counter(
        order.placed_at.astimezone(ZoneInfo(life.name.time_zone)).hour
        for life in year
        for order in life.orders
    )
    assert sum(hours[hour] for hour in range(2, 5)) < 0.01 * hours.total()
    assert hours[20] > 3 * hours[8] * 0.6
