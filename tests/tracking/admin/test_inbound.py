"""What came in: parked rows are read again on purpose, refused requests are counted."""

from __future__ import annotations

from django.urls import reverse

from tests import office
from tracking.models import InboundEvent, Refusal

LIST = "admin:tracking_inboundevent_changelist"


def test_parked_rows_are_read_again_and_others_are_left_alone(ada, db):
    parked = InboundEvent.objects.create(source="collect", body={}, state="parked", error="odd")
    applied = InboundEvent.objects.create(source="collect", body={}, state="applied")
    ada.post(reverse(LIST), {"action": "read_again", "_selected_action": [parked.pk, applied.pk]})
    states = dict(InboundEvent.objects.values_list("pk", "state"))
    assert states == {parked.pk: "new", applied.pk: "applied"}


def test_the_error_of_a_parked_row_stands_beside_it(ada, db):
    InboundEvent.objects.create(source="collect", body={}, state="parked", error="events[0].url: <too long>")
    assert "events[0].url: &lt;too long&gt;" in ada.get(reverse(LIST)).content.decode()


def test_refusals_of_the_last_day_are_counted(ada, db):
    Refusal.objects.create(on_day=office.NOW.date(), door="collect", reason="too_large", count=12)
    assert "12 × collect too_large" in ada.get(reverse(LIST)).content.decode()


def test_rows_are_never_edited(ada, db):
    row = InboundEvent.objects.create(source="collect", body={"a": 1}, state="parked")
    url = reverse("admin:tracking_inboundevent_change", args=[row.pk])
    assert ada.get(url).status_code == 200
    assert ada.post(url, {"state": "applied", "_save": "1"}).status_code == 403


def test_carts_show_what_is_in_them_with_pictures(world, ada):
    shown = ada.get(reverse("admin:tracking_cart_change", args=[world.cart.pk])).content.decode()
    assert 'src="https://shop.example/i/1.jpg"' in shown
    assert "Fjord 1 speakers" in shown
    assert "249.00" in shown
