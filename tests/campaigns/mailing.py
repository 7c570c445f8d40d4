"""A campaign with people who agreed to be written to, and messages to them in the queue."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import LazySettings

from campaigns.delivery import outbox
from campaigns.messages import mjml
from campaigns.models import Campaign, Delivery, DeliveryState, Sender, Template, TemplateVersion
from crm.kernel.tokens import address_hash
from crm.kernel.work import Budget
from crm.models import Channel, ConsentState, Contact, ContactPoint, Purpose
from crm.people import permitted
from tests.campaigns import reminder
from tests.sink.smtp import SmtpSink
from tracking.models import Cart, CartLine

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
OPENED = AT - timedelta(minutes=30)
LEFT = AT - timedelta(minutes=10)


def into(sink: SmtpSink, settings: LazySettings, conversations: int = 4) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = sink.host, sink.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = ""
    settings.REKINDLE_SAFE_SINK = True
    settings.REKINDLE_CONVERSATIONS = conversations


def campaign(**changes: Any) -> Campaign:
    purpose, _ = Purpose.objects.get_or_create(
        key="cart_recovery",
        defaults={"name": "Left carts", "kind": Purpose.Kind.MARKETING, "channels": ["email"]},
    )
    sender, _ = Sender.objects.get_or_create(
        email="mira@shop.test",
        defaults={"name": "Mira", "person": "Mira", "reply_to": "mira@shop.test", "telephone": "+49 30 1"},
    )
    usual = {"name": "Left carts", "state": Campaign.State.RUNNING, "purpose": purpose, "sender": sender}
    return Campaign.objects.create(
        **(usual | {"trigger": "campaigns.abandoned_cart", "launched_at": OPENED} | changes)
    )


@cache
def _written() -> tuple[str, reminder.Written]:
    written = reminder.abandoned_cart()
    return mjml.compile_html(written.mjml), written


def template(name: str = "Your cart", *, of_a_cart: bool = False) -> Template:
    """A short note, or the reminder that comes with the program."""
    found, made = Template.objects.get_or_create(
        name=f"{name}, as it comes with the program" if of_a_cart else name
    )
    if not made:
        return found
    if of_a_cart:
        html, written = _written()
        said = {"subject": written.subject, "mjml": written.mjml, "text": written.text, "html": html}
    else:
        line = "Hello {{ contact.first_name | default: 'there' }}"
        said = {"subject": line, "mjml": line, "text": line, "html": f"<p>{line}</p>"}
    found.current = TemplateVersion.objects.create(template=found, number=1, **said)
    found.save()
    return found


def people(count: int, purpose: Purpose, first: int = 1) -> list[Contact]:
    """Contacts who agreed, each with one address at example.com."""
    contacts, points, states = [], [], []
    for number in range(first, first + count):
        email = f"person{number}@example.com"
        contact = Contact(first_name=f"Person{number}", email=email, created_at=OPENED)
        hashed, key = address_hash(Channel.EMAIL, email)
        contacts.append(contact)
        points.append(
            ContactPoint(
                contact=contact, channel=Channel.EMAIL, address=email, address_hash=hashed, hash_key_id=key
            )
        )
        states.append(
            ConsentState(
                address_hash=hashed,
                channel=Channel.EMAIL,
                purpose=purpose,
                may_send=True,
                status=ConsentState.Status.GRANTED,
                since=OPENED,
            )
        )
    Contact.objects.bulk_create(contacts)
    ContactPoint.objects.bulk_create(points)
    ConsentState.objects.bulk_create(states)
    permitted.keep(contact.pk for contact in contacts)
    return contacts


def carts(contacts: Iterable[Contact]) -> list[Cart]:
    """Each left one thing, named after its owner."""
    made = [
        Cart(
            contact=contact,
            token=f"cart-{contact.email}",
            currency="EUR",
            total=40,
            item_count=1,
            has_priced_line=True,
            opened_at=OPENED,
            changed_at=LEFT,
            recorded_at=LEFT,
        )
        for contact in contacts
    ]
    Cart.objects.bulk_create(made, batch_size=1000)
    lines = [
        CartLine(
            contact=cart.contact,
            cart=cart,
            name=f"Speaker of {cart.contact.first_name}",
            url=f"https://shop.test/p/{cart.contact.first_name}",
            price=40,
        )
        for cart in made
    ]
    CartLine.objects.bulk_create(lines, batch_size=1000)
    return made


def message(contact: Contact, campaign: Campaign, cart: Cart | None = None, **changes: Any) -> Delivery:
    if "template" not in changes and "template_id" not in changes:
        changes["template"] = template(of_a_cart=cart is not None)
    usual: dict[str, Any] = {
        "dedupe_key": f"j:{contact.id}:send:1",
        "contact_id": contact.id,
        "address_hash": address_hash(Channel.EMAIL, contact.email)[0],
        "purpose": campaign.purpose,
        "sender": campaign.sender,
        "campaign": campaign,
        "step_key": "send",
        "due_at": AT,
        "not_before": AT,
    }
    if cart is not None:
        usual |= {
            "subject_kind": "cart",
            "subject_id": cart.id,
            "since": cart.opened_at,
            "cart_token": cart.token,
            "idle_for": timedelta(minutes=8),
        }
    return Delivery(**(usual | changes))


def queue(count: int = 1, *, with_carts: bool = False, **changes: Any) -> list[Delivery]:
    """People who agreed, and a message to each in the queue."""
    what = campaign()
    contacts = people(count, what.purpose)
    theirs: Sequence[Cart | None] = carts(contacts) if with_carts else [None] * count
    changes = {"template": template(of_a_cart=with_carts)} | changes
    made = [message(who, what, cart, **changes) for who, cart in zip(contacts, theirs, strict=True)]
    assert outbox.enqueue(made) == count
    return queued()


def queued() -> list[Delivery]:
    return list(Delivery.objects.filter(state=DeliveryState.QUEUED).order_by("id"))


def send(now: datetime = AT, seconds: float = 300, limit: int | None = None) -> outbox.Counts:
    return outbox.deliver(lambda: now, Budget(seconds), limit=limit)


def states() -> dict[UUID, str]:
    return dict(Delivery.objects.values_list("public_id", "state"))
