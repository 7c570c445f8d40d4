"""Birthdays and anniversaries of orders: once a year, leap days too, forward only."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from campaigns.flows import forecasting
from campaigns.flows.kinds import triggers
from campaigns.models import Campaign, Decision, Enrolment
from crm.models import Contact, Order, OrderLine, OwnField, Product, ShopSettings
from tests.campaigns.flows.stage import MINUTE, buy, enrol, flow, shopper

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def shop():
    ShopSettings.objects.update_or_create(pk=1, defaults={"name": "Shop", "time_zone": str(BERLIN)})
    OwnField.objects.create(key="born", label="Born", type=OwnField.Type.DATE, created_at=BEGIN)


def birthdays(**params):
    given = {"field": "born", "days_before": "0"} | params
    return flow(
        trigger="campaigns.birthday",
        trigger_params=given,
        launched_at=BEGIN,
        created_at=BEGIN,
        expires_after=None,
    )


def born(contact, day, zone=""):
    Contact.objects.filter(pk=contact.pk).update(fields={"born": day, "shoes": 42}, time_zone=zone)
    return contact


def through(begin, end, step=6 * HOUR):
    now = begin
    while now <= end:
        enrol(now)
        now += step


def days(zone=BERLIN):
    moments = Enrolment.objects.order_by("qualified_at").values_list("qualified_at", flat=True)
    return [moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") for moment in moments]


def test_a_birthday_comes_at_nine_in_the_morning_where_they_live_once_a_year():
    campaign = birthdays()
    born(shopper(campaign, 1), "1990-03-04")
    born(shopper(campaign, 2), "1985-03-04", "Asia/Tokyo")
    born(shopper(campaign, 3), "1985-03-05")
    begin = datetime(2026, 3, 3, 12, tzinfo=UTC)
    through(begin, begin + 36 * HOUR)
    assert days() == ["2026-03-04 01:00", "2026-03-04 09:00"]
    through(begin + 365 * DAY, begin + 366 * DAY)
    assert Enrolment.objects.count() == 4
    assert Decision.objects.first().evidence["born"]


def test_whoever_was_born_on_a_leap_day_has_it_on_the_twenty_eighth_of_other_years():
    born(shopper(birthdays()), "1992-02-29")
    for year in (2026, 2028):
        through(datetime(year, 2, 27, tzinfo=UTC), datetime(year, 3, 2, tzinfo=UTC), 11 * HOUR)
    assert days() == ["2026-02-28 09:00", "2028-02-29 09:00"]


def test_days_before_a_new_years_birthday_lie_in_the_old_year():
    born(shopper(birthdays(days_before="7")), "1992-01-03")
    through(datetime(2026, 12, 26, tzinfo=UTC), datetime(2026, 12, 28, tzinfo=UTC))
    assert days() == ["2026-12-27 09:00"]
    assert Enrolment.objects.get().entry == "birthday:born:2027"


def test_a_missed_birthday_is_not_made_up_and_one_before_the_launch_is_over():
    campaign = birthdays()
    born(shopper(campaign), "1990-03-04")
    assert enrol(datetime(2026, 3, 4, 21, tzinfo=UTC)) == 0
    campaign.launched_at = datetime(2026, 3, 4, 9, tzinfo=UTC)
    campaign.save()
    assert enrol(datetime(2026, 3, 4, 10, tzinfo=UTC)) == 0


def test_the_forecast_of_a_day_sees_a_birthday_in_its_first_half():
    campaign = birthdays()
    Campaign.objects.filter(pk=campaign.pk).update(state=Campaign.State.DRAFT, launched_at=None)
    campaign.refresh_from_db()
    born(shopper(campaign, 1), "1990-03-04")
    born(shopper(campaign, 2), "1990-03-03")
    made = forecasting.forecast(campaign, datetime(2026, 3, 4, 2, tzinfo=UTC))
    assert (made.hour.people, made.day.people, made.yesterday.people) == (0, 1, 1)


def anniversaries(**params):
    return flow(
        trigger="campaigns.anniversary",
        trigger_params={"days_before": "14"} | params,
        launched_at=BEGIN,
        created_at=BEGIN,
        expires_after=None,
        exit_on_purchase=False,
    )


def ordered(contact, at, category="", **changes):
    order = buy(contact, at, **changes)
    thing = Product.objects.create(name=category or "Thing", external_id=str(order.pk), category=category)
    OrderLine.objects.create(contact=contact, order=order, product=thing, name=thing.name, occurred_at=at)
    return order


def test_two_weeks_before_the_day_of_last_years_order_at_its_hour_once():
    campaign = anniversaries()
    ana = shopper(campaign)
    order = ordered(ana, datetime(2025, 5, 20, 16, 30, tzinfo=UTC))
    due = datetime(2026, 5, 6, 16, 30, tzinfo=UTC)
    assert [enrol(due - MINUTE), enrol(due), enrol(due + HOUR)] == [0, 1, 0]
    entered = Enrolment.objects.get()
    assert (entered.subject_kind, entered.subject_id, entered.qualified_at) == ("order", order.pk, due)
    assert Decision.objects.get().evidence["years"] == 1
    assert enrol(due + 365 * DAY) == 1, "and the year after again"


def test_only_orders_of_the_category_and_none_that_was_sent_back():
    campaign = anniversaries(category="gifts")
    ana, boris, chen = (shopper(campaign, number) for number in (1, 2, 3))
    at = datetime(2024, 5, 20, 12, tzinfo=UTC)
    ordered(ana, at, "Gifts")
    ordered(boris, at, "Cables")
    ordered(chen, at, "Gifts", status=Order.Status.REFUNDED)
    through(at.replace(year=2026) - 15 * DAY, at.replace(year=2026) - 13 * DAY)
    assert [run.contact_id for run in Enrolment.objects.all()] == [ana.pk]


def test_what_was_bought_on_a_leap_day_has_its_day_on_the_twenty_eighth():
    ordered(shopper(anniversaries(days_before="0")), datetime(2024, 2, 29, 12, tzinfo=UTC))
    for year in (2026, 2028):
        through(datetime(year, 2, 27, tzinfo=UTC), datetime(year, 3, 3, tzinfo=UTC), 12 * HOUR)
    assert days() == ["2026-02-28 13:00", "2028-02-29 13:00"]


def test_the_hour_of_the_order_is_kept_across_summer_time():
    ordered(shopper(anniversaries()), datetime(2025, 4, 5, 8, 15, tzinfo=UTC))
    through(datetime(2026, 3, 21, tzinfo=UTC), datetime(2026, 3, 24, tzinfo=UTC))
    assert days() == ["2026-03-22 10:15"]


def test_two_orders_of_one_season_remind_once_a_year():
    ana = shopper(anniversaries())
    ordered(ana, datetime(2024, 12, 20, 12, tzinfo=UTC))
    ordered(ana, datetime(2025, 1, 5, 12, tzinfo=UTC))
    through(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), 2 * DAY)
    assert days() == ["2026-12-06 13:00"]


def test_an_order_to_try_the_flow_with_is_the_last_one_or_there_is_none():
    campaign = anniversaries(category="Gifts")
    ana, boris = shopper(campaign, 1), shopper(campaign, 2)
    ordered(ana, BEGIN - 90 * DAY, "Gifts")
    last = ordered(ana, BEGIN - 50 * DAY, "Gifts")
    trigger = triggers.get(campaign.trigger)
    params = trigger.read(campaign.trigger_params)
    assert trigger.rehearse(params, ana.pk, BEGIN).subject_id == last.pk
    assert trigger.rehearse(params, boris.pk, BEGIN) is None
    assert trigger.sentence(params) == "An order in Gifts has its day again in 14 days"
