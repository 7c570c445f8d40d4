"""The loop: claimed, made, fenced, sent, settled, each exactly once, and every end written down."""

from datetime import timedelta

import pytest

from campaigns.delivery import outbox
from campaigns.delivery.claiming import claim
from campaigns.models import Decision, Delivery, DeliveryAttempt, DeliveryState
from tests.campaigns import mailing
from tests.sink.faults import Fault
from tests.sink.http import HttpSink
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.django_db


def test_what_is_due_arrives_once_and_is_settled(settings):
    mailing.queue(120)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        counts = mailing.send()
        assert mailing.send()["claimed"] == 0
    assert counts == {"claimed": 120, "sent": 120}
    assert sink.copies() == {str(delivery.public_id): 1 for delivery in Delivery.objects.all()}
    sent = Delivery.objects.filter(
        state=DeliveryState.SENT, attempts=1, finished_at=mailing.AT, fenced_at=mailing.AT, provider="smtp"
    )
    assert sent.count() == 120
    assert DeliveryAttempt.objects.filter(result="sent", code=250, ended_at=mailing.AT).count() == 120
    assert Decision.objects.filter(verdict=Decision.Verdict.SENT).count() == 120


def test_nothing_leaves_before_its_time_and_the_urgent_leave_first(settings):
    what = mailing.campaign()
    late, urgent, early = mailing.people(3, what.purpose)
    outbox.enqueue(
        [
            mailing.message(late, what),
            mailing.message(urgent, what, priority=10),
            mailing.message(early, what, not_before=mailing.AT + timedelta(minutes=1)),
        ]
    )
    with SmtpSink() as sink:
        mailing.into(sink, settings, conversations=1)
        mailing.send()
        assert [one.recipient for one in sink.accepted()] == [urgent.email, late.email]
        mailing.send(mailing.AT + timedelta(minutes=1))
        assert len(sink.accepted()) == 3


def test_the_same_key_is_queued_once():
    what = mailing.campaign()
    (who,) = mailing.people(1, what.purpose)
    assert outbox.enqueue([mailing.message(who, what)]) == 1
    assert outbox.enqueue([mailing.message(who, what)]) == 0
    assert Delivery.objects.count() == 1


def test_tokens_only_grow():
    mailing.queue(3)
    first = claim("email", mailing.AT, 2)
    (second,) = claim("email", mailing.AT, 2)
    assert max(delivery.lease_token for delivery in first) < second.lease_token


def test_a_temporary_no_is_tried_again_after_a_while(settings):
    mailing.queue(1)
    with SmtpSink(Fault("dot", reply="451 later")) as sink:
        mailing.into(sink, settings)
        at = mailing.AT
        for minutes in (1, 5, 15, 60, 60):
            assert mailing.send(at)["queued"] == 1
            delivery = Delivery.objects.get()
            assert delivery.not_before == at + timedelta(minutes=minutes)
            assert mailing.send(at + timedelta(seconds=59))["claimed"] == 0
            at = delivery.not_before
        assert (delivery.attempts, delivery.state, delivery.reason) == (5, "queued", "deferred")
        for _ in range(7):
            mailing.send(at)
            at += timedelta(minutes=60)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason, delivery.attempts) == ("failed", "gave_up", 12)
    assert "451 later" in Decision.objects.get().words


@pytest.mark.parametrize("phase", ["rcpt", "dot"])
def test_a_permanent_no_is_final_and_says_why(settings, phase):
    mailing.queue(1)
    with SmtpSink(Fault(phase, reply="550 5.1.1 no such user")) as sink:
        mailing.into(sink, settings)
        assert mailing.send() == {"claimed": 1, "failed": 1}
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason, delivery.attempts) == ("failed", "refused", 1)
    assert Decision.objects.get().words == "Refused: 550 5.1.1 no such user"
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.result, attempt.code) == ("refused", 550)


@pytest.mark.parametrize("keep", [True, False])
def test_an_answer_that_never_came_is_parked_and_never_sent_again(settings, keep):
    mailing.queue(1)
    with SmtpSink(Fault("dot", drop=True, keep=keep)) as sink:
        mailing.into(sink, settings)
        assert mailing.send() == {"claimed": 1, "unknown": 1}
        assert mailing.send(mailing.AT + timedelta(days=1))["claimed"] == 0
        assert len(sink.accepted()) == int(keep)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason, delivery.finished_at) == ("unknown", "no_answer", None)


def test_a_server_that_is_away_costs_nothing(settings):
    mailing.queue(5)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
    counts = mailing.send()
    assert counts["queued"] <= 1 and set(mailing.states().values()) == {"queued"}
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send(mailing.AT + timedelta(minutes=1))
    assert set(mailing.states().values()) == {"sent"}


def test_a_limit_bounds_what_is_claimed(settings):
    mailing.queue(5)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        assert mailing.send(limit=2) == {"claimed": 2, "sent": 2}
    assert len(mailing.queued()) == 3


def test_a_providers_api_takes_them_as_well(settings):
    mailing.queue(20)
    settings.REKINDLE_SAFE_SINK = True
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    with HttpSink(Fault("post", reply="422 {}", recipient="person3@*")) as sink:
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": sink.token, "POSTMARK_API_URL": sink.url}
        assert mailing.send() == {"claimed": 20, "sent": 19, "failed": 1}
        assert len(sink.accepted()) == 19
    one = Delivery.objects.filter(state=DeliveryState.SENT).first()
    assert one.provider == "postmark" and one.provider_message_id
