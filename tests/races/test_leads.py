"""Refreshes at once, and hands between them: one lead, one history without a gap, told once a hand-over."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Count

from crm.audience.leads import owners, passing, qualifying, stages
from crm.audience.leads.crew import Crew
from crm.kernel.work import Budget
from crm.models import (
    AssignmentMember,
    AssignmentRule,
    Contact,
    HandOver,
    Lead,
    Notice,
    ScoreChange,
    StageMove,
    Task,
)
from crm.people.stirring import stir
from tests.crm.leads.conftest import MINUTE, NOW, definition, olga, people, refresh, stage  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]


@pytest.fixture
def ready(definition, monkeypatch):  # noqa: F811
    many = people(*(f"Person{number}" for number in range(40)))
    Contact.objects.filter(first_name__startswith="Person").update(tags=["interested", "asked", "reader"])
    stir([contact.pk for contact in many])
    monkeypatch.setattr(qualifying, "BATCH", 7)
    return many


def at_once(*works):
    together = Barrier(len(works))

    def run(work):
        try:
            together.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def in_order(contact):
    moves = list(StageMove.objects.filter(contact=contact).order_by("occurred_at", "pk"))
    lead = Lead.objects.get(contact=contact)
    chained = [move.from_stage_id for move in moves] == [None, *[move.to_stage_id for move in moves[:-1]]]
    score = ScoreChange.objects.filter(contact=contact).order_by("-occurred_at", "-pk").first().score
    return chained and lead.stage_id == moves[-1].to_stage_id and lead.score == score


def test_six_refreshes_at_once_make_each_lead_and_tell_of_it_once(definition, ready):  # noqa: F811
    works = [lambda late=late: refresh(definition, NOW + late * MINUTE, whole=True) for late in range(6)]
    assert sum(at_once(*works)) == 40
    assert (Lead.objects.count(), StageMove.objects.count(), Task.objects.count()) == (40, 40, 40)
    assert Notice.objects.count() == 40
    assert all(in_order(contact) for contact in ready)


def test_hands_between_refreshes_leave_a_history_without_a_gap(definition, ready):  # noqa: F811
    refresh(definition, NOW)
    leads = list(Lead.objects.order_by("pk"))
    nurture, accepted = stage(definition, "nurture"), stage(definition, "accepted")

    def hands(to, second):
        for lead in leads:
            stages.move(lead, to, NOW + timedelta(seconds=second), "olga")

    def falls():
        Contact.objects.filter(first_name__startswith="Person").update(tags=["interested"])
        stir([contact.pk for contact in ready])
        return refresh(definition, NOW + timedelta(seconds=5), whole=True)

    at_once(lambda: hands(nurture, 2), lambda: hands(accepted, 9), falls, falls)
    assert all(in_order(contact) for contact in ready)
    assert not Task.objects.filter(done_at=None).exists()


def test_leads_dealt_by_several_processes_at_once_are_dealt_as_evenly_as_by_one(definition):  # noqa: F811
    rule = AssignmentRule.objects.create(name="Everybody", created_at=NOW)
    for name in ("anna", "ben", "cleo"):
        AssignmentMember.objects.create(rule=rule, user=User.objects.create_user(name))

    def deal():
        dealt = Counter()
        for _batch in range(5):
            with transaction.atomic():
                wanted = [owners.Wanted(uuid4()) for _ in range(4)]
                chosen = owners.choose(definition, wanted, Crew(NOW), NOW)
                dealt.update(str(one.user) for one in chosen.values())
        return dealt

    whole = sum(at_once(*[deal] * 6), Counter())
    assert whole == {"anna": 40, "ben": 40, "cleo": 40}


def test_a_hand_that_accepts_while_the_time_runs_out_leaves_one_answer(definition, ready):  # noqa: F811
    root = User.objects.create_superuser("root", "root@office.example")
    rule = AssignmentRule.objects.create(name="Two", created_at=NOW)
    for user in (root, User.objects.create_user("ben")):
        AssignmentMember.objects.create(rule=rule, user=user)
    refresh(definition, NOW)
    late = NOW + timedelta(hours=2)
    leads = list(Lead.objects.order_by("pk"))

    def accept():
        return sum(stages.accept(lead, late, "ben") is not None for lead in leads)

    assert at_once(accept, *[lambda: passing.pass_on(late, Budget(60))] * 3)[0] == 40
    assert not HandOver.objects.filter(answer="waiting").exists()
    assert not Task.objects.filter(done_at=None).exists()
    answers = HandOver.objects.order_by().values_list("move").annotate(number=Count("pk"))
    accepted = HandOver.objects.filter(answer="accepted")
    assert accepted.count() == len(answers) == 40
    # Each colleague who was asked was told once.
    assert Notice.objects.filter(key__startswith="lead:").count() <= sum(number for _move, number in answers)
