"""Shop settings, keys, segments, consent, schedule and users in the back office."""

from __future__ import annotations

import hashlib
import re

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from config import schedule
from crm.kernel import tokens
from crm.models import ConsentEvent, Segment, ServerKey, ShopSettings
from crm.shop.settings import this_shop
from tests import office

SHOP = {
    "name": "Hearth & Horn",
    "url": "shop.example",
    "currency": "EUR",
    "time_zone": "Europe/Copenhagen",
    "postal_address": "Nygade 4\n1164 København",
    "telephone": "+45 33 12 34 00",
    "opening_hours": "Mon to Fri",
    "colour": "#8a3b12",
    "allowed_origins": "https://shop.example\nhttps://www.shop.example/",
    "tracking_needs_consent": "on",
}


def shop_page() -> str:
    return reverse("admin:crm_shopsettings_change", args=[this_shop().pk])


def test_a_fresh_installation_is_led_to_its_settings_and_then_to_its_sender(ada, db):
    assert "Tell us about your shop" in ada.get(reverse("admin:index")).content.decode()
    assert "Welcome to Rekindle" in ada.get(shop_page()).content.decode()
    answer = ada.post(shop_page(), SHOP, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("admin:index")
    assert "Say who messages come from" in answer.content.decode()
    shop = ShopSettings.objects.get()
    assert shop.set_up_at is not None
    assert shop.url == "https://shop.example"
    assert shop.allowed_origins == ["https://shop.example", "https://www.shop.example"]
    assert f"data-key=&quot;{shop.ingest_key}&quot;" in ada.get(shop_page()).content.decode()


@pytest.mark.parametrize(
    "field, typed",
    [
        ("name", " "),
        ("name", "Bad\nBcc: x@y.example"),
        ("currency", "EURO"),
        ("time_zone", "Mars/Base"),
        ("postal_address", ""),
        ("colour", "red"),
        ("allowed_origins", "shop.example"),
        ("allowed_origins", "https://shop.example/path"),
        ("allowed_origins", "javascript://shop.example"),
        ("allowed_origins", "https://user@shop.example"),
        ("url", "javascript:alert(1)"),
    ],
)
def test_what_is_wrong_is_named_beside_its_field(ada, db, field, typed):
    answer = ada.post(shop_page(), SHOP | {field: typed})
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert this_shop().set_up_at is None


def test_the_ingest_key_stays_when_settings_are_saved_again(ada, db):
    ada.post(shop_page(), SHOP)
    key = this_shop().ingest_key
    ada.post(shop_page(), SHOP | {"name": "Another"})
    assert this_shop().ingest_key == key


def test_a_server_key_is_shown_once_and_kept_as_a_hash(ada, db):
    shown = ada.post(reverse("admin:crm_serverkey_add"), {"name": "Server"}, follow=True).content.decode()
    found = re.search(r"sk_[\w-]{40,}", shown)
    assert found is not None
    row = ServerKey.objects.get()
    assert bytes(row.sha256) == hashlib.sha256(found[0].encode()).digest()
    assert found[0] not in ada.get(reverse("admin:crm_serverkey_changelist")).content.decode()


def test_keys_are_revoked_and_never_deleted(ada, world):
    key = ServerKey.objects.get()
    ada.post(reverse("admin:crm_serverkey_changelist"), {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert ada.post(reverse("admin:crm_serverkey_delete", args=[key.pk]), {"post": "yes"}).status_code == 403


def test_the_signing_key_is_shown_to_those_who_may_make_keys(ada, vera, db):
    url = reverse("admin:crm_serverkey_signing_key")
    assert tokens.derive("shop-server").hex() in ada.post(url, follow=True).content.decode()
    assert vera.post(url).status_code == 403
    assert ada.get(url).status_code == 405


def test_a_segment_tells_whom_it_means_and_why_somebody_is_out(world, ada):
    rule = {"all": [{"kind": "crm.country", "params": {"countries": "DE"}}]}
    segment = Segment.objects.get()
    Segment.objects.filter(pk=segment.pk).update(rule=rule)
    shown = ada.get(reverse("admin:crm_segment_change", args=[segment.pk])).content.decode()
    assert "People who live in Germany." in shown
    shown = ada.get(reverse("admin:crm_segment_why"), {"segment": segment.pk, "person": office.MAIL})
    assert "Ana Oliveira is out." in " ".join(shown.content.decode().split())


def test_a_segment_without_a_rule_and_one_with_a_broken_rule_open(world, ada):
    segment = Segment.objects.get()
    url = reverse("admin:crm_segment_change", args=[segment.pk])
    assert "add a condition and save" in ada.get(url).content.decode()
    Segment.objects.update(rule={"all": [{"kind": "crm.vanished", "params": {}}]})
    assert ada.get(url, {"person": office.MAIL}).status_code == 200
    assert ada.get(reverse("admin:crm_segment_changelist")).status_code == 200


def test_consent_is_found_by_a_whole_address_and_never_changed(world, ada):
    url = reverse("admin:crm_consentevent_changelist")
    assert ada.get(url, {"q": office.MAIL.upper()}).context["cl"].result_count == ConsentEvent.objects.count()
    assert ada.get(url, {"q": "nobody@shop-customers.example"}).context["cl"].result_count == 0
    event = ConsentEvent.objects.first()
    assert (
        ada.post(reverse("admin:crm_consentevent_delete", args=[event.pk]), {"post": "yes"}).status_code
        == 403
    )


def test_the_schedule_can_be_seen_and_changed(ada, db):
    schedule.ensure()
    task = PeriodicTask.objects.get(task="campaigns.deliver")
    assert ada.get(reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])).status_code == 200
    ada.post(
        reverse("admin:django_celery_beat_periodictask_changelist"),
        {"action": "disable_tasks", "_selected_action": [task.pk]},
    )
    task.refresh_from_db()
    assert not task.enabled
    assert "is switched off" in ada.get(reverse("admin:index")).content.decode()


def test_users_and_groups_open_in_the_admins_look(ada, db):
    group = Group.objects.create(name="Marketing")
    for url in (
        reverse("admin:auth_user_add"),
        reverse("admin:auth_user_change", args=[User.objects.get().pk]),
        reverse("admin:auth_group_change", args=[group.pk]),
    ):
        assert "unfold" in ada.get(url).content.decode()
