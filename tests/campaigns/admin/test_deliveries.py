"""Deliveries in the back office: why in words, as it was sent, all held, the unconfirmed settled."""

from __future__ import annotations

import pytest
from django.urls import reverse

from campaigns.delivery.guards import guards
from campaigns.messages import rendering
from campaigns.models import Decision, Delivery, DeliveryState, SendingControl
from tests import office

LIST = "admin:campaigns_delivery_changelist"


def page(delivery: Delivery) -> str:
    return reverse("admin:campaigns_delivery_change", args=[delivery.pk])


def made(delivery: Delivery) -> Delivery:
    """With its text, as the outbox keeps it before the fence."""
    rendering.prepare([delivery], office.NOW)
    delivery.save(update_fields=["context", "message_sha256", "template_version", "subject_version"])
    return delivery


@pytest.fixture
def unknown(world) -> Delivery:
    return office.along(
        made(world.delivery), "claimed", "sending", "unknown", reason="sender_died", fenced_at=office.NOW
    )


def test_every_reason_a_guard_can_give_has_words(world, ada):
    for guard in guards:
        office.along(world.delivery, "queued", reason=guard.reason)
        shown = ada.get(page(world.delivery)).content.decode()
        assert "_" not in shown.split("<h2>Queued</h2>")[1].split("<dl")[0]


def test_the_page_tells_the_whole_story(unknown, ada):
    shown = ada.get(page(unknown)).content.decode()
    for words in ("Delivery unconfirmed", "Ana Oliveira", "To be sent.", "never sent again by itself"):
        assert words in shown


def test_the_message_is_shown_as_it_was_sent_in_a_frame_that_runs_nothing(unknown, ada):
    url = reverse("admin:campaigns_delivery_as_sent", args=[unknown.pk])
    assert url in ada.get(page(unknown)).content.decode()
    answer = ada.get(url)
    assert "Fjord 1 speakers" in answer.content.decode()
    assert answer["Content-Security-Policy"].endswith("sandbox")
    assert "Fjord 1 speakers" in ada.get(url, {"part": "text"}).content.decode()


def test_what_was_never_made_has_nothing_to_show(world, ada):
    assert ada.get(reverse("admin:campaigns_delivery_as_sent", args=[world.delivery.pk])).status_code == 404
    assert "No text was made yet" in ada.get(page(world.delivery)).content.decode()


@pytest.mark.parametrize("to, state", [("again", "queued"), ("close", "failed"), ("arrived", "sent")])
def test_a_person_settles_what_is_unconfirmed_and_it_is_written_down(unknown, ada, to, state):
    ada.post(reverse("admin:campaigns_delivery_settle", args=[unknown.pk]), {"to": to})
    unknown.refresh_from_db()
    assert unknown.state == state
    assert "ada" in Decision.objects.filter(delivery_id=unknown.pk).latest("decided_at").words


def test_only_what_is_unconfirmed_can_be_settled(world, ada):
    url = reverse("admin:campaigns_delivery_settle", args=[world.delivery.pk])
    answer = ada.post(url, {"to": "again"}, follow=True)
    assert "is not unconfirmed" in answer.content.decode()
    assert ada.post(url, {"to": "elsewhere"}).status_code == 404


def test_the_action_of_the_list_settles_only_the_unconfirmed(unknown, world, ada):
    other = office.delivery(world.campaign, world.contact, world.cart, number=2)
    ada.post(reverse(LIST), {"action": "close", "_selected_action": [unknown.pk, other.pk]})
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed", "queued"}


def test_all_sending_is_held_and_released_by_hand(world, ada):
    url = reverse("admin:campaigns_delivery_hold")
    shown = ada.post(url, {"hold": "yes", "reason": "Wrong price"}, follow=True).content.decode()
    assert SendingControl.objects.get().sending_hold
    assert "Wrong price" in shown
    assert "All sending is held" in ada.get(reverse("admin:index")).content.decode()
    ada.post(url, {"hold": "no"})
    assert not SendingControl.objects.get().sending_hold


def test_holding_needs_a_permission_of_its_own(world):
    marketer = office.logged_in(office.user("mo", "campaigns.view_delivery", "campaigns.change_delivery"))
    assert marketer.post(reverse("admin:campaigns_delivery_hold"), {"hold": "yes"}).status_code == 403
    assert not SendingControl.objects.filter(sending_hold=True).exists()


def test_deliveries_are_never_edited(world, ada):
    answer = ada.post(page(world.delivery), {"state": DeliveryState.SENT, "_save": "1"})
    assert answer.status_code == 403
    world.delivery.refresh_from_db()
    assert world.delivery.state == "queued"


def test_the_list_is_filtered_by_state_and_reason(unknown, world, ada):
    office.delivery(world.campaign, world.contact, world.cart, number=2)
    for query, number in (
        ({"state__exact": "unknown"}, 1),
        ({"reason": "sender_died"}, 1),
        ({"reason": "purchased"}, 0),
        ({}, 2),
    ):
        assert ada.get(reverse(LIST), query).context["cl"].result_count == number


def test_a_name_is_never_taken_for_markup(world, ada):
    world.contact.first_name = "<script>alert(1)</script>"
    world.contact.save()
    for url in (reverse(LIST), page(world.delivery), reverse("admin:campaigns_decision_changelist")):
        shown = ada.get(url).content.decode()
        assert "<script>alert(1)" not in shown
        assert "&lt;script&gt;alert(1)" in shown
