"""Q2: no rule hangs the database. What would take too long is given up, said, and leaves all as it was."""

from datetime import UTC, datetime

import pytest

from crm.audience import previewing, segmentation
from crm.kernel import rules
from crm.kernel.rules.tree import DEEPEST, MOST
from crm.models import Contact, Segment, SegmentMembership
from crm.people.identity import Known, resolve
from tests.asking import leaf
from tests.office import set_up_shop
from tests.timing import within

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
PEOPLE = 1500
BOMBS = [
    "(a+)+$",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(x+x+)+y" + "x" * 60,
    "(.*)*" * 12,
    "a{1,1000}" * 8,
    "[[:alpha:]]*" * 30,
    "%" * 300,
    "%_" * 100,
    "%a%a%a%a%a%a%a%a%a%a%b",
    "\\" * 99,
    "_" * 250,
]


@pytest.fixture(scope="module")
def crowd(django_db_setup, django_db_blocker):
    """Enough people for a slow rule to be slow, long names included, gone after this file."""
    with django_db_blocker.unblock():
        known = [
            Known(email=f"q{n}@example.com", first_name="a" * 100, last_name="x" * 100) for n in range(PEOPLE)
        ]
        ids = resolve(known, NOW, source="shop")
        yield
        Contact.objects.filter(pk__in=ids).delete()


@pytest.fixture
def people(crowd, db):
    set_up_shop()
    return Contact.objects.filter(last_name="x" * 100)


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_a_pattern_made_to_take_for_ever_is_a_text_like_any_other(people, bomb):
    document = {"any": [leaf(condition, bomb) for condition in rules.conditions if not condition.needs]}
    readable = [part for part in document["any"] if not rules.problems({"all": [part]})]
    found = within(5, segmentation.members({"any": readable}, NOW).count)
    assert 0 <= found <= Contact.objects.count()


@pytest.mark.proof
def test_two_hundred_conditions_are_answered_or_given_up_in_time(people, settings):
    settings.REKINDLE_SEGMENT_SECONDS = 3
    kinds = [condition for condition in rules.conditions if not condition.needs]
    readable = [part for part in map(leaf, kinds) if not rules.problems({"all": [part]})]
    document = {"any": [{"none": [readable[place % len(readable)]]} for place in range(MOST)]}
    segment = Segment.objects.create(name="Two hundred", rule=document)
    within(10, lambda: segmentation.refresh(segment, NOW))
    assert segment.size > 0 or "longer than 3 seconds" in segment.problem
    assert not within(6, lambda: previewing.preview(document, NOW)).problems


@pytest.mark.proof
def test_more_than_two_hundred_or_deeper_than_ten_is_refused_with_the_place():
    many = {"all": [{"kind": "crm.name", "params": {"contains": "a"}}] * (MOST + 1)}
    assert "200 conditions at most" in str(rules.problems(many)[0])
    deep = {"kind": "crm.name", "params": {"contains": "a"}}
    for _ in range(DEEPEST + 1):
        deep = {"all": [deep]}
    assert "10 deep at most" in str(rules.problems(deep)[0])


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"all": []},
        {"none": []},
        {"all": [{"any": []}]},
        {"all": [{"kind": "crm.gone", "params": {}}]},
        {"none": [{"kind": "crm.gone", "params": {}}]},
        {"any": [{"none": [{"kind": "crm.gone"}]}, {"kind": "crm.name", "params": {"contains": "a"}}]},
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_read_means_nobody_is_marked_and_explained(people, rule):
    assert segmentation.members(rule, NOW).count() == 0
    segment = Segment.objects.create(name="Unreadable", rule=rule)
    segmentation.refresh(segment, NOW)
    assert segment.problem and not SegmentMembership.objects.filter(segment=segment).exists()
    assert rules.sentence(rule).startswith("Nobody")
    why = rules.explain(Contact.objects.filter(pk=people[0].pk), rule, NOW)
    assert why is not None and not why.is_match and why.problems
