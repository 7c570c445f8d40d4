"""The password once more, by keyboard and on a phone: what was filled in is not lost."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import office
from tests.browser import pictures
from tests.browser.widths import fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_by_keyboard_alone(live_server: LiveServer, page: Page, complaints: list[str]) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])
    office.set_up_shop()
    page.goto(f"{live_server.url}/admin/auth/group/add/")
    page.locator("#id_name").fill("Interns")
    session = client.session
    del session["password_at"]
    session.save()
    page.get_by_role("button", name="Save", exact=True).click()

    own = page.get_by_label("Your own password")
    expect(own).to_be_focused()
    fits(page)
    page.keyboard.type("guess")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("4 more tries")
    expect(own).to_be_focused()
    page.keyboard.type("secret")
    pictures.keep(page, "password-once-more")
    fits(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/auth/group/")
    assert Group.objects.filter(name="Interns").exists()
    assert complaints == ["Failed to load resource: the server responded with a status of 400 (Bad Request)"]
