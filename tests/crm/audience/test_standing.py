"""Who is active, cooling, at risk, lost: by hand in little shops, each move at its exact instant."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from crm.audience import standing
from crm.models import Contact, Engagement, Order, RiskSettings, Standing, StandingMove, StandingUpkeep
from crm.people import engagement, stirring
from tests.crm.audience.shops import EARLY, bought, day, measured_as, people

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return measured_as()


def stands(contact_id):
    return Standing.objects.get(contact=contact_id)


def moves(contact_id):
    found = StandingMove.objects.filter(contact=contact_id).order_by("recorded_at", "occurred_at")
    return [(move.from_state, move.to_state, move.occurred_at) for move in found]


def test_a_buyer_by_their_own_gap_drawn_towards_the_shops(shop):
    [ana] = people("Ana")
    bought(ana, 0, 10, 20)
    standing.refresh(day(25))
    row = stands(ana)
    # Two gaps of 10 days, and one of the shop's 30 mixed in: (10 + 10 + 30) / 3.
    assert row.usual_gap_days == pytest.approx(50 / 3)
    assert (row.clock, row.state, row.gaps, row.last_at) == ("purchase", "active", 2, day(20))
    assert row.cooling_at == day(20) + timedelta(days=1.25 * 50 / 3)
    assert row.at_risk_at - day(20) == pytest.approx(timedelta(days=1.75 * 50 / 3), abs=timedelta(seconds=1))
    assert row.lost_at - day(20) == pytest.approx(timedelta(days=3.5 * 50 / 3), abs=timedelta(seconds=1))
    assert row.turns_at == row.cooling_at and row.since == day(0)
    assert row.at_stake == pytest.approx(Decimal(50 * 365.25 * 3 / 50), abs=Decimal("0.01"))


def test_who_bought_once_is_measured_by_the_shops_second_orders(shop):
    [ana] = people("Ana")
    bought(ana, 0)
    seen = {}
    for number in (0, 59, 60, 79, 80, 94, 95, 400):
        standing.refresh_changed(day(number))
        seen[number] = stands(ana).state
    assert seen == {
        0: "active",
        59: "active",
        60: "cooling",
        79: "cooling",
        80: "at_risk",
        94: "at_risk",
        95: "lost",
        400: "lost",
    }
    assert moves(ana)[1:] == [
        ("active", "cooling", day(60)),
        ("cooling", "at_risk", day(80)),
        ("at_risk", "lost", day(95)),
    ]
    assert stands(ana).turns_at is None
    # Half of those who bought once come back, every 30 days.
    assert stands(ana).at_stake == pytest.approx(Decimal(50 * 0.5 * 365.25 / 30), abs=Decimal("0.01"))


def test_a_move_carries_its_instant_however_late_the_tick(shop):
    [ana] = people("Ana")
    bought(ana, 0)
    standing.refresh_changed(day(1))
    standing.refresh_changed(day(90.5))
    assert moves(ana) == [
        ("", "active", day(0)),
        ("active", "cooling", day(60)),
        ("cooling", "at_risk", day(80)),
    ]
    assert {move.recorded_at for move in StandingMove.objects.exclude(from_state="")} == {day(90.5)}
    assert stands(ana).since == day(80)


def test_an_order_brings_them_back_at_its_own_instant(shop):
    [ana] = people("Ana")
    bought(ana, 0)
    standing.refresh_changed(day(1))
    standing.refresh_changed(day(70))
    bought(ana, 85)
    bought(ana, 86)
    standing.refresh_changed(day(86.5))
    assert moves(ana)[1:] == [
        ("active", "cooling", day(60)),
        ("cooling", "at_risk", day(80)),
        ("at_risk", "active", day(85)),
    ]
    assert stands(ana).since == day(85)


def test_an_order_told_of_late_is_one_move_to_where_it_leads(shop):
    [ana] = people("Ana")
    bought(ana, 0)
    standing.refresh_changed(day(90))
    bought(ana, 50, now=day(91))
    standing.refresh_changed(day(91))
    # A gap of 50 and the shop's 30: usually 40 days, so they cool 50 days later and not after 41.
    assert moves(ana) == [("", "at_risk", day(80)), ("at_risk", "active", day(50))]
    assert stands(ana).since == day(50)


def test_a_cancelled_order_was_never_one_and_one_for_nothing_is(shop):
    ana, boris = people("Ana", "Boris")
    bought(ana, 0, 40)
    bought(boris, 0, 40, paid=0)
    standing.refresh_changed(day(41))
    assert stands(ana).gaps == stands(boris).gaps == 1 and stands(boris).at_stake == 0
    order = Order.objects.get(contact=ana, occurred_at=day(40))
    bought(ana, 40, now=day(42), status="cancelled")
    order.refresh_from_db()
    assert order.status == "cancelled"
    standing.refresh_changed(day(42))
    assert (stands(ana).gaps, stands(ana).last_at) == (0, day(0))
    Order.objects.filter(contact=ana).update(status="cancelled")
    stirring.stir([ana])
    standing.refresh_changed(day(43))
    assert stands(ana).clock == "engagement" and stands(ana).last_at == day(40)


def test_several_orders_on_one_day_of_the_shop_are_one(shop):
    [ana] = people("Ana")
    bought(ana, 0, 0.1, 0.2, 30, 30.2)
    standing.refresh(day(31))
    row = stands(ana)
    assert (row.gaps, row.last_at) == (1, day(30.2))
    assert row.usual_gap_days == pytest.approx((30.2 + 30) / 2)


def test_the_registered_are_measured_by_visits_clicks_and_replies(shop):
    ana, boris = people("Ana", "Boris", at=day(0))
    standing.refresh_changed(day(1))
    engagement.touch("last_seen_at", {ana: day(30)})
    engagement.touch("last_click_at", {ana: day(31)})
    engagement.touch("last_open_at", {boris: day(31)})
    standing.refresh_changed(day(95))
    assert stands(ana).state == "cooling" and stands(ana).since == day(31 + 45)
    assert stands(boris).state == "at_risk" and stands(boris).since == day(90)
    engagement.touch("last_reply_at", {boris: day(96)})
    standing.refresh_changed(day(97))
    assert moves(boris)[-1] == ("at_risk", "active", day(96))
    standing.refresh_changed(day(96 + 180))
    assert moves(boris)[-1] == ("at_risk", "lost", day(96 + 180))
    assert stands(boris).at_stake == 0 and stands(boris).usual_gap_days is None


def test_the_first_order_changes_the_clock(shop):
    [ana] = people("Ana", at=day(0))
    standing.refresh_changed(day(1))
    bought(ana, 10)
    standing.refresh_changed(day(10.5))
    assert stands(ana).clock == "purchase" and stands(ana).since == day(10)
    assert moves(ana)[-1] == ("active", "active", day(10))


def test_test_persons_and_merged_contacts_stand_nowhere(shop):
    ana, boris, chen = people("Ana", "Boris", "Chen")
    for person in (ana, boris, chen):
        bought(person, 0)
    Contact.objects.filter(pk=ana).update(is_test=True)
    standing.refresh_changed(day(1))
    assert not Standing.objects.filter(contact=ana).exists()
    Contact.objects.filter(pk=boris).update(merged_into=chen)
    stirring.stir([boris])
    standing.refresh_changed(day(2))
    assert set(Standing.objects.values_list("contact", flat=True)) == {chen}
    assert moves(boris)[-1] == ("active", "", day(2))


def test_other_thresholds_measure_everybody_anew_and_nobody_is_newly_at_risk_by_a_form(shop):
    ana, boris = people("Ana", "Boris")
    bought(ana, 0, 30)
    bought(boris, 20, 50)
    standing.refresh_changed(day(75))
    assert [stands(one).state for one in (ana, boris)] == ["cooling", "active"]
    RiskSettings.objects.update(cooling_factor=0.5, at_risk_factor=1, lost_factor=2, changed_at=day(76))
    standing.refresh_changed(day(76))
    assert [(stands(one).state, stands(one).since) for one in (ana, boris)] == [
        ("at_risk", day(60)),
        ("cooling", day(65)),
    ]
    RiskSettings.objects.update(cooling_factor=5, at_risk_factor=6, lost_factor=7, changed_at=day(77))
    standing.refresh_changed(day(77))
    assert {stands(one).state for one in (ana, boris)} == {"active"}


def test_a_new_rhythm_of_the_shop_moves_people_on_but_never_back(shop):
    ana, boris = people("Ana", "Boris")
    bought(ana, 0)
    bought(boris, 40)
    standing.refresh_changed(day(85))
    assert [stands(one).state for one in (ana, boris)] == ["at_risk", "active"]
    shop.on_day, shop.in_use_from = day(86).date(), day(86)
    shop.second_days = [2 * days for days in shop.second_days]
    shop.save()
    standing.refresh_changed(day(86))
    assert stands(ana).state == "at_risk" and stands(ana).since == day(80)
    shop.on_day, shop.in_use_from = day(87).date(), day(87)
    shop.second_days = [days / 4 for days in shop.second_days]
    shop.save()
    standing.refresh_changed(day(87))
    assert stands(boris).state == "at_risk" and stands(boris).since == day(87)


def test_nobody_is_asked_about_whom_nothing_was_written(shop, django_assert_max_num_queries):
    people("Ana", "Boris")
    standing.refresh_changed(day(0))
    Engagement.objects.update(stirred=0)
    mark = StandingUpkeep.objects.get().marked
    with django_assert_max_num_queries(16):
        assert standing.refresh_changed(day(1)) == standing.Found(0, 0)
    assert StandingUpkeep.objects.get().marked >= mark
    assert EARLY < StandingUpkeep.objects.get().swept_at == day(1)


def test_a_rhythm_that_comes_into_use_after_the_look_of_that_moment_is_not_missed(shop):
    [ana] = people("Ana")
    bought(ana, 0)
    standing.refresh_changed(day(70))
    shop.on_day, shop.in_use_from = day(70).date(), day(70)
    shop.second_days = [days / 2 for days in shop.second_days]
    shop.save()
    standing.refresh_changed(day(70) + timedelta(seconds=60))
    assert stands(ana).state == "lost"


def test_who_cooled_and_came_back_between_two_looks_did_both(shop):
    ana, boris = people("Ana", "Boris", at=day(0))
    standing.refresh_changed(day(0))
    engagement.touch("last_seen_at", {ana: day(45.5)})
    bought(boris, 45.5)
    standing.refresh_changed(day(46))
    for person in (ana, boris):
        assert moves(person)[1:] == [("active", "cooling", day(45)), ("cooling", "active", day(45.5))]
        assert stands(person).since == day(45.5)
