"""Kinds: a permanent key, a form, and parameters that come back as they were meant or not at all."""

from datetime import date
from decimal import Decimal

import pytest
from django import forms

from crm.kernel import kinds


class Fruit(kinds.Kind):
    """What grows on trees."""


class Apple(Fruit):
    """An apple."""

    key = "crm.apple"
    label = "Apple"
    group = "Round"

    class Params(forms.Form):
        weight = forms.DecimalField(min_value=0, decimal_places=2)
        picked_on = forms.DateField(required=False)
        sorts = forms.MultipleChoiceField(choices=[("elstar", "Elstar"), ("cox2", "C")], required=False)
        organic = forms.BooleanField(required=False)
        count = forms.IntegerField(required=False, initial=1)
        span = forms.SplitDateTimeField(required=False)


@pytest.fixture
def fruits():
    registry = kinds.Registry(Fruit)
    registry.register(Apple)
    return registry


def test_a_kind_is_found_by_its_key(fruits):
    assert isinstance(fruits.get("crm.apple"), Apple)
    assert "crm.apple" in fruits
    assert [kind.key for kind in fruits] == ["crm.apple"]


@pytest.mark.parametrize("key", ["crm.pear", "", None, [], "crm.apple "])
def test_an_unknown_key_is_named(fruits, key):
    with pytest.raises(kinds.UnknownKind):
        fruits.get(key)


def test_a_class_of_another_base_is_refused(fruits):
    class Stone(kinds.Kind):
        key = "crm.stone"

    with pytest.raises(TypeError, match="is not a Fruit"):
        fruits.register(Stone)


@pytest.mark.parametrize("key", ["", "apple", "Crm.apple", "crm.apple.red", "crm apple", "crm.apple\n"])
def test_a_key_that_is_not_a_key_is_refused(fruits, key):
    bad = type("Bad", (Fruit,), {"key": key})
    with pytest.raises(ValueError, match="needs a key"):
        fruits.register(bad)


def test_a_taken_key_is_refused(fruits):
    with pytest.raises(ValueError, match="taken by Apple"):
        fruits.register(type("Again", (Fruit,), {"key": "crm.apple"}))


def test_choices_are_grouped_and_know_kinds_that_came_later(fruits):
    fruits.register(type("Pear", (Fruit,), {"key": "crm.pear", "label": "Pear"}))
    assert fruits.choices() == [("crm.pear", "Pear"), ("Round", [("crm.apple", "Apple")])]


def test_a_kind_of_a_test_is_forgotten_after_it(fruits):
    with fruits.temporarily(type("Plum", (Fruit,), {"key": "crm.plum"})) as plum:
        assert fruits.get("crm.plum") is plum
    assert "crm.plum" not in fruits


def test_parameters_come_back_through_the_form_with_their_types(fruits):
    read = fruits.get("crm.apple").read(
        {"weight": "0.20", "picked_on": "2026-10-03", "sorts": ["elstar"], "organic": True, "count": 3}
    )
    assert read["weight"] == Decimal("0.20")
    assert read["picked_on"] == date(2026, 10, 3)
    assert read["sorts"] == ["elstar"]
    assert read["organic"] is True
    assert read["count"] == 3


def test_what_was_typed_is_stored_as_typed_and_read_back(fruits):
    apple = fruits.get("crm.apple")
    posted = {"x-weight": "0.20", "x-sorts": ["elstar"], "x-span_0": "2026-10-03", "x-span_1": "08:00"}
    stored = apple.typed(posted, prefix="x")
    assert stored == {"weight": "0.20", "sorts": ["elstar"], "span": ["2026-10-03", "08:00"]}
    assert apple.read(stored)["span"].hour == 8
    assert apple.form(stored, prefix="y").is_valid()


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "weight"),
        ({"weight": "heavy"}, "weight"),
        ({"weight": "-1"}, "weight"),
        ({"weight": "NaN"}, "weight"),
        ({"weight": "1", "sorts": ["cox"]}, "sorts"),
        ({"weight": "1", "sorts": "elstar"}, "sorts"),
        ({"weight": "1", "wieght": "1"}, "wieght"),
        ({"weight": {"gt": 1}}, "weight"),
        ({"weight": [["1"]]}, "weight"),
        ({"weight": float("inf")}, "weight"),
        ({"weight": "1\0"}, "weight"),
        ({"weight": "\ud800"}, "weight"),
        ({"weight": "1", "count": 10**30}, "count"),
        ([], ""),
        (None, ""),
    ],
)
def test_broken_parameters_name_their_field_and_are_never_guessed(fruits, params, field):
    with pytest.raises(kinds.BrokenParams) as broken:
        fruits.get("crm.apple").read(params)
    assert broken.value.field == field
    assert broken.value.message


def test_a_new_kind_begins_with_its_initial_values(fruits):
    assert fruits.get("crm.apple").blank() == {"count": 1}


def test_every_registry_can_be_asked_for(fruits):
    assert fruits in kinds.registries()
