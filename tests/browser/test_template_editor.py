"""A message is put together from blocks, drawn on the page, seen as people get it; nothing typed is lost."""

import html
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.messages import text
from campaigns.models import Template
from crm.kernel import clock
from tests import office
from tests.browser import pictures

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
    canvas = page.frame_locator("iframe.gjs-frame")
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
