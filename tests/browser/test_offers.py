"""An offer made, its codes brought and made, the rule beside the box that sets it aside: desk and phone."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from campaigns.messages import compiling, composing, kinds, mjml, variables
from campaigns.messages.look import PLAIN
from campaigns.models import Coupon, Offer
from campaigns.offers import reserving
from campaigns.offers.judging import Verdict
from campaigns.offers.reserving import Wanted
from tests import office as cast
from tests.browser import pictures
from tests.browser.conftest import PHONE
from tests.browser.widths import fits, keeps_within

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def office(live_server: LiveServer, page: Page, world: cast.World) -> Page:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="secret"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


def test_a_marketer_makes_an_offer_and_fills_its_pool(
    live_server: LiveServer, office: Page, complaints: list[str], world: cast.World
) -> None:
    page = office
    page.goto(f"{live_server.url}/admin/campaigns/offer/add/")
    page.get_by_label("Name", exact=False).first.fill("Come back")
    page.get_by_label("How much").fill("15")
    expect(page.get_by_label("Gift")).to_be_hidden()
    page.get_by_label("On what").select_option("category")
    page.get_by_label("Category").fill("Speakers")
    rule = page.get_by_text("People learn.")
    expect(rule).to_be_hidden()
    page.get_by_label("May be better than the site").check()
    expect(rule).to_be_visible()
    pictures.keep(page, "offer-add")
    fits(page)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("heading", name="What the guard says")).to_be_visible()
    expect(page.get_by_text("Better than the site, and it may be.")).to_be_visible()
    page.get_by_label("How many").fill("25")
    page.get_by_role("button", name="Make codes").click()
    expect(page.get_by_text("25 codes were made.")).to_be_visible()
    page.get_by_role("link", name="paste or import some").click()
    page.get_by_label("Paste codes").fill("BACK-1\nBACK-2\nCODE-0001\nno good\n")
    page.get_by_role("button", name="Take them").click()
    expect(page.get_by_role("heading", name="2 new codes")).to_be_visible()
    expect(page.get_by_role("row", name="it belongs to another offer")).to_be_visible()
    pictures.keep(page, "offer-bring")
    fits(page)

    made = Offer.objects.get(name="Come back")
    wanted = Wanted(world.contact.pk, world.delivery.public_id, Verdict())
    with transaction.atomic():
        [coupon] = reserving.reserve(made, [wanted], cast.NOW).values()
    Coupon.objects.filter(pk=coupon.pk).update(state="used", used_at=cast.NOW, order_id=world.order.pk)
    for name, url in {
        "offer": f"offer/{made.pk}/change/",
        "offers": "offer/",
        "coupons": "coupon/",
        "guard": "offersettings/1/change/",
        "flow": f"campaign/{world.campaign.pk}/change/",
    }.items():
        page.goto(f"{live_server.url}/admin/campaigns/{url}")
        pictures.keep(page, f"offers-{name}")
        fits(page)
    assert complaints == []
    page.goto(f"{live_server.url}/admin/crm/contact/{world.contact.pk}/change/")
    expect(page.get_by_text(coupon.code).first).to_be_visible()
    pictures.keep(page, "offers-contact")


BEHIND = """element => {
    while (getComputedStyle(element).backgroundColor === "rgba(0, 0, 0, 0)") element = element.parentElement;
    return getComputedStyle(element).backgroundColor.match(/\\d+/g).map(Number).slice(0, 3);
}"""


@pytest.mark.parametrize(("scheme", "is_light"), [("light", True), ("dark", False)])
def test_a_coupon_can_be_read_by_day_and_by_night_on_a_telephone(
    browser: Browser, scheme: str, is_light: bool
) -> None:
    blocks = [
        {"kind": "campaigns.coupon", "params": {"title": "For you", "already_bought": "on"}},
        {"kind": "campaigns.footer", "params": {"because": "You left a cart."}},
    ]
    made = composing.made_of(blocks, PLAIN)
    ready = compiling.compiled("s", mjml.compile_html(made.mjml), made.text)
    context = browser.new_context(viewport=PHONE, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_content(ready.render(variables.example(kinds.shapes())).html)
    for words in ("20 % off", "SPRING-7KQ2-MX9D-4HJPW", "For you"):
        text = page.get_by_text(words, exact=True)
        assert (sum(text.evaluate(BEHIND)) > 600) is is_light, (words, text.evaluate(BEHIND))
    keeps_within(page, PHONE["width"])
    context.close()
