"""A rule reads as a sentence, and a verdict as reasons."""

import pytest
from django.contrib.auth.models import User

from crm.kernel import rules
from tests.crm.kernel.rules.cast import NOON, in_team, named, seen


def test_a_rule_is_one_english_sentence(people):
    document = {
        "all": [
            seen(7),
            {"any": [named("Ana"), named("Dana")]},
            {"none": [in_team(people.sales), named("Boris")]},
        ]
    }
    assert rules.sentence(document) == (
        "People who were seen in the last 7 days, and either are called Ana or are called Dana,"
        " and are not among those who belong to sales or are called Boris."
    )


def test_a_rule_that_cannot_be_read_says_nobody():
    assert rules.sentence({}) == "Nobody: no condition is given."
    assert rules.sentence({"all": [5]}).startswith("Nobody: the rule cannot be read (1: is neither")
    spoken = rules.sentence({"all": [named("Ana"), {"kind": "test.gone"}]})
    assert spoken.startswith("Nobody, because 1 of its conditions cannot be read") and "test.gone" in spoken


def explained(person, document):
    return rules.explain(User.objects.filter(pk=person.pk), document, NOON)


def test_every_condition_comes_with_its_verdict_and_evidence_in_one_query_once_the_person_is_found(
    people, django_assert_num_queries
):
    document = {"all": [named("Ana"), {"none": [seen(7), named("Boris")]}]}
    with django_assert_num_queries(2):
        answer = explained(people.ana, document)
    assert not answer.is_match
    assert [(leaf.sentence, leaf.is_true, leaf.evidence) for leaf in answer.root.leaves()] == [
        ("are called Ana", True, "is called Ana"),
        ("were seen in the last 7 days", True, ""),
        ("are called Boris", False, "is called Ana"),
    ]
    assert [node.is_true for node in answer.root.members] == [True, False]


def test_the_smallest_change_is_named(people):
    document = {"any": [{"all": [named("Boris"), seen(7), named("Chen")]}, {"all": [named("Ana"), seen(0)]}]}
    answer = explained(people.ana, document)
    assert [leaf.sentence for leaf in answer.flips] == ["were seen in the last 0 days"]
    assert answer.change == "It would be in with: were seen in the last 0 days"
    assert (
        explained(people.ana, {"none": [seen(0)]}).change
        == "It would be out with: were seen in the last 0 days"
    )


def test_an_aggregate_may_be_evidence(people):
    leaf = explained(people.ana, {"all": [in_team(people.sales)]}).root.leaves()[0]
    assert leaf.is_true and leaf.evidence == "belongs to 1 teams" and leaf.value == 1


def test_what_is_only_known_as_it_is_now_is_marked(people):
    assert not explained(people.ana, {"all": [named("Ana")]}).exact
    assert explained(people.ana, {"all": [seen(7)]}).exact


def test_a_condition_that_cannot_be_read_is_shown_and_the_answer_is_no(people):
    answer = explained(people.ana, {"any": [named("Ana"), {"kind": "test.gone"}]})
    assert not answer.is_match and answer.flips == ()
    first, second = answer.root.leaves()
    assert first.is_true and second.is_true is None and "test.gone" in second.problem.message
    assert explained(people.ana, {"any": []}).problems


def test_nobody_there_is_no_answer(people):
    assert rules.explain(User.objects.filter(pk=0), {"all": [named("Ana")]}, NOON) is None
    assert rules.explain(User.objects.filter(pk=0), {}, NOON) is None


@pytest.mark.parametrize("document", [{}, None, {"all": []}, {"none": []}])
def test_a_blank_rule_is_told_from_a_broken_one(document):
    assert rules.is_blank(document)
    assert not rules.is_blank({"all": [{}]})
