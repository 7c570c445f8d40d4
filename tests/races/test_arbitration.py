"""S13: however many campaigns want one person in the same second, limits and the offer of a day hold."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from campaigns.delivery import outbox
from campaigns.delivery.claiming import claim
from campaigns.delivery.fencing import fence
from campaigns.flows import journeys
from campaigns.models import Coupon, Decision, Delivery, Due, OfferSlot, Step
from campaigns.offers import slots
from crm.kernel.work import Budget
from tests.campaigns import mailing
from tests.campaigns.gatehouse import AT, by_hand, put_in, writes
from tests.campaigns.offers.shelf import codes, offer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]

CAMPAIGNS = 50
THREADS = 12


@pytest.fixture(autouse=True)
def nobody_enters_by_themselves():
    with by_hand():
        yield


def at_once(work, threads=THREADS):
    """The same act in so many threads, begun in the same moment."""
    together = Barrier(threads)

    def run(_number):
        try:
            together.wait(120)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def one_at_a_time(work):
    """Many processes, each with one person of one campaign in hand."""
    batch, journeys.ADVANCE_AT_ONCE = journeys.ADVANCE_AT_ONCE, 1
    try:
        return at_once(work)
    finally:
        journeys.ADVANCE_AT_ONCE = batch


def fifty(**changes):
    """Fifty campaigns, each about to write to the same person, each with an offer of its own to give."""
    campaigns = []
    for number in range(CAMPAIGNS):
        gives = offer(f"Offer {number}")
        codes(gives, 1)
        campaign = writes(f"Campaign {number}", **changes)
        Step.objects.filter(version=campaign.current).update(offer=gives)
        campaigns.append(campaign)
    person = mailing.people(1, campaigns[0].purpose)[0]
    for campaign in campaigns:
        put_in(campaign, person)
    return person


def settle_down(now=AT):
    """Those whom two processes met over at once are asked again until nobody is left for this moment."""
    for second in range(0, 40, 5):
        journeys.advance(now + timedelta(seconds=second), Budget(30))


def test_fifty_campaigns_that_would_write_to_one_person_in_the_same_second_write_once():
    person = fifty()
    one_at_a_time(lambda: journeys.advance(AT, Budget(30)))
    settle_down()
    message = Delivery.objects.get()
    assert message.contact_id == person.pk
    assert Due.objects.count() == CAMPAIGNS - 1
    waiting = Decision.objects.filter(verdict="waited", reason="frequency")
    assert waiting.count() == waiting.values("campaign").distinct().count() == CAMPAIGNS - 1
    assert all("at most one e-mail in 20 hours" in words for words in waiting.values_list("words", flat=True))
    assert Coupon.objects.exclude(contact_id=None).count() == OfferSlot.objects.count() == 1


def test_fifty_campaigns_without_limits_give_one_offer_and_the_others_go_without():
    person = fifty(in_caps=False)
    one_at_a_time(lambda: journeys.advance(AT, Budget(30)))
    settle_down()
    assert Delivery.objects.filter(contact_id=person.pk).count() == CAMPAIGNS
    assert Coupon.objects.filter(contact_id=person.pk).count() == OfferSlot.objects.count() == 1
    without = Decision.objects.filter(verdict="queued", reason="offer_today")
    assert without.count() == CAMPAIGNS - 1


def test_the_table_itself_gives_a_person_one_offer_a_day_whoever_forgets_to_lock():
    person = mailing.people(1, mailing.campaign().purpose)[0]
    wanted = [mailing.message(person, mailing.campaign(name="x")).public_id for _ in range(THREADS)]
    asked = iter(wanted)

    def take():
        mine = next(asked)
        with transaction.atomic():
            return slots.take([(person.pk, mine)], AT, {person.pk: ""})

    had = at_once(take)
    assert sum(len(one) for one in had) == OfferSlot.objects.count() == 1


def test_fifty_messages_that_are_in_the_queue_already_pass_the_fence_once():
    campaign = mailing.campaign()
    person = mailing.people(1, campaign.purpose)[0]
    outbox.enqueue(
        mailing.message(person, campaign, counts=True, dedupe_key=f"q:{number}")
        for number in range(CAMPAIGNS)
    )

    def sender():
        granted = 0
        while claimed := claim("email", AT, 2):
            granted += len(fence(claimed, AT))
        return granted

    assert sum(at_once(sender)) == 1
    assert Delivery.objects.filter(state="sending").count() == 1


def test_no_lock_of_two_processes_ever_meets_in_a_circle():
    """Twenty people in six campaigns, in whatever order: nothing fails, nobody is lost or doubled."""
    campaigns = [writes(f"Campaign {number}") for number in range(6)]
    people = mailing.people(20, campaigns[0].purpose)
    for campaign in campaigns:
        put_in(campaign, *people)
    batch, journeys.ADVANCE_AT_ONCE = journeys.ADVANCE_AT_ONCE, 7
    try:
        at_once(lambda: journeys.advance(AT, Budget(30)), threads=8)
    finally:
        journeys.ADVANCE_AT_ONCE = batch
    settle_down()
    assert Delivery.objects.count() == Delivery.objects.values("contact_id").distinct().count() == len(people)
    assert Due.objects.filter(problem="").count() == len(people) * (len(campaigns) - 1)
    assert all(campaign.problem == "" for campaign in type(campaigns[0]).objects.all())
