"""People are put into a flow by clicks, and a broadcast gets its date: on desk and phone."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign, Enrolment
from crm.models import Segment
from tests.browser import pictures
from tests.browser.widths import fits
from tests.campaigns.flows.stage import WAIT, flow, shopper
from tests.office import set_up_shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def office(live_server: LiveServer, page: Page) -> Page:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    set_up_shop()
    return page


def test_a_colleague_puts_people_in(live_server: LiveServer, office: Page, complaints: list[str]) -> None:
    page = office
    campaign = flow(WAIT, trigger="campaigns.by_hand", trigger_params={}, name="Call back")
    ana, boris, chen = (shopper(campaign, number) for number in (1, 2, 3))
    friends = Segment.objects.create(name="Friends", kind="fixed")
    friends.memberships.create(contact=boris, entered_at=campaign.launched_at)
    page.goto(live_server.url + reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
    page.get_by_role("link", name="Put people in").click()
    page.get_by_label("E-mail address").fill(ana.email)
    page.get_by_role("button", name="Put in").click()
    expect(page.get_by_text("1 put in")).to_be_visible()
    page.get_by_label("Segment or list").select_option("Friends")
    with page.expect_navigation():
        page.get_by_role("button", name="Put them in").click()
    expect(page.get_by_text("1 put in")).to_be_visible()
    pictures.keep(page, "by-hand")
    fits(page)

    page.goto(live_server.url + reverse("admin:crm_contact_change", args=[chen.pk]))
    pictures.keep(page, "by-hand-contact")
    page.get_by_role("button", name="Put in").click()
    expect(page.get_by_text("1 put in")).to_be_visible()
    assert Enrolment.objects.count() == 3

    page.goto(live_server.url + reverse("admin:crm_contact_changelist"))
    page.locator("input[name=_selected_action]").first.check()
    page.locator("select[name=action]").select_option("Put into a campaign")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("1 person is chosen")).to_be_visible()
    pictures.keep(page, "by-hand-list")
    fits(page)
    page.get_by_role("button", name="Put them in").click()
    expect(page.get_by_text("is in it already")).to_be_visible()
    assert complaints == []


def test_a_broadcast_gets_its_date(live_server: LiveServer, office: Page, complaints: list[str]) -> None:
    page = office
    made = flow(WAIT, trigger="campaigns.by_hand", trigger_params={}, name="Spring", state="draft")
    page.goto(f"{live_server.url}{reverse('admin:campaigns_campaign_change', args=[made.pk])}?section=who")
    page.get_by_label("What lets people in").select_option("On a date, to everybody of a segment")
    page.locator("input[type=datetime-local]").fill("2027-03-28T10:00")
    pictures.keep(page, "broadcast-who")
    fits(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    made = Campaign.objects.get()
    assert made.trigger == "campaigns.on_date" and made.trigger_params["at"] == "2027-03-28T10:00"
    expect(page.locator("input[type=datetime-local]")).to_have_value("2027-03-28T10:00")
    assert complaints == []
