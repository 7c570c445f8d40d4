"""Imports through their pages: four steps, by clicks."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from crm.kernel import clock
from crm.models import ConsentState, Contact, Import, OwnField
from crm.ticking import run_tick
from tests import office
from tests.crm.sheets.bringing import sheet

PEOPLE = sheet(
    ["email", "first_name", "Shoe size", "Whatever"],
    ["new@shop-customers.example", "Nora", "41", "x"],
    [office.MAIL, "Anna", "40", "x"],
    ["nobody", "<script>alert(1)</script>", "", "=1+1"],
)


def dropped(client: Client, data: bytes, **typed: Any) -> Import:
    """The first step."""
    typed = {"subject": "crm.contacts", "file": SimpleUploadedFile("people.csv", data)} | typed
    answer = client.post(reverse("admin:crm_import_add"), typed)
    assert answer.status_code == 302, answer.content.decode()
    return Import.objects.latest("pk")


def checked(client: Client, run: Import, columns: dict[str, str] | None = None, **typed: Any) -> Import:
    """The second step: columns as the page has them, or as they are corrected; then the dry run."""
    page = client.get(reverse("admin:crm_import_change", args=[run.pk]))
    for row in page.context["columns"].rows():
        heading = row["match"].heading
        typed[row["field"].html_name] = (columns or {}).get(heading, row["match"].target)
    answer = client.post(reverse("admin:crm_import_check", args=[run.pk]), typed)
    assert answer.status_code == 302, answer.content.decode()
    return worked(run)


def acted(client: Client, run: Import, act: str) -> Import:
    assert client.post(reverse(f"admin:crm_import_{act}", args=[run.pk])).status_code == 302
    return worked(run)


def worked(run: Import) -> Import:
    run_tick("crm.imports", clock.now())
    run.refresh_from_db()
    return run


def shown(client: Client, run: Import) -> str:
    return client.get(reverse("admin:crm_import_change", args=[run.pk])).content.decode()


def test_a_file_comes_in_by_four_steps_and_goes_again(ada, world):
    run = dropped(ada, PEOPLE)
    seen = shown(ada, run)
    assert "4 columns" in seen and "Nora" in seen
    run = checked(ada, run, {"Shoe size": "new:number"})
    dry = shown(ada, run)
    assert (run.new, run.changed, run.refused) == (1, 1, 1)
    assert (
        "1 field of your own will be made" in dry and not OwnField.objects.filter(label="Shoe size").exists()
    )
    # What a file says is text on our pages, never a part of them.
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in dry and "<script>alert(1)" not in dry
    run = acted(ada, run, "begin")
    assert Contact.objects.get(first_name="Nora").fields == {"shoe_size": 41}
    done = shown(ada, run)
    assert "It came in" in done and "Undo this import" in done
    refused = b"".join(ada.get(reverse("admin:crm_import_refused", args=[run.pk])).streaming_content).decode()
    assert "Refused because" in refused and "'=1+1" in refused and "nobody" in refused
    run = acted(ada, run, "undo")
    assert not Contact.objects.filter(first_name="Nora").exists()
    assert not ConsentState.objects.filter(last_event__source_kind="import").exists()


def offered(client: Client, run: Import) -> dict[str, tuple[str, str]]:
    """What each column of the second step is taken to be, and why."""
    rows = client.get(reverse("admin:crm_import_change", args=[run.pk])).context["columns"].rows()
    return {row["match"].heading: (row["match"].target, row["match"].why) for row in rows}


def test_what_was_corrected_is_remembered_and_what_was_let_stand_is_judged_anew(ada, world):
    headings = ["Name", "Lead name", "email", "Company", "Shop"]
    data = sheet(headings, ["Ana O", "x", "n@shop-customers.example", "y", "Acme"])
    run = checked(ada, dropped(ada, data), {"Company": "", "Shop": "company"})
    acted(ada, run, "begin")

    again = offered(
        ada, dropped(ada, sheet(["Lead name", "Company", "Shop", "email"], ["a", "b", "c", "d@e.de"]))
    )
    assert again["Company"] == ("", "remembered") and again["Shop"] == ("company", "remembered")
    # In the first file another column was the name: nobody said that this one is none.
    assert again["Lead name"] == ("full_name", "synonym") and again["email"] == ("email", "name")

    run = checked(ada, dropped(ada, data), {"Company": "company", "Shop": ""})
    acted(ada, run, "begin")
    assert offered(ada, dropped(ada, data))["Company"] == ("company", "remembered")


def test_letters_of_columns_without_headings_are_not_remembered(ada, world):
    run = dropped(ada, b"a1b2c3d4e5f60718293a4b5c,n@shop-customers.example,Nora\n")
    acted(ada, checked(ada, run, {"A": "external_id", "C": "first_name"}), "begin")

    assert offered(ada, dropped(ada, b"b@shop-customers.example,12\n"))["A"] == ("email", "content")


def test_all_rows_of_a_file_are_told_of_and_how_it_was_read_in_words(ada, world):
    lines = [
        "\ufeffEmail,First name,Phone",
        "n@shop-customers.example,,12",
        "",
        "N@shop-customers.example,Nora,",
    ]
    run = dropped(ada, "\n".join(lines).encode())
    assert "UTF-8," in shown(ada, run)

    run = checked(ada, run)
    dry = shown(ada, run)
    assert "Row 3 is blank and was left out." in dry and "UTF-8-SIG" not in dry
    remarks = b"".join(ada.get(reverse("admin:crm_import_remarks", args=[run.pk])).streaming_content).decode()
    assert "telephone “12” is left out" in remarks and "4,the same person as row 2" in remarks

    done = shown(ada, acted(ada, run, "begin"))
    assert "<dt>made</dt><dd>1</dd>" in done and "<dt>other rows</dt><dd>1</dd>" in done
    assert "<dt>rows of the file</dt><dd>2</dd>" in done and "Row 3 is blank and was left out." in done


def test_a_long_list_says_that_it_goes_on_in_the_file(ada, world):
    run = checked(ada, dropped(ada, sheet(["email", "phone"], *(["nobody", ""] for _ in range(20)))))
    assert "These are the first 12 of 20; all are in the file." in shown(ada, run)

    rows = [[f"no {number}", ""] for number in range(20)]
    run = checked(ada, dropped(ada, sheet(["email", "phone"], ["n@shop-customers.example", ""], *rows)))
    assert "15 more rows for other reasons: each is in the file." in shown(ada, acted(ada, run, "begin"))


def test_a_file_of_nothing_but_headings_says_that_it_has_no_rows(ada, world):
    run = dropped(ada, b"email,first_name\n")
    assert "There is no row below the headings." in shown(ada, run)
    assert "No row of this file can come in as it is." in shown(ada, checked(ada, run))


def test_nothing_is_said_in_red_before_somebody_left_it_out(ada, world):
    run = dropped(ada, sheet(["email"], ["n@shop-customers.example"]), subject="crm.leads")
    assert "Choose the definition." not in shown(ada, run)

    answer = ada.post(reverse("admin:crm_import_check", args=[run.pk]), {"column-0": "email"})
    assert "Choose the definition." in answer.content.decode()


def test_an_export_we_know_is_said_so(ada, world):
    data = sheet(
        ["Email Address", "First Name", "MEMBER_RATING", "LEID", "EUID"], ["a@b.example", "", "2", "", ""]
    )
    assert "A known export: Mailchimp audience." in shown(ada, dropped(ada, data))
