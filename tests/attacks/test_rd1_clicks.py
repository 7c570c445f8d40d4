"""RD1: a click leads where its message said, or nowhere. Whatever is done to the token or the address."""

import base64
import random  # noqa: TID251 - a seeded generator, so that every run tries the same tokens
import string
import uuid
from collections.abc import Iterator

import pytest

from tests.collecting import ORIGIN, Collector
from tracking.mail import links, tokens
from tracking.models import InboundEvent, Link

pytestmark = pytest.mark.proof

TARGET = f"{ORIGIN}/cart"
NUMBER = 1_000
ALPHABET = string.ascii_letters + string.digits + "-_"


def token_of(target: str = TARGET) -> str:
    return links.click_urls(uuid.uuid4(), uuid.uuid4(), [target])[target].rpartition("/")[2]


def mutations(token: str, seed: int) -> Iterator[str]:
    """The token with a byte or two changed, cut, doubled, of another door, or made up."""
    dice = random.Random(seed)
    others = [
        tokens.sign_open(uuid.uuid4(), uuid.uuid4()),
        tokens.sign_restore(uuid.uuid4(), uuid.uuid4(), uuid.uuid4()),
        tokens.sign_click(2**63 - 1, uuid.uuid4(), uuid.uuid4()),
    ]
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    while True:
        place = dice.randrange(len(token))
        other = dice.choice(ALPHABET.replace(token[place], ""))
        yield token[:place] + other + token[place + 1 :]
        flipped = bytearray(raw)
        flipped[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        yield base64.urlsafe_b64encode(bytes(flipped)).rstrip(b"=").decode()
        yield token[:place] or "x"
        yield token + dice.choice(ALPHABET)
        yield "".join(dice.choices(ALPHABET, k=len(token)))
        yield dice.choice(others)
        yield token[::-1]


def test_a_thousand_mutated_tokens_lead_nowhere(collector: Collector) -> None:
    token = token_of()
    tried: set[str] = set()
    for mutated in mutations(token, seed=1):
        if mutated == token or mutated in tried:
            continue
        tried.add(mutated)
        status, headers, _ = collector.get(f"/k/{mutated}")
        assert status in (400, 404), mutated
        assert "location" not in headers, mutated
        if len(tried) == NUMBER:
            break
    assert not InboundEvent.objects.exists()
    assert collector.get(f"/k/{token}")[0] == 302


@pytest.mark.parametrize(
    "tail",
    [
        "?url=https://evil.example",
        "?next=//evil.example",
        "?to=\\evil.example",
        "?url=https://evil.example%0d%0aSet-Cookie:%20a=b",
        "#https://evil.example",
    ],
)
def test_nothing_in_the_address_changes_where_it_leads(collector: Collector, tail: str) -> None:
    status, headers, _ = collector.get(
        f"/k/{token_of()}{tail}", Host="evil.example", X_Forwarded_Host="evil.example"
    )

    assert status == 302
    assert headers["location"].startswith(f"{TARGET}?rk=")
    assert "evil" not in headers["location"]
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "/k//evil.example", "/k/https://evil.example", "/k/%2e%2e"]
)
def test_there_is_no_free_redirect(collector: Collector, path: str) -> None:
    status, headers, _ = collector.get(path)

    assert status in (400, 404)
    assert "location" not in headers


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "//evil.example",
        "\\\\evil.example",
        "https://evil.example\r\nX: y",
        "ftp://a",
        "https://",
        "",
    ],
)
def test_what_no_browser_should_open_is_never_stored(db: None, target: str) -> None:
    assert links.click_urls(uuid.uuid4(), uuid.uuid4(), [target]) == {}
    assert not Link.objects.exists()


def test_a_token_of_another_delivery_leads_to_its_own_target(collector: Collector) -> None:
    first, second = token_of(f"{ORIGIN}/a"), token_of(f"{ORIGIN}/b")

    assert collector.get(f"/k/{first}")[1]["location"].startswith(f"{ORIGIN}/a?rk=")
    assert collector.get(f"/k/{second}")[1]["location"].startswith(f"{ORIGIN}/b?rk=")
    assert collector.get(f"/k/{first[:30]}{second[30:]}")[0] == 404
