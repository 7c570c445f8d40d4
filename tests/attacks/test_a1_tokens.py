"""A1: a token opens the one door it was made for; guessed, counted and bent ones open none."""

import ast
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from crm.kernel import clock, tokens
from crm.kernel.tokens import Purpose
from crm.models import Contact
from tests.attacks.test_rd1_clicks import mutations
from tests.collecting import Collector
from tests.webbing import ON_THE_WEB, Message, everything

pytestmark = pytest.mark.proof

ROOT = Path(__file__).resolve().parent.parent.parent
SEEN = ("tracking_inboundevent", "tracking_refusal")
DOORS = {
    "u": Purpose.UNSUBSCRIBE,
    "p": Purpose.PREFERENCES,
    "why": Purpose.WHY,
    "s": Purpose.SURVEY,
    "o": Purpose.OPEN,
    "k": Purpose.CLICK,
    "restore": Purpose.CART_RESTORE,
}


def payload_of(token: str, purpose: Purpose) -> bytes:
    return tokens.read(purpose, token) or b""


def refused(page: str) -> tuple[int, ...]:
    """Whoever tries out tokens of surveys is soon told to wait."""
    return (404, 429) if page == "s" else (404,)


def test_each_token_is_refused_at_each_other_door(web: Collector, collector: Collector) -> None:
    mail = Message("ana@example.com")
    made = {page: path.rpartition("/")[2] for page, path in mail.paths.items()}
    # The same payload under every purpose there is, also those that have no door of their own.
    for page, purpose in DOORS.items():
        payload = payload_of(made[page], purpose)
        for other in Purpose:
            if other != purpose:
                made[f"{page} as {other}"] = tokens.sign(other, payload)
        made[f"{page} timed"] = tokens.sign(purpose, payload, until=clock.now() + timedelta(days=1))
    before = everything(but=SEEN)
    for page in DOORS:
        door = web if page in ON_THE_WEB else collector
        for name, token in made.items():
            if name == page:
                continue
            if name.split(" as ")[-1] == DOORS[page].value and len(payload_of(token, DOORS[page])) == len(
                payload_of(made[page], DOORS[page])
            ):
                continue  # Rightly made for this door: what it says may still be about nothing.
            for method in ("GET", "POST") if page in ("u", "p", "s") else ("GET",):
                status = door.request(method, f"/{page}/{token}", b"" if method == "POST" else None)[0]
                assert status in refused(page), (page, name, method)
    assert everything(but=SEEN) == before


@pytest.mark.parametrize("page", ON_THE_WEB)
def test_bent_and_counted_tokens_open_nothing(web: Collector, page: str) -> None:
    mail = Message("ana@example.com")
    token = mail.paths[page].rpartition("/")[2]
    contact = Contact.objects.get()
    guesses = [
        "0",
        "1",
        "2",
        "-1",
        str(contact.pk),
        str(mail.public_id),
        str(uuid.uuid4()),
        mail.address_hash.hex(),
    ]
    tried = 0
    for mutated in mutations(token, seed=len(page)):
        if mutated == token:
            continue
        guesses.append(mutated)
        tried += 1
        if tried == 300:
            break
    before = everything(but=SEEN)
    for guess in guesses:
        for method in ("GET", "POST") if page != "why" else ("GET",):
            status, headers, body = web.request(
                method, f"/{page}/{guess}", b"save=1" if method == "POST" else None
            )
            assert status in refused(page), (guess, method)
            assert "location" not in headers and b"example.com" not in body
    assert everything(but=SEEN) == before
    assert web.request("GET", mail.paths[page])[0] == 200


def test_a_token_for_one_person_says_nothing_of_another(web: Collector) -> None:
    ana, boris = Message("ana@example.com"), Message("boris@example.com")
    assert (
        web.request(
            "POST", ana.paths["p"], b"everything=1", {"Content-Type": "application/x-www-form-urlencoded"}
        )[0]
        == 200
    )
    assert not ana.may_send() and not ana.may_send("newsletter")
    assert boris.may_send() and boris.may_send("newsletter")


def test_tokens_carry_128_bits_of_proof_and_are_compared_in_constant_time() -> None:
    assert tokens._MAC_BYTES * 8 >= 128
    source = (ROOT / "crm/kernel/tokens.py").read_text()
    compared = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare) and "mac" in {getattr(part, "id", "") for part in ast.walk(node)}
    ]
    assert compared == [] and "constant_time_compare(mac" in source
