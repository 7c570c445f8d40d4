"""Merging, giving out and erasing from the page of a person: by whom, in which steps, and what is refused."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from crm import likeness
from crm.kernel import clock
from crm.models import Company, Contact, DataRequest, MergeProposal, Merging, OwnField
from crm.people import changes, identity
from tests.office import (
    NOW,
    cart,
    delivery,
    draft,
    logged_in,
    order,
    person,
    product,
    sender,
    set_up_shop,
    user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(settings, tmp_path):
    settings.REKINDLE_ERASED = tmp_path / "erased.jsonl"
    with clock.frozen(NOW):
        yield


@pytest.fixture
def pair():
    set_up_shop()
    return person("ana@shop.example"), person("ana.two@shop.example", phone="+4915155512345")


def url(name, *args):
    return reverse(f"admin:crm_{name}", args=args)


def names(pairs):
    return {tuple(sorted((one.email, other.email))) for one, other in pairs}


def test_alike_are_those_who_share_something_that_tells_people_apart():
    set_up_shop()
    acme = Company.objects.create(name="Acme", created_at=NOW)
    OwnField.objects.create(key="zip", label="Postcode", created_at=NOW)
    people = {
        mail: person(mail, agreed=False, first_name=first, last_name=last)
        for mail, first, last in (
            ("jo.li@gmail.com", "Jo", "Li"),
            ("joli+shop@googlemail.com", "J.", "L."),
            ("x+a@shop.example", "Xena", "One"),
            ("x@shop.example", "Other", "Two"),
            ("kim@shop.example", "Kim", "Ray"),
            ("kim.r@shop.example", "KIM", " Ray"),
            ("lee@shop.example", "Lee", "Po"),
            ("lee.p@shop.example", "Lee", "Po"),
            ("mo@shop.example", "Mo", "Do"),
            ("mo.d@shop.example", "Mo", "Do"),
            ("tess@shop.example", "Tess", "T"),
        )
    }
    for mail in ("kim@shop.example", "kim.r@shop.example"):
        Contact.objects.filter(email=mail).update(company=acme)
    for mail in ("lee@shop.example", "lee.p@shop.example"):
        changes.change([people[mail].pk], lambda _: {"fields": {"zip": "1164 K"}}, NOW, actor="x")
    Contact.objects.filter(email="tess@shop.example").update(phone="0151 555 12399")
    Contact.objects.filter(email="mo@shop.example").update(phone="+4915155512399")
    expected = {
        ("jo.li@gmail.com", "joli+shop@googlemail.com"),
        ("x+a@shop.example", "x@shop.example"),
        ("kim.r@shop.example", "kim@shop.example"),
        ("lee.p@shop.example", "lee@shop.example"),
        ("mo@shop.example", "tess@shop.example"),
    }
    assert likeness.propose(NOW) == len(expected)
    assert names((one.one, one.other) for one in MergeProposal.objects.all()) == expected
    # A name alone says nothing, and what was answered is not asked again.
    MergeProposal.objects.update(answer="others")
    assert likeness.propose(NOW) == 0


def test_a_number_that_many_share_makes_nobody_alike():
    set_up_shop()
    for number in range(likeness.LARGEST_GROUP + 1):
        person(f"p{number}@shop.example", agreed=False)
    Contact.objects.update(phone="+49 30 1234567")
    assert likeness.propose(NOW) == 0


def test_both_are_seen_side_by_side_merged_and_two_again(ada, pair):
    one, other = pair
    order(one, product(), at=NOW)
    MergeProposal.objects.create(
        one=min(pair, key=lambda p: p.pk), other=max(pair, key=lambda p: p.pk), why=["crm.telephone"]
    )
    listed = ada.get(url("mergeproposal_changelist"), follow=True).content.decode()
    assert "same telephone number" in listed
    on_page = ada.get(url("contact_change", one.pk)).content.decode()
    assert "Maybe also" in on_page
    beside = ada.get(url("contact_merge", one.pk), {"with": other.pk}).content.decode()
    assert "ana@shop.example" in beside and "ana.two@shop.example, +4915155512345" in beside
    answer = ada.post(url("contact_merge", one.pk), {"with": other.pk, "stays": one.pk}, follow=True)
    assert "became part of them" in answer.content.decode()
    made = Merging.objects.get()
    assert (made.contact_id, made.other_id, made.merged_by) == (one.pk, other.pk, "ada")
    # Who went is found under who stayed.
    assert ada.get(url("contact_change", other.pk))["Location"] == url("contact_change", one.pk)
    ada.post(url("contact_unmerge", one.pk, made.pk))
    other.refresh_from_db()
    assert other.merged_into is None and MergeProposal.objects.get().answer == "others"


def test_somebody_is_found_to_merge_with_and_a_pair_is_dismissed(ada, pair):
    one, other = pair
    found = ada.get(url("contact_merge", one.pk), {"find": "ana.two@shop.example"}).content.decode()
    assert f"?with={other.pk}" in found
    assert "Nobody is called that" in ada.get(url("contact_merge", one.pk), {"find": "%_"}).content.decode()
    proposal = MergeProposal.objects.create(one=one, other=other, why=["crm.mailbox"])
    ada.post(url("mergeproposal_dismiss", proposal.pk))
    proposal.refresh_from_db()
    assert (proposal.answer, proposal.answered_by) == ("others", "ada")


@pytest.mark.parametrize("strange", ["", "x", "00000000-0000-0000-0000-000000000000", "%00", "' OR 1=1"])
def test_with_nobody_nothing_is_merged(ada, pair, strange):
    assert ada.post(url("contact_merge", pair[0].pk), {"with": strange}).status_code == 404
    assert ada.post(url("contact_merge", pair[0].pk), {"with": pair[0].pk}).status_code == 404
    assert not Merging.objects.exists()


def test_the_file_is_given_to_whoever_may_and_the_request_is_kept(pair):
    one, _ = pair
    officer = logged_in(user("paula", "crm.handle_requests", "crm.view_contact"))
    assert "Addresses" in officer.get(url("contact_data", one.pk)).content.decode()
    answer = officer.post(url("contact_data", one.pk), {"reference": "Letter 7"})
    assert "no-store" in answer["Cache-Control"] and "attachment" in answer["Content-Disposition"]
    packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert "ana@shop.example" in packed.read("person.json").decode()
    assert DataRequest.objects.get().reference == "Letter 7"
    assert "given out by paula" in officer.get(url("contact_data", one.pk)).content.decode()


def test_erasing_takes_two_steps_their_name_and_ones_own_password(pair):
    one, _ = pair
    officer = logged_in(user("paula", "crm.handle_requests", "crm.view_contact"))
    page = officer.get(url("contact_erase", one.pk)).content.decode()
    assert "cannot be undone" in page
    for name, password in (("", ""), ("Ana Oliveira", "guess"), ("ana", "secret")):
        answer = officer.post(url("contact_erase", one.pk), {"name": name, "password": password})
        assert answer.status_code == 400
    assert Contact.objects.get(pk=one.pk).email
    answer = officer.post(
        url("contact_erase", one.pk), {"name": "Ana  Oliveira", "password": "secret"}, follow=True
    )
    text = answer.content.decode()
    assert "The person is erased" in text and "ana@shop.example" not in text
    assert officer.get(url("contact_data", one.pk)).status_code == 404
    erased = DataRequest.objects.get(kind="erase")
    assert erased.done_by == "paula" and erased.done_at == NOW and erased.contact_id == one.pk


def test_each_door_needs_its_own_permission(pair):
    one, other = pair
    everything_else = user("marc")
    everything_else.user_permissions.set(
        Permission.objects.exclude(codename__in=["merge_contacts", "handle_requests"])
    )
    marc = logged_in(everything_else)
    made = Merging.objects.create(contact=one, other_id=other.pk, other_name="x", merged_at=NOW)
    for path in (
        url("contact_merge", one.pk),
        url("contact_unmerge", one.pk, made.pk),
        url("contact_data", one.pk),
        url("contact_erase", one.pk),
    ):
        assert marc.post(path, {"with": other.pk, "name": str(one), "password": "secret"}).status_code == 403
    page = marc.get(url("contact_change", one.pk)).content.decode()
    assert "Merge with somebody" not in page and "Give out or erase" not in page
    assert Contact.objects.filter(merged_into=None).count() == 2 and User.objects.count() == 1
    assert not DataRequest.objects.filter(done_at__gt=NOW - timedelta(days=1)).exists()


def test_what_is_left_to_do_by_hand_elsewhere_is_said_before_and_after(pair, settings):
    one, other = pair
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    known = identity.Known(email="ana@shop.example", external_id="cust-771", source="shopify")
    identity.resolve([known], NOW, source="shopify")
    sender()
    campaign = draft()
    told = delivery(campaign, one, cart(one, product()))
    officer = logged_in(user("paula", "crm.view_contact", "crm.handle_requests"))
    page = officer.get(url("contact_erase", one.pk)).content.decode()
    assert "Your shop’s own system (https://shop.example)" in page and "shopify: cust-771" in page
    assert "Your mail provider (postmark)" in page and "hooks.example" not in page
    # Nothing was ever sent to the other, and the shop never told of them.
    page = officer.get(url("contact_erase", other.pk)).content.decode()
    assert "own system" in page and "cust-771" not in page and "postmark" not in page

    version = campaign.versions.latest("number")
    version.steps.create(
        key="tell", position=90, kind="campaigns.webhook", params={"url": "https://hooks.example/x?k=1"}
    )
    type(told).objects.filter(pk=told.pk).update(channel="webhook")
    assert "<b>hooks.example</b>" in officer.get(url("contact_erase", one.pk)).content.decode()
    typed = {"name": "Ana Oliveira", "password": "secret"}
    text = officer.post(url("contact_erase", one.pk), typed, follow=True).content.decode()
    assert "Still to be done by hand" in text and "hooks.example" in text and "cust-771" not in text
