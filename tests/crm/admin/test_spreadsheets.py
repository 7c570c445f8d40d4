"""People and products by spreadsheet, through the admin, with files as people have them."""

from __future__ import annotations

import csv
import io

import pytest
import tablib
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.models import ConsentState, Contact, ContactPoint, Product, Suppression
from tests import office

CSV, XLSX = "0", "1"
HEADER = ["email", "phone", "first_name", "last_name", "country", "consent"]
PEOPLE = [
    ["Clara.Bauer@Example.org", "+49 30 901820", "Clara", "Bauer", "DE", "yes"],
    ["clara.bauer@example.org", "", "Klara", "", "AT", "yes"],
    [office.MAIL, "", "Anna", "Other", "ES", "yes"],
    ["", "+31 20 555 0142", "Zoë", "Bakker", "NL", "yes"],
]


def as_csv(rows) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    return text.getvalue().encode()


def as_xlsx(rows) -> bytes:
    return tablib.Dataset(*rows, headers=HEADER).export("xlsx")


def send(client, model: str, data: bytes, kind: str):
    """Both steps as a person takes them: look at what would happen, then do it."""
    name = "file.csv" if kind == CSV else "file.xlsx"
    url = reverse(f"admin:crm_{model}_import")
    seen = client.post(url, {"format": kind, "resource": "", "import_file": SimpleUploadedFile(name, data)})
    confirm = seen.context.get("confirm_form")
    if confirm is None:
        return seen, None
    posted = {key: value for key, value in confirm.initial.items() if value is not None}
    return seen, client.post(reverse(f"admin:crm_{model}_process_import"), posted, follow=True)


@pytest.mark.parametrize("kind, made", [(CSV, as_csv), (XLSX, as_xlsx)])
def test_a_file_makes_people_with_contact_points_and_brings_no_consent(ada, db, kind, made):
    ana = office.person(agreed=False)
    _seen, done = send(ada, "contact", made(PEOPLE), kind)
    assert done is not None
    assert done.status_code == 200
    assert Contact.objects.count() == 3
    clara = Contact.objects.get(email="clara.bauer@example.org")
    assert (clara.first_name, clara.last_name, clara.country, clara.source) == (
        "Clara",
        "Bauer",
        "DE",
        "import",
    )
    assert clara.phone == "+4930901820"
    assert clara.points.count() == 2
    assert all(len(bytes(point.address_hash)) == 32 for point in ContactPoint.objects.all())
    ana.refresh_from_db()
    assert (ana.first_name, ana.last_name, ana.country) == ("Ana", "Oliveira", "PT")
    assert not ConsentState.objects.exists()
    assert not Suppression.objects.exists()


def test_looking_at_a_file_changes_nothing(ada, db):
    data = SimpleUploadedFile("people.csv", as_csv(PEOPLE))
    ada.post(reverse("admin:crm_contact_import"), {"format": CSV, "resource": "", "import_file": data})
    assert not Contact.objects.exists()


def test_the_same_file_twice_changes_nothing(ada, db):
    send(ada, "contact", as_csv(PEOPLE), CSV)
    before = list(Contact.objects.order_by("pk").values())
    send(ada, "contact", as_csv(PEOPLE), CSV)
    assert list(Contact.objects.order_by("pk").values()) == before


def test_rows_that_cannot_be_used_are_named_and_nothing_comes_in(ada, db):
    rows = [*PEOPLE, ["not an address", "", "X", "", "", ""], ["", "", "Nobody", "", "", ""]]
    seen, done = send(ada, "contact", as_csv(rows), CSV)
    assert done is None
    shown = seen.content.decode()
    assert "not an address" in shown
    assert "A row needs an e-mail address or a telephone number." in shown
    assert not Contact.objects.exists()


def test_who_unsubscribed_stays_so_after_an_import(ada, world):
    before = list(ConsentState.objects.values_list("purpose__key", "may_send"))
    send(ada, "contact", as_csv(PEOPLE), CSV)
    assert list(ConsentState.objects.values_list("purpose__key", "may_send")) == before


def test_a_cell_that_begins_like_a_formula_leaves_as_text(ada, db):
    office.person(first_name="=HYPERLINK(1)")
    answer = ada.post(
        reverse("admin:crm_contact_export"),
        {"format": CSV, "resource": "", **{f"{name}": "on" for name in ("email", "first_name")}},
    )
    assert answer.status_code == 200
    assert "HYPERLINK" in answer.content.decode()
    assert ",=HYPERLINK" not in answer.content.decode()


def test_an_onlooker_takes_no_list_away(vera, db):
    assert vera.get(reverse("admin:crm_contact_export")).status_code == 403
    assert vera.get(reverse("admin:crm_contact_import")).status_code == 403


def products(*rows: str) -> bytes:
    return "\n".join(["external_id,name,price,currency,stock,url,consumable", *rows]).encode()


def test_products_come_in_as_words_of_the_shop_and_blank_cells_say_nothing(ada, db):
    send(ada, "product", products("p-1,Amp,199.00,EUR,4,https://shop.example/p/1,0"), CSV)
    amp = Product.objects.get()
    assert (amp.name, str(amp.price), amp.stock, amp.source) == ("Amp", "199.00", 4, "script")
    send(ada, "product", products("p-1,,149.00,,,,", "p-2,Cable,9.50,EUR,,javascript:alert(1),1"), CSV)
    amp.refresh_from_db()
    assert (amp.name, str(amp.price), amp.stock) == ("Amp", "149.00", 4)
    cable = Product.objects.get(external_id="p-2")
    assert (cable.url, cable.consumable) == ("", True)


def test_a_product_needs_the_shops_id(ada, db):
    seen, done = send(ada, "product", products(",Amp,1,EUR,,,"), CSV)
    assert done is None
    assert "Every product needs the shop&#x27;s id of it." in seen.content.decode()
