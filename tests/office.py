"""The back office's cast: Ada who runs everything, Vera who may look, Sten who may log in and nothing else;
and a shop with one of everything for them to look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from campaigns.flows import launching
from campaigns.flows.kinds import playbooks
from campaigns.models import (
    Campaign,
    Coupon,
    Decision,
    Delivery,
    Enrolment,
    Offer,
    OfferSettings,
    Sender,
    Survey,
    Template,
)
from crm.kernel import ids, tokens
from crm.models import (
    Absence,
    AssignmentRule,
    Company,
    ConsentEvent,
    Contact,
    Import,
    Lead,
    LeadDefinition,
    LeadVersion,
    Order,
    OrderLine,
    PersonRequest,
    Product,
    ScoreLine,
    Segment,
    ServerKey,
    ShopSettings,
    Stage,
    Status,
    Suppression,
    Task,
)
from crm.people import consent, identity
from crm.shop.bought import recount
from crm.shop.settings import this_shop
from tracking.models import Cart, CartLine, InboundEvent

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAIL = "ana@shop-customers.example"


def user(name: str, *permissions: str, **more: Any) -> User:
    made = User.objects.create_user(name, f"{name}@office.example", "secret", is_staff=True, **more)
    for permission in permissions:
        app, codename = permission.split(".")
        made.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return made


def logged_in(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


@pytest.fixture
def ada(db: None) -> Client:
    """May do everything."""
    return logged_in(user("ada", is_superuser=True))


@pytest.fixture
def sten(db: None) -> Client:
    """A colleague without any permission."""
    return logged_in(user("sten"))


@pytest.fixture
def vera(db: None) -> Client:
    """May look at everything and change nothing."""
    vera = user("vera")
    vera.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return logged_in(vera)


def set_up_shop(**changes: Any) -> ShopSettings:
    shop = this_shop()
    usual = {
        "name": "Hearth & Horn",
        "url": "https://shop.example",
        "currency": "EUR",
        "time_zone": "Europe/Amsterdam",
        "postal_address": "Nygade 4\n1164 København",
        "telephone": "+45 33 12 34 00",
        "ingest_key": "pk_test",
        "set_up_at": NOW,
    }
    for name, value in (usual | changes).items():
        setattr(shop, name, value)
    shop.save()
    return shop


def sender(**changes: Any) -> Sender:
    usual = {
        "name": "Mira at Hearth & Horn",
        "email": "mira@shop.example",
        "person": "Mira Lund",
        "reply_to": "mira@shop.example",
        "telephone": "+45 33 12 34 56",
        "is_default": True,
        "created_at": NOW,
    }
    return Sender.objects.create(**(usual | changes))


def person(mail: str = MAIL, *, agreed: bool = True, now: datetime = NOW, **known: Any) -> Contact:
    usual = {"first_name": "Ana", "last_name": "Oliveira", "country": "PT"}
    pk = identity.resolve([identity.Known(email=mail, **(usual | known))], now, source="test")[0]
    contact = Contact.objects.get(pk=pk)
    if agreed:
        digest = tokens.address_hash("email", mail)[0]
        said = consent.Said(digest, "email", "cart_recovery", "granted", now, "form", mail, pk, "Yes, please")
        consent.record([said], now)
    return contact


def product(number: int = 1, **changes: Any) -> Product:
    usual = {
        "external_id": f"p-{number}",
        "name": f"Fjord {number} speakers",
        "price": Decimal("249.00"),
        "currency": "EUR",
        "url": f"https://shop.example/p/{number}",
        "image_url": f"https://shop.example/i/{number}.jpg",
        "category": "Speakers",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Product.objects.create(**(usual | changes))


def cart(contact: Contact, *things: Product, at: datetime = NOW, **changes: Any) -> Cart:
    usual = {
        "token": f"t-{ids.uuid7(at).hex}",
        "currency": "EUR",
        "total": sum((thing.price or Decimal(0) for thing in things), Decimal(0)),
        "item_count": len(things),
        "has_priced_line": True,
        "opened_at": at - timedelta(minutes=5),
        "changed_at": at,
        "recorded_at": at,
    }
    made = Cart.objects.create(contact=contact, **(usual | changes))
    for position, thing in enumerate(things):
        CartLine.objects.create(
            contact=contact,
            cart=made,
            product=thing,
            external_id=thing.external_id,
            position=position,
            name=thing.name,
            url=thing.url,
            image_url=thing.image_url,
            price=thing.price,
        )
    return made


def order(contact: Contact, thing: Product, *, number: int = 1, at: datetime = NOW, **changes: Any) -> Order:
    usual = {
        "source": "api",
        "external_id": f"o-{number}",
        "number": f"R-{number}",
        "currency": "EUR",
        "total": thing.price,
        "occurred_at": at,
        "recorded_at": at,
        "source_at": at,
    }
    made = Order.objects.create(contact=contact, **(usual | changes))
    OrderLine.objects.create(
        contact=contact, order=made, product=thing, name=thing.name, unit_price=thing.price, occurred_at=at
    )
    recount([contact.pk])
    return made


def draft(now: datetime = NOW) -> Campaign:
    return playbooks.get("campaigns.abandoned_cart").make(now, only_first=True)


def delivery(
    campaign: Campaign, contact: Contact, about: Cart, *, number: int = 1, **changes: Any
) -> Delivery:
    """A queued message of a run through the campaign, with the decision behind it."""
    run = Enrolment.objects.create(
        contact=contact,
        campaign=campaign,
        version=campaign.versions.latest("number"),
        entry=f"cart:{about.pk}:{number}",
        subject_kind="cart",
        subject_id=about.pk,
        step_position=1,
        qualified_at=NOW,
        entered_at=NOW,
    )
    usual = {
        "dedupe_key": f"j:{run.pk}:first-message:1",
        "contact_id": contact.pk,
        "address_hash": tokens.address_hash("email", contact.email)[0],
        "purpose": campaign.purpose,
        "sender": campaign.sender or Sender.objects.get(is_default=True),
        "campaign": campaign,
        "step_key": "first-message",
        "enrolment_id": run.pk,
        "template": Template.objects.first(),
        "subject_kind": "cart",
        "subject_id": about.pk,
        "due_at": NOW,
        "not_before": NOW,
        "not_after": NOW + timedelta(hours=3),
        "created_at": NOW,
    }
    made = Delivery.objects.create(**(usual | changes))
    Decision.objects.create(
        contact=contact,
        campaign=campaign,
        enrolment_id=run.pk,
        verdict=Decision.Verdict.QUEUED,
        words="To be sent.",
        decided_at=NOW,
    )
    return made


def offer(name: str = "Spring", number: int = 1, **changes: Any) -> Offer:
    """An offer in messages only, with one free code."""
    usual = {"kind": "percent", "value": Decimal(10), "created_at": NOW}
    made = Offer.objects.create(name=name, **(usual | changes))
    Coupon.objects.create(offer=made, code=f"CODE-{number:04}", created_at=NOW)
    return made


def bought(times: int = 1) -> dict[str, Any]:
    return {"all": [{"kind": "crm.ordered", "params": {"times": str(times)}}]}


def definition(name: str = "Hot", *, published: bool = True) -> LeadDefinition:
    """A lead definition with a wording that counts, a draft of the next one, and three stages."""
    made = LeadDefinition.objects.create(name=name, created_at=NOW)
    for place, meaning in enumerate(("lead", "nurture", "sales_ready")):
        Stage.objects.create(
            definition=made,
            name=f"{Stage.Meaning(meaning).label}",
            meaning=meaning,
            position=place,
            limit_days=7,
        )
    for number in (1, 2):
        version = LeadVersion.objects.create(
            definition=made,
            number=number,
            is_lead=bought(),
            created_at=NOW,
            published_at=NOW if number == 1 and published else None,
            published_by="ada" if number == 1 and published else "",
        )
        ScoreLine.objects.create(version=version, label="Bought", rule=bought(), points=10)
    return made


def lead(contact: Contact, of: LeadDefinition, *, at: datetime = NOW, **changes: Any) -> Lead:
    usual = {
        "version": of.versions.get(number=1),
        "stage": of.stages.get(meaning="lead"),
        "rule_stage": of.stages.get(meaning="lead"),
        "stage_since": at,
        "became_at": at,
        "score": 10,
        "reasons": [{"label": "Bought", "points": 10, "of": 10}],
    }
    return Lead.objects.create(contact=contact, definition=of, **(usual | changes))


def along(delivery: Delivery, *states: str, **last: Any) -> Delivery:
    """Walk a delivery along its edges; what else is known goes in with the last step."""
    for state in states:
        values = last if state == states[-1] else {}
        Delivery.objects.filter(pk=delivery.pk).update(state=state, **values)
    delivery.refresh_from_db()
    return delivery


@dataclass
class World:
    shop: ShopSettings
    contact: Contact
    cart: Cart
    order: Order
    product: Product
    campaign: Campaign
    delivery: Delivery

    def row(self, model: type) -> Any:
        """Some row of a model."""
        return model.objects.first()  # type: ignore[attr-defined]


@pytest.fixture
def world(db: None) -> World:
    """A shop at work, with one of everything."""
    shop = set_up_shop()
    sender()
    contact, thing = person(), product()
    about = cart(contact, thing)
    bought = order(contact, thing, at=NOW - timedelta(days=40))
    campaign = draft()
    launching.launch(campaign, "ada", NOW)
    message = delivery(campaign, contact, about)
    Segment.objects.create(name="Portuguese", created_at=NOW)
    Company.objects.create(name="Acme", created_at=NOW)
    ServerKey.objects.create(name="Server", prefix="sk_test_", sha256=b"x" * 32, created_at=NOW)
    InboundEvent.objects.create(source="collect", body={"e": []}, received_at=NOW)
    lead(contact, definition())
    AssignmentRule.objects.create(name="Nordics", created_at=NOW)
    anna = User.objects.create_user("anna")
    Absence.objects.create(user=anna, from_day=NOW.date(), to_day=NOW.date())
    offer()
    OfferSettings.objects.create()
    Task.objects.create(contact=contact, title="Call her back", created_at=NOW)
    Survey.objects.create(slug="why_not", question="What held you back?", created_at=NOW)
    Status.objects.create(key="vip", name="VIP", created_at=NOW)
    PersonRequest.objects.create(
        contact=contact,
        kind="crm.access",
        received_at=NOW,
        recorded_at=NOW,
        recorded_by="ada",
        due_at=NOW + timedelta(days=31),
    )
    Import.objects.create(
        subject="crm.contacts",
        name="people.csv",
        status=Import.Status.CHECKED,
        look={"format": "csv", "headings": ["email"], "samples": [["bo@shop-customers.example"]]},
        mapping={"0": "email"},
        created_at=NOW,
    )
    event = ConsentEvent.objects.first()
    assert event is not None
    Suppression.objects.create(
        address_hash=b"s" * 32,
        channel="email",
        reason=Suppression.Reason.STAFF,
        since=NOW,
        source_event=event,
    )
    return World(shop, contact, about, bought, thing, campaign, message)
