"""Kept up step by step it ends where one look at all of it ends; and rules mean the same people both ways."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.audience import standing, standing_history
from crm.audience.segmentation import members
from crm.kernel import rules
from crm.models import Contact, Engagement, Standing, StandingMove, StandingUpkeep
from crm.people import engagement
from tests.crm.audience.shops import bought, day, measured_as, people

PEOPLE = ("Ana", "Boris", "Chen")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["order", "order", "visit", "tick", "tick"]),
        st.integers(0, len(PEOPLE) - 1),
        st.sampled_from([0.3, 1, 7, 20, 45, 100]),
    ),
    max_size=14,
)
RULES = [
    *(
        {"kind": "crm.stands", "params": {"state": state}}
        for state in ("active", "cooling", "at_risk", "lost")
    ),
    {"kind": "crm.stands", "params": {"state": "active", "clock": "purchase"}},
    {"kind": "crm.newly_stands", "params": {"state": "at_risk", "within_days": "20"}},
    {"kind": "crm.newly_stands", "params": {"state": "lost", "within_days": "1"}},
    {"kind": "crm.overdue", "params": {"times": "1.5"}},
    {"kind": "crm.usual_gap", "params": {"at_most": "30"}},
    {"kind": "crm.usual_gap", "params": {"at_least": "25", "at_most": "60"}},
    {"kind": "crm.at_stake", "params": {"at_least": "400"}},
]


def rows(*, but: tuple[str, ...] = ()) -> list[dict[str, object]]:
    found = Standing.objects.order_by("contact").values()
    return [{name: value for name, value in row.items() if name not in ("id", *but)} for row in found]


def meant(rule, at, *, current):
    scope = rules.Scope(current=current)
    return set(members({"all": [rule]}, at, scope).values_list("first_name", flat=True))


class Steps(TestCase):
    @pytest.mark.proof
    @settings(max_examples=5)
    @given(steps=STEPS, then=st.integers(0, 200))
    def test_step_by_step_and_all_at_once_are_the_same(self, steps, then):
        self._walk(steps, then)

    @pytest.mark.chaos
    @settings(max_examples=25)
    @given(steps=STEPS, then=st.integers(0, 200))
    def test_step_by_step_and_all_at_once_are_the_same_often(self, steps, then):
        self._walk(steps, then)

    def _walk(self, steps, then):
        measured_as()
        who = people(*PEOPLE, at=day(0))
        standing.refresh_changed(day(0))
        now, seen = 0.0, {}
        for act, person, wait in steps:
            now += wait
            if act == "order":
                bought(who[person], now)
            elif act == "visit":
                engagement.touch("last_seen_at", {who[person]: day(now)})
            if act == "tick":
                standing.refresh_changed(day(now))
                Engagement.objects.update(stirred=0)
                seen[now] = [meant(rule, day(now), current=True) for rule in RULES]
        end = day(now + then)
        standing.refresh_changed(end)
        self._moves_lead_to_the_standings(end)
        for at, found in seen.items():
            assert [meant(rule, day(at), current=False) for rule in RULES] == found, f"as of day {at}"
        assert [meant(rule, end, current=True) for rule in RULES] == [
            meant(rule, end, current=False) for rule in RULES
        ]
        kept = rows()
        assert standing.refresh(end).changed == 0
        Standing.objects.all().delete()
        StandingUpkeep.objects.update(swept_at=None)
        standing.refresh(end)
        # Since when the registered have been active is known step by step alone: visits are not asked again.
        for row, fresh in zip(kept, rows(), strict=True):
            if row["clock"] == "engagement" and row["state"] == "active":
                row["since"] = fresh["since"]
            assert row == fresh
        StandingMove.objects.all().delete()
        standing_history.rebuild(end)
        self._moves_lead_to_the_standings(end)

    def _moves_lead_to_the_standings(self, at):
        for row in Standing.objects.all():
            moves = list(
                StandingMove.objects.filter(contact=row.contact_id).order_by("recorded_at", "occurred_at")
            )
            last = moves[-1]
            assert (last.to_state, last.clock, last.occurred_at) == (row.state, row.clock, row.since)
            assert all(a.to_state == b.from_state for a, b in itertools.pairwise(moves))
            bounds = {
                "active": (row.last_at, row.cooling_at),
                "cooling": (row.cooling_at, row.at_risk_at),
                "at_risk": (row.at_risk_at, row.lost_at),
                "lost": (row.lost_at, None),
            }
            low, high = bounds[row.state]
            assert low <= at and (high is None or at < high)
            assert row.turns_at == high
            assert row.last_at < row.cooling_at < row.at_risk_at < row.lost_at


@pytest.mark.proof
@pytest.mark.django_db
def test_whom_time_moves_is_in_the_drift_of_the_conditions():
    measured_as()
    ana, boris, *_ = people(*PEOPLE)
    bought(ana, 0, 30)
    bought(boris, 10)
    standing.refresh_changed(day(30))
    before = {str(rule): meant(rule, day(30), current=True) for rule in RULES}
    for number in range(31, 160, 3):
        since, at = day(number - 3 if number > 31 else 30), day(number)
        Engagement.objects.update(stirred=0)
        marked = set(StandingMove.objects.values_list("pk", flat=True))
        standing.refresh_changed(at)
        new = StandingMove.objects.exclude(pk__in=marked)
        moved = set(new.values_list("contact__first_name", flat=True))
        stirred = set(Engagement.objects.exclude(stirred=0).values_list("contact__first_name", flat=True))
        assert moved <= stirred
        for rule in RULES:
            now_meant = meant(rule, at, current=True)
            turned = rules.drift({"all": [rule]}, since, at, rules.Scope(current=True))
            ids = [row["contact_id"] for query in turned for row in query]
            drifted = set(Contact.objects.filter(pk__in=ids).values_list("first_name", flat=True))
            assert now_meant ^ before[str(rule)] <= stirred | drifted, (rule, number)
            before[str(rule)] = now_meant
