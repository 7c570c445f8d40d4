"""The newcomer walks: one command, a cart left in the sample shop, a message, a click, an order, the money."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import browser, picture
from tests.config import installations
from tests.config.installations import Installation

pytestmark = [pytest.mark.proof, pytest.mark.browser]

MAIL = "ada.newcomer@example.com"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Installation]:
    with installations.installation(tmp_path, variables={"REKINDLE_SAMPLE": "true"}) as made:
        made.start().wait_until_running(180)
        yield made
        made.interrupt()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def test_a_left_cart_is_won_back_in_the_sample_shop(running: Installation, chromium: Browser) -> None:
    ports = running.variables
    shop = f"http://shop.localhost:{ports['REKINDLE_SHOP_PORT']}"
    inbox = f"http://inbox.localhost:{ports['REKINDLE_INBOX_PORT']}"
    admin = f"http://admin.localhost:{ports['REKINDLE_WEB_PORT']}/admin/"

    person = chromium.new_context()
    page = person.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))

    left = leave_a_cart(page, shop)
    message = wait_for_message(page, inbox)
    picture(message, "inbox-message")
    expect(message.locator("body")).to_contain_text(re.compile("ada", re.IGNORECASE))
    letter = message.frame_locator("iframe").first
    expect(letter.locator("body")).to_contain_text("Ada")
    expect(letter.locator("body")).to_contain_text(left)

    with person.expect_page() as opened:
        letter.get_by_role("link", name=re.compile("cart", re.IGNORECASE)).first.click()
    back = opened.value
    back.wait_for_load_state()
    picture(back, "shop-restore")
    back.mouse.move(200, 200)
    back.mouse.wheel(0, 200)
    back.wait_for_timeout(1500)
    back.get_by_role("button", name="Bring my cart back").click()
    expect(back.locator("main")).to_contain_text(left)
    buy(back)
    picture(back, "shop-thanks")
    assert wrong == []

    office = chromium.new_context().new_page()
    log_in(office, admin, running.output())
    expect(office.locator("text=1 cart recovered")).to_be_visible(timeout=90_000) if reload_until(
        office, "1 cart recovered", 90
    ) else pytest.fail(office.inner_text("body"))
    picture(office, "admin-home")
    look_around(office, admin)


def leave_a_cart(page: Page, shop: str) -> str:
    """Two products looked at, an address given, one put into the cart. Returns its name."""
    page.goto(shop)
    page.get_by_role("button", name="Yes, remember").click()
    picture(page, "shop-home")
    links = page.locator("main a[href*='/p']")
    first, second = links.nth(0).get_attribute("href"), links.nth(3).get_attribute("href")
    page.goto(f"{shop}{first}")
    page.goto(f"{shop}{second}")
    page.wait_for_timeout(1000)
    form = page.locator("form:has(input[name=email])").first
    form.locator("input[name=first_name]").fill("Ada")
    form.locator("input[name=email]").fill(MAIL)
    form.locator("input[name=cart_recovery]").check()
    form.get_by_role("button", name="Keep my cart").click()
    page.goto(f"{shop}{second}")
    name = page.locator("h1").inner_text()
    page.get_by_role("button", name="Put in cart").click()
    page.wait_for_load_state()
    picture(page, "shop-cart")
    page.wait_for_timeout(1500)
    return name


def wait_for_message(page: Page, inbox: str) -> Page:
    page.goto(inbox)
    row = page.locator(f"a:has-text('{MAIL}'), li:has-text('{MAIL}') a, tr:has-text('{MAIL}') a").first
    row.wait_for(timeout=150_000)
    picture(page, "inbox")
    row.click()
    page.wait_for_load_state()
    return page


def buy(page: Page) -> None:
    page.get_by_role("link", name=re.compile("checkout", re.IGNORECASE)).first.click()
    page.locator("input[name=last_name]").fill("Newcomer")
    for field in page.locator("main input[required]").all():
        if not field.input_value():
            field.fill(MAIL if field.get_attribute("type") == "email" else "Ada")
    page.get_by_role("button", name=re.compile("^Buy for")).click()
    expect(page.locator("main")).to_contain_text(re.compile("thank", re.IGNORECASE))


def log_in(page: Page, admin: str, printed: str) -> None:
    found = re.search(r"(\S+)\s*(?:with|/|,)?[^\n]*one-time password:?\s+(\S+)", printed)
    assert found, printed
    page.goto(admin)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(found.group(2))
    page.locator("button[type=submit]").click()
    page.wait_for_load_state()


def reload_until(page: Page, text: str, seconds: int) -> bool:
    for _ in range(seconds):
        if text in page.inner_text("body"):
            return True
        page.wait_for_timeout(1000)
        page.reload()
    return False


def look_around(page: Page, admin: str) -> None:
    """Every page of the spine opens, and the contact's page tells the whole story."""
    for name in (
        "campaigns/campaign",
        "campaigns/template",
        "campaigns/delivery",
        "campaigns/decision",
        "tracking/cart",
        "crm/order",
        "crm/product",
        "crm/contact",
    ):
        answer = page.goto(f"{admin}{name}/")
        assert answer and answer.status == 200, name
        picture(page, f"admin-{name.replace('/', '-')}")
        first = page.locator("#result_list tbody th a, #result_list tbody td a").first
        if first.count():
            page.goto(admin.removesuffix("/admin/") + str(first.get_attribute("href")))
            picture(page, f"admin-{name.replace('/', '-')}-one")
    page.goto(f"{admin}crm/contact/?q={MAIL}")
    page.locator("#result_list tbody a").first.click()
    expect(page.locator(".rk-timeline")).to_contain_text(re.compile("order", re.IGNORECASE))
    picture(page, "admin-contact-ada")
