"""Who gets a lead: by which rule, in which way of choosing, with whom away; and who is next in time."""

from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.audience.leads import owners, stages, telling
from crm.audience.leads.crew import Crew
from crm.models import (
    Absence,
    AssignmentMember,
    AssignmentRule,
    Contact,
    DeskSettings,
    HandOver,
    Lead,
    MarketingPause,
    Notice,
    Purpose,
    StageMove,
    Task,
)
from crm.shop.hours import DeskHours
from crm.ticking import run_tick
from tests.crm.leads.conftest import LONG_AGO, NOW, at_stage, days, people, refresh, rule, stage, tag

HOUR = timedelta(hours=1)
READY = ("interested", "asked", "reader")
# NOW is Monday, 2 March 2026, 10:00, in a shop that keeps UTC and opens its desk from 9:00 to 17:00.


@pytest.fixture
def crew(db):
    return [
        User.objects.create_user(name, f"{name}@office.example", is_staff=True)
        for name in ("anna", "ben", "cleo")
    ]


def assigning(name, *users, position=100, **more):
    made = AssignmentRule.objects.create(name=name, position=position, created_at=NOW, **more)
    for place, user in enumerate(users):
        AssignmentMember.objects.create(rule=made, user=user, position=place)
    return made


def dealt(definition, number, now=NOW, asked=(), ids=None):
    wanted = [owners.Wanted(pk, asked=frozenset(asked)) for pk in ids or [uuid4() for _ in range(number)]]
    return [str(one.user) for one in owners.choose(definition, wanted, Crew(now), now).values()]


def away(user, stand_in=None):
    day = NOW.date()
    return Absence.objects.create(user=user, from_day=day, to_day=day, stand_in=stand_in)


def test_in_turn_each_gets_as_many_and_the_next_batch_goes_on_where_this_one_stopped(definition, crew):
    assigning("Everybody", *crew)
    assert dealt(definition, 4) == ["anna", "ben", "cleo", "anna"]
    assert dealt(definition, 2) == ["ben", "cleo"]
    away(crew[0])
    assert dealt(definition, 3) == ["ben", "cleo", "ben"]
    Absence.objects.all().delete()
    # Back at work: asked once, with nothing to catch up.
    assert dealt(definition, 4) == ["anna", "cleo", "ben", "anna"]


def test_a_territory_is_a_rule_the_first_by_place_counts_and_who_is_in_none_goes_to_everybody(
    definition, crew
):
    anna, ben, cleo = crew
    few = people("Inga", "Jens", "Kate")
    Contact.objects.filter(first_name="Inga").update(country="DK")
    Contact.objects.filter(first_name="Jens").update(country="DE")
    assigning("Nordics", anna, position=1, rule=rule("crm.country", countries="DK"))
    assigning("Danes", cleo, position=2, rule=rule("crm.country", countries="DK"))
    broken = assigning("Broken", cleo, position=3)
    AssignmentRule.objects.filter(pk=broken.pk).update(rule=rule("crm.gone"))
    assigning("Of another definition", cleo, position=4, is_active=False)
    assigning("The rest", ben, position=9)
    assert dealt(definition, 3, ids=[one.pk for one in few]) == ["anna", "ben", "ben"]
    away(anna)
    assert dealt(definition, 1, ids=[few[0].pk]) == ["cleo"]


def test_load_is_who_has_fewest_leads_to_look_after_now_those_of_this_batch_counted(cast, definition, crew):
    anna, ben, cleo = crew
    accepted = stage(definition, "accepted")
    for contact, owner in zip(cast.values(), (anna, anna, ben, cleo), strict=True):
        Lead.objects.create(
            contact=contact,
            definition=definition,
            version=definition.versions.first(),
            stage=accepted if owner is not cleo else stage(definition, "lead"),
            owner=owner,
            stage_since=NOW,
            became_at=NOW,
        )
    assigning("By load", *crew, chooser="crm.fewest_open")
    assert dealt(definition, 4) == ["cleo", "ben", "cleo", "anna"]
    AssignmentRule.objects.update(chooser="crm.first_at_work")
    assert dealt(definition, 2) == ["anna", "anna"]
    AssignmentRule.objects.update(chooser="crm.gone")
    assert dealt(definition, 1) == ["olga"], "a way of choosing that is gone chooses nobody"


def test_who_is_away_is_stood_in_for_and_a_circle_of_stand_ins_is_nobody(definition, crew, olga):
    anna, ben, cleo = crew
    assigning("Anna alone", anna)
    away(anna, ben)
    away(ben, cleo)
    assert dealt(definition, 1) == ["cleo"]
    assert dealt(definition, 1, now=NOW + days(1)) == ["anna"]
    away(cleo, anna)
    assert dealt(definition, 1) == ["olga"]
    User.objects.filter(pk=olga.pk).update(is_active=False)
    assert dealt(definition, 1) == ["None"]


def test_choosing_costs_the_same_for_one_and_for_many(definition, crew):
    few = people(*(f"Person{number}" for number in range(12)))
    assigning("Nordics", crew[0], position=1, rule=rule("crm.country", countries="DK"))
    assigning("The rest", *crew)

    def cost(ids):
        with CaptureQueriesContext(connection) as queries:
            dealt(definition, 0, ids=ids)
        return len(queries)

    ids = [one.pk for one in few]
    assert cost(ids[:1]) == cost(ids)


def test_desk_hours_leave_out_nights_weekends_and_holidays_and_keep_to_the_clocks_of_the_shop(db):
    desk = DeskSettings(holidays=[date(2026, 3, 30)])
    hours = DeskHours(desk, DeskHours.now_set().zone)
    friday = NOW + days(4) + timedelta(hours=6)  # 16:00
    assert hours.after(friday, 2 * HOUR) == NOW + days(7)
    assert hours.between(friday, NOW + days(7)) == 2 * HOUR
    before = NOW + days(25) + timedelta(hours=6.5)  # Friday 27 March, 16:30, before a Monday that is off
    assert hours.after(before, HOUR) == before + days(4) - timedelta(hours=7)
    assert DeskHours(DeskSettings(weekdays=[]), hours.zone).after(NOW, HOUR) == NOW + HOUR
    late = DeskHours(DeskSettings(opens_at=time(22), closes_at=time(23)), hours.zone)
    assert late.after(NOW, 2 * HOUR) == NOW + days(1) + 13 * HOUR


def test_not_answered_in_two_desk_hours_it_goes_to_the_next_until_nobody_is_left(
    cast, definition, crew, olga
):
    anna, ben, _cleo = crew
    root = User.objects.create_superuser("root", "root@office.example")
    assigning("Two", anna, ben)
    tag(cast["Ana"], *READY)
    refresh(definition)
    first = HandOver.objects.get()
    assert (first.owner, first.answer_by, first.chosen) == (anna, NOW + 2 * HOUR, "by the rule “Two”")
    task = Task.objects.get()
    assert run_tick("crm.hand_overs", NOW + 2 * HOUR - timedelta(seconds=1)) == 0
    for _twice in range(2):
        run_tick("crm.hand_overs", NOW + 2 * HOUR)
    task.refresh_from_db()
    assert (task.owner, task.due_at, Lead.objects.get().owner) == (ben, NOW + 4 * HOUR, ben)
    told = Notice.objects.get(user=ben)
    assert "anna did not answer in time" in told.body and "Score: 60" in told.body
    run_tick("crm.hand_overs", NOW + 4 * HOUR)
    assert Lead.objects.get().owner == olga, "the owner the definition names is the last to be asked"
    for _twice in range(2):
        run_tick("crm.hand_overs", NOW + 7 * HOUR)
    assert Lead.objects.get().owner == olga
    assert "nobody else to ask" in Notice.objects.get(user=root).body
    answers = list(HandOver.objects.order_by("pk").values_list("owner__username", "answer"))
    assert answers == [("anna", "passed"), ("ben", "passed"), ("olga", "waiting")]
    assert Notice.objects.count() == 4


def test_a_lead_that_came_while_nobody_was_at_work_is_somebodys_once_they_are_back(
    cast, definition, crew, olga
):
    assigning("Two", *crew[:2])
    for user in (*crew[:2], olga):
        away(user)
    tag(cast["Ana"], *READY)
    refresh(definition)
    run_tick("crm.hand_overs", NOW + 3 * HOUR)
    assert (Lead.objects.get().owner, Notice.objects.count()) == (None, 0)
    run_tick("crm.hand_overs", NOW + days(1))
    assert Lead.objects.get().owner == Task.objects.get().owner == crew[0]
    assert "Nobody was at work" in Notice.objects.get().body


def test_a_passing_on_that_dies_leaves_nothing_and_repeated_asks_the_next_once(
    cast, definition, crew, monkeypatch
):
    assigning("Two", *crew[:2])
    tag(cast["Ana"], *READY)
    refresh(definition)

    def dies(*_args):
        raise ConnectionError

    monkeypatch.setattr(telling, "tell", dies)
    with pytest.raises(ConnectionError):
        run_tick("crm.hand_overs", NOW + 2 * HOUR)
    assert (HandOver.objects.get().answer, Lead.objects.get().owner) == ("waiting", crew[0])
    monkeypatch.undo()
    for _twice in range(2):
        run_tick("crm.hand_overs", NOW + 2 * HOUR)
    assert (HandOver.objects.count(), Notice.objects.filter(user=crew[1]).count()) == (2, 1)


def test_what_is_accepted_in_time_stays_and_a_refusal_is_kept_with_its_reason(cast, definition, crew):
    definition.rest_days = 14
    definition.save()
    anna, ben, _cleo = crew
    assigning("Two", anna, ben)
    for name in ("Ana", "Boris"):
        tag(cast[name], *READY)
    refresh(definition)
    assert MarketingPause.objects.filter(ended_at=None, until=NOW + days(14)).count() == 2
    ana, boris = (Lead.objects.get(contact=cast[name]) for name in ("Ana", "Boris"))
    stages.accept(ana, NOW + HOUR, "anna")
    stages.refuse(boris, NOW + HOUR, "ben", "no budget", why="not_now")
    run_tick("crm.hand_overs", NOW + 9 * HOUR)
    said = set(
        HandOver.objects.values_list("contact__first_name", "answer", "reason", "words", "answered_by")
    )
    assert said == {("Ana", "accepted", "", "", "anna"), ("Boris", "refused", "not_now", "no budget", "ben")}
    assert at_stage(cast["Boris"]) == "Nurtured"
    owned = dict(Lead.objects.values_list("contact__first_name", "owner__username"))
    assert owned["Boris"] is None and owned["Ana"], "who refused it need not be asked the next time"
    assert StageMove.objects.get(contact=cast["Boris"], by_rule=False).reason == "not now: no budget"
    # Who was refused is written to again; who was accepted is spoken with.
    assert MarketingPause.objects.get(ended_at=None).contact == cast["Ana"]


def test_a_definition_says_what_its_rest_spares_and_whether_it_ends_when_sales_accepts(
    cast, definition, crew
):
    news = Purpose.objects.filter(kind="marketing").order_by("name").first()
    definition.rest_days, definition.rest_spares, definition.rest_ends_accepted = 14, [news.pk], True
    definition.save()
    tag(cast["Ana"], *READY)
    refresh(definition)
    pause = MarketingPause.objects.get(ended_at=None)
    assert pause.spares == [news.pk] and pause.why.endswith(f", but for {news.name}")
    stages.accept(Lead.objects.get(), NOW + HOUR, "anna")
    pause.refresh_from_db()
    assert pause.ended_at == NOW + HOUR


def test_a_pause_of_somebody_elses_outlives_the_hand_over(cast, definition, crew):
    definition.rest_days = 14
    definition.save()
    MarketingPause.objects.create(
        contact=cast["Ana"], until=NOW + days(30), by="mira", occurred_at=LONG_AGO, recorded_at=LONG_AGO
    )
    tag(cast["Ana"], *READY)
    refresh(definition)
    stages.refuse(Lead.objects.get(), NOW + HOUR, "olga", "no")
    assert MarketingPause.objects.get().ended_at is None


def test_given_to_a_colleague_while_it_waits_they_are_asked_and_have_their_time(cast, definition, crew):
    anna, ben, _cleo = crew
    assigning("One", anna)
    tag(cast["Ana"], *READY)
    refresh(definition)
    stages.assign(Lead.objects.get(), ben, NOW + HOUR, "anna")
    asked = list(HandOver.objects.order_by("pk").values_list("owner__username", "answer", "answered_by"))
    assert asked == [("anna", "passed", "anna"), ("ben", "waiting", "")]
    assert Task.objects.get().due_at == NOW + 3 * HOUR
    tag(cast["Ana"], "interested", "competitor")
    refresh(definition, NOW + 2 * HOUR)
    assert HandOver.objects.get(owner=ben).answer == "overtaken"
