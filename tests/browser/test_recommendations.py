"""What goes with what, as a marketer finds it right after the sample shop was loaded: on desk and phone."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.messages import recommending
from campaigns.models import RecommendationRun
from crm.kernel import clock
from crm.models import Contact, Product
from tests.browser import pictures
from tests.browser.widths import fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/>"


@pytest.fixture
def office(live_server: LiveServer, clean_broker: None, page: Page) -> Page:
    """Ada before the sample shop's year."""
    call_command("sample_shop", "load", people=250, stdout=io.StringIO())
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


def test_a_marketer_looks_at_what_goes_with_what(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page = office
    # The shop that has the products' pictures is not open.
    page.route(
        "**/pictures/**", lambda route: route.fulfill(status=200, content_type="image/svg+xml", body=SVG)
    )
    page.goto(f"{live_server.url}/admin/campaigns/recommendationrun/")
    expect(page.get_by_role("heading", name="Best sellers")).to_be_visible()
    expect(page.get_by_role("row")).not_to_have_count(0)
    page.locator("select[name=category]").select_option("Turntables")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row", name="Marlow T1 turntable")).to_be_visible()
    pictures.keep(page, "recommend-best")
    fits(page)

    page.get_by_role("button", name="Work it out now").click()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    pictures.keep(page, "recommend-waiting")
    recommending.keep_up(clock.now())
    # The page finds out by itself.
    expect(page.get_by_role("button", name="Work it out now")).to_be_visible()
    expect(page.get_by_role("row", name="ada")).to_contain_text("well")
    assert RecommendationRun.objects.count() == 2

    deck = Product.objects.get(external_id="marlow-t1")
    page.goto(f"{live_server.url}/admin/crm/product/{deck.pk}/change/")
    expect(page.get_by_role("heading", name="Bought together")).to_be_visible()
    expect(page.get_by_text("times together").first).to_be_visible()
    pictures.keep(page, "recommend-product")
    fits(page)

    buyer = (
        Contact.objects.filter(engagement__order_count__gte=3).order_by("-engagement__last_seen_at").first()
    )
    assert buyer
    page.goto(f"{live_server.url}/admin/crm/contact/{buyer.pk}/change/")
    page.get_by_role("heading", name="What we would show").scroll_into_view_if_needed()
    expect(page.get_by_text("together with").first).to_be_visible()
    pictures.keep(page, "recommend-contact")
    fits(page)

    page.goto(f"{live_server.url}/admin/campaigns/contentitem/add/")
    expect(page.get_by_label("Turntables")).to_be_visible()
    pictures.keep(page, "recommend-article")
    fits(page)
    assert complaints == []
