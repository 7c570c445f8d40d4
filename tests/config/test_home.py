"""The home page: never an error, says whether the program is alive and what needs a person."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from campaigns.models import Campaign, OrderCredit
from config import home, schedule
from crm.kernel import clock
from crm.models import Heartbeat, LeadDefinition, Notice, Task
from crm.ticking import ticks
from tests import office
from tracking.models import InboundEvent


def shown(client) -> str:
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def beat(at, *names: str) -> None:
    for name in names or ticks:
        Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": at})


def test_an_empty_database_has_a_home_with_the_first_steps(ada, db):
    page = shown(ada)
    assert "The way to your first message" in page
    assert "Nothing has run yet" in page
    assert "No campaigns yet" in page


def test_steps_tick_themselves_off(ada, world):
    assert "The way to your first message" not in shown(ada)
    InboundEvent.objects.all().delete()
    page = shown(ada)
    assert page.count("done</span>") == 5
    assert "This ticks itself off once a page reports in" in page


def test_leads_that_wait_for_ones_answer_are_said_to_nobody_else(ada, db):
    vera = User.objects.create_superuser("vera")
    person = office.person()
    for owner in (User.objects.get(username="ada"), vera, vera):
        Task.objects.create(contact=person, owner=owner, kind=Task.Kind.HAND_OVER, title="sales-ready")
    assert "<b>1</b> lead to accept or refuse" in shown(ada)
    Task.objects.filter(owner__username="ada").update(done_at=clock.now())
    assert "to accept or refuse" not in shown(ada)


def test_all_is_well_while_every_job_beats(ada, db):
    beat(clock.now())
    assert "all well" in shown(ada)


def test_a_silent_worker_is_named_with_what_to_do(ada, db):
    beat(clock.now() - timedelta(minutes=4))
    page = shown(ada)
    assert "Worker or beat has been silent since 4 minutes ago" in page
    assert "make run" in page


def test_one_silent_or_failing_job_is_named_by_what_it_does(ada, db):
    now = clock.now()
    beat(now)
    beat(now - timedelta(minutes=10), "campaigns.deliver")
    Heartbeat.objects.filter(name="campaigns.trigger").update(error="Boom: <b>", error_at=now)
    page = shown(ada)
    assert f"{ticks['campaigns.deliver'].label.rstrip('.')}</b> has been silent" in page
    assert "failed" in page
    assert "Boom: &lt;b&gt;" in page


def test_right_after_the_start_a_job_that_had_no_turn_yet_is_not_silent(db):
    now = clock.now()
    schedule.ensure()
    beat(now, "tracking.ingest")
    PeriodicTask.objects.update(date_changed=now - timedelta(seconds=20))
    assert home.life(now)["ok"]
    PeriodicTask.objects.update(date_changed=now - timedelta(minutes=10))
    assert not home.life(now)["ok"]


def test_a_rare_job_that_had_no_turn_yet_is_not_silent(db):
    now = clock.now()
    beat(now, *[job.name for job in ticks.values() if job.every <= 60])
    assert home.life(now)["ok"]


def test_what_needs_a_person_stands_there(ada, world):
    office.along(world.delivery, "claimed", "sending", "unknown", reason="sender_died")
    InboundEvent.objects.update(state=InboundEvent.State.PARKED, error="odd")
    Campaign.objects.update(problem="It broke.", problem_at=office.NOW)
    LeadDefinition.objects.create(name="Wholesale", problem="It broke.")
    Notice.objects.create(key="1", user=User.objects.get(username="ada"), subject="s", body="b", problem="p")
    page = shown(ada)
    assert "<b>1</b> delivery unconfirmed" in page
    assert "could not be read" in page
    assert "paused itself" in page
    assert "<b>Wholesale</b> takes nobody in" in page and "<b>1</b> notice to colleagues" in page


def test_recovered_money_stands_beside_last_weeks(ada, world):
    beat(clock.now())
    now = clock.now()
    for number, (age, amount) in enumerate([(1, "249.00"), (9, "100.00")]):
        at = now - timedelta(days=age)
        bought = office.order(world.contact, world.product, number=50 + number, at=at)
        OrderCredit.objects.create(
            contact=world.contact,
            order_id=bought.pk,
            delivery_id=world.delivery.pk,
            campaign=world.campaign,
            how="click",
            touched_at=at,
            ordered_at=at,
            amount=Decimal(amount),
            currency="EUR",
            at_once=True,
        )
    page = shown(ada)
    assert "249.00 EUR" in page
    assert "1 cart recovered" in page
    assert "last week 100.00 EUR" in page


@pytest.mark.parametrize(
    "zone", ["Pacific/Kiritimati", "America/New_York", "Asia/Kathmandu", "not/a-zone", ""]
)
def test_days_are_the_shops_own_whatever_its_zone(ada, db, zone):
    office.set_up_shop(time_zone=zone)
    answer = ada.get(reverse("admin:index"))
    assert len(answer.context["recovered_days"]) == 7
