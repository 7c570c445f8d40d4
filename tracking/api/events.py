"""POST /events: what people did where the script does not run, such as an app or a till."""

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field, model_validator

from crm.kernel import clock
from crm.kernel.endpoints import Body, Moment, OutsideId
from crm.people.identity import Known
from crm.shop.shapes import MOST, Long, Person, listed
from tracking.api import taking

router = Router(tags=["events"])


class OneEvent(Body):
    """`details` are those of the script's call of the same name; of `custom`, the shop's own, `name` and
    `props`. One of `customer` and `visitor_id` says
    whose it is.
    """

    id: OutsideId
    kind: Literal["page", "product", "favourite", "search", "checkout", "custom"]
    at: Moment
    url: Long = ""
    customer: Person | None = None
    visitor_id: UUID | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class Events(Body):
    events: list[OneEvent] = Field(min_length=1, max_length=MOST)

    @model_validator(mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return listed(value, "events")


@router.post("/events", response={202: dict[str, int]}, summary="Tell what people did")
def tell(request: HttpRequest, body: Events) -> Status[dict[str, int]]:
    """One event, or `{"events": […]}` with up to 500. All are taken, or none; they are applied within
    seconds.
    """
    taken = [
        taking.cleaned(
            one.kind,
            [one.id],
            one.at,
            one.customer.known() if one.customer else Known(),
            one.visitor_id,
            one.details,
            one.url,
        )
        for one in body.events
    ]
    taking.keep(taken, clock.now())
    return Status(202, {"taken": len(taken)})
