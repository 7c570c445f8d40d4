"""When a segment is refreshed is said in words; the scheduler's rows behind it are found or made."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django_celery_beat.models import CrontabSchedule, IntervalSchedule

from crm.audience import schedules
from crm.audience.schedules import Plan
from crm.models import Segment

# A Monday, 10:00 in Amsterdam.
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ZONE = "Europe/Amsterdam"


@pytest.fixture
def segment(db):
    return Segment.objects.create(name="An", created_at=NOW)


@pytest.mark.parametrize(
    "plan, words, next_at",
    [
        (Plan("5m"), "every 5 minutes", NOW + timedelta(minutes=5)),
        (Plan("15m"), "every 15 minutes", NOW + timedelta(minutes=15)),
        (Plan("1h"), "every hour", NOW + timedelta(hours=1)),
        (Plan("day", time(6, 30)), "every day at 06:30", datetime(2026, 3, 3, 5, 30, tzinfo=UTC)),
        (Plan("workdays", time(18)), "Monday to Friday at 18:00", datetime(2026, 3, 2, 17, tzinfo=UTC)),
        (Plan("week", time(6), 0), "every Sunday at 06:00", datetime(2026, 3, 8, 5, tzinfo=UTC)),
        (Plan("own", crontab="0 6 1 * *"), "by the crontab 0 6 1 * *", datetime(2026, 4, 1, 4, tzinfo=UTC)),
        (
            Plan("own", crontab="0 7 * * 1-5"),
            "Monday to Friday at 07:00",
            datetime(2026, 3, 3, 6, tzinfo=UTC),
        ),
    ],
)
def test_a_plan_is_kept_told_in_words_and_comes_in_the_time_of_the_shop(segment, plan, words, next_at):
    schedules.keep(segment, plan, ZONE, NOW)
    segment.save()
    segment = Segment.objects.get()
    assert schedules.in_words(segment) == words
    assert segment.due_at == next_at == schedules.next_at(segment, NOW)
    kept = schedules.plan_of(segment)
    schedules.keep(segment, kept, ZONE, NOW)
    assert schedules.in_words(segment) == words, "and the form shows it as it is"


def test_the_same_plan_takes_the_same_row(db):
    for plan in (Plan("day", time(6)), Plan("15m")):
        for name in ("a", "b"):
            segment = Segment(name=f"{plan.every}{name}", created_at=NOW)
            schedules.keep(segment, plan, ZONE, NOW)
            segment.save()
    assert IntervalSchedule.objects.filter(every=15, period="minutes").count() == 1
    assert CrontabSchedule.objects.filter(hour="6", minute="0", day_of_week="*", timezone=ZONE).count() == 1


def test_hourly_where_nothing_was_said(segment):
    assert schedules.in_words(segment) == "every hour"
    assert schedules.next_at(segment, NOW) == NOW + timedelta(hours=1)


def test_an_interval_of_another_hand_is_told_and_kept(segment):
    segment.interval = IntervalSchedule.objects.create(every=30, period="minutes")
    assert schedules.in_words(segment) == "every 30 minutes"
    assert schedules.plan_of(segment).every == schedules.KEPT


@pytest.mark.parametrize(
    "crontab",
    ["", "0 6 * *", "0 6 * * * *", "61 6 * * *", "x * * * *", "0 0 31 2 *", "; DROP * * *", "0 0 0 * *"],
)
def test_a_crontab_that_cannot_be_read_or_never_comes_is_refused(crontab):
    with pytest.raises(ValidationError):
        schedules.check(Plan("own", crontab=crontab), NOW)


@pytest.mark.parametrize("crontab", ["0 6 1 * *", "*/7 * * * *", "0 0 29 2 *", "0 6 * * mon,thu"])
def test_a_crontab_that_comes_is_taken(crontab):
    schedules.check(Plan("own", crontab=crontab), NOW)
