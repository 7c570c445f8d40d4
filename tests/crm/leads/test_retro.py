"""A wording held against the past, counted by hand on a tiny cast."""

import pytest

from crm.audience.leads import retro
from tests.crm.leads.conftest import NOW, days, order, people

END = NOW - days(35)
START = END - days(28)


@pytest.fixture
def past(db):
    """Four order in the span's first week and are meant; two of them buy again. Of six others, one buys."""
    cast = people(*"ABCDEFGHIJ", at=START - days(60))
    for number, contact in enumerate(cast[:4]):
        order(contact, START + days(3), f"first {number}")
    order(cast[0], START + days(20), "again A")
    order(cast[1], START + days(30), "again B")
    order(cast[2], START + days(45), "too late C")
    order(cast[9], START + days(-50), "before J")
    order(cast[9], START + days(10), "J, not meant by the rule")
    return cast


BOUGHT_50 = {
    "all": [
        {"kind": "crm.ordered", "params": {"times": "1", "within_days": "7"}},
        {"none": [{"kind": "crm.name", "params": {"contains": "J"}}]},
    ]
}


def test_counted_by_hand(past):
    found = retro.retro(BOUGHT_50, START, END, NOW)
    assert (found.people, found.bought, found.others) == (4, 2, 6)
    assert found.others_share == pytest.approx(1 / 6)
    assert found.times == pytest.approx(3.0)
    assert found.is_whole and found.is_followed and found.seen == 28
    assert found.sentence == (
        "Under this wording 4 people would have become leads; 50.0% of them bought within 30 days, 3.0"
        " times as often as the others (16.7%)."
    )
