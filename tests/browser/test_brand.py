"""Pictures dropped into the library and messages set against each other, as a marketer does it."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.images import library
from campaigns.models import Image, StepVariant
from tests import office as cast
from tests.browser import pictures
from tests.browser.widths import fits
from tests.campaigns import mailing
from tests.campaigns.images.pictures import photo, upload

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def office(live_server: LiveServer, page: Page, settings, tmp_path) -> Page:
    settings.MEDIA_ROOT = tmp_path
    settings.REKINDLE_PUBLIC_URL = settings.REKINDLE_ADMIN_URL = live_server.url
    cast.set_up_shop(url=live_server.url)
    cast.sender()
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


def test_pictures_are_dropped_described_and_looked_at(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page = office
    page.goto(f"{live_server.url}/admin/campaigns/image/")
    expect(page.get_by_text("No pictures yet")).to_be_visible()
    pictures.keep(page, "brand-pictures-empty")
    page.locator("input[name=files]").set_input_files(
        [
            {"name": "oak horn.jpg", "mimeType": "image/jpeg", "buffer": photo(1600, 900)},
            {"name": "Summer sale.png", "mimeType": "image/png", "buffer": photo(400, 400, "PNG")},
            {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": b"<svg></svg>"},
        ]
    )
    expect(page.get_by_text("oak horn.jpg, Summer sale.png, logo.svg")).to_be_visible()
    page.get_by_role("button", name="Add to the library").click()
    expect(page.get_by_text("2 pictures were added")).to_be_visible()
    expect(page.get_by_text("logo.svg: SVG is not taken")).to_be_visible()
    shown = page.locator(".rk-thumbnail").first
    expect(shown).to_have_js_property("naturalWidth", 300)
    page.locator("input[name=form-0-alt]").fill("A summer’s day")
    pictures.keep(page, "brand-pictures")
    fits(page)
    page.locator("[name=_save]").first.click()
    expect(page.get_by_text("1 picture was changed successfully")).to_be_visible()
    page.get_by_role("link", name="oak horn").click()
    expect(page.locator(".rk-large")).to_be_visible()
    pictures.keep(page, "brand-picture")
    fits(page)
    assert Image.objects.filter(alt="A summer’s day").count() == 1
    assert complaints == []


def test_messages_of_a_step_are_set_against_each_other(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page = office
    campaign = cast.draft()
    second = mailing.template("With two alternatives")
    page.goto(f"{live_server.url}/admin/campaigns/campaign/{campaign.pk}/change/?step=first-message")
    message = page.locator("#id_template")
    expect(message).to_be_visible()
    first = message.input_value()
    page.get_by_role("button", name="Compare with another message").first.click()
    expect(message).to_be_hidden()
    rows = page.locator("#id_variants .rk-variant")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator("select")).to_have_value(first)
    rows.nth(1).locator("select").select_option(str(second.pk))
    rows.nth(0).get_by_label("Share").fill("75")
    expect(rows.nth(0).locator("output")).to_have_text("60 %")
    rows.nth(1).get_by_label("Share").fill("25")
    pictures.keep(page, "brand-variants-form")
    fits(page)
    page.get_by_role("button", name="Save the step").click()
    expect(page.get_by_text("Saved: ")).to_be_visible()
    assert list(StepVariant.objects.values_list("label", "weight")) == [("A", 75), ("B", 25)]
    page.goto(f"{live_server.url}/admin/campaigns/campaign/{campaign.pk}/results/")
    expect(page.get_by_role("heading", name="Messages compared")).to_be_visible()
    pictures.keep(page, "brand-variants")
    fits(page)
    page.goto(f"{live_server.url}/admin/campaigns/campaign/{campaign.pk}/change/?step=first-message")
    rows.nth(0).get_by_role("button", name="Take away").click()
    expect(rows).to_have_count(0)
    expect(message).to_have_value(str(second.pk))
    page.get_by_role("button", name="Save the step").click()
    expect(page.get_by_text("Saved: ")).to_be_visible()
    assert not StepVariant.objects.exists()
    assert complaints == []


def test_the_brand_kit_is_chosen_beside_a_message_in_it(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page = office
    library.take(upload(photo(400, 120, "PNG"), "our logo.png"), None, cast.NOW)
    page.goto(f"{live_server.url}/admin/campaigns/brandkit/")
    sample = page.frame_locator("iframe[name=rk-preview-frame]")
    expect(sample.get_by_text("this is how a message looks in your colours")).to_be_visible()
    page.get_by_role("button", name="Choose a picture").click()
    page.get_by_label("Search pictures").fill("nothing like it")
    way = page.get_by_role("link", name="Add some under Pictures")
    expect(way).to_have_attribute("href", f"{live_server.url}/admin/campaigns/image/")
    page.get_by_label("Search pictures").fill("logo")
    pictures.keep(page, "brand-kit-choose")
    page.get_by_role("button", name="our logo").click()
    expect(page.locator("#id_logo_url")).to_have_value(Image.objects.get().url())
    page.locator("#id_button").fill("#7a1f5c")
    page.locator("#id_link").fill("#e0b0d0")
    expect(page.get_by_text("hard to read: choose colours further apart")).to_be_visible()
    page.locator("#id_link").fill("#7a1f5c")
    expect(page.get_by_text("hard to read: choose colours further apart")).to_have_count(0)
    page.locator("#id_social").fill("Instagram https://instagram.com/shop")
    expect(sample.get_by_role("link", name="Instagram")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    pictures.keep(page, "brand-kit")
    fits(page)
    page.locator("[name=_save]").first.click()
    expect(page.get_by_text("The brand kit is saved.")).to_be_visible()
    expect(page.locator("#id_social")).to_have_value("Instagram https://instagram.com/shop")
    page.goto(f"{live_server.url}/admin/campaigns/savedblock/add/")
    page.locator("#id_name").fill("Our promise")
    page.locator("#id_kind").select_option("campaigns.text")
    page.locator('[name="kind--campaigns-text-words"]').fill("Free returns for 30 days.")
    pictures.keep(page, "brand-saved-block")
    fits(page)
    page.locator("[name=_save]").first.click()
    expect(page.get_by_role("link", name="Our promise").first).to_be_visible()
    pictures.keep(page, "brand-saved-blocks")
    fits(page)
    assert complaints == []


def test_of_pictures_searched_for_the_newest_answer_counts(live_server: LiveServer, office: Page) -> None:
    page, held = office, list[Route]()
    library.take(upload(photo(400, 120, "PNG"), "our logo.png"), None, cast.NOW)
    page.goto(f"{live_server.url}/admin/campaigns/brandkit/")
    everything = re.compile(r"\?q=$")
    page.route(everything, lambda route: held.append(route))
    with page.expect_request(everything):
        page.get_by_role("button", name="Choose a picture").click()
    page.get_by_label("Search pictures").fill("nothing like it")
    expect(page.get_by_text("No picture is found.")).to_be_visible()
    with page.expect_response(everything):
        held[0].continue_()
    page.wait_for_timeout(200)
    expect(page.get_by_role("button", name="our logo")).to_have_count(0)
    expect(page.get_by_text("No picture is found.")).to_be_visible()


def test_the_editor_takes_pictures_and_saved_blocks(
    live_server: LiveServer, office: Page, complaints: list[str]
) -> None:
    page = office
    image = library.take(upload(photo(400, 120, "PNG"), "oak horn.png"), None, cast.NOW)[0]
    Image.objects.update(alt="A horn in oak")
    page.on("dialog", lambda dialog: dialog.accept("Our horn"))
    page.goto(f"{live_server.url}/admin/campaigns/template/add/")
    page.get_by_text("+ Add a block").click()
    page.get_by_role("button", name="Picture", exact=False).filter(has_text="link behind it").click()
    page.get_by_role("button", name="Choose a picture").click()
    page.get_by_role("button", name="oak horn").click()
    block = page.locator('[data-kind="campaigns.image"]')
    expect(block.locator('[data-block-field="picture"]')).to_have_value(image.url())
    expect(block.locator('[data-block-field="alt"]')).to_have_value("A horn in oak")
    block.get_by_role("button", name="Save Picture for other messages").click()
    expect(page.get_by_text("“Our horn” is saved.")).to_be_visible()
    page.goto(f"{live_server.url}/admin/campaigns/template/add/")
    page.get_by_text("+ Add a block").click()
    page.get_by_role("button", name="Our horn").click()
    expect(page.locator('[data-kind="campaigns.image"] [data-block-field="alt"]')).to_have_value(
        "A horn in oak"
    )
    pictures.keep(page, "brand-editor")
    assert complaints == []
