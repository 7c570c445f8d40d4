"""The past year written from orders and visits: moves at their instants, counts, rules asked of then."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from crm.audience import rhythm, standing
from crm.audience.segmentation import members
from crm.kernel import clock, rules
from crm.models import Standing, StandingDay, StandingMove
from crm.people import engagement
from tests.crm.audience.shops import bought, day, measured_as, people
from tracking.models import Actor, Event

pytestmark = pytest.mark.django_db
NOW = day(200)


@pytest.fixture
def rebuilt(monkeypatch):
    """Ana bought on days 0 and 90; Boris registered on day 10 and visited on day 40 and day 110."""
    measured_as()
    monkeypatch.setattr(rhythm, "keep", rhythm.then)  # Two orders say nothing of a shop.
    [ana], [boris] = people("Ana", at=day(-5)), people("Boris", at=day(10))
    bought(ana, 0, 90)
    acts = [("page", 40, Actor.HUMAN), ("open", 60, Actor.HUMAN), ("page", 70, Actor.MACHINE)]
    for kind, number, actor in [*acts, ("click", 110, Actor.LIKELY_HUMAN)]:
        at = day(number)
        Event.objects.create(contact_id=boris, kind=kind, actor=actor, occurred_at=at, recorded_at=at)
    engagement.touch("last_click_at", {boris: day(110)})
    said = io.StringIO()
    with clock.frozen(NOW):
        call_command("standing", "rebuild", stdout=said)
    assert "moves of the past year written" in said.getvalue()
    return ana, boris


def moves(contact_id):
    found = StandingMove.objects.filter(contact=contact_id).order_by("occurred_at")
    return [(move.clock[0], move.to_state, move.occurred_at) for move in found]


def test_moves_stand_at_their_instants_and_are_marked_as_written_later(rebuilt):
    ana, boris = rebuilt
    # A gap of 90 days and the shop's 30: 60 days, so cooling 75 days after, at risk 105.
    assert moves(ana) == [
        ("e", "active", day(-5)),
        ("p", "active", day(0)),
        ("p", "cooling", day(60)),
        ("p", "at_risk", day(80)),
        ("p", "active", day(90)),
        ("p", "cooling", day(165)),
        ("p", "at_risk", day(195)),
    ]
    # Opening a message is no sign of life, nor is what a machine did: from day 40 to day 110.
    assert moves(boris) == [
        ("e", "active", day(10)),
        ("e", "cooling", day(85)),
        ("e", "active", day(110)),
        ("e", "cooling", day(155)),
        ("e", "at_risk", day(200)),
    ]
    assert not StandingMove.objects.filter(is_backfill=False).exists()
    assert Standing.objects.get(contact=ana).since == day(195)
    assert Standing.objects.get(contact=boris).state == "at_risk"


def test_rules_ask_of_any_day_of_it(rebuilt):
    def at_risk(number):
        rule = {"all": [{"kind": "crm.stands", "params": {"state": "at_risk"}}]}
        return set(members(rule, day(number), rules.Scope()).values_list("first_name", flat=True))

    found = [at_risk(number) for number in (79, 80, 89.9, 90, 195, 200)]
    assert found == [set(), {"Ana"}, {"Ana"}, set(), {"Ana"}, {"Ana", "Boris"}]


def test_each_day_is_counted_and_the_next_tick_goes_on_from_there(rebuilt):
    def counted(number, clock_name):
        rows = StandingDay.objects.filter(on_day=day(number).date(), clock=clock_name, people__gt=0)
        return {row.state: row.people for row in rows}

    assert counted(-3, "engagement") == {"active": 1} and counted(-3, "purchase") == {}
    assert counted(20, "purchase") == {"active": 1} and counted(20, "engagement") == {"active": 1}
    assert counted(85, "purchase") == {"at_risk": 1} and counted(85, "engagement") == {"cooling": 1}
    assert counted(199, "purchase") == {"at_risk": 1} and counted(200, "purchase") == {}
    before = StandingMove.objects.count()
    standing.keep_up(day(200.6))
    assert StandingMove.objects.count() == before
    assert counted(200, "purchase") == {"at_risk": 1}
    # Written twice is written once.
    with clock.frozen(day(200.7)):
        call_command("standing", "rebuild", stdout=io.StringIO())
    assert StandingMove.objects.count() == before
