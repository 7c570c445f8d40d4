"""A segment is built by keyboard alone on a phone's width: count, examples and words follow each change."""

import re
import time
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from crm.kernel import clock
from crm.models import Segment
from tests import office
from tests.browser import pictures
from tests.browser.conftest import PHONE
from tests.browser.widths import keeps_within

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(transactional_db: None) -> None:
    office.set_up_shop()
    before = clock.now() - timedelta(days=30)
    ana = office.person(language="pt-BR", now=before)
    for name, last in (("Bo", "Berg"), ("Cy", "Cole")):
        mail = f"{name.lower()}@shop-customers.example"
        office.person(mail, first_name=name, last_name=last, language="da", country="DK", now=before)
    office.order(ana, office.product(), at=before)


@pytest.fixture
def add_page(live_server: LiveServer, page: Page, people: None) -> Page:
    office.user("ada", is_superuser=True)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{live_server.url}/admin/login/?next=/admin/crm/segment/add/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/segment/add/")
    return page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def pick(page: Page, menu: str, condition: str) -> None:
    """Choose from the menu by its first letters and arrows, and add with Enter."""
    box = page.get_by_label(menu, exact=True)
    box.focus()
    page.keyboard.type(condition)
    for _ in range(60):
        if box.locator("option:checked").inner_text() == condition:
            break
        press(page, "ArrowDown")
    expect(box.locator("option:checked")).to_have_text(condition)
    press(page, "Enter")


def hand_rests(page: Page, name: str) -> None:
    """The field whose name begins so has the focus; htmx gives it a moment after the new page part shows."""
    page.wait_for_function(
        "name => (document.activeElement.name || document.activeElement.id).startsWith(name)", arg=name
    )


def test_a_nested_segment_by_keyboard_on_a_phone(add_page: Page, complaints: list[str]) -> None:
    page = add_page
    panel, line = page.locator(".rk-rule-panel"), page.locator(".rk-rule-line")
    page.get_by_label("Name").fill("Danes who buy")

    pick(page, "Add to the rule", "Language")
    expect(page.locator("[data-place=rule-0]")).to_be_visible()
    hand_rests(page, "rule-0-with-")
    expect(panel).to_contain_text("cannot be read")
    page.keyboard.type("da")
    expect(line).to_contain_text("2 people (of 3)")
    expect(line).to_contain_text("e-mail 2 · SMS 0")
    hand_rests(page, "rule-0-with-")
    page.keyboard.type(", pt")
    page.keyboard.press("Shift+Tab")
    summary = panel.locator("summary")
    expect(summary).to_have_text(re.compile("example"))

    page.get_by_role("button", name="+ group").focus()
    press(page, "Enter")
    expect(page.locator("[data-place=rule-1]")).to_be_visible()
    op = page.get_by_label("Group 2:")
    op.focus()
    page.keyboard.type("none")
    pick(page, "Add to group 2", "Bought")
    expect(page.locator("[data-place=rule-1-0]")).to_be_visible()
    hand_rests(page, "rule-1-0-with-")
    expect(panel).to_contain_text("are not among those who bought")
    pictures.keep(page, "segment-builder")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]

    page.get_by_label("Move condition 2.1 up").focus()
    press(page, "Enter")
    expect(page.locator("[data-place=rule-1][role=group]")).to_contain_text("Bought")
    hand_rests(page, "rule-1-up")
    page.get_by_label("Remove group 3").focus()
    press(page, "Enter")
    expect(page.locator("fieldset.rk-rule-group")).to_have_count(1)
    expect(panel).to_contain_text("and bought.")

    page.get_by_label("Try a person").focus()
    page.keyboard.type("bo@shop-customers.example")
    expect(panel).to_contain_text("Bo Berg is out.")
    press(page, "Enter")
    assert page.url.endswith("/add/"), "Enter there asks and saves nothing"
    keeps_within(page, PHONE["width"])
    hidden = page.evaluate(
        "[...document.querySelectorAll('.rk-rule, .rk-rule *')].filter(one => !one.closest('.rk-hidden')"
        " && one.getBoundingClientRect().right > innerWidth).map(one => one.outerHTML)"
    )
    assert hidden == [], "nor is anything of the rule cut off"
    # Of a request that was overtaken htmx says on the console that it was cancelled.
    cancelled = {"htmx:afterRequest", "htmx:sendAbort"}
    assert [said for said in complaints if said not in cancelled] == []

    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/segment/")
    kinds = [member["kind"] for member in Segment.objects.get().rule["all"]]
    assert kinds[1] == "crm.ordered" and len(kinds) == 2


def test_what_is_typed_while_an_answer_is_on_its_way_is_not_lost(add_page: Page) -> None:
    page = add_page
    pick(page, "Add to the rule", "Language")
    field = page.locator("[data-place=rule-0] input:not([type=hidden])").first
    expect(field).to_be_focused()
    for letter in "da, pt, sv":
        page.keyboard.type(letter)
        page.wait_for_timeout(260 if letter != "," else 520)
    expect(field).to_have_value("da, pt, sv")
    expect(field).to_be_focused()


def test_a_row_added_right_after_a_change_comes_however_slow_the_answer(add_page: Page) -> None:
    page = add_page

    def slowly(route: Route) -> None:
        time.sleep(0.9)
        route.continue_()

    page.route(lambda url: "/rule" in url or "/segment/" in url, slowly)
    page.get_by_label("People who meet").focus()
    page.keyboard.type("any")
    pick(page, "Add to the rule", "Bought")
    expect(page.locator("[data-place=rule-0]")).to_contain_text("Bought")
    expect(page.get_by_label("People who meet")).to_have_value("any")


def test_what_is_looked_at_in_a_menu_stays_when_an_answer_comes(add_page: Page) -> None:
    page = add_page
    menu = page.get_by_label("Add to the rule", exact=True)
    with page.expect_response(lambda answer: "/rule" in answer.url):
        page.get_by_label("People who meet").focus()
        page.keyboard.type("any")
        menu.focus()
        page.keyboard.type("Bought")
    looked_at = menu.locator("option:checked").inner_text()
    assert looked_at.startswith("Bought")
    page.wait_for_timeout(200)
    expect(menu.locator("option:checked")).to_have_text(looked_at)
    expect(menu).to_be_focused()


def test_the_pointer_adds_what_it_picks_at_once(add_page: Page) -> None:
    page = add_page
    page.get_by_label("Name").click()
    page.get_by_label("Add to the rule", exact=True).select_option(label="Bought")
    expect(page.locator("[data-place=rule-0]")).to_contain_text("Bought")
