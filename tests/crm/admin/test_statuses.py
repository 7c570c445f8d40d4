"""Statuses in the back office: written as a rule, given by hand, seen on the person and in the list."""

from datetime import timedelta

import pytest
from django.urls import reverse

from crm.kernel import clock
from crm.models import ContactStatus, Status
from crm.people import statuses
from tests.office import NOW, person

pytestmark = pytest.mark.django_db
HAND = "/admin/crm/status/hand/"


@pytest.fixture(autouse=True)
def now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def vip():
    return Status.objects.create(
        key="vip", name="VIP <b>", good_for="Early access <i>", lasts_days=30, created_at=NOW
    )


def post(client, contact, status, do):
    return client.post(HAND, {"contact": contact.pk, "status": status.pk, "do": do})


def test_a_hand_gives_renews_and_ends_it_on_the_persons_page(ada, vip):
    ana = person()
    where = reverse("admin:crm_contact_change", args=[ana.pk])
    assert "Give it" in ada.get(where).content.decode()
    assert post(ada, ana, vip, "grant")["Location"] == where
    text = ada.get(where).content.decode()
    assert "VIP &lt;b&gt;" in text and "Early access &lt;i&gt;" in text and "23 December 2026" in text
    assert 'class="rk-chip rk-mark"' in text and "given by ada" in text and "VIP <b>" not in text
    post(ada, ana, vip, "end")
    assert 'class="rk-chip rk-mark"' not in ada.get(where).content.decode()
    assert "was not VIP" in ada.get(post(ada, ana, vip, "end")["Location"]).content.decode()


def test_who_may_only_look_sees_it_and_changes_nothing(vera, sten, vip):
    ana = person()
    statuses.grant(ana.pk, vip, NOW, "ada")
    text = vera.get(reverse("admin:crm_contact_change", args=[ana.pk])).content.decode()
    assert 'class="rk-chip rk-mark"' in text and "End it" not in text
    for who in (vera, sten):
        assert post(who, ana, vip, "end").status_code == 403
    assert ContactStatus.objects.get().ended_at is None


@pytest.mark.parametrize("posted", [{}, {"contact": "x"}, {"contact": "\0", "status": "1"}])
def test_nonsense_is_not_found(ada, vip, posted):
    assert ada.post(HAND, posted).status_code == 404


def test_something_else_than_give_and_end_is_not_found(ada, vip):
    assert post(ada, person(), vip, "double").status_code == 404


def test_the_list_of_contacts_shows_who_holds_it(ada, vip):
    ana, boris = person(), person("boris@shop-customers.example", first_name="Boris", last_name="Blum")
    statuses.grant(ana.pk, vip, NOW, "ada")
    where = reverse("admin:crm_contact_changelist")
    text = ada.get(f"{where}?status=vip").content.decode()
    assert "Ana Oliveira" in text and "Boris Blum" not in text
    assert "Boris Blum" in ada.get(where).content.decode() and boris
    for odd in ("gone", "%00"):
        text = ada.get(f"{where}?status={odd}").content.decode()
        assert "Ana Oliveira" not in text
    with clock.frozen(NOW + timedelta(days=31)):
        assert "Ana Oliveira" not in ada.get(f"{where}?status=vip").content.decode()


def test_a_status_that_somebody_held_stays(ada, vip):
    statuses.grant(person().pk, vip, NOW, "ada")
    assert ada.post(reverse("admin:crm_status_delete", args=[vip.pk]), {"post": "yes"}).status_code == 403


def test_the_page_says_how_many_hold_it_and_how_messages_call_it(ada, vip):
    statuses.grant(person().pk, vip, NOW, "ada")
    text = ada.get(reverse("admin:crm_status_change", args=[vip.pk])).content.decode()
    assert "person holds" in text and "status.vip" in text
    assert (
        "a standing of a person that runs out"
        in ada.get(reverse("admin:crm_status_changelist")).content.decode()
    )


def test_a_new_rule_is_asked_of_everybody(ada, vip):
    Status.objects.update(refreshed_at=NOW)
    form = {"name": "VIP", "good_for": "", "lasts_days": "30"}
    form |= {"rule": '{"all": [{"kind": "crm.tag", "params": {"tag": "vip"}}]}'}
    answer = ada.post(reverse("admin:crm_status_change", args=[vip.pk]), form)
    vip.refresh_from_db()
    assert answer.status_code == 302 and vip.rule["all"] and vip.refreshed_at is None and vip.key == "vip"
