"""People by spreadsheet: checked first, then brought in, whatever the rows have in common."""

from __future__ import annotations

from datetime import timedelta

import pytest

from campaigns.models import OfferSlot
from crm.kernel import tokens
from crm.models import (
    ConsentEvent,
    Contact,
    ContactChange,
    ContactPoint,
    Import,
    ImportRow,
    LeadDefinition,
    OutsideId,
    OwnField,
    ScoreChange,
)
from crm.people import consent
from crm.sheets.importing import acts
from tests import office
from tests.crm.sheets.bringing import at_work, brought, checked, counts, drop, sheet, undone
from tests.office import NOW

HEADER = ["email", "phone", "first_name", "last_name", "country"]
PEOPLE = sheet(
    HEADER,
    ["Clara.Bauer@Example.org", "+49 30 901820", "Clara", "Bauer", "DE"],
    ["clara.bauer@example.org", "", "Klara", "", "AT"],
    [office.MAIL, "", "Anna", "Other", "ES"],
    ["", "+31 20 555 0142", "Zoë", "Bakker", "Netherlands"],
    ["not an address", "", "X", "", ""],
    ["", "", "Nobody", "", ""],
)


def test_a_check_says_what_a_file_would_do_and_changes_nothing(db):
    office.person(agreed=False)
    run = checked(PEOPLE)
    assert run.status == Import.Status.CHECKED
    assert counts(run) == (2, 0, 2, 2)
    reasons = dict(ImportRow.objects.filter(verdict="refused").values_list("number", "reason"))
    assert "not an address" in reasons[6] and "needs an e-mail address" in reasons[7]
    assert ImportRow.objects.get(number=3).reason == "the same person as row 2"
    assert Contact.objects.count() == 1


def test_people_come_in_with_their_addresses_and_the_known_keep_what_is_known(db):
    ana = office.person(agreed=False)
    run = brought(PEOPLE)
    assert (run.status, run.made, run.updated) == ("done", 2, 0)
    clara = Contact.objects.get(email="clara.bauer@example.org")
    assert (clara.first_name, clara.last_name, clara.country, clara.phone, clara.source) == (
        "Clara", "Bauer", "DE", "+4930901820", "import",
    )  # fmt: skip
    assert set(clara.points.values_list("channel", "is_primary")) == {("email", True), ("sms", True)}
    assert Contact.objects.get(first_name="Zoë").country == "NL"
    ana.refresh_from_db()
    assert (ana.first_name, ana.last_name, ana.country) == ("Ana", "Oliveira", "PT")


def test_the_same_file_twice_is_no_change(db):
    brought(PEOPLE)
    before = list(Contact.objects.order_by("pk").values()), ContactPoint.objects.count()
    again = brought(PEOPLE)
    assert counts(again) == (0, 0, 4, 2)
    assert (again.made, again.updated) == (0, 0)
    assert (list(Contact.objects.order_by("pk").values()), ContactPoint.objects.count()) == before


@pytest.mark.parametrize("known", ["fill", "overwrite"])
def test_undoing_an_import_leaves_everything_as_it_was(db, known):
    office.person(agreed=False)
    office.person("bo@shop-customers.example", agreed=False, first_name="", country="")
    before = _everybody()
    data = sheet(
        [*HEADER, "external_id", "tags"],
        [office.MAIL, "+31 20 555 0142", "Anna", "", "ES", "7", "vip, new"],
        ["bo@shop-customers.example", "", "Bo", "", "DK", "8", ""],
        ["new@shop-customers.example", "", "New", "", "", "9", ""],
        ["second@shop-customers.example", "", "", "", "", "8", ""],
    )
    run = brought(data, known=known)
    assert (run.made, run.updated) == (1, 2)
    ana = Contact.objects.get(email=office.MAIL)
    assert (ana.first_name, ana.tags) == ("Ana" if known == "fill" else "Anna", ["vip", "new"])
    assert Contact.objects.get(email="bo@shop-customers.example").points.count() == 2
    run = undone(run)
    assert (run.status, run.undone, run.kept) == ("undone", 3, 0)
    assert _everybody() == before
    assert not OutsideId.objects.exists()


def test_the_undo_keeps_whoever_lived_on_and_not_whom_the_program_alone_looked_at(db):
    run = brought(sheet(HEADER[:1], ["given@shop-customers.example"], ["scored@shop-customers.example"]))
    given, scored = (
        Contact.objects.get(email=f"{name}@shop-customers.example") for name in ("given", "scored")
    )
    later = NOW + timedelta(hours=1)
    OfferSlot.objects.create(
        contact=given, on_date=later.date(), held_for=given.pk, begins_at=NOW, ends_at=later, taken_at=NOW
    )
    definition = LeadDefinition.objects.create(name="Worth a call")
    ScoreChange.objects.create(contact=scored, definition=definition, score=5, occurred_at=later)
    run = undone(run)
    assert (run.undone, run.kept) == (1, 1)
    assert list(Contact.objects.all()) == [given]


def _everybody():
    names = ("pk", "email", "phone", "first_name", "country", "tags", "fields")
    return list(Contact.objects.order_by("pk").values_list(*names)), list(
        ContactPoint.objects.order_by("address").values_list("address", "contact", "is_primary")
    )


@pytest.fixture
def fields(db):
    for key, kind in (("shoe_size", "number"), ("birthday", "date"), ("member", "flag"), ("mood", "choice")):
        label = key.replace("_", " ").capitalize()
        OwnField.objects.create(key=key, label=label, type=kind, choices=["Sunny", "Grey"])


def test_own_fields_come_in_typed_with_history_and_what_does_not_fit_is_refused_with_its_reason(fields):
    ana = office.person(agreed=False, now=NOW - timedelta(days=1))
    Contact.objects.filter(pk=ana.pk).update(fields={"mood": "Sunny"})
    run = brought(
        sheet(
            ["email", "SHOE SIZE", "birthday", "Member", "Mood", "Whatever"],
            [office.MAIL, "41", "3.10.1985", "yes", "grey", "x"],
            ["new@shop-customers.example", "Select", "", "no", "Grey", "x"],
            ["b@shop-customers.example", "4o", "", "", "Grey", ""],
            ["c@shop-customers.example", "", "", "", "Gray", ""],
        ),
        blanks="select, n/a",
    )
    ana.refresh_from_db()
    assert ana.fields == {"mood": "Sunny", "shoe_size": 41, "birthday": "1985-10-03", "member": True}
    assert Contact.objects.get(email__startswith="new@").fields == {"member": False, "mood": "Grey"}
    change = ContactChange.objects.get(field="fields")
    assert (change.old, change.new) == ({"mood": "Sunny"}, ana.fields)
    reasons = list(run.rows.filter(verdict="refused").order_by("number").values_list("reason", flat=True))
    assert "“4o” is not a number" in reasons[0] and "none of its answers: Sunny, Grey" in reasons[1]


def test_a_country_or_number_nobody_can_read_is_left_out_and_said(db):
    run = brought(
        sheet(HEADER, ["a@shop-customers.example", "12", "Ana", "", "Atlantis"], ["", "12", "", "", ""])
    )
    remark = run.rows.get(number=2).reason
    assert "“Atlantis” is no country" in remark and "telephone “12” is left out" in remark
    assert (run.made, run.refused) == (1, 1)


def test_people_without_an_address_are_known_by_their_number_elsewhere(fields):
    data = sheet(["Lead Number", "Mood"], ["7", "Grey"], ["8", ""], ["", "Sunny"], ["7", "Sunny"])
    for _ in range(2):
        brought(data, mapping={"Lead Number": "external_id"})
        assert set(OutsideId.objects.values_list("source", "external_id")) == {
            ("import", "7"),
            ("import", "8"),
        }
    assert Contact.objects.get(fields={"mood": "Grey"}) and Contact.objects.count() == 2


def test_the_number_of_queries_does_not_grow_with_the_rows(fields, django_assert_max_num_queries):
    rows = [[f"p{number}@shop-customers.example", "Grey"] for number in range(900)]
    with django_assert_max_num_queries(150):
        brought(sheet(["email", "Mood"], *rows))
    assert Contact.objects.filter(fields__mood="Grey").count() == 900


PROOF = {
    "purposes": ["newsletter"],
    "source": "https://shop.example/newsletter",
    "form": "form",
    "on": "2026-05-01",
    "wording": "Yes, write to me.",
}


def test_consent_comes_with_its_proof_lifts_nothing_and_expires_with_the_undo(db):
    office.person("gone@shop-customers.example", agreed=False)
    consent.withdraw(
        _hash("gone@shop-customers.example"), "email", "newsletter", NOW, source_kind="unsubscribe"
    )
    run = drop(
        sheet(
            ["email", "consent", "optin_time"],
            ["yes@shop-customers.example", "subscribed", "2026-04-30 10:00"],
            ["no@shop-customers.example", "no", ""],
            ["gone@shop-customers.example", "yes", ""],
        )
    )
    run.consent = PROOF
    run.save()
    acts.check(run, NOW)
    run = at_work(run)
    assert run.mailable == {"newsletter": {"agreed": 2, "now": 0, "after": 1, "stopped": 1}}
    acts.begin(run, NOW)
    run = at_work(run)
    assert _may("yes@shop-customers.example") and not _may("no@shop-customers.example")
    assert not _may("gone@shop-customers.example")
    event = ConsentEvent.objects.get(address_hash=_hash("yes@shop-customers.example"))
    assert (event.action, event.text.wording, f"{event.occurred_at:%Y-%m-%d}") == (
        "granted", "Yes, write to me.", "2026-04-30",
    )  # fmt: skip
    assert consent.verify_chain(bytes(event.address_hash)) == []
    undone(run)
    assert not _may("yes@shop-customers.example")


def _hash(address):
    return tokens.address_hash("email", address)[0]


def _may(address):
    return consent.may_send(_hash(address), "email", "newsletter")[0]


def test_languages_are_known_by_name_and_a_cell_with_more_than_an_address_is_told_so(db):
    run = checked(
        sheet(
            ["email", "language", "country"],
            ["a@shop-customers.example", "French", "UAE"],
            ["b@shop-customers.example", "português Brasileiro", ""],
            ["c@shop-customers.example", "pt-BR", ""],
            ["d@shop-customers.example", "Klingon", ""],
            ["e@shop-customers.example / 0612345678", "", ""],
            ["e@shop-customers,example", "", ""],
        )
    )
    told = {row.number: row for row in run.rows.all()}
    assert [told[number].told.get("language") for number in (2, 3, 4, 5)] == ["fr", "pt-BR", "pt-BR", None]
    assert told[2].told["country"] == "AE" and "“Klingon” is none we know" in told[5].reason
    assert "more in this cell than one e-mail address" in told[6].reason
    assert "not a domain name" in told[7].reason
