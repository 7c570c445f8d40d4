"""Refreshes at once, and hands between them: one lead, one history without a gap, told once a hand-over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from crm.audience.leads import qualifying, stages
from crm.models import Contact, Lead, Notice, ScoreChange, StageMove, Task
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
