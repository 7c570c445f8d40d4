"""The price memory: what the site asked for each product and when, and what people paid for it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.models import Contact, PriceChange, Product
from crm.shop import prices
from crm.shop.intake import SHOP, LineIn, OrderIn, ProductIn, record_orders, record_products

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def told(*words, now=NOW):
    return record_products(words, now, source=SHOP)


def word(price, at, **more):
    return ProductIn("p-1", name="Fjord", price=Decimal(price), source_at=at, **more)


def kept():
    return [
        (row.price, row.list_price, row.occurred_at, row.recorded_at)
        for row in PriceChange.objects.order_by("occurred_at", "id")
    ]


def test_every_change_of_what_the_site_asks_is_kept_and_nothing_else():
    told(word(10, NOW - 3 * DAY))
    told(word(10, NOW - 2 * DAY, stock=5))
    told(word(12, NOW - DAY, list_price=Decimal(15)))
    told(word(9, NOW - 2 * DAY))  # an older word, told late, changes nothing
    assert kept() == [
        (Decimal(10), None, NOW - 3 * DAY, NOW),
        (Decimal(12), Decimal(15), NOW - DAY, NOW),
    ]


def test_prices_told_in_one_batch_are_kept_one_by_one():
    told(word(12, NOW - DAY), word(10, NOW - 3 * DAY), word(11, NOW - 2 * DAY))
    assert [(price, at) for price, _, at, _ in kept()] == [
        (Decimal(10), NOW - 3 * DAY),
        (Decimal(11), NOW - 2 * DAY),
        (Decimal(12), NOW - DAY),
    ]


def test_a_batch_costs_the_same_however_many_prices_change():
    def cost(number, price):
        words = [
            ProductIn(f"p-{place}", price=Decimal(price), source_at=NOW + price * DAY)
            for place in range(number)
        ]
        with CaptureQueriesContext(connection) as queries:
            told(*words, now=NOW + 100 * DAY)
        return len(queries)

    cost(40, 1)
    assert cost(2, 2) == cost(40, 3)


def test_what_does_not_commit_leaves_no_price_behind():
    with pytest.raises(RuntimeError), transaction.atomic():
        told(word(10, NOW))
        raise RuntimeError
    assert not PriceChange.objects.exists() and not Product.objects.exists()


def test_what_the_site_asked_on_a_day_is_what_was_known_of_it_then():
    ours = told(word(10, NOW - 3 * DAY), now=NOW - 3 * DAY)["p-1"]
    told(word(12, NOW - DAY), now=NOW)

    def asked(at):
        found = prices.asked([ours, uuid4()], at)
        return {key: row.price for key, row in found.items()}

    assert asked(NOW - 4 * DAY) == {}
    assert asked(NOW - 2 * DAY) == {ours: Decimal(10)}
    assert asked(NOW - DAY) == {ours: Decimal(10)}
    assert asked(NOW) == {ours: Decimal(12)}


@pytest.mark.parametrize(
    ("unit_price", "order", "line", "full"),
    [
        ("10", {}, {}, True),
        ("11", {}, {}, True),
        ("9.99", {}, {}, False),
        ("10", {"coupon_code": "X"}, {}, False),
        ("10", {"discount": Decimal(1)}, {}, False),
        ("10", {}, {"list_price": Decimal(12)}, False),
        ("10", {}, {"list_price": Decimal(10)}, True),
    ],
)
def test_full_price_is_what_was_asked_that_day_with_nothing_off(unit_price, order, line, full):
    told(word(10, NOW - 9 * DAY))
    told(word(20, NOW - DAY))
    who = Contact.objects.create(first_name="Ana", created_at=NOW)
    bought = LineIn("Fjord", "p-1", unit_price=Decimal(unit_price), **line)
    record_orders(
        [OrderIn("o-1", NOW - 5 * DAY, Decimal(10), contact_id=who.pk, lines=(bought,), **order)], NOW
    )
    [paid] = prices.paid([who.pk], NOW - 6 * DAY, NOW)
    assert (paid.unit_price, paid.at, paid.at_full_price) == (Decimal(unit_price), NOW - 5 * DAY, full)
    assert prices.paid([who.pk], NOW - 5 * DAY, NOW) == []


def test_what_one_thing_costs_the_shop_is_told_with_the_catalogue_and_by_hand(ada):
    ours = told(word(10, NOW, cost=Decimal("6.50")))["p-1"]
    product = Product.objects.get(pk=ours)
    assert product.cost == Decimal("6.50")
    page = reverse("admin:crm_product_change", args=[ours])
    form = ada.get(page).context["adminform"].form
    values = {name: value for name in form.fields if (value := form[name].value()) is not None}
    assert ada.post(page, values | {"price": "14", "cost": "7"}).status_code == 302
    product.refresh_from_db()
    assert (product.price, product.cost) == (Decimal(14), Decimal(7))
    assert PriceChange.objects.count() == 2 and PriceChange.objects.last() is not None
