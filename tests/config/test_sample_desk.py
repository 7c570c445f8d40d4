"""The sample's sales desk: two weeks of hand-overs as they would have been, what waits now, safe logins."""

import io
from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.test import Client

from config import administrators
from config.sample import audience, desk, shop, year
from crm.audience.leads import pace
from crm.kernel.panels import day_panels
from crm.models import (
    Absence,
    AssignmentRule,
    DeskSettings,
    HandOver,
    Lead,
    LeadDefinition,
    Note,
    Notice,
    StageMove,
    Task,
)

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
PEOPLE = 600

pytestmark = pytest.mark.django_db


def _open_with_people(number: int) -> None:
    shop.open_shop(NOW)
    year.load(shop.stock_shelves(NOW), NOW, lambda done, of: None, people=number)
    desk.open_desk(audience.define(NOW), NOW)


@pytest.mark.proof
def test_the_desk_has_had_two_weeks_by_the_rules_and_has_something_to_do_now() -> None:
    administrators.ensure_first()
    _open_with_people(PEOPLE)
    admin = get_user_model().objects.get(username=administrators.FIRST)

    waits = HandOver.objects.filter(answer="waiting")
    assert waits.filter(owner=admin).exists()
    assert not waits.filter(owner__username=desk.AWAY).exists()
    assert all(one.answer_by > NOW for one in waits)
    assert day_panels.get("crm.hand_overs").show(admin, NOW)["tasks"]
    assert day_panels.get("crm.tasks_due").show(admin, NOW)["tasks"]

    days = HandOver.objects.annotate(day=TruncDate("occurred_at")).values("day").distinct()
    assert days.count() > 3
    answers = dict(HandOver.objects.values_list("answer").annotate(number=Count("pk")))
    assert {"accepted", "refused", "passed", "waiting"} == set(answers)
    told = pace.report(NOW - timedelta(days=30), NOW)
    assert told.whole.median_touch is not None and 0 < told.whole.share_in_time < 100
    assert told.refused and len(told.by_owner) >= 3

    # What it says is what the rules said then.
    for row in HandOver.objects.select_related("move"):
        assert row.move.score >= 70 and row.move.occurred_at <= row.occurred_at <= NOW
        assert row.answered_at is None or row.occurred_at < row.answered_at <= NOW
    for model in (StageMove, Note):
        assert not model.objects.filter(occurred_at__gt=NOW).exists(), model
    ready = Lead.objects.filter(stage__meaning="sales_ready").values_list("contact_id", flat=True)
    assert set(ready) == set(HandOver.objects.filter(answer="waiting").values_list("contact_id", flat=True))
    assert not Notice.objects.exists()


def test_nobody_logs_in_as_a_colleague_and_the_administrator_still_gets_a_password() -> None:
    administrators.ensure_first()
    _open_with_people(8)
    for name in desk.COLLEAGUES:
        user = get_user_model().objects.get(username=name)
        assert user.is_staff and not user.is_superuser and not user.has_usable_password()
        for word in ("", name, "password", user.password):
            assert not Client().login(username=name, password=word)
        assert user.has_perm("crm.change_lead") and not user.has_perm("crm.change_assignmentrule")
    password = administrators.first_password()
    assert Client().login(username=administrators.FIRST, password=password)
    assert administrators.first_password() == ""


def test_somebody_of_that_name_who_works_here_stays_who_they_are() -> None:
    theirs = get_user_model().objects.create_user("joris", "joris@real-mail.net", password="his own")
    with pytest.raises(CommandError, match="joris works here"):
        call_command("sample_shop", "load", people=8, stdout=io.StringIO())
    assert not LeadDefinition.objects.exists()
    call_command("sample_shop", "remove", stdout=io.StringIO())
    theirs.refresh_from_db()
    assert theirs.check_password("his own") and not theirs.is_staff


def test_the_desk_goes_with_the_sample_and_hours_of_ones_own_stay() -> None:
    administrators.ensure_first()
    _open_with_people(8)
    assert DeskSettings.objects.get().closes_at == time(18)
    desk.forget()
    assert not AssignmentRule.objects.exists() and not Absence.objects.exists()
    assert [user.username for user in get_user_model().objects.all()] == [administrators.FIRST]
    assert DeskSettings.objects.get().closes_at == time(17)
    DeskSettings.objects.update(opens_at=time(7))
    desk.forget()
    assert DeskSettings.objects.get().opens_at == time(7)
    assert not Task.objects.filter(owner__username__in=desk.COLLEAGUES).exists()
