"""A code set aside for a run: every message of it shows the same one, nobody gets a second, and what nobody
saw goes back.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.flows import journeys, trying
from campaigns.models import Coupon, Decision, Delivery, Enrolment, FrequencySettings, Step, Template
from campaigns.offers import upkeep
from crm.kernel.work import Budget
from tests.campaigns import mailing
from tests.campaigns.flows import stage
from tests.campaigns.offers.shelf import AT, DAY, HOUR, codes, offer
from tests.campaigns.offers.test_sending import left, letter
from tests.sink.smtp import SmtpSink

pytestmark = pytest.mark.django_db

ASIDE = {"kind": "campaigns.reserve_offer"}
WAIT = {"kind": "campaigns.wait", "params": {"length": "24", "unit": "hours"}}
SEND = stage.SEND


@pytest.fixture(autouse=True)
def sink_is_safe(settings):
    settings.REKINDLE_SAFE_SINK = True


def flow(of, *rows, **changes):
    usual = {"exit_on_purchase": False, "expires_after": None}
    campaign = stage.flow(*rows, **(usual | changes))
    Step.objects.update(offer=of)
    template = Template.objects.filter(name="With a coupon").first() or letter()
    Step.objects.filter(kind=SEND["kind"]).update(template=template)
    return campaign


def sent(settings, now):
    """What leaves at an instant, and what becomes of coupons then."""
    Delivery.objects.update(idle_for=None)
    with SmtpSink() as sink:
        mailing.into(sink, settings)
        mailing.send(now)
        upkeep.settle(now)
    return [mail.raw.decode() for mail in sink.accepted()]


def advance(now):
    return journeys.advance(now, Budget(20))


def test_the_messages_of_a_run_all_show_the_code_that_was_set_aside(settings):
    spring = offer()
    codes(spring, 3)
    campaign = flow(spring, ASIDE, SEND, WAIT, SEND)
    ana = left(campaign)
    stage.run(AT)
    coupon = Coupon.objects.get(contact_id=ana.pk)
    assert coupon.enrolment_id == Enrolment.objects.get().pk
    [first] = sent(settings, AT)
    advance(AT + DAY)
    [second] = sent(settings, AT + DAY)
    assert coupon.code in first and coupon.code in second
    coupon.refresh_from_db()
    assert (coupon.state, coupon.shown_at) == ("shown", AT)
    assert Coupon.objects.filter(state="free").count() == 2


def test_it_is_set_aside_before_any_message_and_stays_while_they_are_inside():
    spring = offer()
    codes(spring, 1)
    campaign = flow(spring, ASIDE, WAIT, SEND)
    ana = left(campaign)
    stage.run(AT)
    assert upkeep.settle(AT + HOUR) == 0
    coupon = spring.coupons.get()
    assert (coupon.state, coupon.contact_id, coupon.held_for) == ("reserved", ana.pk, None)
    assert Decision.objects.get(verdict="done").words == "“Spring” is set aside for them."


def test_a_code_nobody_saw_goes_back_when_they_leave():
    spring = offer()
    codes(spring, 1)
    campaign = flow(spring, ASIDE, WAIT, SEND, exit_on_purchase=True)
    ana = left(campaign)
    stage.run(AT)
    stage.buy(ana, AT + HOUR)
    advance(AT + DAY)
    assert Enrolment.objects.get().left_reason == "purchased"
    assert upkeep.settle(AT + DAY) == 1
    coupon = spring.coupons.get()
    assert (coupon.state, coupon.contact_id, coupon.enrolment_id) == ("free", None, None)


def test_a_shared_code_nobody_saw_is_forgotten():
    spring = offer(codes="shared", shared_code="SPRING")
    campaign = flow(spring, ASIDE, WAIT, SEND, exit_on_purchase=True)
    ana = left(campaign)
    stage.run(AT)
    assert spring.coupons.get().enrolment_id
    stage.buy(ana, AT + HOUR)
    advance(AT + DAY)
    upkeep.settle(AT + DAY)
    assert not spring.coupons.exists()


def test_a_message_that_does_not_leave_gives_the_code_back_to_the_run_and_the_end_of_the_run_to_the_pool():
    spring = offer()
    codes(spring, 1)
    campaign = flow(spring, ASIDE, SEND, WAIT, SEND)
    left(campaign)
    stage.run(AT)
    Delivery.objects.update(state="claimed")
    Delivery.objects.update(state="skipped", reason="late", finished_at=AT)
    upkeep.settle(AT + HOUR)
    coupon = spring.coupons.get()
    assert (coupon.state, coupon.held_for, bool(coupon.enrolment_id)) == ("reserved", None, True)
    advance(AT + DAY)
    second = Delivery.objects.order_by("pk").last()
    assert spring.coupons.get().held_for == second.public_id
    Delivery.objects.filter(pk=second.pk).update(state="claimed")
    Delivery.objects.filter(pk=second.pk).update(state="skipped", reason="late", finished_at=AT + DAY)
    upkeep.settle(AT + DAY)
    assert spring.coupons.get().state == "free"


def test_who_used_the_code_gets_no_second_one(settings):
    spring = offer()
    codes(spring, 3)
    campaign = flow(spring, ASIDE, SEND, WAIT, SEND)
    ana = left(campaign)
    stage.run(AT)
    sent(settings, AT)
    Coupon.objects.filter(contact_id=ana.pk).update(state="used", used_at=AT + HOUR)
    advance(AT + DAY)
    [mail] = sent(settings, AT + DAY)
    assert "SPRING-" not in mail
    assert Decision.objects.get(reason="offer_used").words.startswith("To be sent, without its offer")
    assert Coupon.objects.filter(contact_id=ana.pk).count() == 1


def test_a_code_used_between_making_and_sending_is_not_replaced_for_who_saw_it(settings):
    spring = offer()
    codes(spring, 3)
    campaign = flow(spring, ASIDE, SEND, WAIT, SEND)
    ana = left(campaign)
    stage.run(AT)
    sent(settings, AT)
    advance(AT + DAY)
    Coupon.objects.filter(contact_id=ana.pk).update(state="used", used_at=AT + HOUR)
    [mail] = sent(settings, AT + DAY)
    assert "SPRING-" not in mail
    assert Coupon.objects.exclude(contact_id=None).count() == 1


def test_a_code_spoiled_before_anybody_saw_it_is_replaced_and_the_new_one_is_the_runs(settings):
    spring = offer()
    codes(spring, 3)
    campaign = flow(spring, ASIDE, SEND, WAIT, SEND)
    ana = left(campaign)
    stage.run(AT)
    Coupon.objects.filter(contact_id=ana.pk).update(state="used", used_at=AT)
    [first] = sent(settings, AT)
    advance(AT + DAY)
    [second] = sent(settings, AT + DAY)
    assert "SPRING-0001" in first and "SPRING-0001" in second


def test_an_offer_that_ended_is_not_shown_again(settings):
    spring = offer(ends_at=AT + HOUR)
    codes(spring, 1)
    campaign = flow(spring, ASIDE, WAIT, SEND)
    left(campaign)
    stage.run(AT)
    advance(AT + DAY)
    [mail] = sent(settings, AT + DAY)
    assert "SPRING-" not in mail
    assert Decision.objects.get(reason="offer_over").verdict == "queued"


def test_whoever_was_shown_a_code_before_and_may_still_use_it_keeps_that_one(settings):
    FrequencySettings.objects.update(offers_a_day=2)
    spring = offer()
    codes(spring, 3)
    first = flow(spring, SEND)
    ana = left(first)
    stage.run(AT)
    sent(settings, AT)
    held = Coupon.objects.get(contact_id=ana.pk)
    first.state = "stopped"
    first.save()
    flow(spring, ASIDE, SEND, name="Again")
    stage.run(AT + MINUTE)
    [mail] = sent(settings, AT + MINUTE)
    assert held.code in mail
    assert Coupon.objects.filter(contact_id=ana.pk).count() == 1


MINUTE = timedelta(minutes=1)


def test_who_gets_the_offer_with_another_message_gets_no_second_code():
    spring = offer()
    codes(spring, 3)
    flow(spring, ASIDE, WAIT, SEND)
    second = flow(spring, ASIDE, WAIT, SEND, name="Second")
    left(second)
    stage.run(AT)
    assert Coupon.objects.exclude(contact_id=None).count() == 1
    assert Decision.objects.get(reason="offer_lately").verdict == "skipped"


def test_the_ladder_counts_what_is_set_aside_once(settings):
    free = offer("Free shipping", kind="free_shipping", value=None, rung=1, follows_ladder=True)
    codes(free, 1)
    campaign = flow(free, SEND, ASIDE, WAIT, SEND)
    Step.objects.filter(position=1).update(offer=None)
    left(campaign)
    enrolled = stage.enrol(AT)
    assert enrolled == 1
    stage.advance(AT)
    sent(settings, AT)
    assert Decision.objects.get(reason="ladder").words == (
        "“Free shipping” is not set aside: The first message gives nothing off."
    )


@pytest.mark.parametrize("how", ["control", "shadow"])
def test_for_the_control_group_and_in_shadow_nothing_is_set_aside(how):
    spring = offer()
    codes(spring, 1)
    changed = {"control_share": Decimal(1)} if how == "control" else {"is_shadow": True}
    left(flow(spring, ASIDE, SEND, **changed))
    stage.run(AT)
    assert spring.coupons.get().state == "free"


def test_a_walk_shows_an_example_in_every_message_and_sets_nothing_aside():
    spring = offer()
    codes(spring, 1)
    campaign = flow(spring, ASIDE, SEND, WAIT, SEND)
    ana = left(campaign)
    stops = trying.walk(campaign, ana, AT)
    assert "“Spring” is set aside for them." in [stop.words for stop in stops]
    mails = [stop.message for stop in stops if stop.message]
    assert len(mails) == 2 and all("EXAMPLE-CODE" in mail.text for mail in mails)
    assert spring.coupons.get().state == "free"


def test_twenty_people_cost_no_more_queries_than_one():
    spring = offer()
    codes(spring, 40)
    campaign = flow(spring, ASIDE, SEND)

    def cost(numbers):
        for number in numbers:
            left(campaign, number)
        stage.enrol(AT)
        with CaptureQueriesContext(connection) as asked:
            stage.advance(AT)
        return len(asked)

    one = cost(range(1, 2))
    assert cost(range(2, 22)) <= one
    assert Coupon.objects.exclude(held_for=None).exclude(enrolment_id=None).count() == 21


def test_without_a_code_left_they_go_on_without():
    spring = offer()
    left(flow(spring, ASIDE))
    stage.run(AT)
    assert Decision.objects.get(reason="no_coupon").words == (
        "“Spring” is not set aside: No code of the offer is left."
    )
    assert Enrolment.objects.get().state == "finished"
