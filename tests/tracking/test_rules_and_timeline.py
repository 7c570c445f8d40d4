"""What people did, as rules ask for it and as the timeline shows it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import F, Value

from crm.kernel import rules, timeline
from crm.kernel.rules import Scope
from crm.kernel.timeline import Cursor
from crm.models import Contact
from tracking.models import Actor, Cart, CartLine, Event, Visit

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def ana() -> Contact:
    return Contact.objects.create(first_name="Ana")


@pytest.fixture
def boris() -> Contact:
    return Contact.objects.create(first_name="Boris")


def did(contact: Contact, kind: str, days_ago: float, actor: str = Actor.HUMAN, **props: Any) -> None:
    at = NOW - days_ago * DAY
    Event.objects.create(
        contact=contact,
        kind=kind,
        occurred_at=at,
        recorded_at=at,
        actor=actor,
        props=props,
        url="http://shop/x",
    )


def cart(contact: Contact, total: str, days_ago: float = 1, closed_days_ago: float | None = None) -> Cart:
    at = NOW - days_ago * DAY
    closed_at = None if closed_days_ago is None else NOW - closed_days_ago * DAY
    return Cart.objects.create(
        contact=contact, token=str(uuid.uuid4()), total=total, currency="EUR", opened_at=at, changed_at=at,
        recorded_at=at, closed_at=closed_at, state="open" if closed_at is None else "emptied",
    )  # fmt: skip


def who(key: str, at: datetime = NOW, scope: Scope | None = None, **params: Any) -> set[str]:
    kind = rules.conditions.get(key)
    found = Contact.objects.annotate(entered=Value(NOW - 2 * DAY)).filter(
        kind.q(kind.read(params), at, scope or Scope())
    )
    assert kind.sentence(kind.read(params))
    for contact in Contact.objects.annotate(
        entered=Value(NOW - 2 * DAY), told=kind.evidence(kind.read(params), at, scope or Scope())
    ):
        assert kind.tell(kind.read(params), contact.told)
    return {contact.first_name for contact in found}


def test_did_counts_people_in_the_window_as_known_then(ana: Contact, boris: Contact) -> None:
    for days in (1, 2, 40):
        did(ana, "product", days, category="Speakers")
    did(boris, "product", 1, Actor.MACHINE, category="Speakers")
    did(boris, "product", 1, category="Cables")

    assert who("tracking.did", event="product", times="1") == {"Ana", "Boris"}
    assert who("tracking.did", event="product", times="3") == {"Ana"}
    assert who("tracking.did", event="product", times="3", within_days="30") == set()
    assert who("tracking.did", event="product", times="2", within_days="30", category="speakers") == {"Ana"}
    assert who("tracking.did", at=NOW - 30 * DAY, event="product", times="1") == {"Ana"}
    assert who("tracking.did", event="click", times="1") == set()


def test_did_since_entering(ana: Contact, boris: Contact) -> None:
    did(ana, "click", 1)
    did(boris, "click", 3)

    scope = Scope(entered_at=F("entered"))
    assert who("tracking.did_since_entering", scope=scope, event="click", times="1") == {"Ana"}


def test_an_open_cart_and_what_it_is_worth(ana: Contact, boris: Contact) -> None:
    mine = cart(ana, "120")
    cart(boris, "30")
    cart(boris, "500", days_ago=9, closed_days_ago=5)

    assert who("tracking.cart_open") == {"Ana", "Boris"}
    assert who("tracking.cart_open", at_least="50") == {"Ana"}
    assert who("tracking.cart_open", at=NOW - 6 * DAY, at_least="50") == {"Boris"}
    scope = Scope(subject_kind="cart", subject_id=mine.pk)
    assert who("tracking.this_cart", scope=scope, at_least="100") == {"Ana"}
    assert who("tracking.this_cart", scope=scope, at_least="200") == set()


def test_the_timeline_tells_it_newest_first_and_by_chip(ana: Contact) -> None:
    did(ana, "product", 3, name="Lamp")
    did(ana, "page", 2, title="Home")
    did(ana, "search", 1.5, query="tubes")
    did(ana, "click", 0.5, Actor.MACHINE)
    mine = cart(ana, "50")
    CartLine.objects.create(contact=ana, cart=mine, name="Lamp", price=25, quantity=2)

    page = timeline.read(ana.pk)
    assert [entry.title for entry in page.entries] == [
        "Clicked in a message",
        "Began a cart for 50.00 EUR (open)",
        "Searched for “tubes”",
    ]
    assert page.entries[0].detail == "a machine, http://shop/x"
    assert page.entries[1].detail == "2 × Lamp"
    assert [entry.title for entry in timeline.read(ana.pk, kinds=["mail"]).entries] == [
        "Clicked in a message"
    ]
    first = timeline.read(ana.pk, limit=2)
    rest = timeline.read(ana.pk, first.next, limit=9)
    assert [*first.entries, *rest.entries] == page.entries


def visit(contact: Contact, days_ago: float, **told: Any) -> Visit:
    at = NOW - days_ago * DAY
    usual = {"acts": 2, "pages": 1, "seconds": 540, "ended_at": at + timedelta(minutes=9), "recorded_at": at}
    return Visit.objects.create(contact=contact, started_at=at, **(usual | told))


def test_a_visit_is_one_row_that_leads_to_its_pages(ana: Contact) -> None:
    did(ana, "page", 2, title="Home")
    did(ana, "product", 2 - 1 / 1440, name="Lamp")
    did(ana, "page", 1, title="Later")
    visit(ana, 2, products=6, source="google", is_ad=True, exit_url="https://shop.test/cart?x=1")
    visit(ana, 3, pages=1, seconds=5, referrer="blog.example")
    first, second = timeline.read(ana.pk).entries
    assert first.title == "Looked at 6 products in 9 minutes"
    assert first.detail == "came from google by an advertisement, left at /cart"
    assert (second.title, second.detail) == ("Looked at 1 page", "came from blog.example")
    asked = parse_qs(urlsplit(first.url).query)
    pages = timeline.read(ana.pk, Cursor.read(asked["before"][0]), kinds=asked["kind"])
    assert [entry.title for entry in pages.entries] == ["Looked at Lamp", "Looked at the page “Home”"]


def test_nothing_is_lost_between_many_visits_and_few_other_acts(ana: Contact) -> None:
    for number in range(12):
        visit(ana, number + 0.5)
        did(ana, "page", number + 0.4, title="Home")
        if number % 3 == 0:
            did(ana, "search", number + 0.3, query=f"{number}")
    did(ana, "search", 40, query="long ago")
    told, before = [], None
    while True:
        page = timeline.read(ana.pk, before, limit=3)
        told += [(entry.at, entry.kind) for entry in page.entries]
        if page.next is None:
            break
        before = page.next
    assert told == sorted(told, reverse=True) and len(told) == 12 + 5
    assert [kind for _at, kind in told].count("act") == 5
