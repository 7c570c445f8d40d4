"""What colleagues change in the back office reaches the rules that ask for it."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from crm.models import Company, Contact, ContactChange, Engagement, Purpose, Segment
from tests import office


@pytest.fixture
def ana(ada):
    contact = office.person(agreed=False)
    acme = Company.objects.create(name="Acme", domain="acme.example")
    Contact.objects.filter(pk=contact.pk).update(company=acme, owner=office.user("mia"))
    Engagement.objects.update(stirred=0)
    return contact


def is_stirred(contact):
    return Engagement.objects.get(contact=contact).stirred > 0


def test_a_company_that_is_renamed_stirs_its_people(ada, ana):
    acme = Company.objects.get()
    page = reverse("admin:crm_company_change", args=[acme.pk])
    told = {"name": "Acme", "domain": "acme.example", "country": "", "fields": "{}"}
    ada.post(page, told)
    assert not is_stirred(ana), "nothing was changed"
    assert ada.post(page, told | {"name": "Acme Sound"}).status_code == 302
    assert is_stirred(ana)


@pytest.mark.parametrize(
    "field, page, bulk",
    [
        ("company", "admin:crm_company_delete", False),
        ("owner", "admin:auth_user_delete", False),
        ("company", "admin:crm_company_changelist", True),
    ],
)
def test_whom_a_company_or_colleague_that_goes_leaves_behind_is_remembered(ada, ana, field, page, bulk):
    gone = Company.objects.get() if field == "company" else User.objects.get(username="mia")
    if bulk:
        chosen = {"action": "delete_selected", "_selected_action": str(gone.pk), "post": "yes"}
        assert ada.post(reverse(page), chosen).status_code == 302
    else:
        assert ada.post(reverse(page, args=[gone.pk]), {"post": "yes"}).status_code == 302
    change = ContactChange.objects.get()
    assert (change.field, change.old, change.new, change.actor) == (field, str(gone.pk), "", "ada")
    assert is_stirred(ana)
    assert getattr(Contact.objects.get(pk=ana.pk), field) is None


def test_a_purpose_switched_off_and_another_zone_of_the_shop_ask_every_rule_anew(ada, db):
    shop = office.set_up_shop()
    segment = Segment.objects.create(name="All", due_at=office.NOW)
    purpose = Purpose.objects.get(key="newsletter")
    told = {"name": purpose.name, "description": "", "channels": "email", "legal_bases": "consent"}
    ada.post(reverse("admin:crm_purpose_change", args=[purpose.pk]), told)
    segment.refresh_from_db()
    assert not Purpose.objects.get(key="newsletter").is_active and segment.due_at is None
    Segment.objects.update(due_at=office.NOW)
    page = reverse("admin:crm_shopsettings_change", args=[shop.pk])
    form = ada.get(page).context["adminform"].form
    typed = {name: form[name].value() or "" for name in form.fields if form[name].value() is not False}
    typed |= {"allowed_origins": "https://shop.example", "time_zone": "Asia/Tokyo"}
    ada.post(page, typed)
    segment.refresh_from_db()
    assert segment.due_at is None
