"""Fields have types, and a refusal names the field."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kernel import strict
from crm.kernel.strict import Reason, Refused

LINE = strict.Schema(
    sku=strict.Text(max_length=20, blank=False),
    price=strict.Decimals(required=False),
    quantity=strict.Whole(least=1, most=1000, required=False, default=1),
)
CART = strict.Schema(
    id=strict.Identifier(),
    at=strict.Instant(),
    page=strict.Url(required=False, default=""),
    kind=strict.Choice(of=("add", "remove")),
    consent=strict.Flag(required=False, default=False),
    title=strict.Text(max_length=10, cut=True, required=False, default=""),
    lines=strict.Many(of=LINE, most=3),
    extra=strict.Properties(required=False, most=2, max_length=5),
)
GOOD = {
    "id": "0190a8c2-7b7c-7000-8000-000000000001",
    "at": "2026-03-01T12:00:00Z",
    "kind": "add",
    "lines": [{"sku": " HP-1 ", "price": "19.90"}, {"sku": "HP-2", "price": 0.1, "quantity": 2}],
}


def refusal(**changes):
    with pytest.raises(Refused) as refused:
        CART.read(GOOD | changes)
    return refused.value.field, refused.value.reason


def test_a_good_message_is_read_with_its_types_and_defaults():
    assert CART.read(GOOD | {"title": "x" * 50, "nobody": "asked"}) == {
        "id": UUID("0190a8c2-7b7c-7000-8000-000000000001"),
        "at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "page": "",
        "kind": "add",
        "consent": False,
        "title": "x" * 10,
        "lines": [
            {"sku": "HP-1", "price": Decimal("19.90"), "quantity": 1},
            {"sku": "HP-2", "price": Decimal("0.10"), "quantity": 2},
        ],
        "extra": None,
    }


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"id": "x"}, "id", Reason.TYPE),
        ({"id": 7}, "id", Reason.TYPE),
        ({"id": None}, "id", Reason.MISSING),
        ({"kind": "drop"}, "kind", Reason.CHOICE),
        ({"kind": []}, "kind", Reason.CHOICE),
        ({"consent": "yes"}, "consent", Reason.TYPE),
        ({"consent": 1}, "consent", Reason.TYPE),
        ({"title": 5}, "title", Reason.TYPE),
        ({"lines": {}}, "lines", Reason.TYPE),
        ({"lines": [{"sku": "a"}] * 4}, "lines", Reason.TOO_MANY),
        ({"lines": [{"sku": "a"}, {"sku": ""}]}, "lines.1.sku", Reason.MISSING),
        ({"lines": [{"sku": "a" * 21}]}, "lines.0.sku", Reason.TOO_LONG),
        ({"lines": [{"sku": "a", "quantity": 0}]}, "lines.0.quantity", Reason.RANGE),
        ({"lines": [{"sku": "a", "quantity": 2**31}]}, "lines.0.quantity", Reason.RANGE),
        ({"lines": [{"sku": "a", "quantity": 1.5}]}, "lines.0.quantity", Reason.TYPE),
        ({"lines": [{"sku": "a", "quantity": True}]}, "lines.0.quantity", Reason.TYPE),
        ({"lines": [{"sku": "a", "price": "-1"}]}, "lines.0.price", Reason.RANGE),
        ({"lines": [{"sku": "a", "price": "1e9999"}]}, "lines.0.price", Reason.TYPE),
        ({"lines": [{"sku": "a", "price": 1e300}]}, "lines.0.price", Reason.RANGE),
        ({"lines": [{"sku": "a", "price": "NaN"}]}, "lines.0.price", Reason.TYPE),
        ({"lines": [7]}, "lines.0", Reason.TYPE),
        ({"lines": [None]}, "lines.0", Reason.TYPE),
        ({"extra": {"a": 1, "b": 2, "c": 3}}, "extra", Reason.TOO_MANY),
        ({"extra": {"a": "123456"}}, "extra.a", Reason.TOO_LONG),
        ({"extra": {"a": []}}, "extra.a", Reason.TYPE),
        ({"extra": {"a" * 101: 1}}, "extra." + "a" * 100, Reason.TOO_LONG),
    ],
)
def test_a_refusal_names_the_field_and_the_reason(changes, field, reason):
    assert refusal(**changes) == (field, reason)


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(Refused):
        CART.read(value)


@pytest.mark.parametrize(
    "value",
    [
        "http://[::1/x",
        "https://shop.example:99999/",
        "javascript:alert(1)",
        "data:text/html,x",
        "//shop.example",
        "shop.example",
        "https://",
        "https://user@shop.example/",
        "https://shop.example\\@evil.example/",
        "https://shop.example/\r\nX: y",
        "https://shop.example/a b",
        "https://shop.example/" + "a" * 2000,
        5,
    ],
)
def test_an_address_that_is_not_one_is_refused(value):
    assert refusal(page=value)[0] == "page"


@pytest.mark.parametrize(
    "value", ["https://shop.example/a?b=c#d", "http://shop.localhost:8002/", "https://[::1]/"]
)
def test_an_address_is_kept_as_it_is(value):
    assert CART.read(GOOD | {"page": value})["page"] == value


@pytest.mark.parametrize(
    "value", [1772366400000, 1772366400000.0, "1772366400000", "2026-03-01T13:00:00+01:00"]
)
def test_a_moment_is_read_however_it_is_written(value):
    assert CART.read(GOOD | {"at": value})["at"] == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        10**18,
        -(10**15),
        0,
        1e300,
        "2026-03-01T12:00:00",
        "yesterday",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_a_moment_no_shop_can_mean_is_refused(value):
    assert refusal(at=value)[0] == "at"


def test_a_closed_schema_takes_no_other_fields():
    with pytest.raises(Refused) as refused:
        strict.Schema(closed=True, a=strict.Flag()).read({"a": True, "b": 1})
    assert (refused.value.field, refused.value.reason) == ("b", Reason.UNKNOWN_FIELD)


def test_an_inner_object_may_be_missing_where_it_may():
    outer = strict.Schema(inner=strict.Schema(required=False, a=strict.Flag()))
    assert outer.read({}) == {"inner": None}
    with pytest.raises(Refused, match=r"inner\.a"):
        outer.read({"inner": {}})
    with pytest.raises(Refused, match="inner"):
        strict.Schema(inner=strict.Schema(a=strict.Flag())).read({})


def test_text_from_a_header_can_be_made_storable():
    assert strict.cleaned("a\0b\ud800") == ("a\ufffdb\ufffd", True)
    assert strict.cleaned("plain") == ("plain", False)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(list(CART.fields)), anything))
def test_any_values_are_read_or_refused(message):
    try:
        CART.read(GOOD | message)
    except Refused as refused:
        assert refused.reason in Reason
