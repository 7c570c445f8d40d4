"""What a campaign adds, counted from the rows themselves."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.models import Campaign, Enrolment
from campaigns.results import lift
from campaigns.results.experiments import days_of
from crm.models import Contact
from tests import office
from tests.campaigns import mailing
from tests.campaigns.flows import stage
from tests.campaigns.flows.stage import AT, MINUTE, buy

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NOW = AT + 30 * DAY


@pytest.fixture
def campaign() -> Campaign:
    office.set_up_shop(currency="EUR")
    return stage.flow(control_share=Decimal("0.25"))


def ran(campaign: Campaign, contact: Contact, at=AT, arm: str = "treatment", **changes) -> Enrolment:
    return Enrolment.objects.create(
        contact=contact, campaign=campaign, version=campaign.current, entry=f"{at}", arm=arm,
        qualified_at=at, entered_at=at, **changes,
    )  # fmt: skip


def test_orders_within_the_days_count_once_to_the_last_run_before_them(campaign, django_assert_num_queries):
    ana, boris, chen, dana = mailing.people(4, campaign.purpose)
    ran(campaign, ana)
    ran(campaign, ana, AT + 5 * DAY)
    buy(ana, AT + 6 * DAY, total=Decimal(30), tax=Decimal(5))
    buy(ana, AT + DAY, total=Decimal(10))
    ran(campaign, boris)
    # Before, too late, cancelled.
    buy(boris, AT - MINUTE)
    buy(boris, AT + 7 * DAY)
    buy(boris, AT + DAY, status="cancelled")
    ran(campaign, chen, arm="control")
    buy(chen, AT + DAY, total=Decimal(7))
    buy(chen, AT + DAY, total=Decimal(70), currency="DKK")
    # Not over yet, and a test person.
    ran(campaign, dana, NOW - 6 * DAY)
    ran(campaign, dana, AT, is_test=True)
    with django_assert_num_queries(2):
        found = lift.lift(campaign, NOW)
    treated, held_out = found.treated, found.held_out
    assert (treated.runs, treated.orders.people, treated.bought) == (3, 2, 2)
    assert (treated.money.total, treated.money.squares, treated.money.products) == (35, 35**2, 35 * 2)
    assert treated.orders.runs_squares == 5
    assert (held_out.runs, held_out.bought, held_out.money.total) == (1, 2, 7)
    assert (found.kind, found.days, found.orders) == ("early", 7, None)


def test_people_not_sent_to_count_as_well(campaign):
    """Whether anything was sent is no question: both groups are counted from qualifying."""
    for contact in mailing.people(3, campaign.purpose):
        ran(campaign, contact, state="left", left_reason="purchased", finished_at=AT)
    assert lift.lift(campaign, NOW).treated.runs == 3


def test_without_a_control_group_nothing_is_claimed(campaign):
    Campaign.objects.update(control_share=0)
    campaign.refresh_from_db()
    found = lift.lift(campaign, NOW)
    assert found.kind == "none" and "Give it a control group" in found.words


def test_the_page_shows_it(campaign, ada):
    people = mailing.people(400, campaign.purpose)
    Enrolment.objects.bulk_create(
        Enrolment(
            contact=who, campaign=campaign, version=campaign.current, entry="x", qualified_at=AT,
            entered_at=AT, arm="control" if number % 4 == 0 else "treatment",
        )
        for number, who in enumerate(people)
    )  # fmt: skip
    for number, who in enumerate(people):
        if number % 4 == 1 or number % 40 == 0:
            buy(who, AT + DAY)
    shown = ada.get(reverse("admin:campaigns_campaign_results", args=[campaign.pk])).content.decode()
    shown = " ".join(shown.split())
    assert "bought more than they would have" in shown
    assert "extra orders" in shown and 'held out</th><td class="rk-num">100</td>' in shown
    # 100 of 300 treated bought, 10 of 100 held out: 70 orders more than without.
    assert "<b>70</b> ±" in shown


@pytest.mark.parametrize(
    "trigger, days",
    [
        ("campaigns.abandoned_cart", 7),
        ("campaigns.abandoned_checkout", 7),
        ("campaigns.browsed", 14),
        ("campaigns.replenishment", 30),
        ("campaigns.no_purchase", 45),
        ("campaigns.standing_moves", 45),
        ("campaigns.lead_moves", 60),
        ("campaigns.gone", 14),
    ],
)
def test_how_long_what_they_buy_is_counted_depends_on_the_play(trigger, days):
    assert days_of(Campaign(trigger=trigger)) == days
