"""A list by clicks and keys, on desk and phone: filters saved, a person found, the list taken away."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from crm.kernel import clock
from crm.ticking import run_tick
from tests import office
from tests.browser import pictures
from tests.browser.widths import fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_list_is_filtered_saved_and_taken_away(
    live_server: LiveServer, page: Page, complaints: list[str]
) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])
    office.set_up_shop()
    for number, country in enumerate(["PT", "PT", "DE"]):
        office.person(f"p{number}@shop-customers.example", country=country, agreed=False)

    page.goto(f"{live_server.url}/admin/crm/contact/?country=PT")
    page.get_by_text("Save this view…").click()
    page.get_by_label("Name", exact=True).fill("From Portugal")
    page.get_by_label("for everybody").check()
    pictures.keep(page, "list-saving")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="From Portugal")).to_have_attribute("aria-current", "page")
    pictures.keep(page, "list")
    fits(page)
    page.wait_for_load_state()

    # By keyboard from anywhere: some letters, down, enter.
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("p2@shop")
    expect(page.get_by_role("link", name="p2@shop-customers.example")).to_be_visible()
    pictures.keep(page, "find")
    page.keyboard.press("Enter")
    page.wait_for_url("**/crm/contact/*/change/")
    fits(page)
    page.get_by_role("button", name="Find a person").click()
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("nobody at all")
    expect(page.get_by_text("Nobody and nothing")).to_be_visible()
    page.goto(f"{live_server.url}/admin/crm/contact/")
    page.get_by_role("link", name="From Portugal").click()
    expect(page.get_by_role("link", name="From Portugal")).to_have_attribute("aria-current", "page")
    page.locator("a[href*='/export/of/']:visible").click()
    expect(page.get_by_role("heading", name="2 contacts, country: PT")).to_be_visible()
    pictures.keep(page, "export-choose")
    fits(page)
    page.get_by_label("Phone", exact=True).check()
    page.get_by_role("button", name="Make the file").click()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    pictures.keep(page, "export-waiting")
    run_tick("crm.exports", clock.now())
    expect(page.get_by_text("2 rows")).to_be_visible()
    pictures.keep(page, "export-ready")
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the file").click()
    assert download.value.suggested_filename.startswith("contacts_20")
    page.goto(f"{live_server.url}/admin/crm/export/")
    pictures.keep(page, "exports")
    fits(page)
    assert complaints == []
