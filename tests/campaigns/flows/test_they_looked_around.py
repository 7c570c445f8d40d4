"""Whoever looked around and left, and whoever came back: by visits, once, and only while it is so."""

from datetime import timedelta

import pytest

from campaigns.delivery import outbox
from campaigns.flows import forecasting
from campaigns.models import Decision, Delivery, Enrolment
from crm.kernel.work import Budget
from crm.models import Contact
from tests.campaigns.flows.shopping import (
    DAY,
    HOUR,
    MINUTE,
    entered,
    fills_cart,
    looks,
    offers,
    signs_in,
    waiting,
)
from tests.campaigns.flows.stage import AT, SEND, WAIT, advance, buy, enrol, run
from tests.tracking.browsing import BORIS, MINE, OTHER, Told, page, tell
from tracking.models import Visit
from tracking.visits import rollups

pytestmark = pytest.mark.django_db
SECONDS = timedelta(seconds=10)


@pytest.fixture
def ana():
    offers("lamp", AT - 99 * DAY)
    offers("chair", AT - 99 * DAY)
    return signs_in()


def browses(at=AT, *names, **more):
    looks(at, *(names or ("lamp", "chair")), **more)


def test_whoever_looked_at_two_products_and_left_enters_an_hour_after_the_visit_once(ana):
    waiting("browsed")
    browses()
    assert enrol(AT + HOUR) == 0
    assert [enrol(AT + HOUR + SECONDS), enrol(AT + HOUR + MINUTE), enrol(AT + 5 * HOUR)] == [1, 0, 0]
    [run_] = entered()
    assert (run_.contact_id, run_.subject_kind) == (ana.pk, "visit")
    assert (run_.subject_id, run_.qualified_at) == (
        Visit.objects.latest("started_at").pk,
        AT + HOUR + SECONDS,
    )
    evidence = Decision.objects.get().evidence
    assert (evidence["products"], evidence["seconds"]) == (2, 10)


def test_the_forecast_counts_yesterdays_visits_however_late_a_message_may_be(ana):
    campaign = waiting("browsed")
    browses()
    made = forecasting.forecast(campaign, AT + 20 * HOUR)
    assert (made.day.people, made.yesterday.people) == (0, 1)


def test_one_product_at_a_glance_is_nothing_but_a_minute_or_a_search_is(ana):
    waiting("browsed", reentry_days=0)
    browses(AT, "lamp")
    assert enrol(AT + 2 * HOUR) == 0
    browses(AT + DAY, "lamp")
    tell(page(AT + DAY + MINUTE, "/journal/light"))
    assert enrol(AT + DAY + 2 * HOUR) == 1
    tell(Told(MINE, "search", AT + 2 * DAY, details={"query": "lamps"}))
    assert enrol(AT + 2 * DAY + 2 * HOUR) == 1


def test_whoever_is_here_again_on_any_device_is_left_in_peace(ana):
    waiting("browsed")
    signs_in(browser=OTHER)
    browses()
    browses(AT + HOUR, "lamp", browser=OTHER)
    assert enrol(AT + HOUR + MINUTE) == 0
    assert enrol(AT + 2 * HOUR) == 1
    assert entered()[0].subject_id == Visit.objects.get(products=2).pk, "and not about the glance since"


def test_of_two_visits_of_a_day_it_is_about_the_later(ana):
    waiting("browsed")
    browses(AT)
    browses(AT + HOUR)
    assert enrol(AT + 2 * HOUR + MINUTE) == 1
    assert entered()[0].subject_id == Visit.objects.latest("started_at").pk


def test_a_cart_left_open_is_for_the_other_campaign_and_an_order_keeps_them_out(ana):
    waiting("browsed")
    browses()
    fills_cart(AT + 2 * MINUTE)
    assert enrol(AT + 2 * HOUR) == 0
    boris = signs_in(email=BORIS, browser=OTHER)
    order = buy(boris, AT - 13 * DAY)
    browses(browser=OTHER)
    assert enrol(AT + 2 * HOUR) == 0
    order.status = "cancelled"
    order.save()
    assert enrol(AT + 2 * HOUR) == 1


def test_a_cart_from_before_the_visit_does_not_matter(ana):
    waiting("browsed")
    fills_cart(AT - 5 * DAY)
    browses()
    assert enrol(AT + 2 * HOUR) == 1


def test_a_cart_filled_since_ends_the_run_or_keeps_the_message_in(ana):
    waiting("browsed", WAIT, SEND)
    waiting("browsed", name="at once")
    browses()
    run(AT + 2 * HOUR)
    fills_cart(AT + 2 * HOUR + MINUTE)
    deliver(AT + 4 * HOUR)
    assert Delivery.objects.values_list("state", "reason").get() == ("skipped", "cart_open")
    advance(AT + 27 * HOUR)
    assert Enrolment.objects.get(campaign__name="browsed").left_reason == "cart_open"
    assert "They have put something into a cart since." in Decision.objects.values_list("words", flat=True)


def test_an_order_of_the_last_days_that_comes_to_be_known_late_ends_it(ana):
    waiting("browsed")
    browses()
    enrol(AT + 2 * HOUR)
    buy(ana, AT - 3 * DAY)
    advance(AT + 2 * HOUR)
    assert Enrolment.objects.get().left_reason == "purchased"


def test_back_in_the_shop_the_message_waits_until_they_have_been_away_again(ana):
    waiting("browsed")
    browses()
    run(AT + 2 * HOUR)
    looks(AT + 2 * HOUR, "lamp")
    deliver(AT + 2 * HOUR + MINUTE)
    waits = Delivery.objects.get()
    assert (waits.state, waits.reason, waits.not_before) == ("queued", "came_back", AT + 3 * HOUR)


def test_it_looks_forward_only_and_what_ended_long_ago_is_let_be(ana):
    campaign = waiting("browsed", launched_at=AT + 2 * HOUR)
    browses()
    assert enrol(AT + 3 * HOUR) == 0
    campaign.launched_at = AT - DAY
    campaign.save()
    assert enrol(AT + 8 * HOUR) == 0


def test_one_run_in_the_time_of_re_entry(ana):
    waiting("browsed", reentry_days=7)
    for day in (0, 3, 8):
        browses(AT + day * DAY)
        enrol(AT + day * DAY + 2 * HOUR)
    assert [one.qualified_at.date() for one in entered()] == [AT.date(), (AT + 8 * DAY).date()]


def test_late_doubled_and_out_of_order_news_of_a_visit_make_one_run(ana):
    waiting("browsed", reentry_days=0)
    browses(AT + MINUTE, "chair")
    enrol(AT + 2 * HOUR)
    told = Told(MINE, "product", AT, late=2 * HOUR, details={"product_id": "lamp", "name": "Lamp"})
    tell(told)
    assert enrol(AT + 2 * HOUR + MINUTE) == 1, "the minute between them came late"
    tell(told)
    rollups.recount([ana.pk])
    assert enrol(AT + 2 * HOUR + 2 * MINUTE) == 0
    advance(AT + 2 * HOUR + 2 * MINUTE)
    assert Delivery.objects.get().contact_id == ana.pk


def test_whoever_is_not_known_by_proof_starts_nothing_a_test_person_is_marked(ana):
    waiting("browsed")
    tell(Told(OTHER, "identify", AT - MINUTE, details={"email": BORIS}, late=DAY))
    Contact.objects.filter(email=BORIS).update(is_test=True)
    claimed = type(MINE)(int=7)
    browses(browser=OTHER)
    browses(browser=claimed)
    assert enrol(AT + 2 * HOUR) == 1
    assert entered()[0].is_test
    Contact.objects.filter(pk=ana.pk).update(merged_into=Contact.objects.get(email=BORIS))
    browses()
    assert enrol(AT + 2 * HOUR) == 0


def test_whoever_comes_back_after_a_month_of_nothing_enters_at_once(ana):
    waiting("came_back")
    looks(AT - 8 * DAY, "lamp")
    looks(AT + 23 * DAY, "lamp")
    assert [enrol(AT + 23 * DAY + MINUTE), enrol(AT + 23 * DAY + HOUR)] == [1, 0]
    assert entered()[0].qualified_at == AT + 23 * DAY


def test_a_first_visit_is_no_return_and_an_order_by_telephone_is_not_nothing(ana):
    waiting("came_back")
    boris = signs_in(AT, email=BORIS, browser=OTHER)
    looks(AT, "lamp", browser=OTHER)
    assert enrol(AT + MINUTE) == 0
    buy(ana, AT + 10 * DAY, channel="phone")
    looks(AT + 35 * DAY, "lamp")
    assert enrol(AT + 35 * DAY + MINUTE) == 0
    buy(boris, AT - 90 * DAY)
    looks(AT + 40 * DAY, "lamp", browser=OTHER)
    assert enrol(AT + 40 * DAY + MINUTE) == 1


def test_whoever_bought_since_coming_back_leaves(ana):
    waiting("came_back", WAIT, SEND)
    looks(AT + 30 * DAY, "lamp")
    run(AT + 30 * DAY + MINUTE)
    buy(ana, AT + 30 * DAY + HOUR)
    advance(AT + 31 * DAY + HOUR)
    assert Enrolment.objects.get().left_reason == "purchased"


def test_the_same_queries_for_one_visit_and_for_many(ana, django_assert_max_num_queries):
    for trigger in ("browsed", "came_back"):
        waiting(trigger)
    browses()
    enrol(AT + 2 * HOUR)
    counted = []
    for first, many in ((20, 1), (30, 8)):
        at = AT + first * DAY
        for number in range(many):
            browser = type(MINE)(int=first + number)
            signs_in(at - DAY, email=f"person{first + number}@example.com", browser=browser)
            browses(at, browser=browser)
        with django_assert_max_num_queries(30) as queries:
            assert enrol(at + 2 * HOUR) == many
        counted.append(len(queries))
    assert counted[0] == counted[1]


def deliver(at):
    outbox.deliver(lambda: at, Budget(30))
