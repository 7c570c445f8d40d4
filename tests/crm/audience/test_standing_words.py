"""Rhythm and risk as rules say them: sentences, evidence, and the smallest change; now and in the past."""

from __future__ import annotations

import pytest

from crm.audience import standing
from crm.kernel import rules
from crm.models import Contact
from tests.crm.audience.shops import bought, day, measured_as, people

pytestmark = pytest.mark.django_db
CURRENT = rules.Scope(current=True)


@pytest.fixture
def ana():
    """Bought on days 0 and 30: usually every 30 days, cooling after 37.5, at risk 52.5, lost 105."""
    measured_as()
    [person] = people("Ana")
    bought(person, 0, 30, paid=100)
    for number in (1, 31, 68, 83):
        standing.refresh_changed(day(number))
    return person


def verdict(person, kind, at, scope=CURRENT, **params):
    found = rules.explain(
        Contact.objects.filter(pk=person), {"all": [{"kind": kind, "params": params}]}, at, scope
    )
    assert found is not None and not found.problems
    [leaf] = found.root.leaves()
    return found.is_match, leaf.evidence


def change(kind, params, value, *, wanted):
    condition = rules.conditions.get(kind)
    return condition.change(condition.read(params), value, wanted=wanted)


@pytest.mark.parametrize(
    "kind, params, words",
    [
        ("crm.stands", {"state": "at_risk"}, "are at risk"),
        ("crm.stands", {"state": "lost", "clock": "purchase"}, "are lost as buyers"),
        ("crm.newly_stands", {"state": "at_risk", "within_days": "1"}, "became at risk in the last day"),
        ("crm.newly_stands", {"state": "lost", "within_days": "7"}, "became lost in the last 7 days"),
        ("crm.overdue", {"times": "1.50"}, "have not bought for at least 1.5 times their usual gap"),
        ("crm.usual_gap", {"at_most": "30"}, "usually buy every 30 days or sooner"),
        ("crm.usual_gap", {"at_least": "20", "at_most": "40"}, "usually buy every 20 to 40 days"),
        ("crm.at_stake", {"at_least": "250"}, "would spend at least 250.00 EUR a year at their rhythm"),
    ],
)
def test_as_one_would_say_it(kind, params, words):
    condition = rules.conditions.get(kind)
    assert condition.sentence(condition.read(params)) == words


def test_a_gap_of_nothing_or_turned_round_is_refused():
    for params in ({}, {"at_least": "40", "at_most": "20"}):
        assert rules.problems({"all": [{"kind": "crm.usual_gap", "params": params}]})


def test_evidence_now(ana):
    at = day(83)
    said = "at risk since 25 March 2026: usually buys every 30 days, now 53"
    assert verdict(ana, "crm.stands", at, state="at_risk") == (True, said)
    assert verdict(ana, "crm.newly_stands", at, state="at_risk", within_days="1") == (True, said)
    assert verdict(ana, "crm.overdue", at, times="1.7") == (True, "usually buys every 30 days, now 53")
    assert verdict(ana, "crm.usual_gap", at, at_most="29")[0] is False
    assert verdict(ana, "crm.at_stake", at, at_least="1200") == (
        True,
        "1,217.50 EUR a year; usually buys every 30 days, now 53",
    )


def test_evidence_of_any_day_in_the_past(ana):
    then = rules.Scope()
    assert verdict(ana, "crm.stands", day(70), then, state="cooling") == (True, "cooling since 10 March 2026")
    assert verdict(ana, "crm.stands", day(20), then, state="active")[0] is True
    assert verdict(ana, "crm.stands", day(0.5), then, state="active") == (False, "stands nowhere yet")
    assert verdict(ana, "crm.overdue", day(20), then, times="0.5") == (True, "bought once, 20 days ago")
    assert verdict(ana, "crm.usual_gap", day(29), then, at_most="30")[0] is False
    assert verdict(ana, "crm.at_stake", day(20), then, at_least="608")[0] is True
    assert verdict(ana, "crm.at_stake", day(20), then, at_least="609")[0] is False


def test_the_smallest_change(ana):
    now = {"clock": "purchase", "state": "cooling", "usual": 30.0, "silent": 40.2, "gaps": 1, "at_stake": 900}
    now["at_risk_at"] = day(82.5).isoformat()
    assert change("crm.overdue", {"times": "1.5"}, now, wanted=True) == "5 more days without an order"
    assert change("crm.overdue", {"times": "1.3"}, now, wanted=False) == "an order"
    assert change("crm.stands", {"state": "at_risk"}, now, wanted=True) == "silence until 25 March 2026"
    assert change("crm.stands", {"state": "cooling"}, now, wanted=False) == "an order"
    assert change("crm.at_stake", {"at_least": "1000"}, now, wanted=True) == "100.00 EUR more a year"


def test_whoever_never_bought_has_no_pace(ana):
    [boris] = people("Boris", at=day(60))
    standing.refresh_changed(day(84))
    assert verdict(boris, "crm.overdue", day(84), times="0.1") == (
        False,
        "never bought, last here 24 days ago",
    )
    assert verdict(boris, "crm.at_stake", day(84), at_least="1") == (False, "never bought")
    said = "active since 2 March 2026: never bought, last here 24 days ago"
    assert verdict(boris, "crm.stands", day(84), state="lost") == (False, said)
