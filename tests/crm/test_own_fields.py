"""Own fields: what each type takes from what people type, and how answers are kept with their history."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from crm.models import Contact, ContactChange, Engagement, OwnField
from crm.people import own_fields
from crm.people.identity import Known, resolve

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def field(type_, *choices):
    return OwnField(key="x", label="X", type=type_, choices=list(choices))


@pytest.mark.parametrize(
    "sort, typed, kept",
    [
        ("text", "  two   words ", "two words"),
        ("text", 42.0, "42"),
        ("number", "12", 12),
        ("number", "12.50", 12.5),
        ("number", "1 000", 1000),
        ("number", Decimal("3.25"), 3.25),
        ("number", 7.0, 7),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "3.10.1985", "1985-10-03"),
        ("date", "1985-10-03 00:00:00", "1985-10-03"),
        ("date", datetime(1985, 10, 3, 12, tzinfo=UTC), "1985-10-03"),
        ("date", date(1985, 10, 3), "1985-10-03"),
        ("flag", "Yes", True),
        ("flag", "0", False),
        ("flag", 1.0, True),
        ("choice", "HIGH", "High"),
    ],
)
def test_what_was_typed_is_kept_by_its_type(sort, typed, kept):
    found = own_fields.read(field(sort, "High", "Low"), typed)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize("sort", OwnField.Type.values)
def test_a_blank_is_no_answer(sort):
    assert own_fields.read(field(sort, "High"), "  ") is None
    assert own_fields.read(field(sort, "High"), None) is None


@pytest.mark.parametrize(
    "sort, typed",
    [
        ("text", "x" * 501),
        ("text", "a\0b"),
        ("number", "1,234"),
        ("number", "twelve"),
        ("number", "nan"),
        ("number", "1e300"),
        ("number", "1_0"),
        ("number", True),
        ("date", "10/03/1985"),
        ("date", "31.2.2026"),
        ("date", "soon"),
        ("flag", "maybe"),
        ("choice", "Middle"),
    ],
)
def test_what_a_field_cannot_hold_is_refused_with_a_reason(sort, typed):
    with pytest.raises(own_fields.Unfit, match=r"\w+ \w+"):
        own_fields.read(field(sort, "High", "Low"), typed)


def test_values_in_words():
    assert own_fields.told(field("date"), "1985-10-03") == "3 October 1985"
    assert own_fields.told(field("flag"), False) == "no"
    assert own_fields.told(field("number"), 2.5) == "2.5"
    assert own_fields.told(field("text"), None) == ""


def test_answers_fill_what_is_blank_with_a_row_of_history_and_stir(db):
    ana, boris = resolve(
        [Known(email="ana@shop.example"), Known(email="boris@shop.example")],
        NOW - timedelta(days=9),
        source="shop",
    )
    Contact.objects.filter(pk=ana).update(fields={"size": 40})
    Engagement.objects.update(stirred=0)
    answers = {ana: {"size": 41, "colour": "red"}, boris: {"size": 43}}
    assert own_fields.fill(answers, NOW, actor="ada") == 2
    assert own_fields.fill(answers, NOW, actor="ada") == 0
    assert Contact.objects.get(pk=ana).fields == {"size": 40, "colour": "red"}
    rows = ContactChange.objects.filter(field="fields").values_list("contact_id", "old", "new", "actor")
    assert set(map(str, rows)) == {
        str((ana, {"size": 40}, {"size": 40, "colour": "red"}, "ada")),
        str((boris, {}, {"size": 43}, "ada")),
    }
    assert Engagement.objects.filter(stirred__gt=0).count() == 2
