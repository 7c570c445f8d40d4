"""A campaign is launched through its checklist and its results are read, on a desk and on a telephone."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign, Delivery, Enrolment, EntryDay
from crm.kernel import clock
from tests import office as cast
from tests.browser import pictures
from tests.browser.widths import fits
from tests.campaigns import mailing
from tests.campaigns.flows.stage import AT, MINUTE, SEND, WAIT, buy, flow, leave_cart
from tests.campaigns.flows.test_planning import cast as broadcast
from tests.campaigns.flows.test_planning import inside, kinds, segment  # noqa: F401 - a fixture
from tests.campaigns.flows.test_variants import compare

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def office(live_server: LiveServer, page: Page, world: cast.World) -> Page:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
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


def test_results_are_read_and_a_winner_is_picked(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page = office
    campaign = a_year_of_results()
    page.goto(f"{live_server.url}/admin/campaigns/campaign/{campaign.pk}/results/")
    results = page.get_by_role("region", name="Results")
    expect(results.get_by_text("Those who were treated bought more than they would have.")).to_be_visible()
    expect(results.get_by_text("Not enough yet")).to_be_visible()
    results.scroll_into_view_if_needed()
    pictures.keep(page, "results")
    fits(page)
    results.get_by_label("The winner is").select_option("With alternatives")
    results.get_by_role("button", name="Pick it").click()
    expect(page.get_by_text("With alternatives was picked")).to_be_visible()
    assert complaints == []


def a_year_of_results() -> Campaign:
    """Carts of 400 people, a quarter of them held out; the others got one of two messages."""
    now = clock.now()
    at = now - 20 * 24 * 60 * MINUTE
    campaign = flow(control_share="0.25", launched_at=at)
    compare(campaign.current.steps.get(), **{"Cart alone": 1, "With alternatives": 1})
    people = mailing.people(400, campaign.purpose)
    made = []
    for number, who in enumerate(people):
        held_out = number % 4 == 0
        run = Enrolment(
            contact=who, campaign=campaign, version=campaign.current, entry="x", qualified_at=at,
            entered_at=at, arm="control" if held_out else "treatment",
        )  # fmt: skip
        run.save(force_insert=True)
        if not held_out:
            label = "With alternatives" if number % 2 else "Cart alone"
            made.append(
                mailing.message(
                    who, campaign, template=mailing.template(), step_key="step-1", variant=label,
                    created_at=at, due_at=at, enrolment_id=run.pk,
                )
            )  # fmt: skip
        if (number % 3 == 1 and not held_out) or number % 40 == 0:
            buy(who, at + 60 * MINUTE, total=40 + number % 60)
    Delivery.objects.bulk_create(made)
    for state in ("claimed", "sending", "sent"):
        Delivery.objects.filter(campaign=campaign).update(state=state, finished_at=at)
    return campaign


def test_the_calendar_is_read(live_server: LiveServer, office: Page, complaints: list[str]) -> None:
    page = office
    page.goto(f"{live_server.url}/admin/campaigns/campaign/calendar/")
    expect(page.get_by_text("Nothing is planned.")).to_be_visible()
    pictures.keep(page, "calendar-empty")
    a_full_calendar()
    page.reload()
    expect(page.get_by_role("link", name="Left carts").first).to_be_visible()
    expect(page.get_by_text("people get “Winter news” on this day, too.")).to_be_visible()
    pictures.keep(page, "calendar")
    fits(page)
    page.get_by_label("Campaign").select_option("Winter news")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Left carts")).to_have_count(0)
    expect(page.get_by_role("link", name="Winter news").first).to_be_visible()
    assert complaints == []


def a_full_calendar() -> None:
    """A flow with people inside and coming, and two broadcasts to the same people on one day."""
    now = clock.now()
    left = flow(SEND, WAIT, SEND, WAIT, SEND)
    people = mailing.people(30, left.purpose)
    for number, who in enumerate(people):
        inside(left, who, now + number * 7 * 60 * MINUTE)
    for number in range(1, 15):
        on_day = (now - number * 24 * 60 * MINUTE).date()
        EntryDay.objects.create(campaign=left, on_day=on_day, entered=38 + number)
    fans = segment("Fans of good sound", *people[:20])
    in_three_days = str((now - AT).days + 3)
    broadcast(in_three_days, fans, name="Winter news")
    broadcast(in_three_days, segment("Near Copenhagen", *people[10:]), name="Open house")
