"""A delivery becomes a mail: the own cart, links that may be counted, the same again when looked up."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from campaigns.delivery.mime import Mail
from campaigns.messages import mjml, rendering
from campaigns.models import Delivery, Sender, Template, TemplateVersion
from crm.kernel import tokens
from crm.models import Channel, ConsentState, Contact, ContactPoint, Purpose, ShopSettings
from tests.campaigns import reminder
from tracking.models import Cart, CartLine, Link

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def shop() -> ShopSettings:
    shop, _made = ShopSettings.objects.update_or_create(
        pk=1,
        defaults={
            "name": "Hearth & Horn",
            "postal_address": "Nygade 4, 1164 København",
            "url": "https://shop.test/",
            "cart_restore_url": "https://shop.test/cart/restore",
        },
    )
    return shop


@pytest.fixture
def template() -> Template:
    written = reminder.abandoned_cart()
    template = Template.objects.create(name=written.name)
    template.current = TemplateVersion.objects.create(
        template=template,
        number=1,
        subject=written.subject,
        preheader=written.preheader,
        mjml=written.mjml,
        text=written.text,
        html=mjml.compile_html(written.mjml),
    )
    template.save()
    return template


@pytest.fixture
def sender() -> Sender:
    return Sender.objects.create(
        name="Mira at Hearth & Horn",
        email="mira@shop.test",
        person="Mira Lund",
        reply_to="replies@shop.test",
        telephone="+45 33 12 34 56",
    )


def a_delivery(template: Template, sender: Sender, name: str = "Ana") -> Delivery:
    contact = Contact.objects.create(first_name=name, email=f"{name.lower()}@example.com")
    address_hash, _key = tokens.address_hash(Channel.EMAIL, contact.email)
    ContactPoint.objects.create(
        contact=contact, channel=Channel.EMAIL, address=contact.email, address_hash=address_hash
    )
    cart = Cart.objects.create(
        contact=contact,
        token=uuid4().hex,
        currency="EUR",
        total=Decimal("498.00"),
        item_count=2,
        has_priced_line=True,
        opened_at=NOW - timedelta(hours=1),
        changed_at=NOW - timedelta(minutes=30),
        recorded_at=NOW,
    )
    CartLine.objects.create(
        contact=contact,
        cart=cart,
        name=f"Fjord 40 of {name}",
        url="https://shop.test/p/fjord?a=1&b=2",
        price=Decimal("249.00"),
        quantity=2,
    )
    return Delivery.objects.create(
        dedupe_key=f"test {uuid4()}",
        contact_id=contact.pk,
        address_hash=address_hash,
        purpose=Purpose.objects.get(key="cart_recovery"),
        sender=sender,
        template=template,
        subject_kind="cart",
        subject_id=cart.pk,
        due_at=NOW,
        not_before=NOW,
    )


def made(delivery: Delivery) -> Mail:
    mail = rendering.prepare([delivery], NOW)[delivery.pk]
    assert isinstance(mail, Mail), mail
    return mail


def test_a_person_gets_their_own_name_and_cart(shop, template, sender):
    mail = made(a_delivery(template, sender))
    assert "Ana" in mail.html and "Ana" in mail.text
    assert "Fjord 40 of Ana" in mail.subject
    assert "€498.00" in mail.html
    assert (mail.to_name, mail.to_address) == ("Ana", "ana@example.com")
    assert (mail.from_name, mail.reply_to_address) == ("Mira at Hearth & Horn", "replies@shop.test")
    assert "+45 33 12 34 56" in mail.html and "Nygade 4" in mail.html
    assert "/u/" in mail.list_unsubscribe_url and mail.list_unsubscribe_url in mail.text


def test_a_batch_takes_a_fixed_number_of_queries(shop, template, sender, django_assert_num_queries):
    few = [a_delivery(template, sender, f"Few{number}") for number in range(2)]
    many = [a_delivery(template, sender, f"Many{number}") for number in range(20)]
    rendering.prepare(few, NOW)
    with django_assert_num_queries(10):
        assert len(rendering.prepare(many, NOW)) == 20
    with django_assert_num_queries(10):
        rendering.prepare(few, NOW)


def test_without_consent_to_it_no_link_is_counted_and_no_picture_is_there(shop, template, sender):
    mail = made(a_delivery(template, sender))
    assert "/k/" not in mail.html and "/o/" not in mail.html
    assert "https://shop.test/cart/restore?token=" in mail.html
    assert not Link.objects.exists()


def test_with_consent_links_are_counted_and_the_way_out_never_is(shop, template, sender):
    delivery = a_delivery(template, sender)
    for key in ("click_tracking", "open_tracking"):
        ConsentState.objects.create(
            address_hash=delivery.address_hash,
            channel=Channel.EMAIL,
            purpose=Purpose.objects.get(key=key),
            may_send=True,
            since=NOW,
        )
    mail = made(delivery)
    assert (
        "https://shop.test/cart/restore" not in mail.html
        and "https://shop.test/cart/restore" not in mail.text
    )
    assert mail.html.count("/o/") == 1
    assert mail.list_unsubscribe_url in mail.html and mail.list_unsubscribe_url in mail.text
    assert Link.objects.filter(url="https://shop.test/p/fjord?a=1&b=2").exists()
    assert not re.search(r"/k/[^\"]*unsubscribe", mail.html)


@pytest.mark.parametrize("agreed", [False, True])
def test_what_was_sent_can_be_shown_again_exactly(shop, template, sender, agreed):
    delivery = a_delivery(template, sender)
    shop.tracking_needs_consent = not agreed
    shop.save()
    mail = made(delivery)
    delivery.save()
    shop.name, shop.postal_address = "Renamed", "Moved"
    shop.save()
    Contact.objects.update(first_name="Changed")
    again = rendering.as_sent(Delivery.objects.get(pk=delivery.pk))
    assert again and again.is_exact
    assert (again.subject, again.html, again.text) == (mail.subject, mail.html, mail.text)


def test_a_used_version_is_marked_and_a_changed_one_is_noticed(shop, template, sender):
    delivery = a_delivery(template, sender)
    made(delivery)
    delivery.save()
    version = TemplateVersion.objects.get()
    assert version.used_at == NOW
    TemplateVersion.objects.update(subject="Tampered with")
    again = rendering.as_sent(Delivery.objects.get(pk=delivery.pk))
    assert again and not again.is_exact


def test_nothing_is_made_for_somebody_without_an_address_or_a_cart(shop, template, sender):
    nowhere, empty = a_delivery(template, sender, "Nowhere"), a_delivery(template, sender, "Empty")
    ContactPoint.objects.filter(contact_id=nowhere.contact_id).delete()
    CartLine.objects.filter(contact_id=empty.contact_id).delete()
    found = rendering.prepare([nowhere, empty], NOW)
    assert found[nowhere.pk].reason == "no_address"
    assert found[empty.pk].reason == "cart_gone"


def test_a_test_says_so_goes_to_the_colleague_and_counts_nothing(shop, template, sender):
    shop.tracking_needs_consent = False
    shop.save()
    delivery = a_delivery(template, sender)
    delivery.origin, delivery.test_address = Delivery.Origin.TEST, "mira@shop.test"
    mail = made(delivery)
    assert mail.subject.startswith("[Test] ")
    assert mail.to_address == "mira@shop.test"
    assert "/k/" not in mail.html and "/o/" not in mail.html


def test_a_preview_shows_the_person_and_leads_nowhere(shop, template, sender):
    contact = Contact.objects.get(pk=a_delivery(template, sender).contact_id)
    shown = rendering.preview(template.current, contact, NOW)
    assert "Ana" in shown.html and "Fjord 40 of Ana" in shown.html
    assert "/u/" not in shown.html
    assert rendering.preview(template.current, None, NOW).html
