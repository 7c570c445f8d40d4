"""The admin opens in a real browser, under its content security policy, on a desk and on a phone."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from config import administrators
from tests.browser.conftest import DESKTOP, PHONE

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
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= size["width"], "nothing sticks out at the side"
    assert complaints == []
