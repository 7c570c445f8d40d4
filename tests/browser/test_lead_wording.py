"""What a lead is, written with the rule builder in a browser: counted while one writes, then published."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from crm.models import LeadVersion
from crm.people import engagement
from tests import office

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def draft(live_server: LiveServer, page: Page) -> LeadVersion:
    """Ada is logged in; two people bought in last quarter, one of them twice within a month."""
    office.set_up_shop()
    session = office.logged_in(office.user("ada", is_superuser=True)).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])
    thing = office.product()
    for number, days in enumerate(((100, 90), (95,))):
        then = office.NOW - timedelta(days=110)
        person = office.person(f"p{number}@shop-customers.example", agreed=False, now=then)
        for ago in days:
            office.order(person, thing, number=10 * number + ago, at=office.NOW - timedelta(days=ago))
        engagement.recount_orders([person.pk])
    return office.definition().versions.get(published_at=None)


def test_a_wording_is_counted_while_it_is_written_and_then_published(
    live_server: LiveServer, page: Page, draft: LeadVersion, complaints: list[str]
) -> None:
    page.goto(f"{live_server.url}/admin/crm/leadversion/{draft.pk}/change/")
    counted = page.locator("#rk-count")
    expect(counted).to_contain_text("2 people would become leads")
    expect(counted).to_contain_text("50.0% of them bought within 30 days")

    page.locator("[name='is_lead-0-with-times']").fill("2")
    expect(counted).to_contain_text("1 person would become a lead.")

    line = page.get_by_role("button", name="+10 Bought")
    line.focus()
    page.keyboard.press("Enter")
    page.locator("[name='score_lines-0-points']").fill("15")

    page.get_by_text("Add another Line").click()
    page.locator("[name='score_lines-1-label']").fill("Known to us")
    page.locator("[name='score_lines-1-points']").fill("-3")
    # Picked with the pointer, it is added at once.
    page.locator("#id_score_lines-1-rule-add").select_option("crm.ordered")
    expect(page.locator("[name='score_lines-1-rule-0-kind']")).to_have_value("crm.ordered")

    page.get_by_role("button", name="Save and publish").click()
    expect(page.get_by_text("Version 2 counts now.")).to_be_visible()
    draft.refresh_from_db()
    assert draft.published_by == "ada"
    assert draft.is_lead["all"][0]["params"]["times"] == "2"
    assert [line.points for line in draft.score_lines.all()] == [15, -3]
    assert [one for one in complaints if not one.startswith("htmx:")] == []
