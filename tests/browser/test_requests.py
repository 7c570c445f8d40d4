"""A request about somebody's data, from the telephone to the answer: on a desk and on a phone."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from crm.kernel import clock
from crm.models import PersonRequest, Role
from crm.people import request_days
from tests import office
from tests.browser import pictures
from tests.browser.test_lists import fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def as_user(live_server: LiveServer, context: BrowserContext, name: str, role: str) -> None:
    client = Client()
    colleague = office.user(name)
    colleague.groups.add(Role.objects.get(key=role).group)
    client.force_login(colleague)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    context.clear_cookies()
    context.add_cookies([cookie])


def test_passed_on_by_sales_answered_by_the_privacy_officer(
    live_server: LiveServer, page: Page, complaints: list[str]
) -> None:
    office.set_up_shop()
    now = clock.now()
    ana, bo = office.person(), office.person("bo@shop.example", first_name="Bo", last_name="Berg")
    for kind, days in (("crm.erase", 33), ("crm.rectify", 26), ("crm.object", 12)):
        at = now - timedelta(days=days)
        PersonRequest.objects.create(
            contact=bo,
            kind=kind,
            received_at=at,
            recorded_at=at,
            recorded_by="paula",
            due_at=request_days.due(at),
        )

    as_user(live_server, page.context, "sara", "sales")
    page.goto(f"{live_server.url}/admin/crm/contact/{ana.pk}/change/")
    page.get_by_text("They asked for…").click()
    words = page.get_by_label("What they wrote or said")
    expect(words).to_be_visible()
    words.fill("What do you keep of me, and where did you get it from?")
    pictures.keep(page, "requests-passing-on")
    page.get_by_role("button", name="Pass it on").click()
    expect(page.get_by_text("It is passed on.")).to_be_visible()

    as_user(live_server, page.context, "paula", "privacy_officers")
    page.goto(f"{live_server.url}/admin/")
    fits(page)
    pictures.keep(page, "requests-home")
    page.get_by_role("link", name="4 requests to answer, 1 overdue").click()
    expect(page.get_by_text("overdue").first).to_be_visible()
    fits(page)
    pictures.keep(page, "requests-list")
    page.get_by_role("link", name="A copy of what we keep").click()
    expect(page.get_by_role("heading", name="What is to be done")).to_be_visible()
    fits(page)
    pictures.keep(page, "requests-begun")
    page.get_by_label("How you saw it").fill("She answered from the address we know")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Make their data file…").click()
    expect(page.get_by_role("heading", name="They asked for")).to_be_visible()
    fits(page)
    pictures.keep(page, "requests-data")
    with page.expect_download() as file:
        page.get_by_role("button", name="Download the file").click()
    assert file.value.suggested_filename.endswith(".zip")
    page.get_by_role("link", name="Back to the request").click()
    expect(page.get_by_text("paula made their data file")).to_be_visible()
    page.get_by_text("It takes longer…").click()
    expect(page.get_by_label("Why, as you told them").first).to_be_visible()
    fits(page)
    pictures.keep(page, "requests-file-made")
    page.get_by_label("What you told them").fill("Sent as an encrypted file, the password by telephone")
    page.keyboard.press("Enter")
    expect(page.get_by_text("paula answered")).to_be_visible()
    fits(page)
    assert PersonRequest.objects.get(kind="crm.access").state == "answered"
    page.goto(f"{live_server.url}/admin/crm/personrequest/add/?contact={ana.pk}")
    expect(page.get_by_text("They want")).to_be_visible()
    fits(page)
    pictures.keep(page, "requests-add")
    assert User.objects.filter(username="paula").exists() and complaints == []
