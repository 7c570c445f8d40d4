"""A3: who merely says an address is nobody: over the public door, from a fresh browser, as the victim."""

import json
import uuid

import pytest

from crm.kernel import clock, tokens
from crm.models import ConsentEvent, ConsentState, Contact, ContactChange, ContactPoint, Engagement
from tests.collecting import ORIGIN, Collector, event, line, message
from tracking.models import Cart, Event, InboundEvent, Visitor
from tracking.visits import ingest, visitors

pytestmark = pytest.mark.proof

VICTIM = "ana@example.com"


@pytest.fixture
def ana(collector: Collector) -> Contact:
    contact = Contact.objects.create(first_name="Ana", last_name="Prins", email=VICTIM, language="nl")
    digest, key_id = tokens.address_hash("email", VICTIM)
    ContactPoint.objects.create(
        contact=contact, channel="email", address=VICTIM, address_hash=digest, hash_key_id=key_id
    )
    return contact


def forged(visitor: uuid.UUID) -> list[dict]:
    """Signatures an attacker can come by or make up."""
    at = int(clock.now().timestamp())
    return [
        {},
        {"signature": "", "timestamp": at},
        {"signature": "0" * 64, "timestamp": at},
        {"signature": visitors.sign_identity(uuid.uuid4(), VICTIM, at), "timestamp": at},
        {"signature": visitors.sign_identity(visitor, "mallory@example.com", at), "timestamp": at},
        {"signature": visitors.sign_identity(visitor, VICTIM, at - 3600), "timestamp": at - 3600},
        {"signature": visitors.sign_identity(visitor, VICTIM, at + 3600), "timestamp": at + 3600},
        {"signature": visitors.sign_identity(visitor, VICTIM, at, key="pk_test_collect"), "timestamp": at},
    ]


def test_a_claimed_address_reads_overwrites_grants_and_joins_nothing(
    collector: Collector, ana: Contact
) -> None:
    before = Contact.objects.filter(pk=ana.pk).values().get()
    for number, proof in enumerate(forged(uuid.UUID(int=1))):
        visitor = uuid.UUID(int=1) if number else uuid.uuid4()
        identify = event(
            "identify",
            email=VICTIM,
            first_name="Mallory",
            language="en",
            consents=[
                {"purpose": "cart_recovery", "granted": True},
                {"purpose": "newsletter", "granted": False},
            ],
            **proof,
        )
        evil = line() | {"name": "Buy at evil.example", "url": "https://evil.example"}
        told = message(
            visitor,
            event("cart", token=f"c{number}", lines=[evil]),
            identify,
            event("cart", token=f"c{number}", lines=[evil, evil]),
            event("order", id=f"o{number}", total="9999", email=VICTIM),
        )
        status, headers, body = collector.request(
            "POST", "/c", json.dumps(told).encode(), {"Content-Type": "text/plain", "Origin": ORIGIN}
        )
        assert (status, body) == (204, b"")
        assert "set-cookie" not in headers
    while ingest.apply(clock.now()):
        pass

    assert not InboundEvent.objects.filter(state="parked").exists()
    assert Contact.objects.filter(pk=ana.pk).values().get() == before
    assert Contact.objects.count() == 1
    assert not Visitor.objects.exclude(contact=None).exists()
    for model in (Cart, Event, ConsentEvent, ConsentState, ContactChange):
        assert not model.objects.exists(), model
    assert not ana.orders.exists()
    assert not Engagement.objects.filter(last_seen_at__isnull=False).exists()


def test_a_true_signature_beside_them_is_believed(collector: Collector, ana: Contact) -> None:
    visitor, at = uuid.uuid4(), int(clock.now().timestamp())
    proof = {"signature": visitors.sign_identity(visitor, VICTIM, at), "timestamp": at}
    collector.collect(
        message(visitor, event("cart", token="c1", lines=[line()]), event("identify", email=VICTIM, **proof))
    )
    ingest.apply(clock.now())

    assert Cart.objects.get().contact == ana
    ana.refresh_from_db()
    assert ana.first_name == "Ana"
