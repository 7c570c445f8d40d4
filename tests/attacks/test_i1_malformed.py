"""I1 and I2: a thousand malformed requests to each public door: not one 5xx, and every refusal counted.

A failure names its seed and number; the same request is made again by `malformed.requests`.
"""

import json
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from crm.kernel import clock
from crm.models import Contact
from tests.attacks import malformed
from tests.attacks.malformed import Endpoint
from tests.collecting import ORIGIN, Collector, event, line, message
from tracking.mail import links, tokens
from tracking.models import Cart, InboundEvent, Refusal
from tracking.visits import ingest

pytestmark = pytest.mark.proof

SEED = 1
NUMBER = 1_000


def good_message() -> dict:
    address = {"email": "ana@example.com", "signature": "0" * 64, "timestamp": int(clock.now().timestamp())}
    return message(
        uuid.uuid4(),
        event("page", title="Home", referrer=f"{ORIGIN}/"),
        event("product", **line()),
        event("cart", token="c1", currency="EUR", lines=[line("p1"), line("p2", quantity=3)]),
        event("identify", **address, consents=[{"purpose": "newsletter", "granted": True, "wording": "Yes"}]),
        event("order", id="o1", total="19.90", cart_token="c1", email="ana@example.com", lines=[line()]),
        event("landing", rk="x" * 40),
        event("restore", token="y" * 40),
    )


@pytest.fixture
def doors(collector: Collector) -> dict[str, Endpoint]:
    """Every door of the collector, with what a good request to it looks like."""
    contact, ref, now = Contact.objects.create(first_name="Ana"), uuid.uuid4(), clock.now()
    cart = Cart.objects.create(contact=contact, token="c1", opened_at=now, changed_at=now, recorded_at=now)
    click = links.click_urls(ref, contact.id, [f"{ORIGIN}/cart"])[f"{ORIGIN}/cart"].rpartition("/")[2]
    sent = {"Origin": ORIGIN, "Content-Type": "text/plain;charset=UTF-8"}
    made = [
        Endpoint("collect", "POST", "/c", good_message(), headers=sent),
        Endpoint("open", "GET", "/o/{token}", token=tokens.sign_open(ref, contact.id)),
        Endpoint("click", "GET", "/k/{token}", token=click),
        Endpoint("restore", "GET", "/restore/{token}", token=tokens.sign_restore(cart.id, contact.id, ref)),
    ]
    return {door.name: door for door in made}


def memory(pid: int) -> int:
    """Resident megabytes of a process and those it started."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(one.split(":", 1) for one in status.read_text().splitlines() if ":" in one)
        except OSError:
            continue
        if pid in (int(lines["Pid"]), int(lines["PPid"])):
            found += int(lines.get("VmRSS", "0 kB").split()[0]) // 1024
    return found


@pytest.mark.parametrize("name", ["collect", "open", "click", "restore"])
def test_nothing_malformed_is_answered_with_an_error_of_ours(
    collector: Collector, doors: dict[str, Endpoint], name: str
) -> None:
    door = doors[name]
    assert malformed.send(collector.port, malformed._sound(door))[0] < 400
    InboundEvent.objects.all().delete()
    before = memory(collector.process.pid)

    answers: Counter[int] = Counter()
    refused_by_us = told_of_disconnect = stored = refused_events = 0
    for number, request in enumerate(malformed.requests(door, SEED, NUMBER)):
        status, headers, body = malformed.send(collector.port, request)
        assert status < 500, (SEED, number, request.what, request.wire()[:500], body[:200])
        answers[status] += 1
        is_ours = "x-robots-tag" in headers
        refused_by_us += is_ours and status >= 400
        told_of_disconnect += is_ours and body.strip() == b"disconnected"
        if name == "collect" and is_ours and status in (200, 204) and request.method == b"POST":
            told = json.loads(body) if status == 200 else {"stored": None, "refused": {}}
            stored += told["stored"] or len(json.loads(request.body.removeprefix(b"\xef\xbb\xbf"))["e"])
            refused_events += sum(told["refused"].values())
    assert collector.process.poll() is None

    # The collector writes down what it refused now and then, not with every answer.
    for _ in range(120):
        time.sleep(0.5)
        counts = Counter({(one.door, one.reason): one.count for one in Refusal.objects.all()})
        disconnected = sum(count for (_, reason), count in counts.items() if reason == "disconnected")
        requests_refused = sum(count for (door_name, _), count in counts.items() if door_name != "event")
        if requests_refused - disconnected >= refused_by_us - told_of_disconnect:
            break
    assert not [reason for _, reason in counts if reason in ("bug", "unavailable")], counts
    assert requests_refused - disconnected == refused_by_us - told_of_disconnect
    if name == "collect":
        assert sum(len(row.body["e"]) for row in InboundEvent.objects.filter(source="collect")) == stored
        assert (
            sum(count for (door_name, _), count in counts.items() if door_name == "event") >= refused_events
        )

    while ingest.apply(clock.now()):
        pass
    assert not InboundEvent.objects.filter(state="parked").exists()
    assert malformed.send(collector.port, malformed._sound(door))[0] < 400
    grown = memory(collector.process.pid) - before
    print(f"{name}: {dict(sorted(answers.items()))}, {requests_refused} counted, {grown:+d} MB")
    assert grown < 50
