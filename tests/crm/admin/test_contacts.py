"""People in the back office: found, added, corrected; addresses are nobody else's, timelines turn pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from crm.models import Contact, ContactPoint
from tests import office

LIST = "admin:crm_contact_changelist"
ADD = "admin:crm_contact_add"


def page(contact: Contact) -> str:
    return reverse("admin:crm_contact_change", args=[contact.pk])


def form(**changes) -> dict:
    return {"first_name": "Ana", "last_name": "Oliveira", "email": office.MAIL, "tags": "[]"} | changes


@pytest.mark.parametrize(
    "typed, found",
    [
        (office.MAIL, 1),
        (office.MAIL.upper(), 1),
        ("ana", 1),
        ("oliv", 1),
        ("Ana Oliveira", 1),
        ("an@nobody.example", 0),
        ("@", 0),
        ("%", 0),
        ("+351 912 345 678", 1),
    ],
)
def test_people_are_found_by_whole_addresses_and_by_how_names_begin(ada, db, typed, found):
    office.person(phone="+351 912 345 678")
    office.person("bo@shop-customers.example", first_name="Bo", last_name="Berg")
    assert ada.get(reverse(LIST), {"q": typed}).context["cl"].result_count == found


def test_people_are_filtered_by_exact_country_and_source(ada, db):
    office.person()
    for query, number in (({"country": "PT"}, 1), ({"country": "P"}, 0), ({"source": "test"}, 1)):
        assert ada.get(reverse(LIST), query).context["cl"].result_count == number


def test_a_new_person_gets_contact_points_with_their_hashes(ada, db):
    answer = ada.post(reverse(ADD), form(email="New.Person@Example.org", phone="+49 30 901820"))
    assert answer.status_code == 302
    contact = Contact.objects.get()
    assert (contact.email, contact.first_name, contact.source) == (
        "new.person@example.org",
        "Ana",
        "colleague",
    )
    assert set(contact.points.values_list("channel", flat=True)) == {"email", "sms"}
    assert contact.engagement is not None


def test_a_person_without_any_address_is_not_made(ada, db):
    answer = ada.post(reverse(ADD), form(email=""))
    assert "An e-mail address or a telephone number is needed" in answer.content.decode()


@pytest.mark.parametrize("typed", ["not an address", "a@b", "ana@exa mple.org"])
def test_a_wrong_address_is_named_beside_its_field(ada, db, typed):
    answer = ada.post(reverse(ADD), form(email=typed))
    assert answer.context["adminform"].form.errors["email"]
    assert not Contact.objects.exists()


def test_an_address_of_somebody_else_is_not_taken_away(ada, db):
    office.person()
    bo = office.person("bo@shop-customers.example", first_name="Bo", last_name="Berg")
    answer = ada.post(page(bo), form(email=office.MAIL))
    assert "belongs to Ana Oliveira" in answer.content.decode()
    assert ada.post(reverse(ADD), form()).status_code == 200
    assert Contact.objects.count() == 2


def test_a_corrected_address_becomes_the_primary_one_and_the_old_stays_known(ada, db):
    ana = office.person()
    assert ada.post(page(ana), form(email="ana@new.example")).status_code == 302
    ana.refresh_from_db()
    assert ana.email == "ana@new.example"
    assert dict(ana.points.values_list("address", "is_primary")) == {
        office.MAIL: False,
        "ana@new.example": True,
    }


def test_saving_without_a_change_touches_no_address(ada, db):
    ana = office.person()
    before = list(ContactPoint.objects.values())
    ada.post(page(ana), form(last_name="de Oliveira"))
    assert list(ContactPoint.objects.values()) == before
    ana.refresh_from_db()
    assert (ana.last_name, ana.email) == ("de Oliveira", office.MAIL)


def test_the_page_shows_who_they_are_what_they_are_worth_and_whether_we_may_write(world, ada):
    shown = ada.get(page(world.contact)).content.decode()
    for words in (
        office.MAIL,
        "0 orders",
        "Open cart",
        "Fjord 1 speakers",
        "Reminders of your cart",
        "Coming next",
    ):
        assert words in shown


def test_the_timeline_has_everything_and_can_be_narrowed(world, ada):
    shown = ada.get(page(world.contact))
    kinds = {entry.kind for entry in shown.context["page"].entries}
    assert {"order", "message", "consent"} <= kinds
    narrowed = ada.get(page(world.contact), {"kind": "order"})
    assert {entry.kind for entry in narrowed.context["page"].entries} == {"order"}
    assert ada.get(page(world.contact), {"kind": "no such kind"}).status_code == 200


def test_older_entries_follow_page_by_page_without_a_gap(world, ada):
    for number in range(100):
        at = office.NOW - timedelta(hours=number)
        office.order(world.contact, world.product, number=1000 + number, at=at)
    seen, before = [], ""
    while True:
        shown = ada.get(page(world.contact), {"kind": "order"} | ({"before": before} if before else {}))
        seen += [entry.key for entry in shown.context["page"].entries]
        if not shown.context["page"].next:
            break
        before = str(shown.context["page"].next)
    assert len(seen) == len(set(seen)) == 101


@pytest.mark.parametrize("before", ["x", "~~", "2026-01-01T00:00:00~crm.orders~\x00", "9999-99-99~a~b"])
def test_a_nonsense_place_on_the_timeline_is_its_beginning(world, ada, before):
    assert ada.get(page(world.contact), {"before": before}).status_code == 200


def test_what_is_stored_is_never_markup_and_strange_addresses_are_never_links(world, ada):
    world.contact.first_name = '"><img src=x onerror=alert(1)>'
    world.contact.save()
    world.cart.lines.update(
        name="<b>bold</b>", url="javascript:alert(1)", image_url='https://x.example/"onload="alert(1)'
    )
    for url in (
        page(world.contact),
        reverse(LIST),
        reverse("admin:tracking_cart_change", args=[world.cart.pk]),
        reverse("admin:tracking_cart_changelist"),
        reverse("admin:crm_order_changelist"),
    ):
        shown = ada.get(url).content.decode()
        assert "<img src=x" not in shown
        assert "<b>bold</b>" not in shown
        assert "javascript:alert" not in shown
        assert '"onload="' not in shown


def test_a_merged_person_is_not_listed(world, ada):
    Contact.objects.create(first_name="Gone", merged_into=world.contact)
    assert ada.get(reverse(LIST), {"q": "gone"}).context["cl"].result_count == 0
