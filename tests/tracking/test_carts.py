"""Carts: the newest word wins in whatever order words come, an episode a row; when a cart counts as left."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from crm.kernel import tokens
from crm.models import Contact, ContactPoint, Engagement, Order, Product
from tracking.models import Cart, CartLine
from tracking.shop import carts
from tracking.shop.carts import CartChange, Line

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DELAY = 8 * MINUTE
LAMP = Line(external_id="lamp", name="Lamp", price=Decimal("25.00"), quantity=Decimal(2))
CABLE = Line(external_id="cable", name="Cable", price=None)


@pytest.fixture
def ana() -> Contact:
    contact = Contact.objects.create(first_name="Ana", email="ana@example.com")
    digest, key_id = tokens.address_hash("email", "ana@example.com")
    ContactPoint.objects.create(
        contact=contact, channel="email", address="ana@example.com", address_hash=digest, hash_key_id=key_id
    )
    return contact


def told(contact: Contact, minute: int, *lines: Line, token: str = "c1", **more: object) -> CartChange:
    return CartChange(contact_id=contact.id, token=token, at=NOW + minute * MINUTE, lines=lines, **more)  # type: ignore[arg-type]


def order(contact: Contact, at: datetime, number: str = "1", **more: object) -> UUID:
    return Order.objects.create(
        contact=contact, source="api", external_id=number, currency="EUR", total=10, occurred_at=at, **more
    ).id


def state_of() -> list[tuple]:
    return [
        (cart.state, cart.token, cart.total, cart.opened_at, cart.changed_at, cart.closed_at)
        for cart in Cart.objects.order_by("opened_at", "token")
    ]


def test_a_cart_is_told_whole_and_knows_its_products(ana: Contact) -> None:
    product = Product.objects.create(source="api", external_id="lamp", name="Lamp")

    carts.apply_cart_changes([told(ana, 0, LAMP), told(ana, 1, LAMP, CABLE, currency="EUR")], NOW)

    cart = Cart.objects.get()
    assert (cart.total, cart.item_count, cart.has_priced_line) == (Decimal("50.00"), 2, True)
    assert (cart.opened_at, cart.changed_at, cart.currency) == (NOW, NOW + MINUTE, "EUR")
    assert list(CartLine.objects.values_list("external_id", "product_id", "position")) == [
        ("lamp", product.id, 0),
        ("cable", None, 1),
    ]


def test_every_order_of_arrival_ends_the_same(ana: Contact) -> None:
    changes = [told(ana, 0, LAMP), told(ana, 1, LAMP, CABLE), told(ana, 2, CABLE), told(ana, 3, LAMP)]
    carts.apply_cart_changes(changes, NOW)
    expected = [(cart[0], cart[2], cart[4]) for cart in state_of()]

    for shuffled in itertools.permutations(changes):
        Cart.objects.all().delete()
        for change in shuffled:
            carts.apply_cart_changes([change, change], NOW)
        assert [(cart[0], cart[2], cart[4]) for cart in state_of()] == expected
        assert CartLine.objects.count() == 1


def test_an_emptied_cart_ends_and_a_new_line_opens_another(ana: Contact) -> None:
    carts.apply_cart_changes([told(ana, 0, LAMP), told(ana, 1), told(ana, 2, CABLE)], NOW)

    assert [(one[0], one[3], one[5]) for one in state_of()] == [
        ("emptied", NOW, NOW + MINUTE),
        ("open", NOW + 2 * MINUTE, None),
    ]
    carts.apply_cart_changes([told(ana, 1, LAMP)], NOW)
    assert len(state_of()) == 2


def test_any_order_since_it_was_opened_ends_it_whole_whichever_is_known_first(ana: Contact) -> None:
    carts.apply_cart_changes([told(ana, 0, LAMP), told(ana, 0, LAMP, token="c2")], NOW)
    found = order(ana, NOW + MINUTE)
    assert carts.close_for_orders([found], NOW) == 2
    assert {(cart.state, cart.order_id, cart.closed_at) for cart in Cart.objects.all()} == {
        ("bought", found, NOW + MINUTE)
    }

    carts.apply_cart_changes([told(ana, 0, CABLE, token="c3")], NOW)
    assert Cart.objects.get(token="c3").state == "bought"


def test_a_cancelled_or_earlier_order_ends_nothing(ana: Contact) -> None:
    carts.apply_cart_changes([told(ana, 5, LAMP)], NOW)

    carts.close_for_orders([order(ana, NOW + 9 * MINUTE, "1", status="cancelled"), order(ana, NOW, "2")], NOW)

    assert Cart.objects.get().state == "open"


def test_an_order_of_somebody_else_ends_the_cart_by_its_token_or_checkout_or_address(ana: Contact) -> None:
    boris = Contact.objects.create(first_name="Boris")
    digest = tokens.address_hash("email", "ana@example.com")[0]
    for number, more in enumerate(({"cart_token": "c1"}, {"checkout_id": "k1"}, {"address_hash": digest})):
        Cart.objects.all().delete()
        carts.apply_cart_changes([told(ana, 0, LAMP, checkout_id="k1")], NOW)
        assert carts.left(NOW + 10 * MINUTE, DELAY).exists()
        found = order(boris, NOW + MINUTE, str(number), **more)
        assert not carts.left(NOW + 10 * MINUTE, DELAY).exists()
        carts.close_for_orders([found], NOW)
        assert Cart.objects.get().state == "bought"
        Order.objects.all().delete()


def test_the_page_after_the_purchase_opens_no_new_cart(ana: Contact) -> None:
    carts.apply_cart_changes([told(ana, 0, LAMP)], NOW)
    carts.close_for_orders([order(ana, NOW + MINUTE)], NOW)

    carts.apply_cart_changes([told(ana, 2, LAMP)], NOW)
    assert Cart.objects.count() == 1
    carts.apply_cart_changes([told(ana, 3, LAMP, CABLE)], NOW)
    assert Cart.objects.filter(state="open").count() == 1


def test_left_counts_from_the_last_activity_on_any_device(ana: Contact) -> None:
    carts.apply_cart_changes([told(ana, 0, LAMP)], NOW)
    Engagement.objects.create(contact=ana, last_seen_at=NOW + 5 * MINUTE)

    assert not carts.left(NOW + 12 * MINUTE, DELAY).exists()
    cart = carts.left(NOW + 13 * MINUTE, DELAY).get()
    assert (cart.idle_since, cart.due_at) == (NOW + 5 * MINUTE, NOW + 13 * MINUTE)
    assert carts.left(NOW + 14 * MINUTE, DELAY, since=NOW + 12 * MINUTE).exists()
    assert not carts.left(NOW + 20 * MINUTE, DELAY, since=NOW + 13 * MINUTE).exists()


def test_without_a_priced_line_nothing_is_left(ana: Contact) -> None:
    carts.apply_cart_changes([told(ana, 0, CABLE)], NOW)

    assert not carts.left(NOW + 20 * MINUTE, DELAY).exists()


def test_a_cart_nobody_changes_for_thirty_days_is_forgotten(ana: Contact) -> None:
    carts.apply_cart_changes([told(ana, 0, LAMP)], NOW)

    assert carts.expire(NOW + timedelta(days=29)) == 0
    assert carts.expire(NOW + timedelta(days=31)) == 1
    assert (Cart.objects.get().state, Cart.objects.get().closed_at) == ("expired", NOW + timedelta(days=30))


def test_a_browser_nobody_vouches_for_ends_its_own_cart_alone(ana: Contact) -> None:
    carts.apply_cart_changes([told(ana, 0, LAMP), told(ana, 0, LAMP, token="c2")], NOW)

    carts.close_by_token([("c1", NOW + MINUTE), ("c2", NOW - MINUTE)], NOW)

    assert {cart.token: cart.state for cart in Cart.objects.all()} == {"c1": "bought", "c2": "open"}


def test_a_batch_costs_a_fixed_number_of_queries(ana: Contact, django_assert_max_num_queries) -> None:
    people = [ana, *Contact.objects.bulk_create([Contact(first_name=str(number)) for number in range(50)])]
    carts.apply_cart_changes([told(person, 0, LAMP) for person in people], NOW)

    with django_assert_max_num_queries(12):
        carts.apply_cart_changes([told(person, 1, LAMP, CABLE) for person in people], NOW)
