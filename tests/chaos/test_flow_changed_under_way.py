"""A running flow is edited, paused, resumed and stopped, and its workers are killed, while people are inside:
nobody is lost, nobody gets anything twice, and each walks the version they should.
"""

import random  # noqa: TID251 - moments of the kills, seeded and printed
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction

from campaigns.flows import journeys, launching
from campaigns.flows.kinds import Entrant, playbooks
from campaigns.models import Campaign, Decision, Delivery, Due, Enrolment, Step
from crm.kernel import buckets, clock
from tests.campaigns import mailing
from tests.campaigns.flows.stage import SEND, flow
from tests.campaigns.flows.test_launching import shop  # noqa: F401 - a shop that may launch
from tests.chaos.senders import Senders, wait_until
from tests.sink.smtp import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]

WORKER = ("-m", "tests.chaos.walker")
SPLIT = {"path_1": "A", "weight_1": "1", "path_2": "B", "weight_2": "1"}
FIRST = (
    SEND,
    {"kind": "campaigns.wait", "params": {"length": "30", "unit": "minutes"}},
    {"kind": "campaigns.split", "params": SPLIT},
    {**SEND, "path": "A"},
    {**SEND, "path": "B"},
    SEND,
)
PASSES = {"A": {"step-1", "step-4", "step-6"}, "B": {"step-1", "step-5", "step-6"}}


def begin(campaign, first, count, seconds):
    """Let people in who begin a minute ago, one after the other over so many seconds."""
    people = mailing.people(count, campaign.purpose, first=first)
    carts = mailing.carts(people)
    start, step = clock.now() - timedelta(minutes=1), timedelta(seconds=seconds / count)
    entrants = [
        Entrant(cart.contact_id, f"cart:{cart.pk}:0", start + number * step, "cart", cart.pk)
        for number, cart in enumerate(carts)
    ]
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        return {run.pk for run in journeys.enter(locked, entrants, clock.now())}


def edited(campaign, *, move, **by_key):
    """The next version in use, a message at its end that the one before did not have."""
    draft = launching.editable_version(campaign, clock.now())
    for key, fields in by_key.items():
        draft.steps.filter(key=key.replace("_", "-")).update(**fields)
    end = draft.steps.get(key="step-6")
    Step.objects.create(
        version=draft,
        key=f"added-{draft.number}",
        position=90 + draft.number,
        kind=end.kind,
        template=end.template,
    )
    launching.publish(campaign, "ana", clock.now(), move_people=move)
    return draft


def queued(key):
    return Delivery.objects.filter(step_key=key).count()


def changed_under_way(environment, sink, people, kills, seconds, patience, seed):
    chance = random.Random(seed)
    campaign = flow(*FIRST, expires_after=None, exit_on_purchase=True)
    message = (
        playbooks.get("campaigns.abandoned_cart")
        .make(clock.now(), only_first=True)
        .versions.get()
        .steps.get()
        .template
    )
    Step.objects.filter(version__campaign=campaign, template__isnull=False).update(template=message)
    begun = begin(campaign, 1, people, seconds)
    began, killed = time.monotonic(), 0

    with Senders(environment, sink) as workers:
        workers.start(2, WORKER)

        def kill():
            nonlocal killed
            time.sleep(chance.uniform(0, 0.3))
            workers.kill(chance.randrange(2))
            workers.start(1, WORKER)
            killed += 1

        def until(key, share):
            wait_until(lambda: queued(key) >= people * share, patience, f"{share:.0%} of {key}")

        for share in [(number + 1) / (kills + 1) * 0.6 for number in range(kills)]:
            until("step-1", share)
            kill()
        # The wait is a minute by now instead of half an hour: who has waited so long goes on at once.
        second = edited(campaign, move=True, step_2={"params": {"length": "1", "unit": "minutes"}})
        kill()
        until("step-6", 0.3)
        launching.pause(campaign, "ana", clock.now())
        wait_until(_stands, patience, "standing still")
        stood = _written()
        kill()
        time.sleep(0.5)
        assert _written() == stood, "somebody moved while it was paused"
        launching.resume(campaign, "ana", clock.now())
        until("step-6", 0.5)
        third = edited(campaign, move=False, step_2={"params": {"length": "1", "unit": "days"}})
        late = begin(campaign, people + 1, people // 10, 1)
        if kills > 1:
            kill()
        wait_until(lambda: queued("step-1") == people + len(late), patience, "the late ones")
        wait_until(lambda: not Due.objects.exclude(pk__in=late).exists(), patience, "the end of the others")
        launching.stop(campaign, "ana", clock.now())
        wait_until(lambda: not Due.objects.exists(), patience, "letting go")
    took = time.monotonic() - began

    runs = {run.pk: run for run in Enrolment.objects.all()}
    assert set(runs) == begun | late, "somebody was lost or came in twice"
    got, told = _by_run(Delivery.objects), _by_run(Decision.objects.filter(verdict="queued"))
    assert got == told, "a message without its decision, or two decisions about one"
    assert max(times for steps in got.values() for times in steps.values()) == 1, "something came twice"
    moved = 0
    for key in begun:
        run = runs[key]
        assert (run.state, run.version) == ("finished", second)
        assert run.path == buckets.pick(f"split:{campaign.pk}:step-3", run.contact_id, {"A": 1.0, "B": 1.0})
        assert set(got[key]) == PASSES[run.path] | {"added-2"}
        moved += run.version_id == second.pk
    for key in late:
        assert (runs[key].state, runs[key].left_reason, runs[key].version) == ("left", "stopped", third)
        assert set(got[key]) == {"step-1"}
    campaign.refresh_from_db()
    assert campaign.problem == ""
    print(
        f"\nA flow changed under way: seed {seed}, {people} people and {len(late)} late ones, "
        f"{killed} workers killed, {took:.0f} s: {moved} finished version 2, {len(late)} let go from "
        f"version 3, {sum(map(len, got.values()))} messages, 0 lost, 0 doubled"
    )


def _written():
    """Everything that moving leaves behind."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), max(id) FROM campaigns_delivery")
        return cursor.fetchone(), Decision.objects.count(), Due.objects.count()


def _stands():
    """What a worker had in hand when the campaign was paused is written."""
    before = _written()
    time.sleep(0.7)
    return _written() == before


def _by_run(rows):
    found = {}
    for run, step in rows.values_list("enrolment_id", "step_key"):
        found.setdefault(run, Counter())[step] += 1
    return found


@pytest.mark.proof
def test_a_thousand_inside_and_three_workers_killed(child_environment):
    with SmtpSink(keep_raw=False) as sink:
        changed_under_way(child_environment, sink, 1_000, kills=1, seconds=2, patience=300, seed=20263)


@pytest.mark.chaos
def test_ten_thousand_inside_and_twenty_workers_killed(child_environment):
    with SmtpSink(keep_raw=False) as sink:
        changed_under_way(child_environment, sink, 10_000, kills=17, seconds=20, patience=600, seed=20264)
