"""The admin opens in a real browser, under its content security policy, on a desk and on a phone."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from config import administrators
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.widths import keeps_within

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_first_administrator_logs_in(
    live_server: LiveServer, page: Page, complaints: list[str], size: dict[str, int]
) -> None:
    password = administrators.first_password()
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("Username").fill(administrators.FIRST)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{live_server.url}/admin/")
    keeps_within(page, size["width"])
    assert complaints == []


@pytest.mark.parametrize("width", [1280, PHONE["width"]])
def test_the_menu_opens_by_keyboard_and_stays_open(live_server: LiveServer, page: Page, width: int) -> None:
    password = administrators.first_password()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("Username").fill(administrators.FIRST)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    menu, contacts = page.get_by_role("button", name="Menu"), page.get_by_role("link", name="Contacts").first
    expect(menu).to_have_attribute("aria-expanded", "false")
    menu.focus()
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(contacts).to_be_visible()
    # A telephone's keyboard makes the window lower; only another width closes the menu.
    page.set_viewport_size({"width": width, "height": 500})
    page.wait_for_function("window.innerHeight === 500")
    expect(contacts).to_be_visible()
    page.set_viewport_size({"width": width - 20, "height": 500})
    expect(contacts).to_be_hidden()
