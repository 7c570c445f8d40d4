"""What colleagues are told leaves as mail, once, by the one machine; and says why where it cannot."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.contrib.auth.models import User

from campaigns.delivery import notices, outbox
from campaigns.delivery.claiming import claim
from campaigns.messages import notices as letters
from campaigns.models import Delivery, DeliveryState, Sender
from crm.kernel.work import Budget
from crm.models import Channel, Notice
from crm.ticking import run_tick
from tests.campaigns import mailing
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.django_db
AT = mailing.AT


@pytest.fixture
def olga():
    return User.objects.create_user("olga", "olga@office.example", first_name="Olga", is_staff=True)


def default_sender():
    return Sender.objects.create(
        name="Mira",
        email="mira@shop.test",
        person="Mira",
        reply_to="mira@shop.test",
        telephone="1",
        is_default=True,
    )


@pytest.fixture
def sender():
    return default_sender()


def told(user, key="lead:1"):
    said = {"subject": "Ana is sales-ready", "body": "Score: 60", "path": "/admin/people/1/"}
    return Notice.objects.create(key=key, user=user, created_at=AT, **said)


def hand_on(now=AT):
    return notices.hand_on(now, Budget(5))


def test_a_notice_is_one_mail_to_the_colleague(olga, sender, settings):
    settings.REKINDLE_ADMIN_URL = "https://admin.shop.test"
    notice = told(olga)
    assert run_tick("campaigns.notices", AT) == 1
    assert run_tick("campaigns.notices", AT) == 0
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send()
        mailing.send()
    (mail,) = sink.accepted()
    read = message_from_bytes(mail.raw, policy=policy.default)
    assert (mail.recipient, str(read["to"])) == ("olga@office.example", "Olga <olga@office.example>")
    assert read["subject"] == "Ana is sales-ready" and read["list-unsubscribe"] is None
    text = read.get_content().replace("\r\n", "\n")
    assert "Score: 60" in text and "https://admin.shop.test/admin/people/1/" in text
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.dedupe_key) == (DeliveryState.SENT, f"n:{notice.pk}")
    assert letters.as_sent(delivery).text == text.rstrip("\n")


def test_a_sender_that_dies_with_a_notice_in_hand_sends_it_once_in_the_end(olga, sender, settings):
    told(olga)
    hand_on()
    settings.REKINDLE_LEASE_SECONDS = 0
    assert len(claim(Channel.EMAIL, AT, 5)) == 1
    settings.REKINDLE_LEASE_SECONDS = 60
    assert outbox.reap() == 1
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send()
    assert len(sink.accepted()) == 1


def test_a_hold_and_an_invented_address_count_for_colleagues_too(olga, sender, settings):
    told(olga)
    hand_on()
    outbox.hold("a test", "ada", AT)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        assert mailing.send()["claimed"] == 0
        outbox.release("ada", AT)
        settings.REKINDLE_SAFE_SINK = False
        mailing.send()
    assert sink.accepted() == []
    assert Delivery.objects.get().reason == "reserved_address"


def test_what_cannot_be_handed_on_says_why_and_is_handed_on_once_it_can_be(olga):
    told(olga)
    nameless = told(User.objects.create_user("kurt"), "lead:2")
    gone = told(User.objects.create_user("gone", "gone@office.example", is_active=False), "lead:3")
    assert hand_on() == 0
    assert set(Notice.objects.values_list("problem", flat=True)) == {notices.NO_SENDER}
    sender = default_sender()
    assert hand_on() == 1
    nameless.refresh_from_db()
    gone.refresh_from_db()
    assert nameless.problem == "kurt has no e-mail address."
    assert gone.problem == "gone does not work here any more."
    User.objects.filter(username="kurt").update(email="kurt@office.example")
    assert hand_on(AT + timedelta(days=1)) == 1
    nameless.refresh_from_db()
    assert (nameless.problem, nameless.handed_at) == ("", AT + timedelta(days=1))
    assert Delivery.objects.filter(sender=sender).count() == 2


def test_a_notice_and_its_delivery_happen_both_or_neither(olga, sender, monkeypatch):
    told(olga)

    def dies(deliveries):
        raise ConnectionError

    monkeypatch.setattr(outbox, "enqueue", dies)
    with pytest.raises(ConnectionError):
        hand_on()
    monkeypatch.undo()
    assert Notice.objects.get().handed_at is None
    assert hand_on() == 1 and Delivery.objects.count() == 1


def test_the_page_of_the_delivery_shows_the_letter(olga, sender, ada, settings):
    told(olga)
    hand_on()
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send()
    pk = Delivery.objects.get().pk
    page = ada.get(f"/admin/campaigns/delivery/{pk}/change/").content.decode()
    assert "olga@office.example" in page and "notice to a colleague" in page
    assert "Score: 60" in ada.get(f"/admin/campaigns/delivery/{pk}/as-sent/").content.decode()
    assert ada.get("/admin/campaigns/delivery/").status_code == 200
