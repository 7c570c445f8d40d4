"""A message is put together from blocks, drawn on the page, seen as people get it; nothing typed is lost."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.messages import text
from campaigns.models import Template
from crm.kernel import clock
from tests import office
from tests.browser import pictures
from tests.browser.conftest import PHONE
from tests.browser.widths import keeps_within
from tests.campaigns import gallery

LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(transactional_db: None) -> None:
    office.set_up_shop()
    office.sender()
    before = clock.now() - timedelta(minutes=20)
    ana = office.person(now=before)
    office.person("bo@shop-customers.example", first_name="Bo", last_name="Berg", now=before)
    office.cart(ana, office.product(), at=before)


@pytest.fixture
def add_page(live_server: LiveServer, page: Page, shop: None) -> Page:
    office.user("ada", is_superuser=True)
    page.goto(f"{live_server.url}/admin/login/?next=/admin/campaigns/template/add/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/template/add/")
    return page


def add(page: Page, label: str) -> None:
    page.get_by_text("+ Add a block").click()
    page.locator(".rk-block-menu").get_by_role("button", name=label).click()
    # It comes from the server, and everything below it moves then.
    expect(page.locator("[data-block-status]")).to_contain_text(f"{label} is added")


def test_a_message_of_blocks_is_made_by_hand_and_seen_as_a_person_gets_it(
    add_page: Page, complaints: list[str]
) -> None:
    page = add_page
    page.locator("#id_name").fill("Come back")
    page.locator("#id_subject").fill("Your cart")
    add(page, "Cart")
    add(page, "Picture beside words")
    names = page.locator(".rk-block summary b")
    expect(names).to_have_text(["Head with logo", "Text", "Cart", "Picture beside words", "Footer"])
    page.get_by_label("Picture *").fill("https://shop.example/i/1.jpg")
    page.get_by_label("Words *").last.fill("See {{ nobody }}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".rk-block-wrong")).to_contain_text("Line 1: there is no variable called nobody")
    pictures.keep(page, "template-mistake")
    expect(page.get_by_label("Words *").last).to_have_value("See {{ nobody }}")
    page.get_by_label("Words *").last.fill("See you, ")
    page.get_by_text("Variables: what a message may speak of").click()
    page.get_by_placeholder("name, price").fill("first name")
    page.get_by_role("button", name="contact.first_name").click()
    expect(page.get_by_label("Words *").last).to_have_value(
        "See you, {{ contact.first_name | default: 'there' }}"
    )
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_url("**/change/**")
    outer = page.frame_locator("[name=rk-preview-frame]")
    expect(outer.locator(".row")).to_contain_text("Your cart")
    expect(outer.frame_locator("iframe").locator("body")).to_contain_text("See you, Ana")
    page.get_by_role("button", name="Next person").click()
    page.get_by_role("button", name="Next person").click()
    pictures.keep(page, "template-editor")
    assert troubles(complaints) == []


def troubles(complaints: list[str]) -> list[str]:
    """The shop's pictures are at home nowhere in a test."""
    return [said for said in complaints if "ERR_NAME_NOT_RESOLVED" not in said and "404" not in said]


def test_what_is_drawn_on_the_page_keeps_its_liquid_and_is_checked_as_ever(
    add_page: Page, complaints: list[str]
) -> None:
    page = add_page
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    page.locator("#id_name").fill("Come back")
    page.locator("#id_subject").fill("Your cart")
    add(page, "Cart")
    add(page, "Sender's card")
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_url("**/change/**")
    template = Template.objects.get()
    before = template.current
    page.get_by_role("link", name="Draw on the page").click()
    expect(page.locator(".rk-bar-bad")).to_contain_text("the blocks form ends")
    canvas = page.frame_locator("iframe[title='The message, to be drawn on']")
    expect(canvas.locator("body")).to_contain_text("Hello {{ contact.first_name | default: 'there' }},")
    pictures.keep(page, "template-drawing")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/change/")
    template.refresh_from_db()
    assert (template.current.mode, template.current.number) == ("visual", 2)
    assert LIQUID.findall(html.unescape(template.current.mjml)) == LIQUID.findall(before.mjml)
    assert text.from_html(template.current.html) == text.from_html(before.html)
    assert template.current.html.count("<td") == before.html.count("<td")
    hosts = {urlsplit(url).hostname for url in asked if url.startswith("http")}
    assert hosts <= {"localhost", "shop.example"}
    assert troubles(complaints) == []


HOSTILE = """<p>hello</p><script>fetch('EVIL/fetched')</script><form action="EVIL/form"><input autofocus
onfocus="alert(1)"><button>b</button></form><img src="EVIL/pixel.gif" onerror="alert(1)">
<link rel="stylesheet" href="EVIL/s.css"><meta http-equiv="refresh" content="0;url=EVIL/gone">
<iframe src="EVIL/frame"></iframe>
<style>@import url(EVIL/i.css); body { background: url(EVIL/b.png) }</style>"""


@pytest.fixture
def evil() -> Iterator[tuple[str, list[str]]]:
    """A host that nobody should ask, and what it was asked."""
    asked: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_about: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listening) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_x3_a_hostile_message_runs_nothing_and_fetches_nothing(
    add_page: Page, evil: tuple[str, list[str]]
) -> None:
    page, (address, asked) = add_page, evil
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    page.locator("#id_name").fill("Hostile")
    page.locator("#id_subject").fill("A word")
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_url("**/change/**")
    # The editor refuses all of it; the frame must hold even where it did not.
    Template.objects.get().versions.update(html=HOSTILE.replace("EVIL", address))
    page.reload()
    message = page.frame_locator("[name=rk-preview-frame]").frame_locator("iframe")
    expect(message.locator("body")).to_contain_text("hello")
    page.wait_for_timeout(1_500)
    expect(message.locator("body")).to_contain_text("hello")
    assert asked == []
    page.goto(f"{address}/listening")
    assert "/listening" in asked, "the host would have noticed"


def test_blocks_are_moved_copied_and_removed_by_keyboard_on_a_telephone(add_page: Page) -> None:
    page = add_page
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    names = page.locator(".rk-block summary b")
    page.locator(".rk-block summary").nth(1).focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(names).to_have_text(["Text", "Head with logo", "Footer"])
    page.get_by_label("Move Text down").focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(["Head with logo", "Text", "Footer"])
    page.get_by_label("Duplicate Text").focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(["Head with logo", "Text", "Text", "Footer"])
    expect(page.get_by_label("Heading").nth(1)).to_have_value(
        "Hello {{ contact.first_name | default: 'there' }},"
    )
    page.get_by_label("Remove Text").first.focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(["Head with logo", "Text", "Footer"])
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(names).to_have_text(["Head with logo", "Text", "Text", "Footer"])
    page.locator(".rk-block summary").nth(0).hover()
    keeps_within(page, PHONE["width"])


def test_who_writes_elsewhere_while_a_block_is_on_its_way_is_left_there(add_page: Page) -> None:
    page, held = add_page, list[Route]()
    address = str(page.locator("[data-row-url]").get_attribute("data-row-url"))
    page.route(f"**{address}", lambda route: held.append(route))
    page.get_by_text("+ Add a block").click()
    with page.expect_request(f"**{address}"):
        page.locator(".rk-block-menu").get_by_role("button", name="Cart").click()
    subject = page.locator("#id_subject")
    subject.click()
    page.keyboard.type("Your")
    held[0].continue_()
    expect(page.locator("[data-block-status]")).to_contain_text("Cart is added")
    page.keyboard.type(" cart")
    expect(subject).to_have_value("Your cart")


def test_a_block_is_moved_by_the_pointer(add_page: Page) -> None:
    page = add_page
    grips = page.locator(".rk-block-grip")
    grips.nth(1).drag_to(page.locator(".rk-block").nth(0), target_position={"x": 30, "y": 4})
    expect(page.locator(".rk-block summary b")).to_have_text(["Text", "Head with logo", "Footer"])


def test_every_block_is_one_column_on_a_telephone_and_nothing_sticks_out(
    page: Page, transactional_db: None
) -> None:
    page.route("**/*", lambda route: route.abort())
    for shown in gallery.for_everybody(gallery.version_of(*gallery.all_blocks())):
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.set_content(shown.html)
        keeps_within(page, PHONE["width"])
        beside = page.evaluate(
            "[...document.querySelectorAll('[class*=mj-column-per]')].filter("
            "one => one.getBoundingClientRect().width < 300).map(one => one.outerHTML.slice(0, 200))"
        )
        assert beside == []


# Words that do not stand out from what is painted behind them (WCAG: 3 to 1 for large letters, 4.5 else).
FAINT = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const painted = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (words.nextNode()) {
    const node = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !node.checkVisibility() || node.closest("style, s")) continue;
    const style = getComputedStyle(node);
    const [a, b] = [light(style.color), light(painted(node))].sort((one, other) => other - one);
    const contrast = (a + 0.05) / (b + 0.05);
    const wanted = parseFloat(style.fontSize) >= 18 ? 3 : 4.5;
    if (contrast < wanted) faint.push(`${words.currentNode.data.trim()}: ${contrast.toFixed(1)}`);
  }
  return faint;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_block_is_read_well_in_light_and_in_dark(
    page: Page, transactional_db: None, scheme: str
) -> None:
    page.route("**/*", lambda route: route.abort())
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    shown, _bare = gallery.for_everybody(gallery.version_of(*gallery.all_blocks()))
    page.set_content(shown.html)
    assert page.evaluate(FAINT) == []
