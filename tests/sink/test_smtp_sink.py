"""The sink must be trusted before anything is measured by it: tried with the standard library's client."""

import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage

import pytest

from tests.sink import records
from tests.sink.faults import Fault, Faults
from tests.sink.smtp import SmtpSink


def message(delivery: str = "d-1") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "Hi", "a@shop.test", "b@example.com"
    made["X-Rekindle-Delivery"] = delivery
    made.set_content("one\n.\n..two\n")
    return made


def test_it_takes_what_an_ordinary_client_sends_and_remembers_it_whole():
    with SmtpSink() as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        for number in range(3):
            client.send_message(message(f"d-{number}"))
        assert dict(sink.copies()) == {"d-0": 1, "d-1": 1, "d-2": 1}
        one = sink.accepted()[0]
        assert (one.sender, one.recipient) == ("a@shop.test", "b@example.com")
        assert one.raw.endswith(b"one\r\n.\r\n..two\r\n")


def test_faults_come_at_their_phase_for_their_recipient_so_many_times():
    fault = Fault("rcpt", reply="450 later", recipient="b@*", times=2)
    with SmtpSink(fault) as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        for _ in range(2):
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.send_message(message())
        client.send_message(message())
        client.sendmail("a@shop.test", "c@example.com", "Subject: x\r\n\r\nx")
        assert len(sink.accepted()) == 2 and sink.faults.fired == 2


@pytest.mark.parametrize(("keep", "taken"), [(True, 1), (False, 0)])
def test_a_dropped_reply_may_hide_an_acceptance(keep, taken):
    with SmtpSink(Fault("dot", drop=True, keep=keep)) as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            client.send_message(message())
        assert len(sink.accepted()) == taken


def test_a_body_without_its_dot_is_thrown_away():
    with SmtpSink() as sink:
        client = smtplib.SMTP("127.0.0.1", sink.port)
        client.ehlo()
        client.mail("a@shop.test")
        client.rcpt("b@example.com")
        client.docmd("DATA")
        client.send(b"Subject: x\r\n\r\nx\r\n")
        client.sock.close()
        time.sleep(0.05)
        assert sink.accepted() == []


def test_the_same_seed_gives_the_same_share_of_faults():
    def fired(seed: int) -> list[bool]:
        faults = Faults([Fault("dot", drop=True, percent=2)], seed)
        return [faults.at("dot") is not None for _ in range(5000)]

    assert fired(1) == fired(1) != fired(2)
    assert 60 < sum(fired(1)) < 140


def test_a_process_of_its_own_leaves_its_record_when_it_is_killed(tmp_path):
    record = tmp_path / "record.jsonl"
    with SmtpSink() as free:
        port = free.port
    command = [
        sys.executable,
        "-m",
        "tests.sink.smtp",
        "--port",
        str(port),
        "--record",
        str(record),
        "--bodies",
    ]
    process = subprocess.Popen(command)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                client = smtplib.SMTP("127.0.0.1", port)
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)
        client.send_message(message("d-9"))
        client.close()
    finally:
        process.kill()
        process.wait()
    (one,) = records.read(record)
    assert one.delivery == "d-9" and b"..two" in one.raw
