"""Own fields in the back office: made on their page, answered on a person's, brought by a spreadsheet."""

from __future__ import annotations

import csv
import io
from time import monotonic

import pytest
import tablib
from django.urls import reverse

from crm.models import Contact, ContactChange, ContactPoint, Engagement, OutsideId, OwnField, Segment
from crm.sheets.contacts import SHOWN, ContactResource
from tests import office
from tests.crm.admin.test_spreadsheets import CSV, XLSX, send
from tests.shared import shared

ADD = reverse("admin:crm_ownfield_add")


def make(ada, **typed):
    usual = {"label": "", "key": "", "type": "text", "choices": "", "help": "", "position": "100"}
    return ada.post(ADD, usual | typed)


def own(label, type_="text", *choices, key=""):
    key = key or label.casefold().replace(" ", "_")
    return OwnField.objects.create(key=key, label=label, type=type_, choices=list(choices))


def test_a_field_gets_its_key_from_its_label(ada):
    assert make(ada, label="Shoe size", type="number").status_code == 302
    assert make(ada, label="1. Größe").status_code == 302
    assert set(OwnField.objects.values_list("key", "type")) == {
        ("shoe_size", "number"),
        ("field_1_grosse", "text"),
    }


@pytest.mark.parametrize(
    "typed, said",
    [
        ({"label": "shoe SIZE"}, "There is a field “Shoe size” already."),
        ({"label": "Email"}, "choose another word"),
        ({"label": "Colour", "type": "choice"}, "A list needs its answers"),
        ({"label": "Colour", "key": "Big Key"}, "Small letters"),
    ],
)
def test_what_cannot_be_a_field_is_refused_with_a_reason(ada, typed, said):
    own("Shoe size", "number")
    assert said in make(ada, **typed).content.decode()
    assert OwnField.objects.count() == 1


def test_the_type_and_key_of_a_field_stay(ada):
    size = own("Shoe size", "number")
    page = reverse("admin:crm_ownfield_change", args=[size.pk])
    ada.post(page, {"label": "Size of shoes", "key": "other", "type": "text", "choices": "", "position": "5"})
    size.refresh_from_db()
    assert (size.label, size.key, size.type, size.position) == ("Size of shoes", "shoe_size", "number", 5)


def test_a_field_that_rules_ask_for_cannot_be_deleted(ada):
    size, free = own("Shoe size", "number"), own("Hobby")
    asks = {"kind": "crm.own_number", "params": {"field": "shoe_size", "how": "given"}}
    Segment.objects.create(name="Large feet", rule={"all": [asks]})
    for field, is_kept in ((size, True), (free, False)):
        page = reverse("admin:crm_ownfield_delete", args=[field.pk])
        assert ("Segment “Large feet”, which asks for" in ada.get(page).content.decode()) is is_kept
        ada.post(page, {"post": "yes"})
        assert OwnField.objects.filter(pk=field.pk).exists() is is_kept


@pytest.fixture
def fields(db):
    own("Shoe size", "number")
    own("Birthday", "date")
    own("Member", "flag")
    own("Mood", "choice", "Sunny", "Grey")
    own("Note")


def answered(**typed):
    base = {"first_name": "Ana", "last_name": "Oliveira", "email": office.MAIL, "phone": "", "tags": ""}
    return base | {f"own_{name}": value for name, value in typed.items()}


def test_a_persons_page_asks_each_field_by_its_type_and_keeps_history(ada, fields):
    ana = office.person(agreed=False)
    Contact.objects.filter(pk=ana.pk).update(fields={"gone": "kept"})
    Engagement.objects.update(stirred=0)
    page = reverse("admin:crm_contact_change", args=[ana.pk])
    shown = ada.get(page).content.decode()
    assert 'name="own_mood"' in shown and 'type="date"' not in shown
    told = answered(shoe_size="40.5", birthday="1985-10-03", member="yes", mood="Sunny", note="")
    assert ada.post(page, told | {"country": "PT"}).status_code == 302
    ana.refresh_from_db()
    kept = {"gone": "kept", "shoe_size": 40.5, "birthday": "1985-10-03", "member": True, "mood": "Sunny"}
    assert ana.fields == kept
    change = ContactChange.objects.get(field="fields")
    assert (change.old, change.new, change.actor) == ({"gone": "kept"}, kept, "ada")
    assert Engagement.objects.get(contact=ana).stirred > 0
    shown = ada.get(page).content.decode()
    assert "<dd>3 October 1985</dd>" in shown and "<dd>40.5</dd>" in shown
    told = answered(shoe_size="", birthday="1985-10-03", member="no", mood="Sunny", note="")
    ada.post(page, told | {"country": "PT"})
    ana.refresh_from_db()
    assert ana.fields == {"gone": "kept", "birthday": "1985-10-03", "member": False, "mood": "Sunny"}


def test_an_answer_that_does_not_fit_is_said_beside_its_field(ada, fields):
    ana = office.person(agreed=False)
    page = reverse("admin:crm_contact_change", args=[ana.pk])
    shown = ada.post(page, answered(shoe_size="big", birthday="yesterday")).content.decode()
    assert "“big” is not a number; write it like 1234.5." in shown
    assert "Enter a valid date" in shown
    assert Contact.objects.get(pk=ana.pk).fields == {}


def test_who_may_only_look_sees_answers_and_no_inputs(vera, fields):
    ana = office.person(agreed=False)
    Contact.objects.filter(pk=ana.pk).update(fields={"mood": "Grey"})
    shown = vera.get(reverse("admin:crm_contact_change", args=[ana.pk])).content.decode()
    assert "<dd>Grey</dd>" in shown and 'name="own_mood"' not in shown


def test_a_new_person_can_have_answers_at_once(ada, fields):
    told = answered(mood="Grey") | {"email": "new@shop-customers.example"}
    assert ada.post(reverse("admin:crm_contact_add"), told).status_code == 302
    assert Contact.objects.get(email="new@shop-customers.example").fields == {"mood": "Grey"}


def test_owner_and_country_changed_by_hand_are_history(ada, fields):
    from django.contrib.auth.models import User

    ana = office.person(agreed=False)
    boss = User.objects.get(username="ada")
    page = reverse("admin:crm_contact_change", args=[ana.pk])
    ada.post(page, answered() | {"country": "DE", "owner": str(boss.pk)})
    told = set(ContactChange.objects.values_list("field", "old", "new"))
    assert told == {("country", "PT", "DE"), ("owner", "", str(boss.pk))}


def sheet(header, *rows, kind=CSV):
    if kind == XLSX:
        return tablib.Dataset(*rows, headers=header).export("xlsx")
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


@pytest.mark.parametrize("kind", [CSV, XLSX])
def test_a_column_named_as_a_field_fills_it_typed(ada, fields, kind):
    ana = office.person(agreed=False)
    Contact.objects.filter(pk=ana.pk).update(fields={"mood": "Sunny"})
    header = ["email", "SHOE SIZE", "birthday", "Member", "Mood", "Whatever"]
    rows = [
        [office.MAIL, 41, "3.10.1985", "yes", "grey", "x"],
        ["new@shop-customers.example", "", "", "no", "Grey", "x"],
    ]
    seen, done = send(ada, "contact", sheet(header, *rows, kind=kind), kind)
    assert done is not None
    shown = seen.content.decode()
    assert "left out: Whatever" in shown and "1 new people, 1 known ones" in shown
    ana.refresh_from_db()
    assert ana.fields == {"mood": "Sunny", "shoe_size": 41, "birthday": "1985-10-03", "member": True}
    assert Contact.objects.get(email__startswith="new@").fields == {"member": False, "mood": "Grey"}
    assert ContactChange.objects.filter(field="fields", actor="ada").count() == 1


def test_values_that_do_not_fit_are_named_with_their_row_and_nothing_comes_in(ada, fields):
    rows = [["a@shop.example", "40", "Grey"], ["b@shop.example", "4o", "Gray"]]
    seen, done = send(ada, "contact", sheet(["email", "Shoe size", "Mood"], *rows), CSV)
    assert done is None
    shown = seen.content.decode()
    assert "“4o” is not a number" in shown and "is none of its answers: Sunny, Grey" in shown
    assert "1 of 2 rows cannot be used" in shown
    assert not Contact.objects.exists()


def test_people_without_an_address_are_known_by_what_the_outside_calls_them(ada, fields):
    data = sheet(["external_id", "Mood"], ["7", "Grey"], ["8", ""], ["", "Sunny"])
    seen, done = send(ada, "contact", data, CSV)
    assert done is None and "Every row needs its external_id" in seen.content.decode()
    for _ in range(2):
        send(ada, "contact", sheet(["external_id", "Mood"], ["7", "Grey"], ["8", ""], ["7", "Sunny"]), CSV)
        assert Contact.objects.count() == 2
        assert set(OutsideId.objects.values_list("source", "external_id")) == {
            ("import", "7"),
            ("import", "8"),
        }
    grey = Contact.objects.get(fields={"mood": "Grey"})
    listed = ada.get(reverse("admin:crm_contact_changelist"), {"q": " 7 "}).context["cl"].result_list
    assert [person.pk for person in listed] == [grey.pk]
    assert not ContactPoint.objects.exists()


def upload(ada, data, **asked):
    """Both steps with the questions of the form answered."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    form = {"format": CSV, "resource": "", "import_file": SimpleUploadedFile("f.csv", data)} | asked
    seen = ada.post(reverse("admin:crm_contact_import"), form)
    confirm = seen.context.get("confirm_form")
    if confirm is None:
        return seen, None
    posted = {key: value for key, value in confirm.initial.items() if value is not None}
    return seen, ada.post(reverse("admin:crm_contact_process_import"), posted, follow=True)


def test_the_form_names_the_column_of_their_number_and_the_words_for_no_answer(ada, fields):
    data = sheet(["Lead Number", "Mood"], ["7", "Select"], ["8", "grey"])
    seen, done = upload(ada, data, identified_by="Lead No", blanks="Select, n/a")
    assert (
        done is None
        and "There is no column “Lead No”. The file has: Lead Number, Mood." in seen.content.decode()
    )
    seen, done = upload(ada, data)
    assert done is None and "No column says who the people are." in seen.content.decode()
    seen, done = upload(ada, data, identified_by="lead number", blanks="select, n/a")
    assert done is not None
    assert sorted(map(str, Contact.objects.values_list("fields", flat=True))) == ["{'mood': 'Grey'}", "{}"]


def test_own_fields_leave_in_the_spreadsheet(ada, fields):
    ana = office.person(agreed=False)
    Contact.objects.filter(pk=ana.pk).update(fields={"mood": "Grey", "shoe_size": 40.5, "member": False})
    answer = ada.post(reverse("admin:crm_contact_export"), {"format": CSV, "resource": ""})
    row = next(csv.DictReader(io.StringIO(answer.content.decode())))
    assert (row["Mood"], row["Shoe size"], row["Member"], row["Birthday"]) == ("Grey", "40.5", "no", "")


def test_the_number_of_queries_does_not_grow_with_the_rows(db, fields, django_assert_max_num_queries):
    rows = [[str(number), "Grey"] for number in range(900)]
    with django_assert_max_num_queries(40):
        resource = ContactResource(now=office.NOW)
        result = resource.import_data(tablib.Dataset(*rows, headers=["external_id", "Mood"]))
    assert not result.has_errors()
    assert Contact.objects.filter(fields__mood="Grey").count() == 900


TYPED = {"TotalVisits": "number", "Total Time Spent on Website": "number", "Page Views Per Visit": "number"}
WORDS = ("Lead Origin", "Lead Source", "Last Activity", "Lead Quality", "Tags", "Country", "Specialization")


@pytest.mark.proof
@pytest.mark.alone
def test_a_file_of_real_leads_comes_in_within_a_moment(ada, db):
    data = shared("leads/x_education_leads.csv").read_bytes()
    for label in (*WORDS, *TYPED, "Converted"):
        own(label, TYPED.get(label, "flag" if label == "Converted" else "text"))
    began = monotonic()
    seen, done = upload(ada, data, identified_by="Lead Number", blanks="Select")
    took = monotonic() - began
    assert done is not None, seen.content.decode()[:4000]
    assert Contact.objects.count() == OutsideId.objects.count() == 6930
    assert Contact.objects.filter(fields__converted=True).count() == 2670
    assert Contact.objects.filter(fields__totalvisits=0).count() == 1723
    assert not Contact.objects.filter(fields__specialization="Select").exists()
    assert seen.content.decode().count('class="data-row') == SHOWN
    assert took < 60, f"it took {took:.0f} s"
    print(f"{took:.1f} s")
