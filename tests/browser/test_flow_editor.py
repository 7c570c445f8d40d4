"""A newcomer builds a flow by clicks alone; by keyboard on a telephone; by plain posts; with a colleague."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.flows import editing, launching
from campaigns.models import Campaign, Template
from crm.kernel import clock
from tests import office as cast
from tests.browser import pictures
from tests.browser.conftest import PHONE
from tests.browser.widths import fits, keeps_within
from tests.campaigns import mailing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def office(live_server: LiveServer, page: Page, transactional_db: None) -> Page:
    cast.set_up_shop()
    cast.sender()
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return page


def flow_of(live_server: LiveServer, campaign: Campaign) -> str:
    return f"{live_server.url}/admin/campaigns/campaign/{campaign.pk}/change/"


def of_kind(page: Page, kind: str) -> Locator:
    """The button of the menu that adds a step of this kind."""
    return page.locator(".rk-kinds button").filter(has=page.get_by_text(kind, exact=True))


def add(page: Page, where: str, kind: str) -> None:
    """Press the last + of that name, and choose what the step does."""
    page.get_by_role("link", name=where, exact=True).last.click()
    of_kind(page, kind).click()
    expect(page.locator("#rk-panel-title")).to_have_text(kind)
    expect(page.locator("#rk-panel-title")).to_be_focused()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save the step").click()
    expect(page.get_by_role("status").first).to_contain_text(re.compile("Saved:|Nothing was changed:"))


def shape(campaign: Campaign) -> list[tuple[str, str]]:
    rows = editing.steps_of(launching.newest_version(campaign))
    return [(row.kind.split(".")[1], row.path) for row in rows]


def test_a_newcomer_builds_a_flow_by_clicks_alone(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page = office
    for name in ("For regulars", "For the others"):
        mailing.template(name)
    page.goto(f"{live_server.url}/admin/campaigns/campaign/")
    page.get_by_role("link", name="Begin with an empty campaign").click()
    page.get_by_label("Name").fill("Two ways")
    page.get_by_label("What lets people in").select_option(label="A cart was left")
    page.locator("#id_purpose").select_option(label="Reminders of your cart", force=True)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="The flow is empty")).to_be_visible()

    add(page, "Add a step here", "Wait")
    page.get_by_label("For *").fill("2")
    page.get_by_label("Unit").select_option("days")
    save(page)
    add(page, "Add a step here", "Branch")
    page.get_by_label("Add to the rule", exact=True).first.select_option(label="Bought")
    expect(page.locator("[data-place=with-rule_1-0]")).to_be_visible()
    page.get_by_label("Go on along the path").first.fill("Regulars")
    page.get_by_label("All others go on along the path").fill("New")
    save(page)
    for path, message in (("Regulars", "For regulars"), ("New", "For the others")):
        add(page, f"Add a step here, on the path {path}", "Send an e-mail")
        expect(page.locator(".rk-step-broken")).to_contain_text("Choose the message it sends.")
        page.get_by_label("Message", exact=True).select_option(label=message)
        save(page)
    add(page, "Add a step here", "Leave the flow")
    campaign = Campaign.objects.get()
    assert shape(campaign) == [
        ("wait", ""), ("branch", ""), ("send_email", "Regulars"), ("send_email", "New"), ("leave", ""),
    ]  # fmt: skip
    left, right = page.locator(".rk-fork > li").all()
    expect(left).to_contain_text("For regulars")
    expect(right).to_contain_text("For the others")
    expect(page.locator(".rk-step-broken")).to_have_count(0)
    pictures.keep(page, "flow-editor")
    fits(page)

    # What is typed and not saved is asked about before another step is opened.
    page.locator("#rk-step-wait-1").click()
    page.get_by_label("For *").fill("3")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.locator("#rk-step-leave-1").click()
    expect(page.get_by_label("For *")).to_have_value("3")
    save(page)
    page.locator("#rk-step-leave-1").drag_to(page.locator(".rk-plus").first)
    expect(page.get_by_role("status").first).to_contain_text("Moved.")
    assert shape(campaign)[0] == ("leave", "")
    assert complaints == []


def test_a_flow_is_changed_by_keyboard_on_a_telephone(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page, campaign = office, cast.draft(clock.now())
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(flow_of(live_server, campaign))
    page.locator(".rk-plus a").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#rk-panel-title")).to_be_focused()
    of_kind(page, "Wait").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#rk-panel-title")).to_have_text("Wait")
    page.get_by_role("button", name="Move up").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Moved up.")
    expect(page.get_by_role("button", name="Move down")).to_be_focused()
    assert shape(campaign) == [("wait", ""), ("send_email", "")]
    keeps_within(page, PHONE["width"])
    assert complaints == []


PRESSED_AT_ONCE = """() => {
  window.isSamePage = true;
  new MutationObserver((_, observer) => {
    const kinds = [...document.querySelectorAll(".rk-kinds button")];
    const kind = kinds.find((one) => one.textContent.includes("Wait"));
    if (kind) observer.disconnect(), kind.click();
  }).observe(document.body, { childList: true, subtree: true });
}"""


def test_what_has_just_come_onto_the_page_works_at_once(live_server: LiveServer, office: Page) -> None:
    page, campaign = office, cast.draft(clock.now())
    page.goto(flow_of(live_server, campaign))
    page.evaluate(PRESSED_AT_ONCE)
    page.locator(".rk-plus a").last.click()
    expect(page.locator("#rk-panel-title")).to_have_text("Wait")
    assert page.evaluate("window.isSamePage"), "the page was not left"


@pytest.mark.parametrize("size", [pictures.WIDTHS["desktop"], PHONE], ids=["desktop", "phone"])
def test_a_deleted_step_comes_back_by_keyboard_also_after_a_reload(
    live_server: LiveServer, office: Page, complaints: list[str], size: dict[str, int]
) -> None:
    page, campaign = office, cast.draft(clock.now())
    page.set_viewport_size(size)  # type: ignore[arg-type]
    editing.add(campaign, "campaigns.wait", "", "", clock.now())
    before = editing.steps_of(launching.newest_version(campaign))
    page.goto(f"{flow_of(live_server, campaign)}?step=first-message")
    page.get_by_role("button", name="Delete", exact=True).focus()
    page.keyboard.press("Enter")
    undo = page.get_by_role("button", name="Undo")
    expect(page.get_by_text("Step deleted: Send")).to_be_visible()
    expect(undo).to_be_focused()
    assert shape(campaign) == [("wait", "")]
    keeps_within(page, size["width"])
    pictures.keep(page, "flow-editor-undo")
    page.set_viewport_size(size)  # type: ignore[arg-type]

    page.reload()
    page.locator("#rk-step-wait-1").click()
    expect(page.locator("#rk-panel-title")).to_be_focused()
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Back where it was")
    expect(undo).to_have_count(0)
    after = editing.steps_of(launching.newest_version(campaign))
    assert [(row.pk, row.key, row.position, editing.mark(row)) for row in after] == [
        (row.pk, row.key, row.position, editing.mark(row)) for row in before
    ]
    assert complaints == []


def test_the_same_pages_work_with_plain_form_posts(live_server: LiveServer, office: Page) -> None:
    page, campaign = office, cast.draft(clock.now())
    # The theme itself shows nothing without script; ours and htmx are what may fail to come.
    page.route(re.compile(r"htmx|flow\.js"), lambda route: route.abort())
    page.goto(flow_of(live_server, campaign))
    page.locator(".rk-plus a").first.click()
    of_kind(page, "Wait").click()
    page.get_by_label("For *").fill("3")
    page.get_by_role("button", name="Save the step").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved: Wait 3 hours.")
    page.get_by_role("button", name="Duplicate").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Step deleted: Wait 3 hours.")).to_be_visible()
    assert shape(campaign) == [("wait", ""), ("send_email", "")]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").first).to_contain_text("Back where it was: Wait 3 hours.")
    assert shape(campaign) == [("wait", ""), ("wait", ""), ("send_email", "")]


def test_the_slower_of_two_sees_what_the_other_did_and_keeps_what_they_typed(
    live_server: LiveServer, office: Page
) -> None:
    page, campaign = office, cast.draft(clock.now())
    mine = mailing.template("Mine")
    page.goto(f"{flow_of(live_server, campaign)}?step=first-message")
    row = next(iter(editing.steps_of(launching.newest_version(campaign))))
    seen = editing.mark(row)
    row.params = {"without_offer": "skip"}
    editing.save(campaign, row, [], seen, clock.now())
    page.get_by_label("Message", exact=True).select_option(label="Mine")
    page.get_by_role("button", name="Save the step").click()
    expect(page.locator("#rk-panel [role=alert]")).to_contain_text("Somebody else changed this step")
    expect(page.get_by_label("Message", exact=True)).to_have_value(str(mine.pk))
    pictures.keep(page, "flow-editor-stale")
    save(page)
    row = next(iter(editing.steps_of(launching.newest_version(campaign))))
    assert row.template == mine and Template.objects.count() == 2
