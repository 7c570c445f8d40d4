"""Signed tokens open one door each, and addresses are hashed under keys that can be changed."""

import base64
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - mutations by seed

import pytest

from crm.kernel import tokens
from crm.kernel.tokens import Purpose

OLD, NEW = b"o" * 32, b"n" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def keys(settings):
    settings.REKINDLE_LINK_KEYS = [NEW, OLD]
    settings.REKINDLE_ADDRESS_KEYS = {1: OLD, 2: NEW}


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_opens_its_own_door_and_no_other(purpose):
    token = tokens.sign(purpose, b"payload")
    for door in Purpose:
        assert tokens.read(door, token) == (b"payload" if door is purpose else None)


def test_a_thousand_changed_tokens_are_all_refused():
    token = tokens.sign(Purpose.CLICK, bytes(range(24)))
    dice = Random(7)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ \n"
    for _ in range(1000):
        place = dice.randrange(len(token))
        changed = token[:place] + dice.choice(letters) + token[place + 1 :]
        assert changed == token or tokens.read(Purpose.CLICK, changed) is None


def test_every_change_of_the_last_letter_is_refused():
    token = tokens.sign(Purpose.CLICK, b"x" * 5)
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        changed = token[:-1] + letter
        assert changed == token or tokens.read(Purpose.CLICK, changed) is None


@pytest.mark.parametrize("token", ["", "A", "AAAA", "!" * 40, "é" * 40, "A" * 100_000, "\0" * 30, "A=" * 20])
def test_nonsense_is_refused_quietly(token):
    assert tokens.read(Purpose.OPEN, token) is None


def test_an_older_key_still_verifies_and_a_dropped_one_does_not(settings):
    settings.REKINDLE_LINK_KEYS = [OLD]
    token = tokens.sign(Purpose.UNSUBSCRIBE, b"ana")
    settings.REKINDLE_LINK_KEYS = [NEW, OLD]
    assert tokens.read(Purpose.UNSUBSCRIBE, token) == b"ana"
    settings.REKINDLE_LINK_KEYS = [NEW]
    assert tokens.read(Purpose.UNSUBSCRIBE, token) is None


def test_a_timed_token_ends_at_its_time():
    token = tokens.sign(Purpose.CONFIRM, b"ana", until=NOON)
    assert tokens.read(Purpose.CONFIRM, token, now=NOON) == b"ana"
    assert tokens.read(Purpose.CONFIRM, token, now=NOON + timedelta(seconds=1)) is None


def test_a_timed_token_cannot_be_read_as_a_lasting_one_nor_the_other_way():
    assert tokens.read(Purpose.CONFIRM, tokens.sign(Purpose.CONFIRM, b"ana", until=NOON)) is None
    assert tokens.read(Purpose.CONFIRM, tokens.sign(Purpose.CONFIRM, b"ana" * 9), now=NOON) is None


def test_the_mac_has_128_bits_and_the_token_is_fit_for_a_url():
    token = tokens.sign(Purpose.OPEN, b"")
    assert len(base64.urlsafe_b64decode(token + "==")) == 16
    assert set(tokens.sign(Purpose.OPEN, b"\xff" * 64)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def test_secrets_of_two_purposes_differ_and_older_ones_are_listed():
    assert tokens.derive("shop:1") != tokens.derive("shop:2")
    assert len(tokens.derive("shop:1")) == 32
    assert tokens.derive_all("shop:1")[0] == tokens.derive("shop:1")
    assert len(tokens.derive_all("shop:1")) == 2


def test_no_keys_or_short_ones_are_an_error_and_not_a_weak_signature(settings):
    for keys in ([], [b""], [b"short"]):
        settings.REKINDLE_LINK_KEYS = keys
        with pytest.raises(RuntimeError, match="32 bytes"):
            tokens.sign(Purpose.OPEN, b"")


def test_an_address_is_hashed_under_the_newest_key_and_found_under_all():
    digest, number = tokens.address_hash("email", " Ana@Example.com")
    assert number == 2 and len(digest) == 32
    assert tokens.address_hashes("email", "ana@example.com")[2] == digest
    assert set(tokens.address_hashes("email", "ana@example.com")) == {1, 2}


def test_a_folded_hash_finds_the_same_inbox_under_a_tag():
    assert tokens.folded_hash("email", "ana+x@example.com") == tokens.folded_hash("email", "ana@example.com")
    assert tokens.address_hash("email", "ana+x@example.com") != tokens.address_hash(
        "email", "ana@example.com"
    )
    assert tokens.folded_hash("email", "ana@example.com") != tokens.address_hash("email", "ana@example.com")


def test_what_is_no_address_has_no_hash():
    with pytest.raises(ValueError, match="@"):
        tokens.address_hash("email", "nobody")
