"""Every tick is on the schedule after a migrate, and what people changed there stays."""

import sys

import pytest
from celery.signals import worker_init
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from config import schedule
from crm.ticking import ticks

pytestmark = pytest.mark.django_db


def test_after_a_migrate_every_tick_is_on_the_schedule():
    PeriodicTask.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert {"tracking.ingest", "campaigns.trigger", "campaigns.advance", "campaigns.deliver"} <= set(ticks)
    assert set(ticks) <= set(PeriodicTask.objects.values_list("task", flat=True))


def test_in_a_worker_whoever_computes_takes_short_turns():
    usual = sys.getswitchinterval()
    try:
        worker_init.send(sender=None)
        assert sys.getswitchinterval() <= 0.001 < usual
    finally:
        sys.setswitchinterval(usual)


def test_a_schedule_that_people_changed_stays_as_they_left_it():
    schedule.ensure()
    PeriodicTask.objects.filter(task="campaigns.trigger").update(enabled=False, name="My own name")
    assert schedule.ensure() == 0
    call_command("migrate", verbosity=0)
    assert PeriodicTask.objects.get(task="campaigns.trigger").name == "My own name"
    assert not PeriodicTask.objects.get(task="campaigns.trigger").enabled


def test_what_is_missing_is_made_again():
    schedule.ensure()
    PeriodicTask.objects.filter(task="campaigns.reap").delete()
    assert schedule.ensure() == 1
