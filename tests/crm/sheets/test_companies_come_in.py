"""Companies by spreadsheet, and by a column of the people who work for them."""

from __future__ import annotations

import pytest

from crm.models import Company, Contact, ContactChange
from tests import office
from tests.crm.sheets.bringing import brought, counts, sheet, undone
from tests.office import NOW

FILE = sheet(
    ["Firma", "Website", "Ort", "Land"],
    ["Acme", "https://www.acme.example/about", "Linz", "Germany"],
    ["ACME ", "", "", ""],
    ["Horn & Co", "info@horn.example", " São  Paulo", "Atlantis"],
    ["Twins", "twins.example", "", ""],
    ["", "nobody.example", "", ""],
)


def everything():
    people = Contact.objects.order_by("email").values_list("email", "company__name")
    companies = Company.objects.order_by("name").values_list("name", "domain", "city", "country")
    return list(companies), list(people)


def test_companies_come_in_once_fill_blanks_and_are_undone(db):
    Company.objects.create(name="acme", country="AT")
    for _ in range(2):
        Company.objects.create(name="Twins")
    before = everything()
    run = brought(FILE, subject="crm.companies")
    assert (counts(run), run.further, run.made, run.updated) == ((1, 1, 0, 2), 1, 1, 1)
    assert everything()[0][1:3] == [("Twins", "", "", ""), ("Twins", "", "", "")]
    assert Company.objects.get(name="acme").domain == "acme.example"
    assert Company.objects.get(name="acme").city == "Linz"
    horn = Company.objects.get(name="Horn & Co")
    assert (horn.domain, horn.city) == ("horn.example", "São Paulo")
    reasons = dict(run.rows.exclude(reason=None).values_list("number", "reason"))
    assert "“Atlantis” is no country" in reasons[4] and "2 companies have this name" in reasons[5]
    after = everything()
    again = brought(FILE, subject="crm.companies")
    assert (counts(again), again.made, again.updated, everything()) == ((0, 0, 2, 2), 0, 0, after)
    run = undone(run)
    assert (run.undone, run.kept, everything()) == (2, 0, before)


@pytest.mark.parametrize("known", ["fill", "overwrite"])
def test_people_are_put_into_companies_by_a_column(db, known):
    horn = Company.objects.create(name="Horn & Co")
    office.person(agreed=False, now=NOW.replace(day=1))
    bo = office.person("bo@shop-customers.example", agreed=False, now=NOW.replace(day=1))
    Contact.objects.filter(pk=bo.pk).update(company=horn)
    before = everything()
    data = sheet(
        ["email", "company"],
        [office.MAIL, "Acme"],
        ["bo@shop-customers.example", "ACME"],
        ["new@shop-customers.example", "horn & co"],
        ["new@shop-customers.example", "Other"],
    )
    run = brought(data, known=known)
    assert (run.made, run.updated) == (1, 1 if known == "fill" else 2)
    assert dict(everything()[1]) == {
        office.MAIL: "Acme",
        "bo@shop-customers.example": "Horn & Co" if known == "fill" else "Acme",
        "new@shop-customers.example": "Horn & Co" if known == "fill" else "Other",
    }
    acme = Company.objects.get(name="Acme")
    change = ContactChange.objects.get(field="company", contact__email=office.MAIL)
    assert (change.old, change.new) == ("", str(acme.pk))
    again = brought(data, known="fill")
    assert (again.new, again.changed, again.made, again.updated) == (0, 0, 0, 0)
    run = undone(run)
    assert (run.kept, everything()) == (0, before)


def test_a_new_company_in_several_rows_comes_in_once(db):
    rows = [["Acme", ""], ["Horn & Co", "horn.example"], ["ACME", "acme.example"], ["acme", ""]]
    run = brought(sheet(["Company", "Website"], *rows), subject="crm.companies")
    assert (run.status, run.made, run.further, run.problem) == ("done", 2, 2, "")
    assert everything()[0] == [("Acme", "acme.example", "", ""), ("Horn & Co", "horn.example", "", "")]
    assert (undone(run).undone, everything()[0]) == (2, [])
