"""POST /contacts: people the shop knows, and what they agreed to, with the words they saw."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from ninja import Router
from ninja.errors import HttpError
from pydantic import BaseModel, Field, model_validator

from crm.kernel import clock, tokens
from crm.kernel.endpoints import Body, Moment
from crm.models import Channel, Purpose
from crm.people import consent, identity
from crm.people.consent import Said
from crm.shop.intake import SHOP
from crm.shop.shapes import MOST, Code, Long, Person, Title, Word, listed

router = Router(tags=["contacts"])


class Agreement(Body):
    """One thing the person said. A grant needs the words that stood beside the box."""

    purpose: Code
    action: Literal["granted", "confirmed", "requested", "refused", "withdrawn", "objected"]
    at: Moment | None = None
    channel: Channel = Channel.EMAIL
    wording: Long = ""
    locale: Word = ""
    form: Code = ""
    ip: Code = ""
    user_agent: Title = ""

    @model_validator(mode="after")
    def _has_words(self) -> Agreement:
        if self.action in ("granted", "confirmed") and not self.wording:
            raise ValueError("a grant needs its wording")
        return self


class OneContact(Person):
    consents: list[Agreement] = Field(default=[], max_length=50)

    @model_validator(mode="after")
    def _is_knowable(self) -> OneContact:
        if not identity.is_knowable(self.known()):
            raise ValueError("an e-mail address, a telephone number or an id is needed")
        for one in self.consents:
            if _hash_of(self, one.channel) is None:
                raise ValueError(f"a consent on {one.channel.label} needs its address")
        return self


class Contacts(Body):
    contacts: list[OneContact] = Field(min_length=1, max_length=MOST)

    @model_validator(mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return listed(value, "contacts")


class RecordedContact(BaseModel):
    id: str
    email: str
    ours: UUID


class ContactsAnswer(BaseModel):
    recorded: list[RecordedContact]


@router.post("/contacts", response=ContactsAnswer, summary="Record people and their consent")
def record(request: HttpRequest, body: Contacts) -> ContactsAnswer:
    """One person, or `{"contacts": […]}` with up to 500. A name that is known is never overwritten."""
    asked = {one.purpose for person in body.contacts for one in person.consents}
    unknown = asked - set(Purpose.objects.values_list("key", flat=True))
    if unknown:
        raise HttpError(422, f"there is no purpose called {min(unknown)!r}")
    now = clock.now()
    with transaction.atomic():
        ids = identity.resolve([person.known() for person in body.contacts], now, source=SHOP)
        said = [
            _said(person, one, contact_id, now)
            for person, contact_id in zip(body.contacts, ids, strict=True)
            for one in person.consents
        ]
        consent.record(said, now, unless_repeated=True)
    pairs = zip(body.contacts, ids, strict=True)
    return ContactsAnswer(
        recorded=[RecordedContact(id=person.id, email=person.email, ours=ours) for person, ours in pairs]
    )


def _said(person: OneContact, one: Agreement, contact_id: UUID, now: datetime) -> Said:
    return Said(
        address_hash=_hash_of(person, one.channel) or b"",
        channel=one.channel,
        purpose_key=one.purpose,
        action=one.action,
        occurred_at=one.at or now,
        source_kind="shop",
        address=_address(person, one.channel),
        contact_id=contact_id,
        wording=one.wording,
        locale=one.locale,
        legal_basis="consent" if one.action in ("granted", "confirmed") else "",
        source_ref=one.form,
        ip=one.ip,
        user_agent=one.user_agent,
    )


def _address(person: OneContact, channel: Channel) -> str:
    return {Channel.EMAIL: person.email, Channel.SMS: person.phone}.get(channel, "")


def _hash_of(person: OneContact, channel: Channel) -> bytes | None:
    try:
        return tokens.address_hash(channel, _address(person, channel))[0]
    except ValueError:
        return None
