"""Own fields in the back office: made on their page, answered on a person's."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from crm.models import Contact, ContactChange, Engagement, OwnField, Segment
from tests import office
from tests.crm.sheets.leaving import rows, taken

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
    birthday = re.search(r'<input[^>]*name="own_birthday"[^>]*>', shown)
    assert 'name="own_mood"' in shown and birthday and 'type="date"' not in birthday[0]
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


def test_own_fields_leave_in_the_spreadsheet(ada, fields):
    ana = office.person(agreed=False)
    Contact.objects.filter(pk=ana.pk).update(fields={"mood": "Grey", "shoe_size": 40.5, "member": False})
    columns = ["own.mood", "own.shoe_size", "own.member", "own.birthday"]
    [row] = rows(taken(ada, "crm.contact", columns=columns))
    assert (row["Mood"], row["Shoe size"], row["Member"], row["Birthday"]) == ("Grey", "40.5", "no", "")
