"""One inbox has one spelling, and a refusal says what to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kernel.addresses import fold, normalise


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Ana@Example.COM ", "ana@example.com"),
        ("ana+shop@example.com", "ana+shop@example.com"),
        ("a.n.a@gmail.com", "a.n.a@gmail.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
        ("rene\u0301@example.com", "ren\u00e9@example.com"),
        ("ana@example.com.", "ana@example.com"),
        ("ana@localhost", "ana@localhost"),
    ],
)
def test_an_address_is_spelled_one_way(typed, stored):
    assert normalise("email", typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@b@example.com",
        "ana b@example.com",
        "ana\r\nbcc:x@example.com",
        "ana@exam\nple.com",
        "ana\0@example.com",
        "ana\u200b@example.com",
        "<ana@example.com>",
        "ana@[127.0.0.1]",
        "ana@127.0.0.1",
        "ana@example",
        "ana@-example.com",
        "ana@exa_mple.com",
        ".ana@example.com",
        "ana..b@example.com",
        "a" * 65 + "@example.com",
        "ana@" + "a." * 130 + "com",
        "ana\ud800@example.com",
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(typed):
    with pytest.raises(ValueError, match=r"\w+ \w+ \w+"):
        normalise("email", typed)


@given(st.text(max_size=40), st.sampled_from(["example.com", "Bücher.example", "x.İo"]))
def test_spelling_twice_changes_nothing(local, domain):
    try:
        once = normalise("email", f"{local}@{domain}")
    except ValueError:
        return
    assert normalise("email", once) == once
    assert "\n" not in once and " " not in once


def test_a_telephone_number_is_kept_in_its_international_form():
    assert normalise("sms", "+31 6 1234-5678") == "+31612345678"
    assert normalise("sms", "06 12345678", region="NL") == "+31612345678"


@pytest.mark.parametrize("typed", ["0612345678", "+31 6", "call me", "", "+" + "1" * 300])
def test_a_number_nobody_can_dial_is_refused(typed):
    with pytest.raises(ValueError, match="country code"):
        normalise("sms", typed)


def test_an_unknown_channel_is_named():
    with pytest.raises(ValueError, match="pigeon"):
        normalise("pigeon", "coo")


def test_folding_drops_tags_everywhere_and_dots_where_they_mean_nothing():
    assert fold("email", "Ana+shop@example.com") == "ana@example.com"
    assert fold("email", "a.na@example.com") == "a.na@example.com"
    assert fold("email", "a.n.a+x@googlemail.com") == "ana@gmail.com"
    assert fold("sms", "+31612345678") == "+31612345678"
