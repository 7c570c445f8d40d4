"""The score, its halvings, its reasons, and what it was."""

from datetime import timedelta

import pytest

from crm.audience.leads import definitions, scoring
from crm.kernel.rules import Scope
from crm.models import Contact, Lead, LeadVersion, ScoreChange, ScoreLine
from tests.crm.leads.conftest import (
    LONG_AGO,
    MINUTE,
    NOW,
    days,
    order,
    people,
    refresh,
    rule,
    tag,
    tagged,
)

BOUGHT = rule("crm.ordered", times="1", within_days="3")


def test_points_halve_after_the_rule_stopped_being_true(cast):
    """Bought within 3 days gives 20, halved each 10 days: the rule is true for the last time on day 3."""
    ana = cast["Ana"]
    order(ana, NOW - MINUTE, "1")
    line = ScoreLine(label="Bought", rule=BOUGHT, points=20, halves_days=10)

    def points(day):
        return scoring.scores([line], NOW + days(day), [ana.pk])[ana.pk].points

    assert {points(day) for day in (0, 1, 2.5, 3, 5, 11, 11.9)} == {20}
    assert {points(day) for day in (13, 16, 21)} == {10}
    assert {points(day) for day in (23, 31)} == {5}
    assert {points(day) for day in (33, 41)} == {3}
    assert {points(day) for day in (43, 300)} == {0}
    line.halves_days = None
    assert [points(day) for day in (2.9, 3)] == [20, 0]


def test_the_last_time_it_was_true_counts_and_long_halvings_are_asked_less_often(cast):
    ana = cast["Ana"]
    for age in (0, 25):
        order(ana, NOW - days(age), str(age))
    line = ScoreLine(rule=BOUGHT, points=20, halves_days=10)
    assert scoring.scores([line], NOW, [ana.pk])[ana.pk].points == 20
    assert scoring.scores([line], NOW - days(1), [ana.pk])[ana.pk].points == 5
    assert [len(each) for each in scoring._looks_back(10, NOW).values()] == [9, 10, 10, 10]
    assert [len(each) for each in scoring._looks_back(60, NOW).values()] == [14, 15, 15, 15]
    assert scoring._looks_back(3, NOW)[1] == [NOW - days(3), NOW - days(4), NOW - days(5)]


@pytest.mark.parametrize(
    ("points", "times", "left"),
    [(20, 1, 10), (5, 1, 3), (5, 2, 1), (-5, 1, -3), (1, 1, 1), (1, 2, 0), (7, 3, 1)],
)
def test_a_half_is_rounded_away_from_zero(points, times, left):
    assert scoring.halved(points, times) == left


def test_nobody_earns_points_for_a_time_when_they_were_not_known(db):
    (new,) = people("New", at=NOW - timedelta(hours=2))
    (old,) = people("Old", at=LONG_AGO)
    for contact in (new, old):
        order(contact, NOW - timedelta(hours=1), contact.first_name)
    never = ScoreLine(
        rule={"none": [{"kind": "crm.ordered", "params": {"times": "1"}}]}, points=8, halves_days=5
    )
    found = scoring.scores([never], NOW, [new.pk, old.pk])
    assert (found[new.pk].points, found[old.pk].points) == (0, 8)


def test_reasons_are_the_parts_the_largest_first_and_add_up(cast):
    ana = cast["Ana"]
    tag(ana, "a", "b", "c")
    each = [
        ScoreLine(label=name, rule=tagged(name), points=p)
        for name, p in zip("abcd", (5, -30, 10, 99), strict=True)
    ]
    each[0].label = ""
    score = scoring.scores(each, NOW, [ana.pk])[ana.pk]
    assert score.points == sum(reason["points"] for reason in score.reasons) == -15
    assert [reason["label"] for reason in score.reasons] == ["b", "c", "are tagged “a”"]


def test_one_annotation_says_the_same_of_everybody(cast):
    tag(cast["Ana"], "a")
    each = [ScoreLine(rule=tagged("a"), points=5), ScoreLine(rule=rule("crm.name", contains="an"), points=2)]
    found = Contact.objects.annotate(score=scoring.points(each, NOW, Scope(current=True)))
    assert dict(found.values_list("first_name", "score")) == {"Ana": 7, "Boris": 0, "Chen": 0, "Dana": 2}
    assert Contact.objects.annotate(score=scoring.points([], NOW)).first().score == 0
    broken = [ScoreLine(rule=rule("crm.gone"), points=5)]
    assert set(scoring.scores(broken, NOW, [cast["Ana"].pk])[cast["Ana"].pk].reasons) == set()


def test_what_the_score_was_is_what_the_wording_says_it_was(cast, definition):
    ana = cast["Ana"]
    told = [("interested",), ("interested", "asked"), ("interested", "asked", "reader"), ("interested",)]
    for day, tags in enumerate(told):
        tag(ana, *tags, at=NOW + days(day))
        refresh(definition, NOW + days(day))
    refresh(definition, NOW + days(13))
    version = LeadVersion.objects.get()
    kept = list(ScoreChange.objects.order_by("occurred_at").values_list("occurred_at", "score"))
    assert [(at - NOW).days for at, _score in kept] == [0, 1, 2, 3, 13]
    assert [score for _at, score in kept] == [0, 40, 60, 40, 20]
    for at, score in kept:
        assert scoring.score_of(version, ana.pk, at).points == score
    assert Lead.objects.get().score == 20


def test_a_score_is_asked_in_one_query_however_many_people_and_lines(
    cast, definition, django_assert_num_queries
):
    each = scoring.lines_of(definitions.published(definition))
    with django_assert_num_queries(1):
        scoring.scores(each, NOW, [contact.pk for contact in cast.values()])
