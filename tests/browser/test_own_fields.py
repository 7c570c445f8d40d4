"""A marketer makes own fields, brings people by spreadsheet, answers a field on a person's page."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from config import administrators
from crm.kernel import clock
from crm.models import Contact, OwnField
from crm.ticking import run_tick
from tests.browser import pictures
from tests.browser.conftest import PHONE
from tests.browser.widths import keeps_within

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_own_fields_from_making_them_to_answering_one(
    live_server: LiveServer, page: Page, complaints: list[str], tmp_path: Path
) -> None:
    admin = f"{live_server.url}/admin"
    password = administrators.first_password()
    page.goto(f"{admin}/")
    page.get_by_label("Username").fill(administrators.FIRST)
    page.get_by_label("Password").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click()

    page.goto(f"{admin}/crm/ownfield/add/")
    page.get_by_label("Label").fill("Mood")
    page.get_by_label("Type").select_option("one of a list")
    pictures.keep(page, "own-field-add")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("A list needs its answers, one a line.")).to_be_visible()
    page.get_by_label("Answers").fill("Sunny\nGrey")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    page.goto(f"{admin}/crm/ownfield/add/")
    page.get_by_label("Label").fill("Birthday")
    page.get_by_label("Type").select_option("date")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    pictures.keep(page, "own-fields")

    file = tmp_path / "leads.csv"
    rows = [f"{number},{'Select' if number % 3 else 'Sunny'},{number}.1.1990" for number in range(1, 29)]
    file.write_text("\n".join(["Lead Number,Mood,Birthday", *rows]))
    page.goto(f"{admin}/crm/contact/")
    page.locator("a[href*='/crm/import/add/']").click()
    pictures.keep(page, "import-drop")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_text("2 recognised")).to_be_visible()
    page.get_by_role("button", name="Dry run: see what it would do").click()
    expect(page.get_by_text("No column says who the people are.")).to_be_visible()
    page.get_by_label("Lead Number").select_option("Their number elsewhere")
    pictures.keep(page, "import-seen")
    page.get_by_role("button", name="Dry run: see what it would do").click()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    run_tick("crm.imports", clock.now())
    expect(page.get_by_text("is none of its answers: Sunny, Grey").first).to_be_visible()
    pictures.keep(page, "import-refused")
    page.get_by_role("link", name="Change the columns").click()
    page.get_by_label("Words that mean no answer").fill("Select")
    page.get_by_role("button", name="Dry run: see what it would do").click()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    run_tick("crm.imports", clock.now())
    expect(page.get_by_text("28 new, such as")).to_be_visible()
    pictures.keep(page, "import-checked")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    keeps_within(page, PHONE["width"])
    page.get_by_role("button", name="Bring it in").click()
    expect(page.get_by_text("it goes on without you")).to_be_visible()
    pictures.keep(page, "import-running")
    run_tick("crm.imports", clock.now())
    expect(page.get_by_role("heading", name="It came in")).to_be_visible()
    pictures.keep(page, "import-done")
    assert Contact.objects.filter(fields__mood="Sunny").count() == 9

    person = Contact.objects.get(fields__birthday="1990-01-02")
    page.goto(f"{admin}/crm/contact/{person.pk}/change/")
    page.locator("summary, [x-on\\:click]").filter(has_text="Edit this person").first.click()
    page.get_by_label("Mood", exact=True).select_option("Grey")
    pictures.keep(page, "person")
    page.get_by_label("First name").fill("Ana")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("definition").filter(has_text="Grey")).to_be_visible()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    keeps_within(page, PHONE["width"])
    assert OwnField.objects.count() == 2
    assert complaints == []
