"""The newcomer's walk: one command, a cart left in the sample shop, a message, a click, an order, money."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import pictures
from tests.config import installations
from tests.config.installations import Installation

pytestmark = [pytest.mark.browser]

MAIL = "ada.newcomer@example.com"
# A headless browser says that it is one, and is rightly taken for a machine.
PERSON = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
PAGES = (
    "campaigns/campaign",
    "campaigns/template",
    "campaigns/delivery",
    "campaigns/decision",
    "tracking/cart",
    "crm/order",
    "crm/product",
    "crm/contact",
)


@pytest.fixture
def running(ground: Path) -> Iterator[Installation]:
    with installations.installation(ground, variables={"REKINDLE_SAMPLE": "true"}) as made:
        made.start().wait_until_running(180)
        yield made
        made.interrupt()


def test_a_left_cart_is_won_back_in_the_sample_shop(running: Installation, browser: Browser) -> None:
    shop, inbox, admin = addresses(running)
    person = browser.new_context(user_agent=PERSON)
    page = person.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))

    left = leave_a_cart(page, shop)
    message = wait_for_message(page, inbox)
    expect(message.locator("body")).to_contain_text(left)
    letter = message.frame_locator("iframe").first
    expect(letter.locator("body")).to_contain_text("Ada")
    expect(letter.locator("body")).to_contain_text(left)
    expect(letter.locator("body")).to_contain_text("Unsubscribe")
    expect(letter.locator("a[href^='tel:']").first).to_be_visible()

    with person.expect_page() as opened:
        letter.get_by_role("link", name="Bring my cart back").click()
    back = opened.value
    back.wait_for_load_state()
    pictures.keep(back, "shop-restore")
    read_for_a_moment(back)
    back.get_by_role("button", name="Bring my cart back").click()
    expect(back.locator("main")).to_contain_text(left)
    buy(back)
    pictures.keep(back, "shop-thanks")
    assert wrong == []

    office = browser.new_context(user_agent=PERSON).new_page()
    log_in(office, admin, running.output())
    assert says_within(office, "1 cart recovered", seconds=90), office.inner_text("body")
    pictures.keep(office, "admin-home")
    look_around(office, admin)
    the_contact_page_tells_the_story(office, admin)
    nobody_was_written_to_twice(page, inbox)


def addresses(running: Installation) -> tuple[str, str, str]:
    ports = running.variables
    return (
        f"http://shop.localhost:{ports['REKINDLE_SHOP_PORT']}",
        f"http://inbox.localhost:{ports['REKINDLE_INBOX_PORT']}",
        f"http://admin.localhost:{ports['REKINDLE_WEB_PORT']}/admin/",
    )


def leave_a_cart(page: Page, shop: str) -> str:
    """Two products looked at, an address given, one put into the cart. Returns its name."""
    page.goto(shop)
    page.get_by_role("button", name="Yes, remember").click()
    pictures.keep(page, "shop-home")
    links = page.locator("main a[href*='/p']")
    first, second = links.nth(0).get_attribute("href"), links.nth(3).get_attribute("href")
    page.goto(f"{shop}{first}")
    page.goto(f"{shop}{second}")
    form = page.locator("form:has(input[name=email])").first
    form.locator("input[name=first_name]").fill("Ada")
    form.locator("input[name=email]").fill(MAIL)
    form.locator("input[name=cart_recovery]").check()
    # The shop's server knows the address then; the page after this one tells it, if this one cannot any more.
    with page.expect_response("**/identity"):
        form.get_by_role("button", name="Keep my cart").click()
    page.goto(f"{shop}{second}")
    name = page.locator("h1").inner_text()
    page.get_by_role("button", name="Put in cart").click()
    page.wait_for_url("**/cart")
    pictures.keep(page, "shop-cart")
    page.wait_for_timeout(1500)
    return name


def wait_for_message(page: Page, inbox: str) -> Page:
    page.goto(inbox)
    row = page.locator("a", has_text=MAIL).or_(page.locator("tr, li", has_text=MAIL).locator("a")).first
    row.wait_for(timeout=150_000)
    pictures.keep(page, "inbox")
    with page.expect_navigation():
        row.click()
    pictures.keep(page, "inbox-message")
    return page


def read_for_a_moment(page: Page) -> None:
    """What makes an arrival a person's: the page was seen, and the pointer moved."""
    page.mouse.move(200, 200)
    page.mouse.wheel(0, 200)
    page.wait_for_timeout(1500)


def buy(page: Page) -> None:
    page.get_by_role("link", name=re.compile("checkout", re.IGNORECASE)).first.click()
    page.locator("input[name=last_name]").fill("Newcomer")
    for field in page.locator("main input[required]").all():
        if not field.input_value():
            field.fill(MAIL if field.get_attribute("type") == "email" else "Ada")
    page.get_by_role("button", name=re.compile("^Buy for")).click()
    expect(page.locator("main")).to_contain_text(re.compile("thank", re.IGNORECASE))


def log_in(page: Page, admin: str, printed: str) -> None:
    password = re.search(r"one-time password (\S+)", printed)
    assert password, printed
    page.goto(admin)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(password.group(1))
    with page.expect_navigation():
        page.locator("button[type=submit]").click()


def says_within(page: Page, text: str, *, seconds: int) -> bool:
    for _ in range(seconds):
        if text in page.inner_text("body"):
            return True
        page.wait_for_timeout(1000)
        page.reload()
    return False


def look_around(page: Page, admin: str) -> None:
    """Every page of the spine opens, and so does the first row of each."""
    for name in PAGES:
        answer = page.goto(f"{admin}{name}/")
        assert answer and answer.status == 200, name
        pictures.keep(page, f"admin-{name.replace('/', '-')}")
        first = page.locator("#result_list tbody th a, #result_list tbody td a").first
        if first.count():
            answer = page.goto(admin.removesuffix("/admin/") + str(first.get_attribute("href")))
            assert answer and answer.status == 200, name
            pictures.keep(page, f"admin-{name.replace('/', '-')}-one")


def the_contact_page_tells_the_story(page: Page, admin: str) -> None:
    page.goto(f"{admin}crm/contact/?q={MAIL}")
    page.locator("#result_list tbody a").first.click()
    story = page.locator(".rk-timeline")
    expect(story).to_contain_text(re.compile("order", re.IGNORECASE))
    expect(story).to_contain_text(re.compile("sent", re.IGNORECASE))
    pictures.keep(page, "admin-contact-ada")


def nobody_was_written_to_twice(page: Page, inbox: str) -> None:
    page.goto(inbox)
    expect(page.locator("tr, li", has_text=MAIL)).to_have_count(1)
