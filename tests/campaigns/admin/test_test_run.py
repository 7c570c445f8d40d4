"""The page *Test run*: by day, whom the campaign would have written to; or why that cannot be said."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from campaigns.models import Campaign
from crm.kernel import clock
from crm.models import Contact, Role
from crm.shop.settings import shop_zone
from tests import office
from tests.campaigns.flows.stage import DELAY, buy, leave_cart
from tests.office import logged_in, user


@pytest.fixture
def campaign(db) -> Campaign:
    office.set_up_shop()
    office.sender()
    return office.draft(clock.now())


def look(client, campaign: Campaign, **asked: str) -> str:
    url = reverse("admin:campaigns_campaign_try", args=[campaign.pk])
    return " ".join(client.get(url, asked).content.decode().split())


def test_bars_by_day_and_the_same_as_a_table(campaign, vera):
    Campaign.objects.update(control_share=0)
    then = clock.now() - timedelta(days=3)
    leave_cart(office.person(now=then), then - DELAY)
    leave_cart(office.person("bo@shop.example", agreed=False, now=then), then - DELAY)
    shown = look(vera, campaign)
    assert "In the last 7 days it would have written to <b>1</b> person" in shown
    assert "held back: 1 no address, or has not agreed" in shown
    assert shown.count('<rect class="rk-past-') == 2 and shown.count('<th scope="row">') == 7
    assert 'role="img" aria-label="By day' in shown
    assert shown.count('<th scope="row">') < look(vera, campaign, days="90").count('<th scope="row">') == 90


def test_nobody_on_any_day_is_said(campaign, vera):
    assert "Nobody came in on any of these days" in look(vera, campaign)


def test_a_trigger_that_cannot_be_asked_about_the_past_says_so_in_words(campaign, vera):
    Campaign.objects.update(
        trigger="campaigns.no_purchase", trigger_params={"days": "14", "unseen_days": "7"}
    )
    shown = look(vera, campaign)
    assert "what they were on a past day is not kept whole" in shown and "<rect" not in shown


@pytest.mark.parametrize("days", ["0", "-7", "1000000", "x", "7; DROP"])
def test_a_number_of_days_that_is_not_offered_is_the_least(campaign, vera, days):
    assert "In the last 7 days" in look(vera, campaign, days=days)


@pytest.mark.parametrize("page", ["launch", "try"])
def test_the_line_above_the_page_names_the_campaign_and_leads_back(campaign, ada, page):
    shown = ada.get(reverse(f"admin:campaigns_campaign_{page}", args=[campaign.pk])).content.decode()
    assert _way_back(campaign) in "".join(shown.split())


def test_the_calendar_of_one_campaign_leads_back_to_it_and_that_of_all_to_none(campaign, ada):
    calendar = reverse("admin:campaigns_campaign_calendar")
    narrowed = ada.get(calendar, {"campaign": campaign.pk}).content.decode()
    assert _way_back(campaign) in "".join(narrowed.split())
    assert _way_back(campaign) not in "".join(ada.get(calendar).content.decode().split())


def _way_back(campaign: Campaign) -> str:
    """The piece of the breadcrumbs, without the spaces."""
    url = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    classes = "align-middle inline-block leading-5 min-w-0 truncate tracking-tight"
    return "".join(f'<a href="{url}" class="{classes}">{campaign}</a>'.split())


def test_what_was_bought_anyway_and_the_people_of_a_day_with_the_way_to_why(campaign, ada):
    Campaign.objects.update(control_share=0)
    now = clock.now()
    then = now - timedelta(days=3)
    ana = office.person(now=then)
    leave_cart(ana, then - DELAY)
    buy(ana, then + timedelta(hours=1))
    shown = look(ada, campaign)
    assert "<b>1</b> bought anyway within 7 days" in shown and "Who would have come in" not in shown
    day = then.astimezone(shop_zone()).date().isoformat()
    listed = look(ada, campaign, days="7", on=day)
    assert f'href="?days=7&amp;on={day}#rk-came"' in listed
    assert f"{reverse('admin:campaigns_campaign_why', args=[campaign.pk])}?as={ana.pk}" in listed
    assert "Would be written to" in listed
    for wrong in ("2026-99-99", "1999-01-01", "x' OR 1=1"):
        assert "Who would have come in" not in look(ada, campaign, on=wrong)
    # Of people that a colleague does not see the number alone is told.
    sam = user("sam")
    sam.groups.add(Role.objects.get(key="sales").group)
    sam.user_permissions.add(Permission.objects.get(codename="view_campaign"))
    Contact.objects.update(owner=user("bea"))
    hidden = look(logged_in(sam), campaign, days="7", on=day)
    assert "1 person: the first hundred are listed, of those that you get to see" in hidden
    assert str(ana.pk) not in hidden and str(ana) not in hidden
