"""What another system is told about a person: plain facts as JSON, signed with a key of the shop.

Made once. A call that is repeated says the very same under the same id, so that its receiver can tell.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from campaigns.flows.kinds import steps
from campaigns.messages import contexts, goods
from campaigns.messages.rendering import RenderProblem
from campaigns.models import Delivery, Enrolment, Step
from crm.kernel import tokens
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.models import Channel, Contact, Engagement, OutsideId
from crm.people import statuses
from crm.people.identity import CUSTOMER
from crm.shop.keys import WEBHOOKS
from crm.shop.settings import this_shop
from tracking.models import Cart, CartLine

_GONE = RenderProblem("no_contact", "The person is no longer known.")
_NO_STEP = RenderProblem("no_step", "The step that would call is no longer in the campaign.")


@dataclass(frozen=True, slots=True)
class Request:
    """One call, ready to be posted."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def prepare(deliveries: Sequence[Delivery], now: datetime) -> dict[int, Request | RenderProblem]:
    """The call of each delivery, or why there is none, in a fixed number of queries. What it says is set on
    the delivery, to be kept before the fence.
    """
    rows = _Rows(deliveries, now)
    made: dict[int, Request | RenderProblem] = {}
    for delivery in deliveries:
        contact = rows.contacts.get(delivery.contact_id) if delivery.contact_id else None
        step = rows.step_of(delivery)
        if contact is None:
            made[delivery.pk] = _GONE
        elif step is None:
            made[delivery.pk] = _NO_STEP
        else:
            try:
                params = steps.get(step.kind).read(step.params)
            except (BrokenParams, UnknownKind) as broken:
                made[delivery.pk] = RenderProblem("no_step", f"The step cannot call: {broken}."[:300])
                continue
            made[delivery.pk] = _request(delivery, params, rows, contact, now)
    return made


def as_sent(delivery: Delivery) -> str:
    """What was said, to be read; blank where nothing was made."""
    if delivery.context is None:
        return ""
    kept = json.loads(zlib.decompress(bytes(delivery.context)))
    said = json.dumps(json.loads(kept["body"]), indent=2, ensure_ascii=False)
    return f"POST {kept['url']}\n\n{said}"


def _request(
    delivery: Delivery, params: Mapping[str, Any], rows: _Rows, contact: Contact, now: datetime
) -> Request:
    body = rows.said.get(delivery.pk) or json.dumps(
        rows.facts(delivery, params, contact), separators=(",", ":"), ensure_ascii=False, default=_written
    )
    octets = body.encode()
    delivery.context = zlib.compress(json.dumps({"url": params["url"], "body": body}).encode())
    delivery.message_sha256 = hashlib.sha256(octets).digest()
    return Request(params["url"], octets, _headers(str(delivery.public_id), octets, now))


def _headers(public_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Those of the Standard Webhooks; under each key still held, so that keys can be changed."""
    stamp = str(int(now.timestamp()))
    signed = b".".join([public_id.encode(), stamp.encode(), body])
    digests = [hmac.digest(key, signed, "sha256") for key in tokens.derive_all(WEBHOOKS)]
    return {
        "Content-Type": "application/json",
        "Idempotency-Key": public_id,
        "webhook-id": public_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }


class _Rows:
    """Everything the calls of a batch speak of, loaded once."""

    def __init__(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        people = {one.contact_id for one in deliveries if one.contact_id}
        self.contacts: dict[UUID, Contact] = Contact.objects.filter(merged_into=None).in_bulk(people)
        self.shop = this_shop()
        self.statuses = statuses.held(people, now)
        self.numbers: dict[UUID, dict[str, str]] = defaultdict(dict)
        known = OutsideId.objects.filter(kind=CUSTOMER, contact_id__in=people)
        for contact_id, source, number in known.values_list("contact_id", "source", "external_id"):
            self.numbers[contact_id][source] = number
        allowed = Engagement.objects.filter(contact__in=people).values_list("contact_id", "may_receive")
        self.may_receive = {contact_id: may or () for contact_id, may in allowed}
        again = [one.pk for one in deliveries if one.attempts]
        kept = Delivery.objects.filter(pk__in=again, context__isnull=False).values_list("pk", "context")
        self.said = {pk: json.loads(zlib.decompress(bytes(said)))["body"] for pk, said in kept if said}
        self._load_carts(deliveries, people)
        self._load_steps(deliveries, people)

    def _load_carts(self, deliveries: Sequence[Delivery], people: set[UUID]) -> None:
        subjects = {one.subject_id for one in deliveries if one.subject_kind == "cart" and one.subject_id}
        self.carts = {cart.pk: cart for cart in Cart.objects.filter(pk__in=subjects, contact__in=people)}
        self.lines: dict[UUID, list[CartLine]] = defaultdict(list)
        lines = CartLine.objects.filter(cart__in=self.carts, contact__in=people).order_by("position", "id")
        for line in lines:
            self.lines[line.cart_id].append(line)
        self.products = goods.of_lines([line for some in self.lines.values() for line in some])

    def _load_steps(self, deliveries: Sequence[Delivery], people: set[UUID]) -> None:
        runs = {one.enrolment_id for one in deliveries if one.enrolment_id}
        walked = Enrolment.objects.filter(pk__in=runs, contact__in=people)
        self.versions = dict(walked.values_list("pk", "version_id"))
        rows = Step.objects.filter(
            version__campaign__in={one.campaign_id for one in deliveries},
            key__in={one.step_key for one in deliveries},
        ).select_related("version__campaign")
        self.steps: dict[tuple[int, str], list[Step]] = defaultdict(list)
        for row in rows.order_by("version__number"):
            self.steps[row.version.campaign_id, row.key].append(row)

    def step_of(self, delivery: Delivery) -> Step | None:
        """The step as the person's own version has it, else as the newest one does."""
        found = self.steps.get((delivery.campaign_id or 0, delivery.step_key), [])
        version = self.versions.get(delivery.enrolment_id) if delivery.enrolment_id else None
        own = (step for step in found if step.version_id == version)
        return next(own, found[-1] if found else None)

    def facts(self, delivery: Delivery, params: Mapping[str, Any], contact: Contact) -> dict[str, Any]:
        """What is said. Nothing here is internal: no score, no margin, no notes."""
        campaign = self.steps[delivery.campaign_id or 0, delivery.step_key][-1].version.campaign
        held = self.statuses.get(contact.pk, {})
        person: dict[str, Any] = {
            "id": contact.pk,
            "customer_ids": self.numbers.get(contact.pk, {}),
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "language": contact.language,
            "country": contact.country,
            "time_zone": contact.time_zone,
            "tags": contact.tags,
            "fields": contact.fields,
            "statuses": dict(sorted(held.items())),
            "may_be_written_to": f"{Channel.EMAIL}:{delivery.purpose_id}"
            in self.may_receive.get(contact.pk, ()),
            "is_test": contact.is_test,
        }
        if params["with_address"]:
            person |= {"email": contact.email, "phone": contact.phone}
        return {
            "id": delivery.public_id,
            "event": params["event"] or campaign.name,
            "at": delivery.due_at,
            "campaign": {"id": campaign.pk, "name": campaign.name, "step": delivery.step_key},
            "person": person,
            "cart": self._cart(delivery),
        }

    def _cart(self, delivery: Delivery) -> dict[str, Any] | None:
        cart = self.carts.get(delivery.subject_id) if delivery.subject_id else None
        if cart is None:
            return None
        return contexts.cart_data(cart, self.lines[cart.pk], self.shop, self.products) | {"token": cart.token}


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is nothing that is told")
