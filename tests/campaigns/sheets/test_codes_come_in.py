"""Coupon codes by spreadsheet: into the pool of one offer, once, and out of it while nobody has them."""

from __future__ import annotations

from datetime import UTC, datetime

from campaigns.models import Coupon, Offer
from tests import office
from tests.crm.sheets.bringing import brought, counts, sheet, undone

FILE = sheet(
    ["Gutscheincode", "Gültig bis"],
    ["SPRING-0001", "31.12.2026"],
    ["spring-0001", ""],
    ["SPRING-0002", ""],
    ["OTHERS-1", ""],
    ["ALL10", ""],
    ["SPRING-0003", "2026-01-01"],
    ["a b", ""],
    ["SPRING-0004", "soon"],
    ["", "2027-01-01"],
)


def test_codes_fill_the_pool_of_their_offer_once_and_leave_it_while_they_are_free(db):
    spring = office.offer(codes=Offer.Codes.SINGLE)
    other = office.offer("Other", 2, codes=Offer.Codes.SINGLE)
    office.offer("All", 3, codes=Offer.Codes.SHARED, shared_code="all10")
    Coupon.objects.create(offer=other, code="Others-1")
    before = Coupon.objects.count()
    more = {"subject": "campaigns.coupon_codes", "offer": str(spring.pk)}

    run = brought(FILE, **more)
    assert (counts(run), run.further, run.made) == ((2, 0, 0, 6), 1, 2)
    reasons = dict(run.rows.exclude(reason=None).values_list("number", "reason"))
    told = ("another offer", "the shared code", "expired already", "4 to 80 letters", "not a date", "no code")
    assert [number for number, why in enumerate(told, 5) if why not in reasons[number]] == []
    first = Coupon.objects.get(code="SPRING-0001")
    assert first.expires_at == first.good_until == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)

    again = brought(FILE, **more)
    assert (counts(again), again.made) == ((0, 0, 2, 6), 0)
    held = {"state": Coupon.State.SHOWN, "contact_id": office.person(agreed=False).pk, "shown_at": office.NOW}
    Coupon.objects.filter(pk=first.pk).update(**held)
    run = undone(run)
    assert (run.undone, run.kept, Coupon.objects.count()) == (1, 1, before + 1)
