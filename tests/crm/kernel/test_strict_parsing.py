"""Any bytes either parse or are refused with a reason, quickly."""

import json
from contextlib import suppress
from time import process_time

import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm.kernel.strict import Parsed, Reason, Refused, loads

KILOBYTES_64 = 65_536


def reason_of(body, **limits):
    with pytest.raises(Refused) as refused:
        loads(body, **limits)
    return refused.value.reason


@pytest.mark.parametrize("value", [{"a": [1, 2.5, "é", None, True]}, [1], None, "x", 1, {}])
def test_plain_json_comes_through_as_it_is(value):
    assert loads(json.dumps(value).encode()) == (value, False)
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == Parsed(value, sanitised=False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \n ", Reason.EMPTY),
        (b"\xef\xbb\xbf", Reason.EMPTY),
        (b'{"a":1', Reason.NOT_JSON),
        (b"{'a':1}", Reason.NOT_JSON),
        (b'{"a":1}{}', Reason.NOT_JSON),
        (b'"a\nb"', Reason.NOT_JSON),
        (b"NaN", Reason.NUMBER),
        (b'{"a":Infinity}', Reason.NUMBER),
        (b"[-Infinity]", Reason.NUMBER),
        (b"1e400", Reason.NUMBER),
        (b"-1e400", Reason.NUMBER),
        (b"9" * 5000, Reason.NUMBER),
        (b"9223372036854775808", Reason.NUMBER),
        (b'{"a":1,"a":2}', Reason.DUPLICATE_KEY),
        (b'{"a\\u0000":1,"a\\ufffd":2}', Reason.DUPLICATE_KEY),
        (b'"\xff"', Reason.ENCODING),
        (b'"\xed\xa0\x80"', Reason.ENCODING),
        (b'"\x00"', Reason.ENCODING),
        ('{"a":1}'.encode("utf-16"), Reason.ENCODING),
        ('{"a":1}'.encode("utf-16-be"), Reason.ENCODING),
        ('{"a":1}'.encode("utf-32"), Reason.ENCODING),
        (b"[" * 20_000, Reason.TOO_DEEP),
        (b"[" * 33 + b"]" * 33, Reason.TOO_DEEP),
        (b'{"a":' * 40 + b"1" + b"}" * 40, Reason.TOO_DEEP),
        (b"[" + b"1," * 10_001 + b"1]", Reason.TOO_MANY),
        (b'"' + b"x" * KILOBYTES_64 + b'"', Reason.TOO_LARGE),
    ],
)
def test_what_broke_others_is_refused_with_its_reason(body, reason):
    assert reason_of(body) == reason


def test_depth_and_size_are_the_callers_to_set():
    assert loads(b"[" * 32 + b"]" * 32).value
    assert reason_of(b"[[1]]", max_depth=1) == Reason.TOO_DEEP
    assert reason_of(b"[1,2,3]", max_items=2) == Reason.TOO_MANY
    assert reason_of(b"[1]", max_bytes=2) == Reason.TOO_LARGE
    assert loads(b'"' + b"," * 20_000 + b'"').value


def test_brackets_within_texts_are_text():
    assert loads(b'["' + b"[{" * 100 + b'\\"[[["]').value == ["[{" * 100 + '"[[[']


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udfff", "\\udc00\\ud800"])
def test_characters_that_cannot_be_stored_are_replaced_and_marked(escape):
    value, sanitised = loads(f'{{"k{escape}": ["a{escape}b"]}}'.encode())
    assert sanitised
    replaced = "\ufffd" * (escape.count("u"))
    assert value == {f"k{replaced}": [f"a{replaced}b"]}


def test_a_byte_order_mark_and_a_true_pair_of_surrogates_are_fine():
    assert loads(b'\xef\xbb\xbf{"a":1}').value == {"a": 1}
    assert loads(b'"\\ud83d\\ude00"') == ("\U0001f600", False)


WORST = [
    b'"' + b'\\"' * 32_000,
    b'"' * 65_000,
    b'["' + b'\\u0000"' * 9_000,
    b"[" * 65_000,
    b'{"a":[' * 10_000,
    b"[" + b"{}," * 21_000 + b"{}]",
    b'"' + b"\\ud800" * 10_000 + b'"',
    b"-" * 65_000,
    b"1" * 4_000 + b"e" + b"9" * 4_000,
    b"0." + b"1" * 65_000,
]


@pytest.mark.parametrize("body", WORST)
def test_the_worst_that_fits_takes_no_time(body):
    began = process_time()
    with suppress(Refused):
        loads(body)
    assert process_time() - began < 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.proof
@settings(max_examples=300)
@given(st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()))
@example(b'{"a": 1e309}')
@example(b"\xef\xbb\xbf\xef\xbb\xbf1")
def test_any_bytes_parse_or_are_refused_and_what_parses_can_be_stored(body):
    try:
        value, _ = loads(body)
    except Refused as refused:
        assert refused.reason in Reason
        return
    stored = json.dumps(value, allow_nan=False, ensure_ascii=False)
    assert "\x00" not in stored and "\\u0000" not in stored
    stored.encode()


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b'{"a\\u0000":"\\ud800"}', b'"\\u0000"', b"[9223372036854775807, 1e308]"])
def test_postgresql_takes_what_was_parsed(body):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb", [json.dumps(loads(body).value)])
        assert cursor.fetchone()
