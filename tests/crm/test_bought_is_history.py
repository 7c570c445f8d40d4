"""Rules asked of what is kept of people's purchases mean the same people as rules asked of the orders."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.kernel.rules.compiling import verdict
from crm.kernel.work import Budget
from crm.models import Bought, Contact, Order, Product, UncountedBuyers
from crm.people.identity import Known, resolve
from crm.shop import bought
from crm.shop.intake import LineIn, OrderIn, ProductIn, record_orders, record_products

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
SHOP = "script"
PEOPLE = [f"{name}@example.com" for name in ("ana", "boris", "chen")]
GOODS = [
    ProductIn("lamp", name="Lamp", sku="L1", category="Lamps", brand="Philips"),
    ProductIn("ray", name="Ray", sku="R1", category="LAMPS", brand="Osram"),
    ProductIn("belt", name="Belt", sku="B1", category="Belts", brand="Corium"),
]
LINES = st.one_of(
    st.builds(
        lambda product, quantity: LineIn(
            product.title(), product=product, sku=f"{product[0].upper()}1", quantity=Decimal(quantity)
        ),
        st.sampled_from(["lamp", "ray", "belt"]),
        st.integers(1, 3),
    ),
    # Of a product the catalogue does not know, called like one it does know.
    st.just(LineIn("Lamp", sku="old")),
    st.just(LineIn("Something", sku="R1")),
)
MOMENTS = st.builds(
    lambda days, seconds: NOW - days * DAY + seconds * SECOND,
    st.sampled_from([1, 2, 7, 30]),
    st.sampled_from([-3600, -1, 0, 1, 3600]),
)
WORDS = st.builds(
    lambda order, person, placed, late, **more: OrderIn(
        order,
        placed,
        Decimal(20),
        known=Known(email=person),
        source_at=min(placed + late, NOW),
        currency="EUR",
        **more,
    ),
    st.sampled_from(["1", "2", "3", "4", "5", "6"]),
    st.sampled_from(PEOPLE),
    MOMENTS,
    st.sampled_from([timedelta(), 2 * DAY]),
    status=st.sampled_from(["placed", "paid", "paid", "cancelled", "refunded"]),
    is_hint=st.booleans(),
    lines=st.one_of(st.none(), st.lists(LINES, max_size=3).map(tuple)),
)
WANTED = [
    {"category": "lamps"},
    {"brand": "philips"},
    {"category": "Belts", "brand": "Corium"},
    {"product": "lamp"},
    {"product": "Ray"},
    {"product": "L1", "category": "lamps"},
]
SPANS = [
    {},
    {"within_days": "2"},
    {"within_days": "7"},
    {"from_day": "2026-11-13"},
    {"to_day": "2026-11-18"},
    {"from_day": "2026-11-13", "to_day": "2026-11-18"},
]
OFTEN = [
    {"times": times, "which": which} for times in ("1", "2", "3") for which in ("least", "most", "exactly")
]


def leaf(kind, *params):
    return {"kind": kind, "params": {name: value for told in params for name, value in told.items()}}


CONDITIONS = [
    leaf(kind, wanted, span, often)
    for wanted in WANTED
    for span in SPANS
    for kind, ways in (("crm.ordered", OFTEN), ("crm.not_ordered", [{}]))
    for often in ways
] + [
    leaf(kind, wanted, moment)
    for wanted in WANTED
    for kind in ("crm.last_order", "crm.first_order")
    for moment in (
        {"which": "within", "days": "7"},
        {"which": "ago", "days": "7"},
        {"which": "from", "day": "2026-11-13"},
        {"which": "before", "day": "2026-11-18"},
    )
]


def whom_each_means(asked, scope):
    each = {
        f"v{place}": verdict(rules.compile({"all": [one]}, NOW, scope)) for place, one in enumerate(asked)
    }
    rows = list(Contact.objects.annotate(**each).values("pk", *each))
    return {str(one): {row["pk"] for row in rows if row[f"v{place}"]} for place, one in enumerate(asked)}


def shop():
    record_products(GOODS, NOW - 99 * DAY, source=SHOP)
    return resolve([Known(email=person) for person in PEOPLE], NOW - 99 * DAY, source=SHOP)


@pytest.mark.proof
@given(st.data())
@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_what_is_kept_and_the_orders_are_one(db, data):
    told = data.draw(st.lists(WORDS, min_size=6, max_size=18))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=3)))
    asked = data.draw(st.lists(st.sampled_from(CONDITIONS), min_size=40, max_size=40, unique_by=str))
    with transaction.atomic():
        ana, *_ = shop()
        for first, last in zip([0, *cuts], [*cuts, len(told)], strict=True):
            record_orders(told[first:last], NOW, source=SHOP)
        if data.draw(st.booleans()):
            Product.objects.filter(external_id="lamp").delete()

        assert bought.differences() == 0
        history = whom_each_means(asked, Scope())
        assert whom_each_means(asked, Scope(current=True)) == history
        of_ana = whom_each_means(asked, Scope(current=True, among=[ana]))
        assert {one: ana in people for one, people in of_ana.items()} == {
            one: ana in people for one, people in history.items()
        }
        transaction.set_rollback(True)


def order(number, product, **more):
    lines = (LineIn(product.title(), product=product, quantity=Decimal(2)),)
    return OrderIn(number, NOW - DAY, Decimal(20), known=Known(email=PEOPLE[0]), lines=lines, **more)


def test_a_cancelled_order_is_taken_off_again_and_lines_told_later_are_added():
    ana, *_ = shop()
    record_orders([order("1", "lamp"), order("2", "lamp")], NOW, source=SHOP)
    [row] = Bought.objects.values("contact_id", "product__external_id", "orders", "quantity")
    assert row == {"contact_id": ana, "product__external_id": "lamp", "orders": 2, "quantity": 4}

    record_orders([order("1", "lamp", status="cancelled", source_at=NOW)], NOW, source=SHOP)
    assert Bought.objects.get().orders == 1
    record_orders([order("2", "lamp", status="cancelled", source_at=NOW)], NOW, source=SHOP)
    assert not Bought.objects.exists()

    bare = OrderIn("3", NOW - DAY, Decimal(20), known=Known(email=PEOPLE[0]))
    record_orders([bare], NOW, source=SHOP)
    record_orders([order("3", "belt")], NOW, source=SHOP)
    assert Bought.objects.get().product.external_id == "belt"


def test_orders_from_before_are_counted_in_the_background_and_rules_ask_them_until_then(monkeypatch):
    monkeypatch.setattr(bought, "_whole", False)
    monkeypatch.setattr(bought, "BATCH", 2)
    ana, boris, _ = shop()
    record_orders([order("1", "lamp")], NOW, source=SHOP)
    Bought.objects.all().delete()
    UncountedBuyers.objects.create(after="00000000-0000-0000-0000-000000000000")
    lamps = [leaf("crm.ordered", {"times": "1", "category": "lamps"})]

    assert list(whom_each_means(lamps, Scope(current=True)).values()) == [{ana}]
    assert not bought.are_whole()
    assert bought.count_waiting(Budget(30)) == 3
    assert bought.are_whole() and bought.differences() == 0
    assert list(whom_each_means(lamps, Scope(current=True)).values()) == [{ana}]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_bought SET contact_id = %s", [boris])
    assert list(whom_each_means(lamps, Scope(current=True)).values()) == [{boris}]
    assert Order.objects.get().contact_id == ana and bought.differences() == 2
