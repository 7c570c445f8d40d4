"""A sales person's day: leads accepted and refused, and the page of a contact; by keyboard and on a phone as
well.
"""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from config import roles
from crm.audience.leads import stages
from crm.kernel import clock
from crm.models import AssignmentMember, AssignmentRule, MarketingPause, Note, Order, OwnField, Stage, Task
from crm.people import desk, engagement
from tests import office
from tests.browser import pictures
from tests.browser.widths import keeps_within
from tests.office import person, sender, set_up_shop, user
from tracking.models import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def hand_over_to(sara: User) -> None:
    """Two leads ready for sales go to Sara, the only one there is; one of them is on the site."""
    hot, now = office.definition("Hot"), clock.now()
    Stage.objects.create(definition=hot, name="accepted", meaning="accepted", position=9)
    rule = AssignmentRule.objects.create(name="Everybody", created_at=now)
    AssignmentMember.objects.create(rule=rule, user=sara)
    for name in ("Bo", "Chiara"):
        contact = person(f"{name.lower()}@shop-customers.example", first_name=name, last_name="Berg")
        lead = office.lead(contact, hot, at=now, score=60)
        stages.move(lead, hot.stages.get(meaning="sales_ready"), now, "mira", "Asked for a price")
    engagement.touch("last_seen_at", {contact.pk: now})
    Visit.objects.create(
        contact=contact, started_at=now, ended_at=now, recorded_at=now, exit_url="https://shop.example/wool"
    )
    desk.make_task(contact.pk, "Send the catalogue", sara, now, due_at=now - timedelta(hours=2))


def answer_leads(page: Page, admin: str) -> None:
    """Accept one, refuse one, and see the reason come back to marketing."""
    page.goto(f"{admin}crm/lead/board/")
    expect(page.get_by_role("heading", name="To accept or refuse")).to_be_visible()
    expect(page.get_by_text("1 overdue")).to_be_visible()
    expect(page.locator("section", has_text="On the site now").last).to_contain_text("/wool")
    page.get_by_text("Why they are ready").first.click()
    page.locator(".rk-asked summary", has_text="Refuse").last.click()
    pictures.keep(page, "desk")
    page.set_viewport_size({"width": 390, "height": 844})
    keeps_within(page, 390)
    page.set_viewport_size(pictures.WIDTHS["desktop"])  # type: ignore[arg-type]
    page.get_by_role("listitem").filter(has_text="Bo Berg").get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Bo Berg is accepted")).to_be_visible()
    page.locator(".rk-asked summary", has_text="Refuse").click()
    page.get_by_label("Because").select_option("not now")
    page.get_by_label("in your words").fill("Next year, after the move")
    page.locator(".rk-asked").get_by_role("button", name="Refuse").last.click()
    expect(page.get_by_text("Chiara Berg goes back to be nurtured")).to_be_visible()
    page.goto(f"{admin}crm/handover/")
    expect(page.get_by_text("not now: Next year, after the move")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="1 not now")).to_be_visible()
    pictures.keep(page, "hand-overs")


def test_a_day_with_leads_and_one_customer(
    live_server: LiveServer, page: Page, complaints: list[str]
) -> None:
    set_up_shop()
    roles.ensure()
    ana, sara = person(), user("sara")
    sara.groups.add(Group.objects.get(name="Sales"))
    hand_over_to(sara)
    sender()
    OwnField.objects.create(key="linkedin", label="LinkedIn", type=OwnField.Type.LINK)
    page.goto(f"{live_server.url}/admin/crm/contact/{ana.pk}/change/")
    page.get_by_label("Username").fill("sara")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("navigation", name="What to do").wait_for()
    answer_leads(page, f"{live_server.url}/admin/")
    page.goto(f"{live_server.url}/admin/crm/contact/{ana.pk}/change/")

    note = page.locator("summary", has_text="Note")
    note.focus()
    page.keyboard.press("Enter")
    page.get_by_label("What to remember").fill("Asked about the wool blankets.")
    pictures.keep(page, "person-note")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("Asked about the wool blankets.")).to_be_visible()

    page.locator("summary", has_text="Call").click()
    page.get_by_label("What came of it").select_option("call again later")
    page.get_by_label("Call again on").fill("2030-01-07")
    pictures.keep(page, "person-call")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Call by sara: call again later")).to_be_visible()

    page.locator("summary", has_text="E-mail").click()
    page.get_by_label("Subject").fill("Your wool blankets")
    page.get_by_label("Text").fill("Hello Ana, the blankets are back.")
    pictures.keep(page, "person-write")
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_text("E-mail by sara “Your wool blankets”: queued")).to_be_visible()

    page.locator("summary", has_text="Learned").click()
    page.locator("details[open]").get_by_label("LinkedIn").fill("linkedin.com/in/ana")
    pictures.keep(page, "person-learned")
    with page.expect_navigation():
        page.get_by_role("button", name="Keep what we learned").click()
    page.get_by_role("searchbox", name="Words on the timeline").fill("blankets wool")
    page.get_by_role("searchbox", name="Words on the timeline").press("Enter")
    expect(page.get_by_text("Asked about the wool blankets.")).to_be_visible()
    expect(page.get_by_text("Call by sara: call again later")).to_be_hidden()
    pictures.keep(page, "person-search")

    page.locator("summary", has_text="Order").click()
    page.get_by_label("Total").fill("59.90")
    page.get_by_label("What they bought").fill("A wool blanket")
    page.get_by_role("button", name="Record the order").click()
    expect(page.get_by_text("Ordered for 59.90 EUR")).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("summary", has_text="Take over").click()
    page.locator("details[open]").get_by_label("Because").fill("We speak on Monday")
    keeps_within(page, 390)
    pictures.keep(page, "person-take-over")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Take over", exact=True).click()
    expect(page.get_by_role("heading", name="Marketing is paused")).to_be_visible()
    pictures.keep(page, "person")
    assert (
        Note.objects.count() == 3
        and Order.objects.count() == 1
        and Task.objects.filter(contact=ana).count() == 1
    )
    assert MarketingPause.objects.get().why == "We speak on Monday"
    assert not complaints


GO_TO_ITS_LAST_FIELD = """() => new MutationObserver(() =>
    document.querySelector(".rk-act [name$=-why]")?.focus()
).observe(document.body, { childList: true, subtree: true })"""


def test_who_goes_to_another_field_at_once_stays_there(live_server: LiveServer, page: Page) -> None:
    """The first field of a form is chosen as the form appears, not a moment later, when somebody writes in
    another one already.
    """
    ana = person()
    roles.ensure()
    user("sara").groups.add(Group.objects.get(name="Sales"))
    page.goto(f"{live_server.url}/admin/crm/contact/{ana.pk}/change/")
    page.get_by_label("Username").fill("sara")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("navigation", name="What to do").wait_for()
    page.evaluate(GO_TO_ITS_LAST_FIELD)
    page.locator("summary", has_text="Take over").click()
    page.get_by_label("Because").wait_for()
    page.wait_for_timeout(200)
    expect(page.get_by_label("Because")).to_be_focused()
    page.locator("summary", has_text="Note").click()
    expect(page.get_by_label("What to remember")).to_be_focused()
