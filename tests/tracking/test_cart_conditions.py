"""What rules can say of carts: open ones by worth, age and what is in them; ones that were left."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.audience import segmentation
from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact, Product
from crm.people import stirring
from tracking.models import Cart, CartLine
from tracking.shop import carts

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


def cart(contact: Contact, total: str, age: timedelta, state: str = "open", things: int = 1) -> Cart:
    at = NOW - age
    return Cart.objects.create(
        contact=contact,
        token=str(uuid.uuid4()),
        total=Decimal(total),
        item_count=things,
        has_priced_line=Decimal(total) > 0,
        currency="EUR",
        state=state,
        opened_at=at - HOUR,
        changed_at=at,
        recorded_at=at,
        closed_at=None if state == "open" else min(at + 30 * DAY if state == "expired" else at + HOUR, NOW),
    )


@pytest.fixture
def cast() -> dict[str, Contact]:
    """Ana has 120 in her cart since two days, Boris 30 since ten minutes; Chen bought, Dana was forgotten."""
    names = ("Ana", "Boris", "Chen", "Dana", "Emma")
    people = {name: Contact.objects.create(first_name=name, created_at=NOW - 90 * DAY) for name in names}
    Contact.objects.update(recorded_at=NOW - 90 * DAY)
    mine = cart(people["Ana"], "120", 2 * DAY, things=3)
    cart(people["Ana"], "20", 5 * DAY)
    cart(people["Boris"], "30", timedelta(minutes=10))
    cart(people["Chen"], "80", 3 * DAY, "bought")
    cart(people["Dana"], "60", 40 * DAY, "expired")
    lamp = Product.objects.create(external_id="lamp", name="Lamp", category="Lighting", brand="Glow")
    CartLine.objects.create(contact=people["Ana"], cart=mine, product=lamp, external_id="lamp", name="Lamp")
    return people


def rule(kind: str, **params: Any) -> dict[str, Any]:
    return {"all": [{"kind": kind, "params": params}]}


def who(document: dict[str, Any], at: datetime = NOW) -> set[str]:
    assert not rules.problems(document), rules.problems(document)
    then = set(segmentation.members(document, at).values_list("first_name", flat=True))
    if at == NOW:
        kept = segmentation.members(document, at, Scope(current=True)).values_list("first_name", flat=True)
        assert set(kept) == then
    return then


@pytest.mark.parametrize(
    ("kind", "params", "expected"),
    [
        ("cart_open", {}, {"Ana", "Boris"}),
        ("cart_open", {"at_least": "120"}, {"Ana"}),
        ("cart_open", {"at_least": "120.01"}, set()),
        ("cart_open", {"at_most": "30"}, {"Ana", "Boris"}),
        ("cart_open", {"at_least": "25", "at_most": "30"}, {"Boris"}),
        ("cart_open", {"things": "3"}, {"Ana"}),
        ("cart_open", {"things": "4"}, set()),
        ("cart_open", {"age": "least", "length": "5", "unit": "days"}, {"Ana"}),
        ("cart_open", {"age": "most", "length": "10", "unit": "hours"}, {"Boris"}),
        ("cart_open", {"age": "most", "length": "10", "unit": "minutes"}, set()),
        ("cart_open", {"category": "lighting", "brand": "glow"}, {"Ana"}),
        ("cart_open", {"product": "lamp", "at_most": "100"}, set()),
        ("left_carts", {"times": "1", "days": "30"}, {"Ana"}),
        ("left_carts", {"times": "1", "days": "50"}, {"Ana", "Dana"}),
        ("left_carts", {"times": "2", "days": "30"}, {"Ana"}),
        ("left_carts", {"times": "1", "which": "exactly", "days": "50"}, {"Dana"}),
        ("left_carts", {"times": "1", "days": "50", "at_least": "50"}, {"Ana", "Dana"}),
        (
            "left_carts",
            {"times": "1", "which": "most", "days": "3"},
            {"Ana", "Boris", "Chen", "Dana", "Emma"},
        ),
    ],
)
def test_each_is_true_of_whom_it_says(cast: Any, kind: str, params: Any, expected: set[str]) -> None:
    assert who(rule(f"tracking.{kind}", **params)) == expected


def test_a_cart_is_left_an_hour_after_its_last_change_and_so_many_days_long(cast: Any) -> None:
    document = rule("tracking.left_carts", times="1", days="30")
    Cart.objects.filter(contact=cast["Boris"]).update(changed_at=NOW - HOUR + SECOND)
    Cart.objects.filter(contact=cast["Ana"]).update(changed_at=NOW - 30 * DAY)
    assert who(document) == set()
    moved = rules.drift(document, NOW, NOW + SECOND, Scope(current=True))
    assert moved and Contact.objects.filter(pk__in=moved[0]).get() == cast["Boris"]
    assert who(document, NOW + SECOND) == {"Boris"}
    moved = rules.drift(document, NOW - SECOND, NOW, Scope(current=True))
    assert moved and Contact.objects.filter(pk__in=moved[1]).get() == cast["Ana"]


def test_the_age_of_a_cart_drifts(cast: Any) -> None:
    document = rule("tracking.cart_open", age="least", length="2", unit="hours")
    moved = rules.drift(document, NOW + HOUR, NOW + 2 * HOUR, Scope(current=True))
    assert moved and Contact.objects.filter(pk__in=moved[0]).get() == cast["Boris"]
    assert rules.drift(rule("tracking.cart_open"), NOW, NOW + DAY) == []


def test_a_closed_cart_was_open_before(cast: Any) -> None:
    document = rule("tracking.cart_open", at_least="70")
    assert who(document, NOW - 3 * DAY) == {"Ana", "Chen"} - {"Ana"}
    found = rules.explain(Contact.objects.filter(pk=cast["Chen"].pk), document, NOW - 3 * DAY)
    assert found and found.is_match and not found.exact


def test_words_evidence_and_the_smallest_change(cast: Any) -> None:
    full = {"at_least": "50", "category": "Lighting", "things": "2", "age": "least", "length": "1"}
    assert rules.sentence(rule("tracking.cart_open", unit="days", **full)) == (
        "People who have an open cart of 2 things or more worth at least 50.00 EUR"
        " with something in Lighting, unchanged for 1 day."
    )
    said = rules.sentence(rule("tracking.left_carts", times="2", days="30", product="Lamp"))
    assert said == "People who left a cart with Lamp at least 2 times in the last 30 days."
    document = rule("tracking.cart_open", at_least="150")
    found = rules.explain(Contact.objects.filter(pk=cast["Ana"].pk), document, NOW)
    assert found and found.root
    assert found.root.leaves()[0].evidence == "a cart of 120.00 EUR, last changed on 18 November 2026"
    assert found.change == "It would be in with: a cart worth 30.00 EUR more"
    found = rules.explain(Contact.objects.filter(pk=cast["Emma"].pk), document, NOW)
    assert found and found.root and found.root.leaves()[0].evidence == "no such cart"


def test_a_cart_whose_age_has_no_length_or_whose_product_is_gone_means_nobody(cast: Any) -> None:
    assert [one.field for one in rules.problems(rule("tracking.cart_open", age="least"))] == ["length"]
    Product.objects.all().delete()
    assert segmentation.members(rule("tracking.cart_open", product="lamp"), NOW).count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_end_of_a_cart_stirs_its_person(cast: Any) -> None:
    mark = stirring.mark()
    Cart.objects.filter(contact=cast["Boris"]).update(token="b")
    carts.close_by_token([("b", NOW)], NOW)
    assert set(stirring.stirred_since(mark).values_list("contact_id", flat=True)) == {cast["Boris"].pk}
    mark = stirring.mark()
    assert carts.expire(NOW + 28 * DAY + HOUR) == 2
    assert set(stirring.stirred_since(mark).values_list("contact_id", flat=True)) == {cast["Ana"].pk}
