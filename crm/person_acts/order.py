"""Record an order taken by phone or in a store."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from crm.kernel import ids
from crm.kernel.person_acts import CannotAct, PersonAct, person_acts
from crm.person_acts import when
from crm.shop.intake import LineIn, OrderIn, record_orders
from crm.shop.settings import this_shop

SOURCE = "desk"


@person_acts.register
class RecordOrder(PersonAct):
    """They bought, and the shop's own system does not tell us of it. It counts at once: their flows end,
    what is queued about a cart does not leave, and their rhythm and worth know of it.
    """

    key = "crm.order"
    label = "Order"
    icon = "point_of_sale"
    button = "Record the order"
    place = 40
    permission = "crm.add_order"

    class Params(forms.Form):
        total = forms.DecimalField(label="total", min_value=0, max_digits=12, decimal_places=2)
        channel = forms.ChoiceField(label="taken", choices=[("phone", "by phone"), ("store", "in a store")])
        goods = forms.CharField(
            label="what they bought",
            max_length=500,
            required=False,
            help_text="In words, as a colleague would read it; may stay empty.",
        )
        number = forms.CharField(label="order number", max_length=60, required=False)
        at = when.Moment(label="when")
        once = forms.CharField(max_length=40, widget=forms.HiddenInput)

    def initial(self, user: Any, now: datetime) -> dict[str, Any]:
        return {"at": when.local(now), "once": str(ids.uuid7())}

    def do(self, contact_id: UUID, said: dict[str, Any], user: Any, now: datetime) -> str:
        if not when.has_been(said["at"], now):
            raise CannotAct("This order lies in the future: say when it was taken.")
        shop = this_shop()
        lines = (LineIn(name=said["goods"], unit_price=said["total"]),) if said["goods"] else None
        order = OrderIn(
            external_id=f"{contact_id.hex[:12]}-{said['once']}",
            placed_at=min(said["at"], now),
            total=said["total"],
            subtotal=said["total"],
            contact_id=contact_id,
            number=said["number"],
            channel=said["channel"],
            currency=shop.currency,
            lines=lines,
        )
        record_orders([order], now, source=SOURCE)
        return f"The order of {said['total']:,.2f} {shop.currency} is recorded, and counts from now on."
