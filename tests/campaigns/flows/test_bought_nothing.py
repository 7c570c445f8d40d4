"""Whom we miss: no order for two weeks, no visit for one; forward only, or also whoever was there before."""

from datetime import timedelta

import pytest

from campaigns.flows.kinds import triggers
from campaigns.models import Campaign, Decision, Enrolment
from crm.models import Contact, Engagement, Standing
from tests.campaigns.flows.stage import AT, MINUTE, advance, buy, enrol, flow, run, shopper

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def missing(**changes):
    params = {"days": "14", "unseen_days": "7"} | changes.pop("params", {})
    usual = {"reentry_days": 60, "expires_after": None, "launched_at": AT - DAY}
    return flow(trigger="campaigns.no_purchase", trigger_params=params, **(usual | changes))


def known(contact, *, since=AT - 90 * DAY, bought=None, seen=None):
    Contact.objects.filter(pk=contact.pk).update(created_at=since, recorded_at=since)
    Engagement.objects.filter(contact=contact).update(last_order_at=bought, last_seen_at=seen)
    return contact


def existing(campaign, now, limit=10):
    trigger = triggers.get(campaign.trigger)
    params = trigger.read(campaign.trigger_params)
    return trigger.entrants(params, campaign, now, limit=limit, existing=True)


def test_whoever_bought_two_weeks_ago_and_was_not_here_for_one_enters_once():
    ana = known(shopper(missing()), bought=AT - 14 * DAY, seen=AT - 8 * DAY)
    assert enrol(AT - MINUTE) == 0
    assert [enrol(AT), enrol(AT + MINUTE)] == [1, 0]
    entered = Enrolment.objects.get()
    assert (entered.contact_id, entered.qualified_at) == (ana.pk, AT)
    why = Decision.objects.get()
    assert why.evidence["last_order_at"] == (AT - 14 * DAY).isoformat()
    assert "bought nothing" in why.words


def test_a_visit_this_week_puts_it_off_until_they_have_been_away_for_one():
    known(shopper(missing()), bought=AT - 20 * DAY, seen=AT - 2 * DAY)
    assert enrol(AT) == 0
    assert enrol(AT + 5 * DAY) == 1


def test_the_registered_who_never_bought_count_from_when_they_registered():
    known(shopper(missing()), since=AT - 14 * DAY)
    assert enrol(AT - MINUTE) == 0
    assert enrol(AT) == 1
    assert "registered_at" in Decision.objects.get().evidence


def test_whoever_is_at_risk_or_lost_belongs_to_another_flow():
    campaign = missing()
    for number, state in enumerate(("active", "cooling", "at_risk", "lost"), start=1):
        person = known(shopper(campaign, number), bought=AT - 14 * DAY)
        moments = dict.fromkeys(("since", "last_at", "cooling_at", "at_risk_at", "lost_at"), AT)
        Standing.objects.create(contact=person, clock="purchase", state=state, **moments)
    assert enrol(AT) == 2


def test_whoever_may_not_be_written_to_is_not_a_subscriber():
    known(shopper(missing()), bought=AT - 14 * DAY)
    Engagement.objects.update(may_receive=[])
    assert enrol(AT) == 0


def test_it_looks_forward_from_the_launch_and_the_longest_waiting_go_first():
    campaign = missing()
    late = known(shopper(campaign, 1), bought=AT - 14 * DAY)
    early = known(shopper(campaign, 2), bought=AT - 14 * DAY - 6 * timedelta(hours=1))
    known(shopper(campaign, 3), bought=AT - 40 * DAY)
    trigger = triggers.get(campaign.trigger)
    named = trigger.entrants(trigger.read(campaign.trigger_params), campaign, AT, limit=5)
    assert [one.contact_id for one in named] == [early.pk, late.pk]


def test_people_from_before_the_launch_are_named_only_where_they_are_asked_for():
    campaign = missing()
    before = known(shopper(campaign, 1), bought=AT - 40 * DAY)
    longer = known(shopper(campaign, 2), bought=AT - 50 * DAY)
    known(shopper(campaign, 3), bought=AT - 14 * DAY)
    assert enrol(AT) == 1
    named = existing(campaign, AT)
    assert [one.contact_id for one in named] == [longer.pk, before.pk]
    assert {one.qualified_at for one in named} == {AT}, "a message to them is not late"
    assert [one.contact_id for one in existing(campaign, AT, limit=1)] == [longer.pk]


def test_they_are_let_in_beside_the_others_so_many_a_day():
    campaign = missing(existing_a_day=2, launched_at=AT)
    for number in range(1, 6):
        known(shopper(campaign, number), bought=AT - (30 + number) * DAY)
    for hour in range(0, 49, 6):
        enrol(AT + timedelta(hours=hour))
    days = [at.date() for at in Enrolment.objects.order_by("entered_at").values_list("entered_at", flat=True)]
    assert len(days) == 5 and max(days.count(day) for day in days) == 2
    assert all(row.reason == "qualified_before" for row in Decision.objects.filter(verdict="entered"))


def test_whoever_stays_away_is_let_in_again_after_sixty_days_and_not_before():
    campaign = missing()
    known(shopper(campaign), bought=AT - 14 * DAY)
    run(AT)
    for day in range(1, 60, 7):
        run(AT + day * DAY)
    assert Enrolment.objects.count() == 1
    run(AT + 60 * DAY)
    assert Enrolment.objects.count() == 2


def test_an_order_ends_it_also_one_that_is_told_of_late():
    campaign = missing()
    wait = {"kind": "campaigns.wait", "params": {"length": "7", "unit": "days"}}
    campaign.current.steps.update(**wait, template=None)
    ana = known(shopper(campaign), bought=AT - 14 * DAY)
    enrol(AT)
    buy(ana, AT - 2 * DAY)
    advance(AT + 7 * DAY)
    assert Enrolment.objects.get().left_reason == "purchased"


def test_the_order_they_were_counted_from_does_not_end_it():
    campaign = missing()
    ana = known(shopper(campaign), bought=AT - 14 * DAY)
    buy(ana, AT - 14 * DAY)
    run(AT)
    assert Enrolment.objects.get().state == Enrolment.State.FINISHED


def test_the_entry_rule_is_part_of_the_question():
    campaign = missing(entry_rule={"all": [{"kind": "crm.name", "params": {"contains": "person2"}}]})
    for number in (1, 2):
        known(shopper(campaign, number), bought=AT - 14 * DAY)
    Contact.objects.update(recorded_at=AT - 90 * DAY)
    assert enrol(AT) == 1
    assert Campaign.objects.get().problem == ""
