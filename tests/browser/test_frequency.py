"""A marketer changes a limit and adds one: desk and phone."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import ChannelLimit, Decision, FrequencySettings
from crm.kernel import clock
from tests import office as cast
from tests.browser import pictures
from tests.browser.widths import fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_marketer_changes_a_limit_and_adds_one(
    live_server: LiveServer, page: Page, complaints: list[str], world: cast.World
) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    for reason, verdict in (("frequency", "waited"), ("beaten", "skipped"), ("offer_today", "queued")):
        Decision.objects.create(
            contact=world.contact,
            campaign=world.campaign,
            verdict=verdict,
            reason=reason,
            words=reason,
            decided_at=clock.now(),
        )
    page.goto(f"{live_server.url}/admin/campaigns/frequencysettings/")
    expect(page.get_by_role("heading", name="In which order campaigns go")).to_be_visible()
    pictures.keep(page, "frequency")
    fits(page)
    page.get_by_label("Messages leave from").fill("10:00")
    page.locator("[name=limits-1-at_most]").fill("3")
    page.get_by_role("link", name="Add another limit").click()
    page.locator("[name=limits-4-channel]").select_option("email")
    page.locator("[name=limits-4-at_most]").fill("1")
    page.locator("[name=limits-4-length]").fill("30")
    page.locator("[name=limits-4-purpose]").select_option(label="We miss you")
    pictures.keep(page, "frequency-add")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("It holds from the next message on")).to_be_visible()
    assert "at most 3 e-mails in 7 days" in [str(limit) for limit in ChannelLimit.objects.all()]
    assert str(ChannelLimit.objects.get(purpose__key="win_back")) == "at most one e-mail in 30 days"
    assert f"{FrequencySettings.objects.get().allowed_from:%H:%M}" == "10:00"
    assert complaints == []
