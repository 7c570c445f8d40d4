"""The page of who is at risk, its thresholds, and what the home page and a person's page say of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.admin import risk_flow
from crm.audience import rhythm, risk_report, standing, standing_history
from crm.kernel import clock
from crm.models import RiskSettings, Segment, Standing, StandingDay
from crm.people import stirring
from crm.ticking import run_tick
from tests import office
from tests.crm.audience.shops import bought, day, measured_as, people

PAGE = "admin:crm_risksettings_changelist"
NOW = day(90)
TYPED = {
    "cooling_factor": "1.25",
    "at_risk_factor": "1.75",
    "lost_factor": "3.5",
    "once_cooling_share": "0.6",
    "once_at_risk_share": "0.8",
    "once_lost_share": "0.95",
    "quiet_cooling_days": "45",
    "quiet_at_risk_days": "90",
    "quiet_lost_days": "180",
}


@pytest.fixture
def slipping(db, monkeypatch):
    """Ana bought once and is at risk since day 80; Boris buys every month; Chen only registered."""
    office.set_up_shop(time_zone="UTC")
    measured_as()
    ana, boris = people("Ana", "Boris")
    people("Chen", at=day(60))
    bought(ana, 0)
    bought(boris, 10, 40, 80)
    monkeypatch.setattr(rhythm, "keep", rhythm.then)  # Six orders say nothing of a shop.
    standing_history.rebuild(NOW)
    with clock.frozen(NOW):
        yield ana, boris


def shown(client, url) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_an_empty_shop_is_told_what_will_stand_here(ada, db):
    assert "Nobody stands anywhere yet" in shown(ada, reverse(PAGE))


def test_heads_and_money_of_each_state_and_who_newly_slipped(ada, slipping):
    today = timezone.localtime(NOW).replace(hour=0, minute=0)
    active, cooling, at_risk, lost = risk_report.now_by_state(NOW, today)
    assert (active.buyers.people, active.registered.people) == (1, 1)
    assert (cooling.all.people, at_risk.all.people, lost.all.people) == (0, 1, 0)
    assert at_risk.all.at_stake == Standing.objects.get(contact=slipping[0]).at_stake > 0
    assert at_risk.newly_this_week.people == 0
    assert risk_report.now_by_state(day(86), day(86))[2].newly_this_week.people == 1
    page = shown(ada, reverse(PAGE))
    assert "304.38 EUR" in page and "The same as a table, by week" in page
    assert StandingDay.objects.filter(on_day=day(59).date()).count() > 0


def test_the_flow_is_of_people_not_of_steps(ada, slipping):
    ways = risk_report.flow(NOW - timedelta(days=31), NOW)
    # Ana went from active over cooling to at risk, Boris cooled and came back, Chen is new.
    assert ways == {("active", "at_risk"): 1, ("active", "active"): 1, ("new", "active"): 1}
    picture = risk_flow.draw(ways)
    assert picture is not None
    assert [(band.words, band.people) for band in picture.moves] == [
        ("Active → at risk", 1),
        ("New → active", 1),
    ]
    assert "Cooling → at risk" in shown(ada, reverse(PAGE))
    assert risk_flow.draw({}) is None


def test_the_count_over_time_is_what_stood_at_the_end_of_each_day(slipping):
    days, series = risk_report.over_time(day(50).date(), day(89).date())
    at = {one: place for place, one in enumerate(days)}
    by = lambda number: {state: series[state][at[day(number).date()]] for state in series}  # noqa: E731
    assert by(59) == {"active": 2, "cooling": 0, "at_risk": 0, "lost": 0}
    assert by(60) == {"active": 2, "cooling": 1, "at_risk": 0, "lost": 0}
    assert by(80) == {"active": 2, "cooling": 0, "at_risk": 1, "lost": 0}
    days, series = risk_report.over_time(day(50).date(), day(89).date(), "engagement")
    assert series["active"][-1] == 1


def test_a_segment_of_the_newly_at_risk_keeps_itself_up(ada, slipping):
    url = reverse("admin:crm_risksettings_segment")
    answer = ada.post(url, {"state": "at_risk", "within_days": "7"}, follow=True)
    segment = Segment.objects.get(name="Newly at risk this week")
    assert answer.redirect_chain[-1][0] == reverse("admin:crm_segment_change", args=[segment.pk])
    ada.post(url, {"state": "at_risk", "within_days": "7"})
    assert Segment.objects.count() == 1
    assert "Choose who" in ada.post(url, {"state": "all", "within_days": "9"}, follow=True).content.decode()
    run_tick("crm.segments", day(86))
    segment.refresh_from_db()
    assert segment.size == 1
    stirring.stir([slipping[0]])
    run_tick("crm.segments", day(88))
    segment.refresh_from_db()
    assert segment.size == 0


def test_thresholds_are_tried_before_they_count_and_counted_after(ada, slipping):
    preview = reverse("admin:crm_risksettings_preview")
    typed = TYPED | {"once_cooling_share": "0.91", "once_at_risk_share": "0.92"}
    said = " ".join(ada.post(preview, typed).content.decode().split())
    assert '<b>3</b></td><td class="rk-num rk-note">2</td>' in said
    assert RiskSettings.objects.get().once_at_risk_share == 0.8
    change = reverse("admin:crm_risksettings_change", args=[1])
    refused = ada.post(change, TYPED | {"lost_factor": "1.5"})
    assert "This must be more than the 1.75 of at risk." in refused.content.decode()
    ada.post(change, typed)
    assert RiskSettings.objects.get().changed_at == NOW
    run_tick("crm.standing", NOW + timedelta(seconds=9))
    assert Standing.objects.get(contact=slipping[0]).state == "active"


def test_who_may_only_look_tries_and_changes_nothing(vera, sten, slipping):
    assert "Make a segment" not in shown(vera, reverse(PAGE))
    assert vera.post(reverse("admin:crm_risksettings_preview"), TYPED).status_code == 403
    assert (
        vera.post(
            reverse("admin:crm_risksettings_segment"), {"state": "lost", "within_days": "1"}
        ).status_code
        == 403
    )
    assert sten.get(reverse(PAGE)).status_code == 403


def test_a_person_and_the_home_page_say_it_in_words(ada, slipping):
    ana, boris = slipping
    page = shown(ada, reverse("admin:crm_contact_change", args=[boris]))
    assert "Usually buys every 33 days, now 10" in page
    page = shown(ada, reverse("admin:crm_contact_change", args=[ana]))
    assert "Bought once, 90 days ago" in page and "since 22 March 2026" in page
    assert "Without an order lost on 6 April 2026" in page
    home = shown(ada, reverse("admin:index"))
    assert "People: active / cooling / at risk / lost" in home and "in 30 days" in home


def test_the_tick_counts_each_day_once_it_ended(slipping):
    StandingDay.objects.all().delete()
    standing.keep_up(day(90.6))
    standing.keep_up(day(91))
    assert set(StandingDay.objects.values_list("on_day", flat=True)) == {day(90).date()}
    standing.keep_up(day(95.6))
    kept = StandingDay.objects.order_by("on_day").values_list("on_day", flat=True).distinct()
    assert list(kept) == [day(number).date() for number in range(90, 96)]
    standing.keep_up(day(96.6))
    lost = StandingDay.objects.filter(state="lost", people=1).order_by("on_day").first()
    assert lost is not None and lost.on_day == day(95).date()
