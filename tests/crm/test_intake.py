"""Orders arrive late, twice and in any order, from script and server; what stands in the end is the same."""

import random  # noqa: TID251 - shuffles by a fixed seed
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Contact, Engagement, Order, OrderLine, OutsideId, Product
from crm.people.identity import Known
from crm.shop.intake import SHOP, LineIn, OrderIn, ProductIn, record_orders, record_products
from crm.shop.settings import this_shop

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
LINES = (LineIn("Headphones", product="p1", quantity=Decimal(2), unit_price=Decimal("40")),)


def order(external_id="1001", **kept):
    kept.setdefault("placed_at", NOW - timedelta(hours=2))
    kept.setdefault("known", Known(email="ana@example.com"))
    return OrderIn(external_id, total=kept.pop("total", Decimal("80")), **kept)


def state():
    """Everything recorded, without our own ids."""
    orders = Order.objects.order_by("external_id").values_list(
        "external_id",
        "contact__email",
        "status",
        "total",
        "refunded",
        "cart_token",
        "source_at",
        "occurred_at",
    )
    lines = OrderLine.objects.values_list(
        "order__external_id", "contact__email", "name", "quantity", "product__name"
    )
    people = Engagement.objects.values_list("contact__email", "order_count", "spent", "last_order_at")
    return (
        list(orders),
        sorted(lines),
        sorted(people, key=str),
        sorted(Product.objects.values_list("external_id")),
    )


@pytest.mark.django_db
def test_an_order_told_twice_is_one_order():
    first = record_orders([order(lines=LINES)], NOW, source=SHOP)
    before = state()
    assert record_orders([order(lines=LINES)], NOW + timedelta(hours=1), source=SHOP) == first
    assert state() == before
    engagement = Engagement.objects.get()
    assert (engagement.order_count, engagement.spent) == (1, Decimal("80.00"))
    assert engagement.last_order_at == engagement.last_seen_at == NOW - timedelta(hours=2)


@pytest.mark.django_db
def test_an_older_word_never_undoes_a_newer_one_but_fills_what_it_left_out():
    paid = order(status="paid", source_at=NOW - timedelta(minutes=5))
    placed = order(cart_token="t1", total=Decimal("90"), lines=LINES, source_at=NOW - timedelta(minutes=9))
    record_orders([paid], NOW, source=SHOP)
    record_orders([placed], NOW, source=SHOP)
    kept = Order.objects.get()
    assert (kept.status, kept.total, kept.cart_token, kept.lines.count()) == (
        "paid",
        Decimal("80.00"),
        "t1",
        1,
    )


@pytest.mark.django_db
def test_what_a_browser_says_gives_way_to_the_shops_server():
    record_orders([order(total=Decimal("1"), is_hint=True, cart_token="t1")], NOW, source=SHOP)
    record_orders([order(lines=LINES)], NOW, source=SHOP)
    record_orders([order(total=Decimal("2"), is_hint=True)], NOW, source=SHOP)
    kept = Order.objects.get()
    assert (kept.total, kept.cart_token, kept.lines.count()) == (Decimal("80.00"), "t1", 1)


@pytest.mark.django_db
def test_an_order_of_nobody_goes_to_whom_it_turns_out_to_be():
    first = record_orders([order(known=Known(), lines=LINES)], NOW, source=SHOP)
    assert Contact.objects.get().email == ""
    again = record_orders([order(source_at=NOW)], NOW, source=SHOP)
    record_orders(
        [order(known=Known(), source_at=NOW + timedelta(hours=1))], NOW + timedelta(hours=1), source=SHOP
    )
    kept = Order.objects.get()
    assert again == first == [kept.pk]
    assert kept.contact.email == "ana@example.com"
    assert kept.lines.get().contact_id == kept.contact_id == OutsideId.objects.get(kind="order").contact_id
    assert sorted(Engagement.objects.values_list("order_count", flat=True)) == [0, 1]


@pytest.mark.django_db
def test_a_cancelled_order_does_not_count_and_a_refund_lessens():
    record_orders([order("1"), order("2"), order("3")], NOW, source=SHOP)
    record_orders([order("1", status="cancelled", source_at=NOW)], NOW, source=SHOP)
    record_orders([order("2", status="refunded", refunded=Decimal("30"), source_at=NOW)], NOW, source=SHOP)
    engagement = Engagement.objects.get()
    assert (engagement.order_count, engagement.spent) == (2, Decimal("130.00"))


@pytest.mark.django_db
def test_a_product_is_told_by_its_newest_word_and_a_hint_only_fills_blanks():
    record_products(
        [ProductIn("p1", name="Old", price=Decimal(10), source_at=NOW - timedelta(days=2))], NOW, source=SHOP
    )
    record_products([ProductIn("p1", name="New", source_at=NOW - timedelta(days=1))], NOW, source=SHOP)
    record_products([ProductIn("p1", name="Stale", source_at=NOW - timedelta(days=3))], NOW, source=SHOP)
    hint = ProductIn(
        "p1", name="Hint", brand="B", url="javascript:alert(1)", image_url="https://shop.example/1.png"
    )
    found = record_products([hint, ProductIn("p2")], NOW, source=SHOP)
    product = Product.objects.get(external_id="p1")
    assert (product.name, product.price, product.brand, product.url) == ("New", Decimal("10.00"), "B", "")
    assert product.image_url == "https://shop.example/1.png"
    assert found["p1"] == product.pk and Product.objects.get(pk=found["p2"]).name == "p2"


@pytest.mark.django_db
def test_what_does_not_fit_is_made_to_fit():
    strange = order(
        "x" * 900,
        total=Decimal("1e30"),
        number="n" * 900,
        cart_token="c" * 900,
        placed_at=NOW + timedelta(days=9),
    )
    record_orders([strange, strange], NOW, source="s" * 90)
    kept = Order.objects.get()
    assert (kept.total, kept.occurred_at, len(kept.cart_token)) == (Decimal("9999999999.99"), NOW, 100)


@pytest.mark.django_db
def test_a_batch_costs_the_same_number_of_queries_whatever_its_size():
    def queries(count, offset):
        lines = (LineIn("A", product=f"a{offset}"), LineIn("B", product=f"b{offset}"))
        people = [Known(email=f"p{n}@example.com") for n in range(offset, offset + count)]
        batch = [order(f"o{offset + n}", known=who, lines=lines) for n, who in enumerate(people)]
        with CaptureQueriesContext(connection) as created:
            record_orders(batch, NOW, source=SHOP)
        with CaptureQueriesContext(connection) as changed:
            record_orders([replace(one, status="paid", source_at=NOW) for one in batch], NOW, source=SHOP)
        return len(created), len(changed)

    this_shop()
    few = queries(2, 0)
    assert queries(200, 1000) == few
    assert max(few) <= 30


def words_of(number, dice):
    """One order's life as its shop tells of it: three words, each a version of its own."""
    placed_at = NOW - timedelta(days=number % 40, minutes=number)
    base = order(
        f"o{number}",
        placed_at=placed_at,
        known=Known(email=f"p{number % 170}@example.com", external_id=f"c{number % 170}"),
        lines=(LineIn(f"Thing {number % 9}", product=f"p{number % 9}", unit_price=Decimal(number)),),
        total=Decimal(number),
    )
    last = dice.choice(["cancelled", "refunded", "paid"])
    return [
        replace(base, cart_token=f"t{number}"),
        replace(base, status="paid", source_at=placed_at + timedelta(minutes=1), total=Decimal(number + 1)),
        replace(base, status=last, source_at=placed_at + timedelta(minutes=2), refunded=Decimal(number % 3)),
    ]


@pytest.mark.proof
@pytest.mark.django_db
def test_i3_i4_doubled_and_shuffled_orders_end_where_clean_ones_do():
    dice = random.Random(7)
    lives = [words_of(number, dice) for number in range(500)]
    record_products([ProductIn(f"p{n}", name=f"Thing {n}") for n in range(9)], NOW, source=SHOP)
    for step in range(3):
        record_orders([life[step] for life in lives], NOW, source=SHOP)
    clean = state()
    Order.objects.all().delete()
    OutsideId.objects.all().delete()
    Contact.objects.all().delete()
    told = [word for life in lives for word in life] * 3 + lives[3] * 46
    dice.shuffle(told)
    for start in range(0, len(told), 400):
        record_orders(told[start : start + 400], NOW, source=SHOP)
    assert state() == clean
    assert Order.objects.count() == 500


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_i3_eight_connections_tell_of_the_same_orders_at_once():
    dice = random.Random(8)
    lives = [words_of(number, dice) for number in range(60)]
    failures: list[BaseException] = []
    begin = threading.Barrier(8)

    def tell(seed):
        words = [word for life in lives for word in life]
        random.Random(seed).shuffle(words)
        try:
            begin.wait()
            for start in range(0, len(words), 20):
                record_orders(words[start : start + 20], NOW, source=SHOP)
        except BaseException as failure:  # noqa: BLE001 - the test reports whatever a thread met
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=tell, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert Order.objects.count() == 60 == OrderLine.objects.count()
    for number, life in enumerate(lives):
        kept = Order.objects.get(external_id=f"o{number}")
        assert (kept.status, kept.refunded, kept.cart_token) == (
            life[2].status,
            life[2].refunded,
            f"t{number}",
        )
    counted = sum(1 for life in lives if life[2].status != "cancelled")
    assert sum(Engagement.objects.values_list("order_count", flat=True)) == counted
