"""The lead board in a real browser: a card is moved by keyboard alone, and by dragging."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from crm.kernel import clock
from crm.models import Contact, Lead, LeadDefinition, Stage, StageMove, Task
from tests import office
from tests.browser import pictures
from tests.browser.conftest import PHONE
from tests.browser.widths import keeps_within

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CUT_OFF = """[...document.querySelectorAll(".rk-rule button")]
    .some((button) => button.getBoundingClientRect().right > innerWidth)"""
NAMES = ["Ana Oliveira", "Bo Berg", "Chiara Conti", "Dag Dahl", "Eva Engel", "Finn Falk"]


@pytest.fixture
def board(live_server: LiveServer, page: Page) -> Iterator[str]:
    """Ada is logged in; six people are leads, one of them for longer than the stage allows."""
    office.set_up_shop()
    ada = office.user("ada", is_superuser=True)
    hot = office.definition("Hot")
    for number, name in enumerate(NAMES):
        first, last = name.split()
        contact = office.person(f"{first.lower()}@shop-customers.example", first_name=first, last_name=last)
        contact.engagement.spent = 120 * number
        contact.engagement.save()
        at = office.NOW - timedelta(days=3 * number)
        reasons = [
            {"label": "bought at least 2 times in the last 90 days", "points": 30, "of": 30},
            {"label": "opened nothing for 60 days", "points": -5, "of": -10},
        ]
        office.lead(
            contact, hot, at=at, score=60 - 5 * number, reasons=reasons, owner=ada if number % 2 else None
        )
        if number == 1:
            Task.objects.create(contact=contact, owner=ada, title="Call about the speakers", created_at=at)
    client = office.logged_in(ada)
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies["sessionid"].value,
                "url": live_server.url,
            }
        ]
    )
    with clock.frozen(office.NOW + timedelta(hours=1), everywhere=True):
        yield f"{live_server.url}/admin/crm/lead/board/"


def test_a_card_is_moved_by_keyboard_alone(page: Page, board: str, complaints: list[str]) -> None:
    page.goto(board)
    lead = Lead.objects.get(contact__first_name="Chiara")
    ready = Stage.objects.get(meaning="sales_ready")
    page.get_by_label("Move Chiara Conti to").focus()
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(f"[data-stage='{ready.pk}']")).to_contain_text("Chiara Conti")
    expect(page.get_by_role("status")).to_contain_text("Chiara Conti was moved")
    lead.refresh_from_db()
    assert lead.stage == ready
    assert StageMove.objects.get().actor == "ada"
    expect(page.locator(f"#move-{lead.pk}")).to_be_focused()
    pictures.keep(page, "leads-board")
    assert complaints == []


def test_a_card_is_dragged_to_another_stage_and_back(page: Page, board: str, complaints: list[str]) -> None:
    page.goto(board)
    lead = Lead.objects.get(contact__first_name="Bo")
    for meaning in ("nurture", "lead"):
        stage = Stage.objects.get(meaning=meaning)
        page.locator(f"#lead-{lead.pk}").drag_to(page.locator(f"[data-stage='{stage.pk}'] h2"))
        expect(page.locator(f"[data-stage='{stage.pk}']")).to_contain_text("Bo Berg")
        lead.refresh_from_db()
        assert lead.stage == stage
    assert complaints == []


def test_every_page_of_leads_fits_a_phone(page: Page, board: str, complaints: list[str]) -> None:
    admin = board.removesuffix("crm/lead/board/")
    definition, contact = LeadDefinition.objects.get(), Contact.objects.get(first_name="Bo")
    draft, counts = definition.versions.get(number=2), definition.versions.get(number=1)
    pages = {
        "table": "crm/lead/",
        "definitions": "crm/leaddefinition/",
        "definition": f"crm/leaddefinition/{definition.pk}/change/",
        "definition-add": "crm/leaddefinition/add/",
        "draft": f"crm/leadversion/{draft.pk}/change/?person={contact.email}",
        "published": f"crm/leadversion/{counts.pk}/change/",
        "contact": f"crm/contact/{contact.pk}/change/",
        "tasks": "crm/task/",
        "task-add": f"crm/task/add/?contact={contact.pk}",
    }
    wide = []
    for name, path in pages.items():
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        answer = page.goto(f"{admin}{path}")
        assert answer and answer.status == 200, name
        keeps_within(page, PHONE["width"])
        if page.evaluate(CUT_OFF):
            wide.append(f"{name}: a button of a rule is cut off")
        pictures.keep(page, f"leads-{name}")
    assert wide == []
    assert complaints == []
