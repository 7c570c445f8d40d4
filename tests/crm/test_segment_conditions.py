"""Segments asked by rules: in, entered, left; now and then; a segment that cannot be trusted means nobody."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact, Segment, SegmentMembership
from crm.people.identity import Known, resolve
from tests.crm.asking import NOW, asked, said, same, told, who


def days_ago(number):
    return NOW - timedelta(days=number)


def stay(segment, name, entered, left=None):
    person = Contact.objects.get(first_name=name)
    SegmentMembership.objects.create(
        contact=person,
        segment=segment,
        entered_at=days_ago(entered),
        left_at=None if left is None else days_ago(left),
    )


def known(*names):
    resolve(
        [Known(email=f"{name}@x.example", first_name=name) for name in names], days_ago(90), source="shop"
    )


@pytest.fixture
def fans(db):
    known("Ana", "Boris", "Chen")
    segment = Segment.objects.create(name="Fans", refreshed_at=days_ago(1))
    stay(segment, "Ana", 9)
    stay(segment, "Boris", 30, 20)
    stay(segment, "Boris", 3, 1)
    return segment


def test_in_entered_and_left(fans):
    key = str(fans.pk)
    assert same("crm.in_segment", segment=key) == {"Ana"}
    assert who("crm.in_segment", at=days_ago(2), segment=key) == {"Ana", "Boris"}
    assert who("crm.in_segment", at=days_ago(25), segment=key) == {"Boris"}
    assert same("crm.entered_segment", segment=key) == {"Ana", "Boris"}
    assert same("crm.entered_segment", segment=key, within_days="3") == set()
    assert same("crm.entered_segment", segment=key, within_days="4") == {"Boris"}
    assert same("crm.left_segment", segment=key) == {"Boris"}
    assert who("crm.left_segment", at=days_ago(10), segment=key, within_days="9") == set()
    assert who("crm.left_segment", at=days_ago(10), segment=key, within_days="11") == {"Boris"}
    assert said("crm.entered_segment", segment=key, within_days="7") == (
        "entered the segment “Fans” in the last 7 days"
    )
    assert told("Ana", "crm.in_segment", segment=key) == "in it since 21 February 2026"
    assert told("Boris", "crm.in_segment", segment=key) == (
        "was in it since 27 February 2026, left it on 1 March 2026"
    )
    assert told("Boris", "crm.in_segment", at=days_ago(2), segment=key) == "in it since 27 February 2026"
    assert told("Chen", "crm.in_segment", segment=key) == "never in it"


@pytest.mark.parametrize("kind", ["crm.in_segment", "crm.entered_segment", "crm.left_segment"])
def test_a_segment_that_cannot_be_trusted_means_nobody_even_under_none(fans, kind):
    leaf = {"kind": kind, "params": {"segment": str(fans.pk)}}
    document = {"none": [leaf]}
    assert not rules.problems(document)

    def is_closed(why):
        assert why in str(rules.problems(document)[0])
        assert not Contact.objects.filter(rules.compile(document, NOW, Scope(current=True))).exists()

    Segment.objects.update(problem="2: is not a parameter of this kind")
    is_closed("is closed")
    SegmentMembership.objects.all().delete()
    Segment.objects.update(problem="", refreshed_at=None)
    is_closed("has not been counted yet")
    Segment.objects.update(kind=Segment.Kind.FIXED)
    assert not rules.problems(document)
    fans.delete()
    is_closed("Select a valid choice")


stays = st.lists(
    st.tuples(st.sampled_from(["Ana", "Boris"]), st.integers(0, 9), st.integers(0, 4)), max_size=5
)


class OneMeaning(TestCase):
    @settings(max_examples=25)
    @given(stays, st.integers(1, 9), st.sampled_from(["in", "entered", "left"]))
    def test_history_and_now_mean_the_same_and_time_moves_nobody_unseen(self, told, within, which):
        known("Ana", "Boris")
        segment = Segment.objects.create(name="Fans", refreshed_at=NOW)
        free = {"Ana": 10, "Boris": 10}
        for name, entered, long in sorted(told, key=lambda one: -one[1]):
            left = entered - long
            if entered < free[name] and long:
                stay(segment, name, entered, left if left >= 0 else None)
                free[name] = left
        kind = f"crm.{which}_segment"
        params = {"segment": str(segment.pk)} | ({} if which == "in" else {"within_days": str(within)})
        assert who(kind, scope=Scope(current=True), **params) == who(kind, **params)
        since, now = days_ago(4), NOW
        before, after = who(kind, at=since, **params), who(kind, at=now, **params)
        turned = rules.drift(asked(kind, **params), since, now, Scope(current=True))
        seen = {row["contact_id"] for query in turned for row in query}
        names = set(Contact.objects.filter(pk__in=seen).values_list("first_name", flat=True))
        assert before ^ after <= names
