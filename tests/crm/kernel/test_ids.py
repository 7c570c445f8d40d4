"""Identifiers sort by time and never meet."""

import os
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from crm.kernel import clock, ids

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def millisecond_of(identifier: uuid.UUID) -> datetime:
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


def test_an_id_is_a_version_7_uuid_of_its_instant():
    identifier = ids.uuid7(NOON)
    assert identifier.version == 7
    assert identifier.variant == uuid.RFC_4122
    assert millisecond_of(identifier) == NOON


def test_ids_grow_even_when_the_clock_stands_or_goes_back():
    with clock.frozen(NOON) as hand:
        made = [ids.uuid7() for _ in range(5000)]
        hand.advance(timedelta(days=-400))
        made += [ids.uuid7() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == 10_000


def test_ids_of_a_given_instant_carry_that_instant_and_grow():
    ids.uuid7()
    made = [ids.uuid7(NOON) for _ in range(1000)]
    assert made == sorted(set(made))
    assert {millisecond_of(identifier) for identifier in made} == {NOON}


def test_threads_never_make_the_same_id():
    made: list[uuid.UUID] = []

    def work() -> None:
        made.extend([ids.uuid7() for _ in range(2000)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000


def test_a_forked_child_begins_a_series_of_its_own():
    ids.uuid7()
    before = ids._state
    ids._forget()
    assert ids._state is not before
    assert hasattr(os, "register_at_fork")


def test_an_instant_before_1970_is_refused():
    with pytest.raises(ValueError, match="1970"):
        ids.uuid7(datetime(1969, 1, 1, tzinfo=UTC))


def test_the_same_outside_identity_is_the_same_id():
    assert ids.uuid_from("shopify", "order", "4711") == ids.uuid_from("shopify", "order", "4711")


def test_parts_are_not_run_together():
    assert ids.uuid_from("ab", "c") != ids.uuid_from("a", "bc")
    assert ids.uuid_from("a", "") != ids.uuid_from("a")
    assert ids.uuid_from("1:a1:b") != ids.uuid_from("a", "b")
