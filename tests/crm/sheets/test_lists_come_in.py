"""Fixed lists and suppression lists by spreadsheet: brought in, nothing new the second time, undone."""

from __future__ import annotations

from crm.audience import lists
from crm.kernel import tokens
from crm.models import Contact, Segment, Suppression
from crm.people import consent
from tests import office
from tests.crm.sheets.bringing import brought, checked, counts, sheet, undone

ROWS = sheet(
    ["email", "first_name"],
    [office.MAIL, "Anna"],
    ["new@shop-customers.example", "Nora"],
    ["NEW@shop-customers.example", ""],
    ["nobody", ""],
)


def test_people_of_a_file_come_onto_a_fixed_list_and_leave_it_with_the_undo(db):
    ana, bo = office.person(agreed=False), office.person("bo@shop-customers.example", agreed=False)
    fans = Segment.objects.create(name="Fans", kind=Segment.Kind.FIXED, created_at=office.NOW)
    lists.add(fans, [bo.pk], office.NOW)
    more = {"subject": "crm.fixed_list", "list": str(fans.pk)}
    assert counts(checked(ROWS, **more)) == (1, 1, 1, 1)
    run = brought(ROWS, **more)
    nora = Contact.objects.get(first_name="Nora")
    assert lists.on_it(fans, [ana.pk, bo.pk, nora.pk]) == {ana.pk, bo.pk, nora.pk}
    assert (run.made, run.updated) == (1, 1)
    again = brought(ROWS, **more)
    assert (counts(again)[:2], again.made, again.updated) == ((0, 0), 0, 0)
    undone(run)
    assert lists.on_it(fans, [ana.pk, bo.pk]) == {bo.pk}
    assert not Contact.objects.filter(first_name="Nora").exists()
    fans.refresh_from_db()
    assert Contact.objects.get(pk=ana.pk).first_name == "Ana"


def test_a_suppression_list_stops_addresses_once_and_frees_its_own_with_the_undo(db):
    ana = office.person()
    assert _may(office.MAIL)
    office.person("gone@shop-customers.example", agreed=False)
    consent.withdraw(
        _hash("gone@shop-customers.example"), "email", None, office.NOW, source_kind="unsubscribe"
    )
    data = sheet(["email"], [office.MAIL], ["gone@shop-customers.example"], ["later@shop-customers.example"])
    run = brought(data, subject="crm.suppressions")
    assert (counts(run), run.made) == ((2, 0, 1, 0), 2)
    assert not _may(office.MAIL)
    ana.engagement.refresh_from_db()
    assert ana.engagement.may_receive == []
    again = brought(data, subject="crm.suppressions")
    assert (counts(again), again.made) == ((0, 0, 3, 0), 0)
    run = undone(run)
    assert (run.undone, run.kept) == (2, 0)
    assert _may(office.MAIL)
    assert [stop.reason for stop in Suppression.objects.all()] == ["unsubscribed"]


def _hash(address):
    return tokens.address_hash("email", address)[0]


def _may(address):
    return consent.may_send(_hash(address), "email", "cart_recovery")[0]
