"""POST /carts: a cart as the shop's server knows it, told whole; no lines: it is empty."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field, model_validator

from crm.kernel import clock
from crm.kernel.endpoints import Body, Moment
from crm.people.identity import Known
from crm.shop.shapes import MOST, Code, Currency, Long, Money, Person, Quantity, Title, Token, listed
from tracking.api import taking
from tracking.visits.messages import MAX_LINES

router = Router(tags=["carts"])


class Line(Body):
    product_id: Code = ""
    name: Title = ""
    price: Money | None = None
    quantity: Quantity = Decimal(1)
    url: Long = ""
    image: Long = ""


class OneCart(Body):
    """`updated_at` is when the person changed it: the newest counts, whatever arrives last."""

    token: Token
    updated_at: Moment
    currency: Currency = ""
    checkout_id: Token = ""
    url: Long = ""
    customer: Person | None = None
    visitor_id: UUID | None = None
    lines: list[Line] = Field(max_length=MAX_LINES)


class Carts(Body):
    carts: list[OneCart] = Field(min_length=1, max_length=MOST)

    @model_validator(mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return listed(value, "carts")


@router.post("/carts", response={202: dict[str, int]}, summary="Tell the state of carts")
def tell(request: HttpRequest, body: Carts) -> Status[dict[str, int]]:
    """One cart, or `{"carts": […]}` with up to 500. All are taken, or none; they are applied within
    seconds.
    """
    taken = [
        taking.cleaned(
            "cart",
            [one.token, one.updated_at.isoformat()],
            one.updated_at,
            one.customer.known() if one.customer else Known(),
            one.visitor_id,
            one.model_dump(include={"token", "currency", "checkout_id", "url", "lines"}),
        )
        for one in body.carts
    ]
    taking.keep(taken, clock.now())
    return Status(202, {"taken": len(taken)})
