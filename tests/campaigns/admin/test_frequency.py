"""The page of frequency limits and priority: what holds for all campaigns, each with its reason."""

from datetime import time, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns import seed
from campaigns.models import Campaign, ChannelLimit, Decision, FrequencySettings
from crm.kernel import clock
from crm.models import Purpose

TYPED = {
    "offers_a_day": "2",
    "allowed_from": "10:00",
    "allowed_until": "18:30",
    "answers_minutes": "15",
    "look_ahead_hours": "6",
    "control_percent": "2.5",
}
URL = "/admin/campaigns/frequencysettings/1/change/"


def rows(*limits, **changes):
    """The limits as the page's form sends them: those that are there, then new ones."""
    stored = list(ChannelLimit.objects.all())
    sent = {"limits-TOTAL_FORMS": str(len(stored) + len(limits)), "limits-INITIAL_FORMS": str(len(stored))}
    for number, limit in enumerate(stored):
        length, unit = limit.span.split()
        known = {"id": limit.pk, "channel": limit.channel, "at_most": limit.at_most}
        known |= {"length": length, "unit": f"{unit.removesuffix('s')}s", "purpose": limit.purpose_id or ""}
        sent |= {f"limits-{number}-{name}": str(value) for name, value in known.items()}
        sent[f"limits-{number}-settings"] = "1"
    for number, limit in enumerate(limits, start=len(stored)):
        sent |= {f"limits-{number}-{name}": value for name, value in limit.items()}
        sent[f"limits-{number}-settings"] = "1"
    return TYPED | sent | changes


def spans():
    return [str(limit) for limit in ChannelLimit.objects.all()]


def test_a_new_shop_begins_with_the_limits_of_good_practice(world, ada):
    assert spans() == [
        "at most one e-mail in 20 hours",
        "at most 4 e-mails in 7 days",
        "at most one text message in 7 days",
        "at most 3 browser messages in 7 days",
    ]
    shown = ada.get(URL).content.decode()
    for words in ("Frequency limits and priority", "Who gets more than four a week", "09:00", "20:00"):
        assert words in shown
    assert FrequencySettings._meta.get_field("control_percent").default == 5


@pytest.mark.django_db
def test_what_a_marketer_removed_stays_removed():
    ChannelLimit.objects.filter(channel="sms").delete()
    seed.plant()
    assert not any("text message" in limit for limit in spans())
    FrequencySettings.objects.all().delete()
    seed.plant()
    assert len(spans()) == 4


def test_the_numbers_are_changed_on_the_page(world, ada):
    monthly = {"channel": "email", "at_most": "1", "length": "30", "unit": "days"}
    win_back = Purpose.objects.get(key="win_back")
    answer = ada.post(URL, rows(monthly | {"purpose": str(win_back.pk)}, **{"limits-0-length": "12"}))
    assert answer.status_code == 302, answer.context["errors"]
    rules = FrequencySettings.objects.get()
    assert (rules.offers_a_day, rules.allowed_from, rules.allowed_until) == (2, time(10), time(18, 30))
    assert (rules.answers_minutes, rules.look_ahead_hours) == (15, 6)
    assert rules.control_percent == Decimal("2.5")
    assert "at most one e-mail in 12 hours" in spans()
    assert ChannelLimit.objects.get(purpose=win_back).within == timedelta(days=30)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"allowed_until": "09:00"}, "This must be later in the day than 10:00."),
        ({"allowed_from": "late"}, "Enter a valid time."),
        ({"offers_a_day": "0"}, "greater than or equal to 1"),
        ({"control_percent": "80"}, "less than or equal to 50"),
        ({"look_ahead_hours": "-1"}, "greater than or equal to 0"),
        ({"limits-0-at_most": "0"}, "greater than or equal to 1"),
        ({"limits-0-length": "0"}, "greater than or equal to 1"),
        ({"limits-0-unit": "years"}, "not one of the available choices"),
        (
            {"limits-0-length": "7", "limits-0-unit": "days"},
            "There is a limit for 7 days already: change that one.",
        ),
    ],
)
def test_a_mistake_is_said_beside_its_field_and_changes_nothing(world, ada, typed, says):
    before = spans()
    answer = ada.post(URL, rows(**typed))
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert FrequencySettings.objects.get().offers_a_day == 1
    assert spans() == before


def test_the_order_of_the_campaigns_and_what_the_limits_did_stand_below(world, ada):
    Campaign.objects.update(priority=30, quiet_hours=True)
    Campaign.objects.create(
        name="Receipts", priority=5, purpose=Purpose.objects.get(key="transactional"), trigger="x"
    )
    for number in range(3):
        Decision.objects.create(
            contact=world.contact,
            campaign=world.campaign,
            verdict="waited",
            reason="frequency",
            words=f"{number}",
            decided_at=clock.now(),
        )
    shown = ada.get(URL).content.decode()
    assert shown.index("Receipts") < shown.index(world.campaign.name)
    assert "free of them" in shown
    assert "another message had used up a limit" in shown and "made to wait" in shown


def test_whoever_may_not_see_it_does_not(world, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("guest", is_staff=True))
    for url in (URL, reverse("admin:campaigns_frequencysettings_changelist")):
        assert client.get(url).status_code == 403
