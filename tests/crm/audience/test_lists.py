"""A fixed list: people come and go by hand, each stay with its instants."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.audience import lists, segmentation
from crm.models import Contact, Segment, SegmentSize
from tests import office

NOW = office.NOW
LATER = NOW + timedelta(days=1)


@pytest.fixture
def people(db):
    names = ["ana", "bo", "cy"]
    return [office.person(f"{name}@shop-customers.example", first_name=name, agreed=False) for name in names]


@pytest.fixture
def fixed(db):
    return Segment.objects.create(name="VIPs", kind=Segment.Kind.FIXED, created_at=NOW)


def ids(people):
    return [contact.pk for contact in people]


def inside(segment):
    return set(segment.memberships.filter(left_at=None).values_list("contact_id", flat=True))


def test_people_are_added_once_and_removed_and_every_stay_is_kept(fixed, people):
    assert lists.add(fixed, ids(people), NOW) == 3
    assert lists.add(fixed, ids(people[:2]), LATER) == 0
    assert lists.remove(fixed, ids(people[:1]), LATER) == 1
    assert lists.add(fixed, ids(people[:1]), LATER + timedelta(hours=1)) == 1
    fixed.refresh_from_db()
    assert (fixed.size, inside(fixed)) == (3, set(ids(people)))
    stays = fixed.memberships.filter(contact=people[0]).order_by("entered_at")
    assert [(stay.entered_at, stay.left_at) for stay in stays] == [
        (NOW, LATER),
        (LATER + timedelta(hours=1), None),
    ]
    noted = SegmentSize.objects.order_by("at").values_list("size", "entered", "left")
    assert list(noted) == [(3, 3, 0), (2, 0, 1), (3, 1, 0)]


def test_a_refresh_leaves_a_list_as_it_is(fixed, people):
    lists.add(fixed, ids(people), NOW)
    segmentation.refresh(fixed, LATER)
    assert (fixed.size, fixed.problem, inside(fixed)) == (3, "", set(ids(people)))


def test_a_segment_with_a_rule_takes_nobody_by_hand(people):
    ruled = Segment.objects.create(name="Ruled", created_at=NOW)
    for change in (lists.add, lists.remove):
        with pytest.raises(lists.NotAList, match="kept up by its rule"):
            change(ruled, ids(people), NOW)


def test_the_merged_and_the_unknown_are_not_added(fixed, people):
    Contact.objects.filter(pk=people[0].pk).update(merged_into=people[1])
    ghost = Contact(first_name="Ghost").pk
    assert lists.add(fixed, [*ids(people), ghost], NOW) == 2
    assert inside(fixed) == set(ids(people[1:]))


def test_pasted_addresses_are_looked_up_in_any_spelling_and_the_unknown_told(people):
    pasted = "ANA@Shop-Customers.example; Bo <bo@shop-customers.example>,\n ana@shop-customers.example"
    pasted += " new@x.example @ no"
    found = lists.look_up(pasted)
    assert set(found.contacts) == set(ids(people[:2]))
    assert found.unknown == ["@", "new@x.example"]


@pytest.mark.parametrize(
    "pasted", ["", " \n", "a\0b@x.example", "@" * 5000, "ü@ü", "a@b@c", "'; DROP TABLE x;--@x"]
)
def test_odd_pastes_find_nobody_and_do_no_harm(people, pasted):
    assert lists.look_up(pasted).contacts == []


def test_more_people_cost_no_more_queries(fixed, people):
    costs = []
    for some in (people[:1], people[1:]):
        with CaptureQueriesContext(connection) as asked:
            lists.look_up(" ".join(contact.email for contact in some))
            lists.add(fixed, ids(some), NOW)
        costs.append(len(asked))
    assert costs[0] >= costs[1] - 1
