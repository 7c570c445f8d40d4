"""A campaign is launched through its checklist, on a desk and on a telephone."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign
from crm.kernel import clock
from tests import office as cast
from tests.browser import pictures
from tests.browser.test_offers import fits
from tests.campaigns.flows.stage import MINUTE, leave_cart

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def office(live_server: LiveServer, page: Page, world: cast.World) -> Page:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    page.set_default_timeout(6000)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


def test_a_marketer_reads_the_list_and_launches(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page = office
    campaign = cast.draft(clock.now())
    Campaign.objects.filter(pk=campaign.pk).update(control_share=0)
    for number in range(12):
        leave_cart(
            cast.person(f"p{number}@shop-customers.example", agreed=number % 3 > 0), clock.now() - MINUTE
        )
    cast.set_up_shop(postal_address="")
    page.goto(f"{live_server.url}/admin/campaigns/campaign/{campaign.pk}/launch/")
    expect(page.get_by_role("heading", name="Before launch: 1 thing to do")).to_be_visible()
    expect(page.get_by_role("button", name="Launch")).to_be_disabled()
    pictures.keep(page, "launch-not-ready")
    fits(page)
    cast.set_up_shop()
    page.reload()
    expect(page.get_by_role("heading", name="all is ready")).to_be_visible()
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody is held out")
    pictures.keep(page, "launch-refused")
    page.get_by_label("Nobody is held out, on purpose").check()
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_text("It looks forward only")).to_be_visible()
    assert Campaign.objects.get(pk=campaign.pk).state == "running"
    assert complaints == []
