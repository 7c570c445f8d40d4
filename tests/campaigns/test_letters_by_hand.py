"""A colleague's own e-mail to one person: once, through the gate, as typed, and never to who said no."""

from datetime import timedelta
from email import message_from_bytes, policy
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from campaigns.delivery.claiming import claim
from campaigns.delivery.fencing import fence, refusals
from campaigns.models import Delivery, Letter
from crm.kernel import clock, timeline, tokens
from crm.models import Contact
from crm.people import consent, erasing, pausing
from tests import office
from tests.campaigns import mailing
from tests.campaigns.test_notices import default_sender
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.django_db
AT = mailing.AT
MAIL = "ana@shop-customers.test"
ONCE = UUID("01a20846-fe00-7660-9312-f7fdb58cf785")


@pytest.fixture(autouse=True)
def safe(settings, tmp_path):
    settings.REKINDLE_SAFE_SINK = True
    settings.REKINDLE_ERASED = tmp_path / "erased.jsonl"
    with clock.frozen(AT):
        yield


@pytest.fixture
def ana():
    office.set_up_shop()
    default_sender()
    return office.person(MAIL, agreed=False, now=AT)


@pytest.fixture
def sara():
    return office.user(
        "sara",
        "campaigns.add_letter",
        "crm.view_contact",
        "crm.change_contact",
        first_name="Sara",
        last_name="Holm",
    )


def write(client, contact, once=ONCE, **changes):
    said = {
        "subject": "Your cabin",
        "text": "Hello Ana,\n\nthe blankets are back.\n\nSara",
        "once": once,
    } | changes
    posted = {f"campaigns_write-{name}": value for name, value in said.items()}
    return client.post(reverse("admin:crm_contact_act", args=[contact.pk, "campaigns.write"]), posted)


def say(action, purpose=None, at=AT):
    digest = tokens.address_hash("email", MAIL)[0]
    consent.record([consent.Said(digest, "email", purpose, action, at, "form", wording="Yes.")], at)


def reasons():
    (one,) = claim("email", AT, 10)
    told = [refusal.reason for refusal in refusals([one], AT)]
    assert bool(told) != bool(fence([one], AT))
    return told


def test_it_leaves_once_as_typed_and_stands_on_the_timeline_as_it_was_sent(ana, sara, settings):
    client = office.logged_in(sara)
    assert write(client, ana).status_code == 302
    assert write(client, ana, text="Pressed twice").status_code == 302
    queued = [entry.title for entry in timeline.read(ana.pk).entries]
    assert "E-mail by Sara Holm “Your cabin”: queued" in queued
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send()
    (record,) = sink.records.accepted()
    mail = message_from_bytes(record.raw or b"", policy=policy.default)
    assert mail["Subject"] == "Your cabin" and MAIL in mail["To"] and "Ana Oliveira" in mail["To"]
    assert "Sara Holm at Hearth & Horn" in mail["From"] and "mira@shop.test" in mail["From"]
    assert "sara@office.example" in mail["Reply-To"] and "blankets are back" in mail.get_content()
    assert mail["List-Unsubscribe"] is None and "http" not in mail.get_content()
    entry = next(one for one in timeline.read(ana.pk).entries if one.source == "campaigns.letters")
    assert entry.title == "E-mail by Sara Holm “Your cabin”: sent" and "blankets" in entry.detail
    delivery = Delivery.objects.get()
    looker = office.logged_in(User.objects.create_superuser("ada", "a@office.example", "x"))
    shown = looker.get(reverse("admin:campaigns_delivery_as_sent", args=[delivery.pk])).content.decode()
    assert "blankets are back" in shown
    assert looker.get(entry.url).status_code == 200


def test_neither_caps_nor_a_pause_nor_missing_consent_stop_it(ana, sara):
    pausing.pause(ana.pk, AT + timedelta(days=3), AT, by="sara")
    write(office.logged_in(sara), ana)
    assert not Delivery.objects.get().counts and reasons() == []


@pytest.mark.parametrize(
    ("action", "why"),
    [("withdrawn", "unsubscribed"), ("complained", "complained"), ("bounced", "hard_bounce")],
)
def test_who_wants_nothing_more_is_not_written_to_before_nor_in_the_last_moment(ana, sara, action, why):
    client = office.logged_in(sara)
    write(client, ana)
    say(action)  # while it stood in the queue
    assert reasons() == [why]
    answer = write(client, ana, once=UUID(int=ONCE.int + 1))
    assert answer.status_code == 400 and "They may not be written to" in answer.content.decode()
    assert Letter.objects.count() == 1


def test_a_no_to_one_purpose_alone_and_a_no_that_was_taken_back_stop_no_letter(ana, sara):
    say("withdrawn", "newsletter", AT - timedelta(days=3))
    say("withdrawn", None, AT - timedelta(days=2))
    say("confirmed", "newsletter", AT - timedelta(days=1))
    write(office.logged_in(sara), ana)
    assert reasons() == []


def test_whoever_is_erased_while_it_waits_gets_nothing_and_it_says_nothing_any_more(ana, sara):
    write(office.logged_in(sara), ana)
    erasing.erase(ana.pk, AT, by="paula")
    assert reasons() == ["erased"]
    assert not Letter.objects.exclude(text="", subject="", reply_to="").exists()


def test_what_cannot_be_sent_is_said_at_once(ana, sara):
    client = office.logged_in(sara)
    assert (
        "This form is of another letter"
        in write(
            client, office.person("b@shop-customers.test", agreed=False, now=AT), once=_written(ana, sara)
        ).content.decode()
    )
    User.objects.filter(pk=sara.pk).update(email="")
    assert "for their answer to go to" in write(client, ana).content.decode()
    User.objects.filter(pk=sara.pk).update(email="sara@office.example")
    Contact.objects.get(pk=ana.pk).points.all().delete()
    assert "no e-mail address of theirs" in write(client, ana, once=UUID(int=5)).content.decode()
    assert Letter.objects.count() == 1


def test_a_subject_is_one_line_and_the_door_needs_its_permission(ana, sara, settings):
    write(office.logged_in(sara), ana, subject="Hi\r\nBcc: all@shop.test")
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send()
    for record in sink.records.accepted():
        assert message_from_bytes(record.raw or b"", policy=policy.default)["Bcc"] is None
    other = office.logged_in(office.user("otto", "crm.view_contact", "crm.change_contact"))
    assert write(other, ana, once=UUID(int=9)).status_code == 403


def _written(ana, sara):
    write(office.logged_in(sara), ana)
    return ONCE
