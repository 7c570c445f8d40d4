"""Who is at risk, the thresholds with a live count, the home page and a contact: on desk and phone."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from crm.models import Contact, Segment, Standing
from tests.browser import pictures
from tests.browser.widths import fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def office(live_server: LiveServer, page: Page) -> Page:
    """Ada before the sample shop's year."""
    call_command("sample_shop", "load", people=250, stdout=io.StringIO())
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


def test_a_marketer_looks_at_who_slips_away(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page = office
    page.goto(f"{live_server.url}/admin/")
    page.get_by_role("link", name="At risk").first.click()
    expect(page.get_by_role("heading", name="Who stands where")).to_be_visible()
    at_risk = Standing.objects.filter(state="at_risk").count()
    assert at_risk > 5
    expect(page.get_by_role("row", name="at risk").first).to_contain_text(str(at_risk))
    expect(page.locator("canvas.chart")).to_be_visible()
    pictures.keep(page, "rhythm-at-risk")
    fits(page)
    page.get_by_role("link", name="registered", exact=True).click()
    expect(page).to_have_url(f"{live_server.url}/admin/crm/risksettings/?clock=engagement&days=90")
    page.get_by_role("button", name="…of seven days’").first.click()
    expect(page.get_by_text("keeps itself up")).to_be_visible()
    assert Segment.objects.get(name="Newly at risk this week").rule["all"][0]["kind"] == "crm.newly_stands"

    page.goto(f"{live_server.url}/admin/crm/risksettings/1/change/")
    held = page.locator("[hx-post] table")
    expect(held).to_be_visible()
    pictures.keep(page, "rhythm-thresholds")
    fits(page)
    before = held.inner_text()
    page.locator("#id_at_risk_factor").fill("2.9")
    expect(held).not_to_have_text(before)
    page.locator("#id_at_risk_factor").fill("0.5")
    expect(page.get_by_text("This must be more than the 1.25 of cooling.").first).to_be_visible()
    page.locator("#id_at_risk_factor").fill("2")
    page.locator("[name=_save]").first.click()
    expect(page.get_by_text("measured anew within a minute")).to_be_visible()

    assert complaints == []
    someone = Contact.objects.filter(standing__gaps__gt=1, standing__state="at_risk").first()
    assert someone is not None
    page.goto(f"{live_server.url}/admin/crm/contact/{someone.pk}/change/")
    expect(page.get_by_text("Usually buys every")).to_be_visible()
    pictures.keep(page, "rhythm-contact")
    page.goto(f"{live_server.url}/admin/")
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    pictures.keep(page, "rhythm-home")
    fits(page)
