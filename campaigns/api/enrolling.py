"""POST /campaigns/{number}/enrol: people put into a flow that waits for it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from ninja.errors import HttpError
from pydantic import BaseModel, Field, model_validator

from campaigns.flows import handing
from campaigns.flows.entry import BrokenRule
from campaigns.models import Campaign
from crm.kernel import clock
from crm.kernel.endpoints import Body, OutsideId
from crm.people import identity
from crm.shop.intake import SHOP
from crm.shop.shapes import MOST, Person, listed

LARGEST = 2**63 - 1

router = Router(tags=["campaigns"])


class OneEntry(Body):
    """`id` is yours: what is told twice under the same one is one entry."""

    id: OutsideId
    customer: Person

    @model_validator(mode="after")
    def _is_knowable(self) -> OneEntry:
        if not identity.is_knowable(self.customer.known()):
            raise ValueError("an e-mail address, a telephone number or an id is needed")
        return self


class Entries(Body):
    entries: list[OneEntry] = Field(min_length=1, max_length=MOST)

    @model_validator(mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return listed(value, "entries")


class Enrolled(BaseModel):
    """Your id, our person, and what became of it."""

    id: str
    ours: UUID
    outcome: handing.Outcome


class EnrolledAnswer(BaseModel):
    recorded: list[Enrolled]


@router.post(
    "/campaigns/{number}/enrol", response=EnrolledAnswer, summary="Put people into a campaign by hand"
)
def enrol(request: HttpRequest, number: int, body: Entries) -> EnrolledAnswer:
    """One entry, or `{"entries": […]}` with up to 500. The campaign has to run and to let people in by hand.

    `outcome` is `entered`; or `inside`, `too_soon` (the re-entry time is not over) or `kept_out` (by the
    entry rule). People who are not known yet become contacts.
    """
    campaign = Campaign.objects.filter(pk=number).first() if 0 < number <= LARGEST else None
    if campaign is None:
        raise HttpError(404, "there is no such campaign")
    now = clock.now()
    try:
        handing.refuse(campaign)
        ids = identity.resolve([one.customer.known() for one in body.entries], now, source=SHOP)
        theirs: dict[UUID, str] = {}
        for one, ours in zip(body.entries, ids, strict=True):
            theirs.setdefault(ours, f"api:{identity.short(one.id, 190)}")
        found = handing.put(campaign, ids, now, by=f"the API key “{_key_of(request)}”", entries=theirs)
    except (handing.CannotPut, BrokenRule) as error:
        raise HttpError(409, str(error)) from None
    return EnrolledAnswer(
        recorded=[
            Enrolled(id=one.id, ours=ours, outcome=_outcome(found.outcomes[ours], one, theirs[ours]))
            for one, ours in zip(body.entries, ids, strict=True)
        ]
    )


def _outcome(of_person: handing.Outcome, one: OneEntry, told: str) -> handing.Outcome:
    """Of two entries of one person in one call the first counts."""
    is_first = told == f"api:{identity.short(one.id, 190)}"
    return of_person if is_first or of_person != "entered" else "inside"


def _key_of(request: HttpRequest) -> str:
    return str(getattr(request, "auth", "") or "")
