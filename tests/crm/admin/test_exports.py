"""Any list leaves as a file: with its filters, by a job that goes on where it was killed."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localtime

from crm.kernel import clock
from crm.kernel.work import Budget
from crm.models import Contact, Export
from crm.sheets.exporting import files, running
from crm.ticking import run_tick
from tests import office
from tests.crm.sheets.leaving import asked, fetched, rows, taken

LISTS = sorted(
    model._meta.label_lower for model, page in admin.site._registry.items() if getattr(page, "exports", False)
)


@pytest.mark.proof
def test_every_list_of_the_admin_leaves_as_a_file(world, ada):
    assert len(LISTS) > 20
    for table in LISTS:
        export = asked(ada, table)
        running.work(export.pk, clock.now(), Budget(60))
        export.refresh_from_db()
        assert (export.status, export.problem) == (Export.Status.DONE, ""), table
        page = ada.get(reverse(f"admin:{table.replace('.', '_')}_changelist"), follow=True)
        lines = rows(fetched(ada, export))
        assert len(lines) == export.rows, table
        # Some have a page of their own in place of a list.
        if page.context and "cl" in page.context:
            assert export.rows == page.context["cl"].result_count, table
        assert not any("<" in cell for line in lines for cell in line.values()), table


def test_a_list_leaves_as_it_is_filtered_searched_and_sorted(world, ada):
    for number, country in enumerate(["DE", "DE", "PT"]):
        office.person(f"p{number}@shop-customers.example", country=country, first_name=f"P{number}")
    export = asked(ada, "crm.contact", "country=DE&o=2&p=3", columns=["email", "country"])
    running.work(export.pk, clock.now(), Budget(60))
    lines = rows(fetched(ada, export))
    assert [line["E-mail"] for line in lines] == ["p0@shop-customers.example", "p1@shop-customers.example"]
    export.refresh_from_db()
    assert (export.told, export.rows) == ("country: DE", 2)
    # The next file of this list is offered with the same columns.
    form = ada.get(reverse("admin:crm_export_of", args=["crm.contact"])).context["form"]
    assert form.initial["columns"] == ["email", "country"]
    orders = asked(ada, "crm.order", "status__exact=placed")
    assert orders.told == "status: placed"


def test_numbers_and_days_are_numbers_and_days(world, ada):
    typed = {"columns": ["occurred_at", "total", "contact", "contact.email"], "format": "xlsx"}
    book = openpyxl.load_workbook(io.BytesIO(taken(ada, "crm.order", **typed)))
    head, first = list(book.active.iter_rows(values_only=True))[:2]
    assert head == ("Occurred at", "Total", "Contact", "Contact: e-mail")
    at = localtime(world.order.occurred_at, ZoneInfo("Europe/Amsterdam")).replace(tzinfo=None)
    assert first[:2] == (at, 249)
    assert first[2:] == ("Ana Oliveira", office.MAIL)


@pytest.fixture
def many(db) -> None:
    Contact.objects.bulk_create(
        Contact(first_name=f"N{number:03}", email=f"n{number}@x.example") for number in range(95)
    )


def test_an_export_goes_on_where_it_was_killed_and_begins_again_where_its_files_are_gone(
    many, ada, monkeypatch
):
    monkeypatch.setattr(running, "BATCH", 10)
    export = asked(ada, "crm.contact", "o=1", columns=["first_name"])
    for _turn in range(4):  # the keys, and three batches of rows
        running._turn(export.pk, clock.now())
    with files.path_of(export, "rows").open("ab") as killed:
        killed.write(b"half a li" * 500)
    export.refresh_from_db()
    assert (export.done, export.rows) == (30, 30)
    Contact.objects.filter(first_name="N050").delete()
    Contact.objects.create(first_name="N0505")
    page = ada.get(reverse("admin:crm_export_change", args=[export.pk])).content.decode()
    assert "Row 30 of 95" in page
    files_lost = asked(ada, "crm.contact", "o=1", columns=["first_name"])
    running._turn(files_lost.pk, clock.now())
    files.path_of(files_lost, "rows").unlink()
    run_tick("crm.exports", clock.now())
    # As the list was when it was begun, less who is gone; not one twice.
    names = [line["First name"] for line in rows(fetched(ada, export))]
    assert sorted(names) == [f"N{number:03}" for number in range(95) if number != 50]
    assert len(rows(fetched(ada, files_lost))) == 95
    assert not list(files.path_of(export).parent.glob(f"{export.pk.hex}.rows"))


def test_a_batch_costs_the_same_however_many_rows_it_has(many, ada, world, monkeypatch):
    costs = []
    for size in (5, 60):
        monkeypatch.setattr(running, "BATCH", size)
        export = asked(ada, "crm.contact")
        running._turn(export.pk, clock.now())
        with CaptureQueriesContext(connection) as queries:
            running._turn(export.pk, clock.now())
        costs.append(len(queries))
        ada.post(reverse("admin:crm_export_stop", args=[export.pk]))
    assert costs[0] == costs[1] <= 12


def test_an_export_can_be_stopped_and_only_so_many_are_made_at_once(world, ada):
    for _number in range(5):
        export = asked(ada, "crm.contact")
    url = reverse("admin:crm_export_of", args=["crm.contact"])
    full = ada.post(url, {"columns": ["email"], "format": "csv"})
    assert "5 of your exports are in the making" in full.content.decode()
    assert "Tick at least one column" in ada.post(url, {"format": "csv"}).content.decode()
    ada.post(reverse("admin:crm_export_stop", args=[export.pk]))
    export.refresh_from_db()
    assert export.status == Export.Status.STOPPED
    run_tick("crm.exports", clock.now())
    assert set(Export.objects.values_list("status", flat=True)) == {"done", "stopped"}
