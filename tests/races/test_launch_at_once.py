"""Launching the same campaign twenty times in the same moment starts it once, and lets everybody in once."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from campaigns.flows import launching
from campaigns.models import Campaign, Delivery, Enrolment
from config.simulate import stage
from tests.campaigns.flows.stage import AT, DELAY, MINUTE, leave_cart, run, shopper

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]


def test_start_pressed_twenty_times_and_the_audience_found_by_three_at_once():
    stage.set_up(AT)
    campaign = stage.make_draft(AT)
    people = [shopper(campaign, number) for number in range(1, 101)]
    for person in people:
        leave_cart(person, AT + MINUTE)
    started = at_once(20, lambda: launching.launch(Campaign.objects.get(pk=campaign.pk), "ana", AT))
    assert sum(isinstance(one, Campaign) for one in started) == 1
    assert sum(isinstance(one, launching.NotReady) for one in started) == 19
    at_once(3, lambda: run(AT + MINUTE + DELAY))
    run(AT + MINUTE + DELAY + timedelta(seconds=15))
    assert Enrolment.objects.count() == Delivery.objects.count() == len(people)


def at_once(number, act):
    """What came of the same act in so many threads begun in the same moment."""
    barrier, came = Barrier(number), []

    def work():
        try:
            barrier.wait()
            came.append(act())
        except launching.NotReady as refused:
            came.append(refused)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(came) == number
    return came
