"""V1, and S13 and S14 for coupons: a code is one person's however many ask in the same moment; a person gets
one offer however many flows would give one; and what is in a message is its reader's own.
"""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from campaigns.flows import journeys
from campaigns.models import Campaign, Coupon, Decision, Delivery, FlowVersion, Step
from campaigns.offers import granting, upkeep
from crm.kernel.work import Budget
from tests.campaigns import mailing
from tests.campaigns.flows import stage
from tests.campaigns.offers.shelf import AT, DAY, codes, offer
from tests.campaigns.offers.test_sending import letter
from tests.sink.smtp import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]

AT_ONCE = 40


def at_once(works):
    """Each in a thread of its own, so many begun in the same moment."""
    together = Barrier(AT_ONCE)

    def run(work):
        try:
            together.wait(120)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(run, works))


def test_two_hundred_ask_for_a_hundred_codes():
    spring = offer()
    codes(spring, 100)
    campaign = mailing.campaign()
    mailing.template()
    messages = [
        mailing.message(who, campaign, offer=spring, dedupe_key=f"v1:{who.pk}", template=mailing.template())
        for who in mailing.people(200, campaign.purpose)
    ]

    def give(message):
        with transaction.atomic():
            refused = granting.grant(spring, [message], AT)
            if message.public_id not in refused:
                message.save()
            return refused.get(message.public_id)

    came = at_once([lambda message=message: give(message) for message in messages])
    assert Counter(one.reason if one else "" for one in came) == {"": 100, "no_coupon": 100}
    holders = Coupon.objects.values_list("code", "contact_id", "held_for", "state")
    assert len({code for code, *_ in holders}) == len({who for _, who, *_ in holders}) == 100
    assert {state for *_, state in holders} == {"reserved"}
    assert {held_for for _, _, held_for, _ in holders} == set(
        Delivery.objects.values_list("public_id", flat=True)
    )


def test_the_whole_engine_gives_each_code_once_and_skips_the_rest():
    spring = offer()
    codes(spring, 100)
    campaign = stage.flow({"kind": "campaigns.send_email", "params": {"without_offer": "skip"}})
    Step.objects.update(offer=spring)
    for number in range(1, 201):
        stage.leave_cart(stage.shopper(campaign, number), AT - 10 * stage.MINUTE)
    stage.enrol(AT)
    batch, journeys.ADVANCE_AT_ONCE = journeys.ADVANCE_AT_ONCE, 5
    try:
        at_once([lambda: journeys.advance(AT, Budget(30))] * AT_ONCE)
    finally:
        journeys.ADVANCE_AT_ONCE = batch
    assert Coupon.objects.filter(state="reserved").values("contact_id").distinct().count() == 100
    assert Delivery.objects.count() == 100
    assert Decision.objects.filter(verdict="skipped", reason="no_coupon").count() == 100


def test_two_hundred_runs_that_set_a_code_aside_share_a_hundred():
    spring = offer()
    codes(spring, 100)
    campaign = stage.flow({"kind": "campaigns.reserve_offer"}, stage.WAIT)
    Step.objects.update(offer=spring)
    for number in range(1, 201):
        stage.leave_cart(stage.shopper(campaign, number), AT - 10 * stage.MINUTE)
    stage.enrol(AT)
    batch, journeys.ADVANCE_AT_ONCE = journeys.ADVANCE_AT_ONCE, 5
    try:
        at_once([lambda: journeys.advance(AT, Budget(30))] * AT_ONCE)
    finally:
        journeys.ADVANCE_AT_ONCE = batch
    held = Coupon.objects.filter(state="reserved")
    assert {held.values(one).distinct().count() for one in ("contact_id", "enrolment_id")} == {100}
    assert Decision.objects.filter(verdict="skipped", reason="no_coupon").count() == 100


def test_fifty_flows_that_would_give_somebody_an_offer_in_the_same_second_give_one():
    climbing = [
        offer(f"Offer {number}", follows_ladder=True, rung=1, kind="free_shipping", value=None, codes="none")
        for number in range(50)
    ]
    first = stage.flow()
    person = stage.shopper(first)
    stage.leave_cart(person, AT - 10 * stage.MINUTE)
    message = mailing.message(person, first, created_at=AT - 2 * DAY, dedupe_key="earlier")
    message.save()
    for state in ("claimed", "sending", "sent"):
        Delivery.objects.filter(pk=message.pk).update(state=state)
    Campaign.objects.update(state="stopped")
    for of in climbing:
        campaign = mailing.campaign(
            name=of.name, in_caps=False, trigger_params={"delay_minutes": "8"}, launched_at=AT - DAY
        )
        campaign.current = FlowVersion.objects.create(campaign=campaign, frozen_at=AT)
        campaign.save()
        Step.objects.create(
            version=campaign.current,
            key="send",
            kind="campaigns.send_email",
            template=mailing.template(),
            offer=of,
        )
    stage.enrol(AT)
    batch, journeys.ADVANCE_AT_ONCE = journeys.ADVANCE_AT_ONCE, 1
    try:
        at_once([lambda: journeys.advance(AT, Budget(30))] * AT_ONCE)
    finally:
        journeys.ADVANCE_AT_ONCE = batch
    assert Coupon.objects.count() == 1
    assert Delivery.objects.filter(created_at=AT).count() == 50
    assert Decision.objects.filter(reason="offer_lately").count() == 49


def test_people_each_read_their_own_code_and_nobody_elses(settings):
    spring = offer()
    codes(spring, 150)
    campaign = stage.flow(exit_on_purchase=False)
    Step.objects.update(offer=spring, template=letter())
    for number in range(1, 151):
        stage.leave_cart(stage.shopper(campaign, number), AT - 10 * stage.MINUTE)
    stage.run(AT)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send(AT, seconds=60)
    owners = dict(Delivery.objects.values_list("public_id", "contact_id"))
    mine = {coupon.code: coupon for coupon in Coupon.objects.all()}
    read = Counter()
    for accepted in sink.accepted():
        found = set(re.findall(rb"SPRING-\d{4}", accepted.raw.replace(b"=\r\n", b"")))
        assert len(found) == 1
        coupon = mine[found.pop().decode()]
        assert str(coupon.held_for) == accepted.delivery
        assert coupon.contact_id == owners[coupon.held_for]
        read[coupon.code] += 1
    assert len(read) == 150 and set(read.values()) == {1}
    upkeep.settle(AT)
    assert Coupon.objects.filter(state="shown").count() == 150
