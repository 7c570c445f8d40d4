"""Leases, the hold, what is parked and what a person decides about it, and a database that goes away."""

import time
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import OperationalError, connection

from campaigns.delivery import fencing, outbox, sending
from campaigns.delivery.claiming import claim, put_back
from campaigns.delivery.resolving import NotUnknown
from campaigns.delivery.turns import Turn
from campaigns.models import Decision, Delivery, DeliveryAttempt
from tests.campaigns import mailing
from tests.sink.faults import Fault
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.django_db

NOW = mailing.AT


def end_leases() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns_delivery SET lease_until = now() - interval '1 second'")


def test_the_reaper_requeues_what_was_claimed_and_parks_what_was_being_sent():
    mailing.queue(3)
    first, second, third = claim("email", NOW, 3)
    fencing.fence([second, third], NOW)
    assert outbox.reap() == 0
    end_leases()
    assert outbox.reap() == 3
    assert outbox.reap() == 0
    states = dict(Delivery.objects.values_list("id", "state"))
    assert states == {first.id: "queued", second.id: "unknown", third.id: "unknown"}
    assert set(Delivery.objects.filter(state="unknown").values_list("reason", flat=True)) == {"sender_died"}


@pytest.mark.parametrize(("behind_a_pooler", "number"), [(False, 3), (True, 0)])
def test_the_fence_is_planned_once_a_connection_but_not_behind_a_pooler(monkeypatch, behind_a_pooler, number):
    def ran_prepared():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT COALESCE(sum(generic_plans + custom_plans), 0) FROM pg_prepared_statements"
                " WHERE statement LIKE '%fenced AS (%'"
            )
            return cursor.fetchone()[0]

    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", behind_a_pooler)
    mailing.queue(3)
    before = ran_prepared()
    for _ in range(3):
        fencing.fence(claim("email", NOW, 1), NOW)
    assert Delivery.objects.filter(state="sending").count() == 3
    assert ran_prepared() - before == number


def test_who_lost_the_lease_puts_nothing_back():
    mailing.queue(1)
    (old,) = claim("email", NOW, 1)
    end_leases()
    outbox.reap()
    (new,) = claim("email", NOW, 1)
    assert put_back([old], NOW) == 0
    assert put_back([new], NOW) == 1


def test_a_sender_that_meets_its_own_message_again_sends_it_once(settings):
    """It slept past its lease before the fence, and its own reaper had queued the message again."""
    mailing.queue(2)
    slept = []

    def sleeps(_rendered) -> None:
        if not slept:
            slept.append(True)
            end_leases()
            outbox.reap()

    settings.REKINDLE_BARRIERS = {"rendered": sleeps}
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        for _ in range(3):
            mailing.send()
        assert sorted(sink.copies().values()) == [1, 1]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_a_late_answer_settles_what_was_parked(settings):
    mailing.queue(1)
    (one,) = mailing.queued()

    def reaped(fenced) -> None:
        end_leases()
        outbox.reap()
        assert Delivery.objects.get().state == "unknown"

    settings.REKINDLE_BARRIERS = {"replied": reaped}
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        assert mailing.send()["sent"] == 1
    assert Delivery.objects.get(pk=one.pk).state == "sent"


def test_during_a_hold_nothing_is_even_claimed(settings):
    mailing.queue(2)
    outbox.hold("Odd numbers", "Ana", NOW)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        assert mailing.send()["claimed"] == 0
        outbox.release("Ana", NOW)
        assert mailing.send()["sent"] == 2


@pytest.fixture
def parked() -> Delivery:
    mailing.queue(1)
    (one,) = claim("email", NOW, 1)
    fencing.fence([one], NOW)
    end_leases()
    outbox.reap()
    return Delivery.objects.get()


@pytest.mark.parametrize(("to", "verdict"), [("sent", "sent"), ("failed", "failed"), ("queued", "queued")])
def test_a_person_ends_the_doubt_once(parked, to, verdict):
    outbox.resolve(parked, to, "Ana", NOW)
    assert Delivery.objects.get().state == to
    decision = Decision.objects.get()
    assert (decision.verdict, decision.evidence) == (verdict, {"by": "Ana"}) and "Ana" in decision.words
    with pytest.raises(NotUnknown):
        outbox.resolve(parked, "failed", "Ana", NOW)


def test_what_is_sent_again_gets_an_attempt_of_its_own(parked, settings):
    outbox.resolve(parked, "queued", "Ana", NOW + timedelta(hours=1))
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send(NOW + timedelta(hours=1))
    assert Delivery.objects.get().state == "sent"
    assert DeliveryAttempt.objects.count() == 2


def test_the_feeder_hears_of_what_came_while_it_looked():
    turn, first, second = Turn(), object(), object()
    assert turn.take(first)
    assert not turn.take(second)
    assert not turn.done_feeding(first)  # the note: look once more
    assert turn.done_feeding(first)
    assert turn.take(second)  # the first may still wait for its last answers
    turn.end(first)
    assert not turn.take(object())
    turn.end(second)
    assert turn.take(first)


def test_a_sender_that_breaks_after_the_dot_leaves_what_it_fenced_to_the_reaper(settings):
    mailing.queue(30)

    def broken(fenced) -> None:
        raise RuntimeError("a fault of ours")

    settings.REKINDLE_BARRIERS = {"replied": broken}
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        with pytest.raises(RuntimeError):
            mailing.send()
        settings.REKINDLE_BARRIERS = {}
        fenced = set(DeliveryAttempt.objects.values_list("delivery_id", flat=True))
        assert fenced == set(Delivery.objects.filter(state="sending").values_list("id", flat=True))
        assert Delivery.objects.filter(state="queued").count() == 30 - len(fenced) > 0
        end_leases()
        outbox.reap()
        mailing.send()
        assert set(sink.copies().values()) == {1}
    assert Delivery.objects.filter(state="unknown").count() == len(fenced)


@pytest.mark.django_db(transaction=True)
def test_two_calls_in_one_process_send_each_message_once(settings):
    mailing.queue(200)
    together = Barrier(3)

    def call() -> None:
        together.wait()
        try:
            mailing.send()
        finally:
            connection.close()

    with SmtpSink() as sink:
        mailing.into(sink, settings)
        threads = [Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(sink.copies()) == 200 and set(sink.copies().values()) == {1}
    assert set(mailing.states().values()) == {"sent"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("committed", [True, False])
def test_a_database_lost_in_the_fence_sends_nothing_then_and_everything_later(
    settings, monkeypatch, committed
):
    """The commit may or may not stand; the dot was not sent, so the message goes back either way."""
    mailing.queue(10)
    asked = []

    def failing(deliveries, now):
        asked.append(len(deliveries))
        if len(asked) > 1:
            return fencing.fence(deliveries, now)
        if committed:
            fencing.fence(deliveries, now)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(sending, "fence", failing)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send()
        assert len(sink.copies()) == 10 and set(sink.copies().values()) == {1}
    assert set(mailing.states().values()) == {"sent"}
    lost = DeliveryAttempt.objects.filter(result="not_sent")
    assert lost.count() == (asked[0] if committed else 0)
    assert not DeliveryAttempt.objects.filter(ended_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_connection_cut_while_settling_is_opened_anew_until_it_is_written(settings):
    mailing.queue(5)
    cut = []

    def sever(fenced) -> None:
        if not cut:
            cut.append(True)
            connection.connection.close()

    settings.REKINDLE_BARRIERS = {"replied": sever}
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send()
    assert cut and set(mailing.states().values()) == {"sent"}


@pytest.mark.proof
@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_does_not_answer_holds_up_nobody_else(settings):
    what = mailing.campaign()
    slow, quick = mailing.people(2, what.purpose)
    outbox.enqueue([mailing.message(slow, what)])

    def call() -> None:
        try:
            mailing.send()
        finally:
            connection.close()

    with SmtpSink(Fault("dot", delay=3, recipient=slow.email)) as sink:
        mailing.into(sink, settings)
        thread = Thread(target=call)
        thread.start()
        while not Delivery.objects.filter(state="sending").exists():
            time.sleep(0.01)
        outbox.enqueue([mailing.message(quick, what)])
        assert mailing.send()["sent"] == 1
        assert thread.is_alive() and [one.recipient for one in sink.accepted()][-1] == quick.email
        thread.join()
    assert set(mailing.states().values()) == {"sent"}
