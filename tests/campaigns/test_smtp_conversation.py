"""The SMTP conversation: every phase may fail, and each failure is called by its right name."""

import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

from campaigns.delivery.channels.letters import Ending, Letter
from campaigns.delivery.channels.smtp import Courier, Server
from tests.campaigns.letters import endings, everyone, letters, mail, nobody, outcomes
from tests.sink.faults import Fault
from tests.sink.smtp import CERTIFICATE, SmtpSink


def courier(sink: SmtpSink, connections: int = 1, **server) -> Courier:
    return Courier(Server("127.0.0.1", sink.port, **server), connections)


def test_letters_arrive_whole_once_each_over_one_connection():
    with SmtpSink() as sink:
        found = outcomes(courier(sink), letters(20))
        assert endings(found) == {Ending.SENT: 20}
        assert all(outcome.code == 250 and outcome.fenced for outcome in found.values())
        assert found[1].provider_message_id == f"{mail(1).public_id}@shop.test"
        assert sink.connections == 1
        assert set(sink.copies().values()) == {1} and len(sink.copies()) == 20
        first = sink.accepted()[0]
        assert (first.sender, first.recipient) == ("anna@shop.test", "person1@example.com")
        assert b"\r\n.\r\n..two dots\r\n" in first.raw


def test_without_pipelining_and_eight_bits_the_same_letters_arrive():
    with SmtpSink(offers=()) as sink:
        assert endings(outcomes(courier(sink), letters(5))) == {Ending.SENT: 5}
        assert all(one.raw.isascii() for one in sink.accepted())


def test_many_connections_share_the_work_and_their_fences():
    groups = []

    def fence(waiting):
        groups.append(len(waiting))
        time.sleep(0.005)
        return everyone(waiting)

    with SmtpSink() as sink:
        assert endings(outcomes(courier(sink, connections=8), letters(400), fence)) == {Ending.SENT: 400}
        assert sink.connections == 8
        assert len(sink.copies()) == 400 and max(groups) > 4 and sum(groups) == 400


def test_a_connection_is_used_again_in_the_next_run():
    with SmtpSink() as sink:
        carrier = courier(sink)
        outcomes(carrier, letters(2))
        outcomes(carrier, letters(2, first=10))
        assert sink.connections == 1
        carrier.close()


def test_a_connection_that_died_while_idle_is_replaced_without_loss():
    with SmtpSink(Fault("dot", reply="421 4.3.2 going down", keep=True, times=1)) as sink:
        carrier = courier(sink)
        assert endings(outcomes(carrier, letters(1))) == {Ending.DEFERRED: 1}
        assert endings(outcomes(carrier, letters(1, first=2))) == {Ending.SENT: 1}


def test_a_no_from_the_fence_leaves_nothing_at_the_receiver():
    def fence(waiting):
        return {letter.key for letter in waiting if letter.key % 2}

    with SmtpSink() as sink:
        found = outcomes(courier(sink, connections=3), letters(30), fence)
        assert endings(found) == {Ending.SENT: 15, Ending.NOT_FENCED: 15}
        arrived = {one.recipient for one in sink.accepted()}
        assert arrived == {f"person{n}@example.com" for n in range(1, 31, 2)}


def test_the_fence_is_asked_after_the_body_and_before_the_dot():
    with SmtpSink() as sink:

        def fence(waiting):
            assert sink.accepted() == []
            return nobody(waiting)

        assert endings(outcomes(courier(sink), letters(1), fence)) == {Ending.NOT_FENCED: 1}
        assert sink.connections == 1


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("offers", [("PIPELINING",), ()])
def test_a_refusal_before_the_fence_is_read_and_the_connection_goes_on(phase, offers):
    with SmtpSink(
        Fault(phase, reply="450 4.2.0 later", times=1),
        Fault(phase, reply="550 5.1.1 nobody here", times=2),
        offers=offers,
    ) as sink:
        found = outcomes(courier(sink), letters(4))
        assert endings(found) == {Ending.DEFERRED: 1, Ending.REFUSED: 2, Ending.SENT: 1}
        assert not found[1].fenced and found[2].code == 550 and "nobody here" in found[2].text
        assert sink.connections == 1


def test_one_refused_recipient_harms_no_other():
    with SmtpSink(Fault("rcpt", reply="550 no", recipient="person7@*")) as sink:
        found = outcomes(courier(sink, connections=2), letters(20))
        assert endings(found) == {Ending.SENT: 19, Ending.REFUSED: 1}
        assert found[7].ending is Ending.REFUSED


def test_the_answer_to_the_dot_decides():
    with SmtpSink(
        Fault("dot", reply="451 try later", times=1), Fault("dot", reply="554 spam", times=1)
    ) as sink:
        found = outcomes(courier(sink), letters(3))
        assert [found[n].ending for n in (1, 2, 3)] == [Ending.DEFERRED, Ending.REFUSED, Ending.SENT]
        assert found[1].fenced and found[2].fenced
        assert len(sink.accepted()) == 1


@pytest.mark.parametrize("keep", [True, False])
def test_a_connection_lost_after_the_dot_is_unknown_and_the_next_letter_still_goes(keep):
    with SmtpSink(Fault("dot", drop=True, keep=keep, times=1)) as sink:
        found = outcomes(courier(sink), letters(3))
        assert [found[n].ending for n in (1, 2, 3)] == [Ending.UNKNOWN, Ending.SENT, Ending.SENT]
        assert len(sink.accepted()) == (3 if keep else 2)
        assert set(sink.copies().values()) == {1}


def test_silence_after_the_dot_is_unknown_when_its_time_is_over():
    with SmtpSink(Fault("dot", delay=20, times=1)) as sink:
        found = outcomes(courier(sink, dot_seconds=1.5), letters(2))
        assert [found[n].ending for n in (1, 2)] == [Ending.UNKNOWN, Ending.SENT]


@pytest.mark.proof
def test_a_slow_acceptance_is_waited_for():
    with SmtpSink(Fault("dot", delay=3.5, times=1)) as sink:
        assert endings(outcomes(courier(sink, phase_seconds=3), letters(1))) == {Ending.SENT: 1}
        assert len(sink.accepted()) == 1


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
def test_a_connection_lost_before_the_fence_is_tried_again_and_nothing_doubles(phase):
    with SmtpSink(Fault(phase, drop=True, times=2)) as sink:
        assert endings(outcomes(courier(sink), letters(5))) == {Ending.SENT: 5}
        assert set(sink.copies().values()) == {1}


def test_a_connection_lost_while_the_fence_commits_is_known_to_have_sent_nothing():
    def slow(waiting):
        time.sleep(0.2)
        return everyone(waiting)

    with SmtpSink(Fault("body", drop=True, delay=0.02, times=1)) as sink:
        found = outcomes(courier(sink), letters(2), slow)
        assert [found[n].ending for n in (1, 2)] == [Ending.UNREACHABLE, Ending.SENT]
        assert set(sink.copies()) == {mail(2).public_id}


def test_a_letter_that_always_breaks_the_connection_is_unreachable_and_holds_up_no_other():
    with SmtpSink(Fault("data", drop=True, recipient="person3@*")) as sink:
        found = outcomes(courier(sink, connections=2), letters(6))
        assert endings(found) == {Ending.SENT: 5, Ending.UNREACHABLE: 1}
        assert found[3].ending is Ending.UNREACHABLE and not found[3].fenced


def test_nobody_listening_ends_the_run_and_leaves_the_rest_untouched():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    feed = iter(letters(50))
    found = outcomes(Courier(Server("127.0.0.1", port), 8), feed)
    assert endings(found) == {Ending.UNREACHABLE: 1}
    assert len(list(feed)) == 49


def test_a_greeting_that_says_too_many_leaves_the_work_to_the_connections_there_are():
    with SmtpSink() as sink:
        carrier = courier(sink, connections=4)
        outcomes(carrier, letters(1))
        sink.faults.rules.append(Fault("connect", reply="421 4.7.0 too many connections"))
        assert endings(outcomes(carrier, letters(20, first=5))) == {Ending.SENT: 20}


def test_a_server_that_says_nothing_is_given_up():
    with SmtpSink(Fault("connect", delay=5)) as sink:
        began = time.monotonic()
        assert endings(outcomes(courier(sink, phase_seconds=0.3), letters(1))) == {Ending.UNREACHABLE: 1}
        assert time.monotonic() - began < 4.5


def test_a_fence_that_raises_stops_the_run_with_an_outcome_for_all_that_was_begun():
    asked = []

    def fence(waiting):
        asked.append(waiting)
        if len(asked) == 3:
            raise ConnectionError("database gone")
        return everyone(waiting)

    found = {}
    with SmtpSink() as sink:
        with pytest.raises(ConnectionError):
            for known in courier(sink).run(letters(10), fence):
                found |= {outcome.key: outcome for outcome in known}
        assert [found[n].ending for n in (1, 2, 3)] == [Ending.SENT, Ending.SENT, Ending.UNREACHABLE]
        assert found[4].ending is Ending.UNREACHABLE and 5 not in found
        assert len(sink.accepted()) == 2


def test_a_sender_killed_between_fence_and_dot_has_sent_nothing():
    script = (
        "import os, sys\n"
        "from campaigns.delivery.channels.smtp import Courier, Server\n"
        "from tests.campaigns.letters import letters\n"
        "courier = Courier(Server('127.0.0.1', int(sys.argv[1])), 3)\n"
        "for known in courier.run(letters(9), lambda waiting: os.kill(os.getpid(), 9)): pass\n"
    )
    with SmtpSink() as sink:
        ended = subprocess.run([sys.executable, "-c", script, str(sink.port)], timeout=30)
        assert ended.returncode == -9
        assert outcomes(courier(sink), letters(1, first=50))[50].ending is Ending.SENT
        assert set(sink.copies()) == {mail(50).public_id}


def test_letters_that_raise_end_the_run_after_those_under_way():
    def feed():
        yield from letters(3)
        raise RuntimeError("rendering broke")

    found = {}
    with SmtpSink() as sink:
        with pytest.raises(RuntimeError):
            for known in courier(sink, connections=2).run(feed(), everyone):
                found |= {outcome.key: outcome for outcome in known}
        assert {outcome.ending for outcome in found.values()} <= {Ending.SENT, Ending.UNREACHABLE}
        assert len(found) == 3 and len(sink.accepted()) == list(endings(found).elements()).count(Ending.SENT)


def test_a_letter_that_may_not_be_sent_is_told_apart_and_the_rest_goes():
    bad = Letter("bad", mail(9, to_address="a@b\r\nRCPT TO:<evil@example.com>"))
    with SmtpSink(offers=("PIPELINING", "SIZE 5000")) as sink:
        large = Letter("large", mail(8, text="x" * 6000))
        found = outcomes(courier(sink), [bad, *letters(1), large])
        assert found["bad"].ending is Ending.UNSENDABLE and found["large"].ending is Ending.UNSENDABLE
        assert len(sink.accepted()) == 1


def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_encrypted_and_logged_in(tls):
    with SmtpSink(tls=tls, login=("shop", "sécret")) as sink:
        server = {"security": tls, "username": "shop", "password": "sécret", "context": tls_context()}
        found = outcomes(courier(sink, connections=3, **server), letters(30))
        assert endings(found) == {Ending.SENT: 30}
        wrong = outcomes(courier(sink, **(server | {"password": "guess"})), letters(1))
        assert wrong[1].ending is Ending.UNREACHABLE and "535" in wrong[1].text


def test_encryption_is_never_given_up():
    with SmtpSink() as plain:
        found = outcomes(courier(plain, security="starttls", context=tls_context()), letters(1))
        assert found[1].ending is Ending.UNREACHABLE and not plain.accepted()
    with SmtpSink(tls="starttls") as stranger:
        found = outcomes(courier(stranger, security="starttls"), letters(1))
        assert found[1].ending is Ending.UNREACHABLE and "certificate" in found[1].text


def test_a_server_of_nonsense_is_survived():
    listening = socket.create_server(("127.0.0.1", 0))

    def babble():
        for answer in (b"\x00\xff garbage\r\n", b"220-" + b"x" * 70000, b"220 hi\r\n999 what\r\n", b""):
            sock, _ = listening.accept()
            sock.sendall(answer)
            sock.close()

    thread = threading.Thread(target=babble, daemon=True)
    thread.start()
    with listening:
        for _ in range(4):
            carrier = Courier(Server("127.0.0.1", listening.getsockname()[1], phase_seconds=2))
            assert endings(outcomes(carrier, letters(1))) == {Ending.UNREACHABLE: 1}
    thread.join(5)


def test_a_hundred_random_faults_never_double_and_never_lose():
    rules = [
        Fault("mail", reply="451 later", percent=3),
        Fault("rcpt", reply="550 nobody", percent=3),
        Fault("data", drop=True, percent=3),
        Fault("body", drop=True, percent=3),
        Fault("dot", reply="452 later", percent=3),
        Fault("dot", drop=True, keep=True, percent=3),
        Fault("dot", drop=True, percent=3),
    ]
    with SmtpSink(*rules, seed=7) as sink:
        found = outcomes(courier(sink, connections=5), letters(600))
        arrived = sink.copies()
    assert len(found) == 600 and set(arrived.values()) == {1}
    for number in range(1, 601):
        came = mail(number).public_id in arrived
        ending = found[number].ending
        assert came if ending is Ending.SENT else ending is Ending.UNKNOWN or not came
    assert set(endings(found)) >= {Ending.SENT, Ending.UNKNOWN, Ending.REFUSED, Ending.DEFERRED}
