"""Raw rows become visitors, events, carts, orders, consent: once, in any order, never on a mere claim."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.kernel import tokens as kernel_tokens
from crm.models import ConsentState, Contact, ContactPoint, Engagement, Order, Product, Purpose, ShopSettings
from crm.people.identity import Known
from crm.shop import intake
from tests.collecting import BROWSER
from tracking.mail import tokens
from tracking.models import Actor, Cart, Event, InboundEvent, Visitor, VisitorCart, VisitorEvent
from tracking.visits import ingest, messages, visitors

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LAMP = {"product_id": "lamp", "name": "Lamp", "price": "25", "quantity": 2}
EMAIL = "ana@example.com"


class Browser:
    """A visitor's browser, and the rows the collector would keep of it."""

    def __init__(self) -> None:
        self.id = uuid.uuid4()

    def does(self, kind: str, minute: float, **details: Any) -> InboundEvent:
        at = NOW + minute * MINUTE
        millis = int(at.timestamp() * 1000)
        raw = {"id": str(uuid.uuid4()), "t": kind, "at": millis, "p": details}
        return InboundEvent.objects.create(
            source="collect",
            received_at=at,
            visitor_id=self.id,
            user_agent=BROWSER,
            body={"v": str(self.id), "b": "", "s": millis, "e": [messages.clean_event(raw)]},
        )

    def signs_in(self, minute: float, email: str = EMAIL, **more: Any) -> InboundEvent:
        at = int((NOW + minute * MINUTE).timestamp())
        signature = visitors.sign_identity(self.id, email, at)
        return self.does("identify", minute, email=email, timestamp=at, signature=signature, **more)

    @property
    def visitor(self) -> Visitor:
        return Visitor.objects.get(id=self.id)


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def ana() -> Contact:
    contact = Contact.objects.create(first_name="Ana", email=EMAIL)
    digest, key_id = kernel_tokens.address_hash("email", EMAIL)
    ContactPoint.objects.create(
        contact=contact, channel="email", address=EMAIL, address_hash=digest, hash_key_id=key_id
    )
    return contact


@pytest.fixture
def anybody_may_be_tracked() -> None:
    ShopSettings.objects.update_or_create(pk=1, defaults={"tracking_needs_consent": False})


def apply() -> int:
    done = ingest.apply(NOW + timedelta(hours=1))
    assert list(InboundEvent.objects.filter(state="parked").values_list("error", flat=True)) == []
    return done


def clicked(contact: Contact, ref: uuid.UUID, minute: float, user_agent: str = BROWSER) -> str:
    """The row of a click, and the landing token its redirect carried."""
    at, click_id = NOW + minute * MINUTE, uuid.uuid4()
    headers = {"accept": "text/html", "accept-language": "en"}
    InboundEvent.objects.create(
        source="click",
        received_at=at,
        user_agent=user_agent,
        body={
            "id": str(click_id),
            "ref": str(ref),
            "contact": str(contact.id),
            "url": "",
            "m": "GET",
            "h": headers,
        },
    )
    return tokens.sign_landing(click_id, at, tokens.Clicked(1, ref, contact.id))


def test_an_unknown_visitor_waits_in_tables_of_their_own(browser: Browser) -> None:
    browser.does("page", 0, title="Home")
    browser.does("cart", 1, token="c1", lines=[LAMP])

    assert apply() == 2
    assert apply() == 0
    assert browser.visitor.trust == "anonymous"
    assert VisitorEvent.objects.count() == 2
    assert VisitorCart.objects.get().lines[0]["product_id"] == "lamp"
    assert not Event.objects.exists()
    assert not Cart.objects.exists()


def test_a_signature_makes_what_the_browser_did_the_persons_with_the_same_ids(browser: Browser) -> None:
    product = Product.objects.create(source="api", external_id="lamp", name="Lamp")
    browser.does("product", 0, **LAMP)
    browser.does("cart", 1, token="c1", lines=[LAMP])
    apply()
    before = set(VisitorEvent.objects.values_list("id", flat=True)) | {VisitorCart.objects.get().id}

    browser.signs_in(2, first_name="Ana")
    apply()

    contact = Contact.objects.get()
    assert (contact.first_name, contact.email) == ("Ana", EMAIL)
    assert (browser.visitor.contact, browser.visitor.trust) == (contact, "signed")
    assert before == set(Event.objects.exclude(kind="identify").values_list("id", flat=True)) | {
        Cart.objects.get().id
    }
    assert Event.objects.get(kind="product").product_id == product.id
    cart = Cart.objects.get()
    assert (cart.contact, cart.total, cart.opened_at, cart.changed_at) == (
        contact,
        Decimal(50),
        NOW + MINUTE,
        NOW + MINUTE,
    )
    assert not VisitorEvent.objects.exists()
    assert not VisitorCart.objects.exists()
    seen = Engagement.objects.get(contact=contact)
    assert (seen.last_seen_at, seen.last_cart_at) == (NOW + 2 * MINUTE, NOW + MINUTE)


def test_the_same_within_one_batch(browser: Browser) -> None:
    browser.does("cart", 1, token="c1", lines=[LAMP])
    browser.signs_in(2)
    browser.does("cart", 3, token="c1", lines=[LAMP, LAMP | {"product_id": "x"}])
    apply()

    cart = Cart.objects.get()
    assert (cart.item_count, cart.opened_at, cart.changed_at) == (2, NOW + MINUTE, NOW + 3 * MINUTE)
    assert Event.objects.filter(kind="cart").count() == 2


@pytest.mark.parametrize("change", ["signature", "timestamp", "email"])
def test_a_claim_changes_nothing_but_the_claim(browser: Browser, ana: Contact, change: str) -> None:
    at = int(NOW.timestamp())
    details: dict[str, Any] = {"email": EMAIL, "timestamp": at, "first_name": "Mallory"}
    details["signature"] = visitors.sign_identity(browser.id, EMAIL, at)
    details[change] = {"signature": "0" * 64, "timestamp": at - 3600, "email": "b@example.com"}[change]
    browser.does("cart", 0, token="c1", lines=[LAMP])
    browser.does("identify", 0.1, **details, consents=[{"purpose": "cart_recovery", "granted": True}])
    apply()

    ana.refresh_from_db()
    assert ana.first_name == "Ana"
    assert Contact.objects.count() == 1
    assert (browser.visitor.contact, browser.visitor.trust) == (None, "claimed")
    assert browser.visitor.claimed_hash is not None
    assert not Cart.objects.exists()
    assert not ConsentState.objects.exists()


def test_a_signature_of_another_browser_is_none(browser: Browser) -> None:
    other, at = Browser(), int(NOW.timestamp())
    signature = visitors.sign_identity(other.id, EMAIL, at)
    browser.does("identify", 0, email=EMAIL, timestamp=at, signature=signature)
    apply()

    assert browser.visitor.contact is None


def test_told_twice_and_backwards_it_ends_the_same(browser: Browser) -> None:
    rows = [
        browser.does("page", 0),
        browser.does("cart", 1, token="c1", lines=[LAMP]),
        browser.signs_in(2),
        browser.does("cart", 3, token="c1", lines=[LAMP | {"quantity": 5}]),
    ]
    told = [(row.body, row.received_at) for row in rows]
    InboundEvent.objects.all().delete()
    for body, received_at in [*reversed(told), *told]:
        InboundEvent.objects.create(
            source="collect", visitor_id=browser.id, user_agent=BROWSER, body=body, received_at=received_at
        )
        apply()

    assert Event.objects.count() == 4
    assert not VisitorEvent.objects.exists()
    assert (Cart.objects.get().total, Cart.objects.get().changed_at) == (Decimal(125), NOW + 3 * MINUTE)


def test_what_somebody_else_did_at_the_browser_stays_with_them(browser: Browser) -> None:
    browser.does("page", 0)
    browser.signs_in(1)
    browser.does("page", 2)
    browser.signs_in(3, email="boris@example.com")
    browser.does("page", 4)
    apply()
    browser.does("page", 2.5)
    apply()

    pages = Event.objects.filter(kind="page").order_by("occurred_at")
    assert [page.contact.email for page in pages] == [EMAIL, EMAIL, "boris@example.com"]
    assert VisitorEvent.objects.count() == 1
    assert browser.visitor.identity_changed_at == NOW + 3 * MINUTE


def test_a_confirmed_click_recognises_the_person(
    browser: Browser, ana: Contact, anybody_may_be_tracked: None
) -> None:
    ref = uuid.uuid4()
    browser.does("cart", 0, token="c1", lines=[LAMP])
    token = clicked(ana, ref, 1)
    browser.does("landing", 1.1, rk=token)
    apply()

    assert (browser.visitor.contact, browser.visitor.trust) == (ana, "clicked")
    click, landing = Event.objects.get(kind="click"), Event.objects.get(kind="landing")
    assert (click.actor, click.ref, landing.ref) == (Actor.HUMAN, ref, ref)
    assert Cart.objects.get().contact == ana
    # Whoever arrives from a message clicked in it: the later of the two counts.
    assert Engagement.objects.get(contact=ana).last_click_at == landing.occurred_at


def test_a_late_or_foreign_landing_confirms_nothing(
    browser: Browser, ana: Contact, anybody_may_be_tracked: None
) -> None:
    browser.does("landing", 7, rk=clicked(ana, uuid.uuid4(), 1))
    boris = Browser()
    boris.signs_in(0, email="boris@example.com")
    boris.does("landing", 1.2, rk=clicked(ana, uuid.uuid4(), 1))
    apply()

    assert browser.visitor.contact is None
    assert boris.visitor.contact is not None
    assert boris.visitor.contact.email == "boris@example.com"
    assert set(Event.objects.filter(kind="click").values_list("actor", flat=True)) == {Actor.LIKELY_HUMAN}


def test_machines_and_opens_are_kept_and_move_no_clock(ana: Contact, anybody_may_be_tracked: None) -> None:
    clicked(ana, uuid.uuid4(), 1, "python-requests/2.32")
    clicked(ana, uuid.uuid4(), 1, "")
    InboundEvent.objects.create(
        source="open",
        received_at=NOW,
        user_agent="Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via GoogleImageProxy)",
        body={"id": str(uuid.uuid4()), "ref": str(uuid.uuid4()), "contact": str(ana.id), "m": "GET", "h": {}},
    )
    apply()

    assert sorted(Event.objects.values_list("kind", "actor")) == [
        ("click", "machine"),
        ("click", "machine"),
        ("open", "proxy"),
    ]
    assert not Engagement.objects.filter(last_seen_at__isnull=False).exists()


def test_an_old_message_of_somebody_erased_or_merged_leads_to_nobody_or_to_who_they_became(
    browser: Browser, ana: Contact, anybody_may_be_tracked: None
) -> None:
    gone = Contact.objects.create(created_at=NOW, erased_at=NOW)
    Contact.objects.filter(pk=gone.pk).update(merged_into=gone.pk)
    merged = Contact.objects.create(created_at=NOW, merged_into=ana)
    browser.does("landing", 1.1, rk=clicked(gone, uuid.uuid4(), 1))
    clicked(merged, uuid.uuid4(), 2)
    apply()

    assert list(Event.objects.values_list("contact", flat=True)) == [ana.pk]
    assert browser.visitor.contact is None


def test_without_consent_to_be_tracked_nothing_is_kept_and_nobody_recognised(
    browser: Browser, ana: Contact
) -> None:
    browser.does("landing", 1.1, rk=clicked(ana, uuid.uuid4(), 1))
    apply()

    assert not Event.objects.exists()
    assert not InboundEvent.objects.exclude(source="collect").exists()
    assert browser.visitor.contact is None


def test_an_order_told_by_a_known_browser_is_an_order_and_ends_the_cart(browser: Browser) -> None:
    browser.signs_in(0)
    browser.does("cart", 1, token="c1", lines=[LAMP])
    order = {"id": "o1", "total": "50", "currency": "EUR", "cart_token": "c1", "lines": [LAMP]}
    browser.does("order", 2, **order)
    browser.does("order", 2.1, **order)
    apply()

    found = Order.objects.get()
    assert (found.total, found.contact.email, found.cart_token) == (Decimal(50), EMAIL, "c1")
    assert (Cart.objects.get().state, Cart.objects.get().order_id) == ("bought", found.id)


@pytest.mark.parametrize("server_is_first", [True, False])
def test_what_the_shops_server_says_of_an_order_stands_above_the_browsers_word(
    browser: Browser, ana: Contact, server_is_first: bool
) -> None:
    said = intake.OrderIn(
        "o1",
        NOW + 2 * MINUTE,
        Decimal("49.00"),
        known=Known(email=EMAIL),
        number="#77",
        status="paid",
        shipping=Decimal("5.00"),
    )

    def server() -> None:
        intake.record_orders([said], NOW + 3 * MINUTE)

    browser.signs_in(0)
    browser.does("order", 2.5, id="o1", total="9", cart_token="c1", lines=[LAMP])
    if server_is_first:
        server()
    ingest.apply(NOW + 3 * MINUTE)
    if not server_is_first:
        server()
    found = Order.objects.get()
    assert (found.number, found.status, found.total, found.shipping) == (
        "#77",
        "paid",
        Decimal(49),
        Decimal(5),
    )
    assert found.cart_token == "c1"
    assert found.lines.get().name == "Lamp"


def test_an_order_told_by_nobody_known_ends_its_own_cart_and_is_no_order(
    browser: Browser, ana: Contact
) -> None:
    known = Browser()
    known.signs_in(0)
    known.does("cart", 1, token="c1", lines=[LAMP])
    browser.does("cart", 1, token="c2", lines=[LAMP])
    browser.does("order", 2, id="o1", total="50", cart_token="c1", email=EMAIL)
    browser.does("order", 2, id="o2", total="50", cart_token="c2")
    apply()

    assert not Order.objects.exists()
    assert Cart.objects.get().state == "bought"
    assert not VisitorCart.objects.exists()
    assert all("email" not in one.props for one in VisitorEvent.objects.filter(kind="order"))


def test_consent_in_a_signed_form_is_recorded(browser: Browser) -> None:
    Purpose.objects.get_or_create(
        key="cart_recovery", defaults={"name": "Reminders", "kind": "marketing", "channels": ["email"]}
    )
    said = [
        {"purpose": "cart_recovery", "granted": True, "wording": "Remind me"},
        {"purpose": "nonsense", "granted": True},
    ]
    browser.signs_in(0, consents=said)
    apply()

    state = ConsentState.objects.get()
    assert (state.purpose.key, state.may_send) == ("cart_recovery", True)


def test_a_restored_cart_remembers_whose_link_it_was(browser: Browser) -> None:
    browser.signs_in(0)
    browser.does("cart", 1, token="c1", lines=[LAMP])
    apply()
    cart, ref = Cart.objects.get(), uuid.uuid4()

    other = Browser()
    other.does("restore", 5, token=tokens.sign_restore(cart.id, cart.contact_id, ref), cart_token="c1")
    other.does("restore", 6, token=tokens.sign_restore(uuid.uuid4(), cart.contact_id, ref))
    apply()

    cart.refresh_from_db()
    assert (cart.restored_at, cart.restored_ref) == (NOW + 5 * MINUTE, ref)
    assert other.visitor.contact is None


def test_a_row_that_cannot_be_applied_is_parked_and_the_rest_goes_on(browser: Browser) -> None:
    browser.does("page", 0)
    bad = InboundEvent.objects.create(source="collect", received_at=NOW, body={"e": [{"t": "page"}]})
    browser.does("page", 1)

    assert ingest.apply(NOW) == 3

    bad.refresh_from_db()
    assert (bad.state, "KeyError" in bad.error) == ("parked", True)
    assert VisitorEvent.objects.count() == 2
    assert ingest.apply(NOW) == 0


def test_a_batch_costs_a_fixed_number_of_queries(django_assert_max_num_queries) -> None:
    def visit(number: int) -> None:
        browser = Browser()
        browser.does("page", 0)
        browser.does("cart", 1, token=f"c{number}", lines=[LAMP])
        browser.signs_in(2, email=f"person{number}@example.com")
        browser.does("order", 3, id=f"o{number}", total="5", cart_token=f"c{number}")

    for number in range(40):
        visit(number)
    with django_assert_max_num_queries(75):
        apply()
    assert Order.objects.count() == 40
