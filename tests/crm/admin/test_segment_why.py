"""Why is she in, why is he not: now, and on any day before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from crm.audience import lists, segmentation
from crm.kernel import clock
from crm.models import Segment
from crm.people import engagement
from tests import office

WHY = "admin:crm_segment_why"
BUYERS = {"all": [{"kind": "crm.ordered", "params": {"times": "2"}}]}


@pytest.fixture
def story(db):
    """Ana bought forty days ago and ten days ago, and entered the segment with that."""
    office.set_up_shop()
    now = clock.now()
    ana = office.person(now=now - timedelta(days=60))
    thing = office.product()
    office.order(ana, thing, at=now - timedelta(days=40))
    office.order(ana, thing, at=now - timedelta(days=10), number=2)
    engagement.recount_orders([ana.pk])
    segment = Segment.objects.create(name="Bought twice", rule=BUYERS, created_at=now - timedelta(days=50))
    segmentation.refresh(segment, now - timedelta(days=9))
    return ana, segment


def why(client, **asked):
    return " ".join(client.get(reverse(WHY), asked).content.decode().split())


def ago(days):
    return f"{clock.now() - timedelta(days=days):%Y-%m-%dT%H:%M}"


def test_now_and_then_each_with_what_was_known(ada, story):
    ana, segment = story
    now = why(ada, segment=segment.pk, person=office.MAIL)
    assert "By the rule Ana Oliveira is in." in now and "bought 2 times" in now and "Is in it, since" in now
    then = why(ada, segment=segment.pk, person=ana.pk, at=ago(20))
    assert "By the rule Ana Oliveira was out." in then
    assert "bought once" in then
    assert "The smallest change:" in then
    assert "Was not in it then." in then


def test_before_anybody_knew_of_them_they_were_nowhere(ada, story):
    told = why(ada, segment=story[1].pk, person=office.MAIL, at=ago(90))
    assert "We did not know of this person yet" in told


def test_what_keeps_no_history_is_told_to_be_as_it_is_now(ada, story):
    segment = story[1]
    segment.rule = {"all": [{"kind": "crm.reachable", "params": {"channel": "email"}}]}
    segment.save()
    then = why(ada, segment=segment.pk, person=office.MAIL, at=ago(20))
    exact = segmentation.rules.conditions.get("crm.reachable").exact_in_past
    assert ("they answer for today, not for that moment" in then) is not exact
    assert "they answer for today" not in why(ada, segment=segment.pk, person=office.MAIL)


def test_a_rule_that_cannot_be_read_says_so_and_tells_the_rest(ada, story):
    segment = story[1]
    segment.rule = {"any": [*BUYERS["all"], {"kind": "crm.vanished", "params": {}}]}
    segment.save()
    told = why(ada, segment=segment.pk, person=office.MAIL)
    assert "The rule cannot be read, so it means nobody" in told
    assert "bought 2 times" in told


def test_a_fixed_list_tells_its_stays(ada, story):
    ana, _ = story
    fixed = Segment.objects.create(name="VIPs", kind=Segment.Kind.FIXED, created_at=clock.now())
    lists.add(fixed, [ana.pk], clock.now() - timedelta(days=5))
    assert "A fixed list has no rule" in why(ada, segment=fixed.pk, person=office.MAIL)
    assert "Was in it then" in why(ada, segment=fixed.pk, person=office.MAIL, at=ago(2))
    assert "Was not in it then" in why(ada, segment=fixed.pk, person=office.MAIL, at=ago(7))


@pytest.mark.parametrize(
    "asked, told",
    [
        ({"at": "2999-01-01T00:00"}, "has not come yet"),
        ({"at": "yesterday"}, "Type the moment like"),
        ({"at": "2026-13-01T00:00"}, "Type the moment like"),
        ({"at": "0001-01-01T00:00"}, ""),
        ({"person": "nobody@x.example"}, "Nobody is known by that"),
        ({"person": "'; DROP TABLE x; --"}, "Nobody is known by that"),
        ({"person": "a\0b@x.example"}, "Nobody is known by that"),
        ({"segment": "x"}, "Choose a segment"),
        ({"segment": ""}, "Choose a segment"),
    ],
)
def test_odd_questions_are_answered_in_words(ada, story, asked, told):
    usual = {"segment": story[1].pk, "person": office.MAIL}
    assert told in why(ada, **(usual | asked))


def test_the_contact_page_asks_it_of_any_segment(ada, story):
    ana, _segment = story
    shown = ada.get(reverse("admin:crm_contact_change", args=[ana.pk])).content.decode()
    assert "Why in or out of" in shown and "Bought twice" in shown


def test_it_takes_who_may_see_people(story):
    for permissions, status in ((["crm.view_segment"], 403), (["crm.view_segment", "crm.view_contact"], 200)):
        client = office.logged_in(office.user(f"u{status}", *permissions))
        assert client.get(reverse(WHY), {"segment": story[1].pk}).status_code == status
