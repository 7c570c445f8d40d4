"""A rule is one filter as of an instant; whatever cannot be read lets nobody in."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.kernel import rules
from crm.kernel.rules import Scope
from tests.crm.kernel.rules.cast import NOON, in_team, named, seen


def names(document, at=NOON, scope=None):
    found = User.objects.filter(rules.compile(document, at, scope)).values_list("first_name", flat=True)
    return sorted(found)


def test_all_any_and_none_mean_what_they_say(people):
    assert names({"all": [seen(7), named("Ana")]}) == ["Ana"]
    assert names({"any": [named("Chen"), named("Ana")]}) == ["Ana", "Chen"]
    assert names({"none": [named("Ana"), named("Boris")]}) == ["Chen", "Dana"]
    assert names({"all": [{"none": [in_team(people.sales)]}, {"any": [seen(7), named("Chen")]}]}) == [
        "Chen",
        "Dana",
    ]


def test_a_rule_is_asked_as_of_any_instant(people):
    assert names({"all": [seen(7)]}, at=NOON) == ["Ana", "Dana"]
    assert names({"all": [seen(7)]}, at=NOON + timedelta(days=7)) == ["Dana"]


def test_none_holds_for_whom_the_database_knows_nothing(people):
    assert names({"none": [seen(7)]}) == ["Boris", "Chen"]
    assert names({"none": [{"none": [seen(7)]}]}) == ["Ana", "Dana"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        [],
        "all",
        {"all": []},
        {"none": []},
        {"none": [{"any": []}]},
        {"none": [{"kind": "test.unknown", "params": {}}]},
        {"none": [named("Ana"), {"kind": "test.named", "params": {}}]},
        {"none": [{"kind": "test.named", "params": {"name": "x", "nmae": "y"}}]},
        {"none": [{"kind": "test.in_team", "params": {"team": "4711"}}]},
        {"none": [{"kind": "test.in_team", "params": {"team": "9" * 40}}]},
        {"none": [{"kind": "test.seen_within", "params": {"days": "999999999"}}]},
        {"none": [{"kind": "test.seen_within", "params": {"days": "9" * 30}}]},
        {"none": [{"kind": "test.seen_since_entering"}]},
        {"all": [{"kind": "test.everybody"}]},
        {"none": [{"kind": "test.everybody"}]},
        {"all": [named("Ana")], "any": []},
        {"kind": "test.named", "params": {"name": "Ana"}},
        {"all": [{"kind": "test.named", "params": {"name": "Ana"}, "not": True}]},
        {"all": [{"kind": ["test.named"], "params": {"name": "Ana"}}]},
        {"all": {"kind": "test.named"}},
    ],
)
def test_what_cannot_be_read_means_nobody_even_below_none(people, document):
    assert names(document) == []
    assert names(document, scope=Scope(entered_at=NOON)) == [] or document == {
        "none": [{"kind": "test.seen_since_entering"}]
    }


def test_a_reference_to_a_deleted_row_closes_the_rule(people):
    document = {"none": [in_team(people.sales)]}
    assert names(document) == ["Boris", "Chen", "Dana"]
    people.sales.delete()
    assert names(document) == []
    assert rules.problems(document)[0].field == "team"


def test_problems_name_the_place_the_field_and_the_reason(people):
    document = {
        "all": [named("Ana"), {"any": [{"kind": "test.named", "params": {"nome": "x"}}, {"kind": "test.x"}]}]
    }
    first, second = rules.problems(document)
    assert str(first) == "2.1: nome: is not a parameter of this kind"
    assert second.path == (1, 1) and "test.x" in second.message
    assert rules.problems({"all": [named("Ana")]}) == []


def test_a_rule_has_a_depth_and_a_size():
    deep = {"all": [named("Ana")]}
    for _ in range(9):
        deep = {"all": [deep]}
    assert rules.problems(deep) == []
    assert "10 deep" in str(rules.problems({"all": [deep]})[0])
    assert rules.problems({"any": [named("Ana")] * 200}) == []
    assert "200 conditions" in str(rules.problems({"any": [named("Ana")] * 201})[0])
    bottomless = leaf = {"all": []}
    for _ in range(5000):
        leaf["all"] = [{"all": []}]
        leaf = leaf["all"][0]
    assert rules.problems(bottomless)


def test_two_hundred_conditions_at_depth_are_one_query(people, django_assert_num_queries):
    document = {"any": [{"none": [named(str(number)), seen(7)]} for number in range(100)]}
    with django_assert_num_queries(1):
        assert names(document) == ["Boris", "Chen"]


def test_a_condition_sees_when_the_person_entered(people):
    document = {"all": [{"kind": "test.seen_since_entering"}]}
    assert names(document, scope=Scope(entered_at=NOON - timedelta(days=3))) == ["Ana", "Dana"]
    assert names(document, scope=Scope(entered_at=NOON - timedelta(hours=3))) == ["Dana"]


def test_the_scope_may_be_a_column_of_the_query_or_of_one_around_it(people):
    document = {"all": [{"kind": "test.seen_since_entering"}]}
    User.objects.update(date_joined=NOON - timedelta(days=3))
    User.objects.filter(first_name="Dana").update(date_joined=NOON)
    rule = rules.compile(document, NOON, Scope(entered_at=F("date_joined")))
    assert [user.first_name for user in User.objects.filter(rule)] == ["Ana"]

    inside = User.objects.filter(pk=OuterRef("pk")).filter(
        rules.compile(document, NOON, Scope(entered_at=OuterRef("date_joined")))
    )
    assert [user.first_name for user in User.objects.filter(Exists(inside))] == ["Ana"]


def test_a_condition_that_needs_a_scope_is_a_problem_where_there_is_none():
    document = {"all": [{"kind": "test.seen_since_entering"}]}
    assert "within a campaign" in str(rules.problems(document, frozenset())[0])
    assert rules.problems(document, frozenset({"entered_at"})) == []
    assert Scope(subject_kind="cart", subject_id=1).offers == {"subject", "subject:cart"}


trees = st.recursive(
    st.one_of(
        st.sampled_from(["Ana", "Boris", "Chen", "Nobody"]).map(named), st.sampled_from([0, 7, 40]).map(seen)
    ),
    lambda inner: st.builds(
        lambda op, members: {op: members},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


def holds(document, person):
    """The meaning of a rule written down a second time, in Python, for this test alone."""
    if "kind" in document:
        params = document["params"]
        if document["kind"] == "test.named":
            return person.first_name == params["name"]
        days = timedelta(days=int(params["days"]))
        return person.last_login is not None and person.last_login >= NOON - days
    op, members = next(iter(document.items()))
    answers = [holds(member, person) for member in members]
    return {"all": all(answers), "any": any(answers), "none": not any(answers)}[op]


@settings(max_examples=80)
@given(tree=trees)
def test_any_tree_finds_whom_it_means_and_explains_them_alike(people, tree):
    document = tree if "kind" not in tree else {"all": [tree]}
    found = set(names(document))
    for person in User.objects.all():
        assert (person.first_name in found) == holds(document, person)
        explained = rules.explain(User.objects.filter(pk=person.pk), document, NOON)
        assert explained.is_match == (person.first_name in found)
        flipped = {leaf.path for leaf in explained.flips}
        assert flipped and turned(explained.root, flipped) != explained.is_match


def turned(node, flipped):
    """The verdict of a node once these leaves have turned out otherwise."""
    if not node.op:
        return node.is_true != (node.path in flipped)
    answers = [turned(member, flipped) for member in node.members]
    return {"all": all(answers), "any": any(answers), "none": not any(answers)}[node.op]
