"""A wording held against the past, counted by hand on a tiny cast; and how its scores spread."""

import pytest

from crm.audience.leads import definitions, retro, spread
from crm.models import Contact, Stage, StageMove
from tests.crm.leads.conftest import NOW, days, lines, order, people, rule, tagged

END = NOW - days(35)
START = END - days(28)
LATELY = {
    "all": [
        {"kind": "crm.ordered", "params": {"times": "1", "within_days": "7"}},
        {"none": [{"kind": "crm.name", "params": {"contains": "J"}}]},
    ]
}


@pytest.fixture
def past(db):
    """A to D order on day 3 of the span; A and B again within 30 days, C later. J orders, too."""
    cast = people(*"ABCDEFGHIJ", at=START - days(60))
    for number, contact in enumerate(cast[:4]):
        order(contact, START + days(3), f"first {number}")
    order(cast[0], START + days(20), "again A")
    order(cast[1], START + days(30), "again B")
    order(cast[2], START + days(45), "too late C")
    order(cast[9], START - days(50), "before J")
    order(cast[9], START + days(10), "J, whom the rule does not mean")
    return cast


def test_counted_by_hand(past):
    found = retro.retro(LATELY, START, END, NOW)
    assert (found.people, found.bought, found.others) == (4, 2, 6)
    assert found.others_share == pytest.approx(1 / 6)
    assert found.times == pytest.approx(3.0)
    assert found.is_whole and found.is_followed and found.seen == 28
    assert found.sentence == (
        "Under this wording 4 people would have become leads; 50.0% of them bought within 30 days, 3.0"
        " times as often as the others (16.7%)."
    )


def test_a_long_span_is_asked_at_the_end_of_each_week(past):
    assert retro.instants(START, END)[-1] == END and len(retro.instants(START, END)) == 28
    weeks = retro.instants(START - days(35), END)
    assert (len(weeks), weeks[-1] - weeks[-2], weeks[0]) == (9, days(7), END - days(56))
    found = retro.retro(LATELY, START - days(35), END, NOW)
    # Seen at the end of day 7, when only A, B and J bought in the 30 days after.
    assert (found.people, found.bought, found.seen) == (4, 2, 9)


def test_nobody_counts_before_they_were_known_nor_test_people(past):
    Contact.objects.filter(first_name="A").update(is_test=True)
    Contact.objects.filter(first_name="B").update(created_at=END + days(1))
    found = retro.retro(LATELY, START, END, NOW)
    assert (found.people, found.bought, found.others) == (2, 0, 6)
    assert "of them bought" in found.sentence and found.times == 0


def test_a_month_that_is_not_over_and_a_wording_that_cannot_be_read_are_said(past):
    found = retro.retro(LATELY, START, END, END + days(3))
    assert not found.is_followed and "have not had 30 days" in found.sentence
    broken = retro.retro(rule("crm.gone"), START, END, NOW)
    assert broken.problems and broken.people == 0 and "cannot be read" in broken.sentence
    nobody = retro.retro(tagged("nobody has this"), START, END, NOW)
    assert (nobody.people, nobody.others, nobody.times) == (0, 10, None)
    assert nobody.sentence == "Under this wording 0 people would have become leads."
    future = retro.retro(LATELY, NOW - days(3), NOW + days(30), NOW)
    assert future.seen == future.instants == 3


def test_what_takes_too_long_says_how_far_it_came(past, monkeypatch):
    assert retro.retro(LATELY, START, END, NOW, seconds=0).seen == 0
    real, looked = retro._note, []

    def slow(cursor, is_lead, at):
        looked.append(at)
        if len(looked) == 10:
            cursor.execute("SELECT pg_sleep(30)")
        real(cursor, is_lead, at)

    monkeypatch.setattr(retro, "_note", slow)
    found = retro.retro(LATELY, START, END, NOW, seconds=1.5)
    assert (found.seen, found.instants, found.people, found.bought) == (9, 28, 4, 2)
    assert not found.is_whole and "time to look at 9 of 28 instants only, up to" in found.sentence


def test_scores_spread_and_what_became_of_them_in_a_month(past):
    made = definitions.new_definition("Buyers", START, "ada")
    draft = definitions.draft_of(made, START)
    draft.is_lead = {"none": [{"kind": "crm.name", "params": {"contains": "J"}}]}
    draft.save()
    lines(
        draft,
        ("Bought", rule("crm.ordered", times="1", within_days="70"), 20, None),
        ("Is A", rule("crm.name", contains="A"), 5, None),
    )
    StageMove.objects.create(
        contact=past[4], definition=made, to_stage=Stage.objects.get(meaning="won"), occurred_at=NOW - days(1)
    )
    order(past[0], NOW - days(2), "A after a month")
    found = spread.score_spread(draft, NOW)
    shown = [bar for bar in found.bars if bar.people or bar.then]
    assert [(bar.low, bar.high) for bar in shown] == [(0, 4), (20, 24), (25, 29)]
    assert [(bar.people, bar.then, bar.bought) for bar in shown] == [(5, 5, 1), (3, 3, 1), (1, 1, 1)]
    assert found.bars[0].share == 0.2 and found.is_whole
    assert spread.score_spread(draft, NOW, seconds=0).is_whole is False
    draft.is_lead = rule("crm.gone")
    assert spread.score_spread(draft, NOW).bars == ()
