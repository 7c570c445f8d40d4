"""Single-use codes for the pool of an offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models.functions import Upper

from campaigns.models import Coupon, Offer
from campaigns.offers import codes
from crm.models import Import, ImportRow
from crm.sheets.matching import Target
from crm.sheets.subjects import Staged, Undone, Wrong, subjects
from crm.sheets.things import cells
from crm.sheets.things.subject import Brought, Came, Thing, Things, Weighed

Verdict = ImportRow.Verdict
_DAY = timedelta(hours=23, minutes=59, seconds=59)


def _offers() -> list[tuple[str, str]]:
    found = Offer.objects.filter(codes=Offer.Codes.SINGLE).order_by("name")
    return [("", "Choose an offer"), *((str(one.pk), one.name) for one in found)]


@subjects.register
class CouponCodes(Things):
    """A row is a code that one person may use once: it waits in the pool of the offer. A code that the offer
    has already stays as it is; one of another offer, or that everybody shares, is refused.
    """

    key = "campaigns.coupon_codes"
    label = "Coupon codes"
    many = "codes"
    one = "code"
    permission = "campaigns.change_offer"
    undo_says = "Codes it brought are deleted, unless somebody has got them since."

    class Params(cells.SpellingForm):
        offer = forms.ChoiceField(
            label="The offer",
            choices=_offers,
            error_messages={"required": "Choose the offer. One with codes of people's own has a pool."},
        )
        field_order = ("offer",)

    def targets(self) -> list[Target]:
        return [
            Target("code", "Code"),
            Target("expires", "Good until", "date", help="A day counts to its end."),
        ]

    def missing(self, targets: set[str]) -> str:
        return "" if "code" in targets else "No column says which codes. Choose the column of the codes."

    def key_of(self, told: dict[str, Any]) -> tuple[str, str]:
        return "code", told.get("code", "").upper()[:200]

    def shape(self, row: Staged, columns: cells.Columns) -> None:
        if not row.outside_id:
            raise Wrong("There is no code in this row.")
        if expires := row.told.get("expires"):
            at = datetime.fromisoformat(expires)
            is_day = (at.hour, at.minute, at.second) == (0, 0, 0)
            row.told["expires"] = (at + _DAY if is_day else at).isoformat()

    def weigh(self, run: Import, things: Sequence[Thing], now: datetime, *, hold: bool) -> list[Weighed]:
        offer = Offer.objects.get(pk=run.options["offer"])
        known = codes.weigh(offer, [thing.key for thing in things])
        weighed = []
        for thing in things:
            unfit = codes.why_unfit(thing.told["code"], _end(thing), now) or known.get(thing.key)
            if unfit:
                weighed.append(Weighed(Verdict.REFUSED, reason=f"“{thing.told['code'][:80]}”: {unfit}."))
            else:
                weighed.append(Weighed(Verdict.UNCHANGED if thing.key in known else Verdict.NEW))
        return weighed

    def bring(
        self, run: Import, things: Sequence[tuple[Thing, Weighed]], now: datetime
    ) -> Mapping[int, Brought]:
        offer = Offer.objects.get(pk=run.options["offer"])
        codes.add(offer, [(thing.told["code"], _end(thing)) for thing, _ in things], now)
        pool = Coupon.objects.annotate(capitals=Upper("code")).filter(offer=offer, is_single=True)
        keys = dict(
            pool.filter(capitals__in=[thing.key for thing, _ in things]).values_list("capitals", "pk")
        )
        # Rows keep keys of 128 bits; a coupon's is a number.
        return {
            thing.number: Brought(UUID(int=keys[thing.key]), {}) for thing, _ in things if thing.key in keys
        }

    def take_back(self, run: Import, rows: Sequence[Came], now: datetime) -> Undone:
        pool = Coupon.objects.filter(pk__in=[row.object_id.int for row in rows])
        gone, _ = pool.filter(state=Coupon.State.FREE, contact_id=None).delete()
        return Undone(gone, len(rows) - gone)


def _end(thing: Thing) -> datetime | None:
    told = thing.told.get("expires")
    return datetime.fromisoformat(told) if told else None
