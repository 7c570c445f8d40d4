"""Codes: brought, made and fetched; held by one person each; what becomes of them."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from campaigns.models import Coupon, Delivery, DeliveryAttempt, Offer
from campaigns.offers import codes as pool
from campaigns.offers import upkeep
from campaigns.offers.sources.made_here import ALPHABET, BITS, made
from crm.kernel import http
from crm.kernel.work import Budget
from tests.campaigns import mailing
from tests.campaigns.offers.shelf import AT, DAY, HOUR, bought, codes, give, held, offer, product

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return mailing.people(1, mailing.campaign().purpose)[0]


def test_codes_that_are_brought_are_counted_and_refused_with_the_reason():
    spring, other = offer(), offer("Other", codes="shared", shared_code="EVERYONE")
    codes(offer("Third"), 1)
    assert pool.bring(spring, "AAAA-1\nAAAA-2\n", AT).new == 2
    report = pool.bring(spring, "aaaa-1\n\nBBBB-1\nbbbb-1\nno good\nEveryone\nThird-0000\nabc\n", AT)
    assert (report.new, report.known) == (1, 1)
    assert [(line, why.split(":")[0][:34]) for line, _, why in report.refused] == [
        (4, "it stands in line 3 already"),
        (5, "a code has 4 to 80 letters, digits"),
        (6, "it is the shared code of an offer,"),
        (7, "it belongs to another offer"),
        (8, "a code has 4 to 80 letters, digits"),
    ]
    assert spring.coupons.count() == 3 and not other.coupons.exists()


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_a_file_with_headings_says_which_column_is_the_code_and_when_it_ends(between):
    spring = offer()
    rows = [
        ("id", "Code", "Expires"),
        ("1", "AAAA", "2026-12-31"),
        ("2", "BBBB", ""),
        ("3", "CCCC", "2020-01-01"),
        ("4", "DDDD", "soon"),
    ]
    report = pool.bring(spring, "\ufeff" + "\r\n".join(between.join(row) for row in rows), AT)
    assert report.new == 2
    assert [why for _, _, why in report.refused] == [
        "it has expired already",
        "“soon” is not a day such as 2026-12-31",
    ]
    assert spring.coupons.get(code="AAAA").good_until.year == 2026
    assert spring.coupons.get(code="BBBB").good_until is None


@pytest.mark.parametrize("text", ["", "\0\0\0", '"', "a" * 100_000, "\n" * 1000, '"AAAA\n' * 50, "\udcff"])
def test_whatever_is_brought_gets_an_answer(text):
    assert pool.bring(offer(), text, AT).new in (0, 1)


def test_codes_made_here_cannot_be_guessed():
    assert BITS >= 60
    some = {made("SPRING") for _ in range(2000)}
    assert len(some) == 2000
    assert all(set(code.removeprefix("SPRING-")) <= set(ALPHABET + "-") for code in some)
    assert not set(ALPHABET) & set("01ILO")
    spring = offer()
    assert pool.make(spring, 50, AT) == spring.coupons.filter(state="free").count() == 50


def test_codes_are_made_when_they_are_needed_where_the_offer_says_so(ana):
    message, refused = give(offer(code_source="campaigns.made_here", code_params={"begins": "hey"}), ana)
    assert refused is None and held(message).code.startswith("HEY-")


def test_codes_are_asked_from_the_shop_ahead_of_need_and_signed(monkeypatch):
    asked = []

    def answer(method, url, *, body, headers, **rest):
        asked.append((method, url, json.loads(body), headers["X-Rekindle-Signature"]))
        return http.Response(
            200, json.dumps({"codes": ["SHOP-1", "SHOP-1", "SHOP-2", "SHOP-3", "SHOP-4"]}).encode()
        )

    monkeypatch.setattr(http, "request", answer)
    shop = offer(
        code_source="campaigns.from_shop", code_params={"url": "https://shop.test/codes"}, keep_ready=5
    )
    codes(shop, 1)
    assert pool.top_up(AT, Budget(5)) == 3
    assert asked[0][:3] == ("POST", "https://shop.test/codes", {"offer": "Spring", "number": 4})
    assert len(asked[0][3]) == 64
    assert shop.coupons.count() == 4  # never more than were asked for, and none twice


@pytest.mark.parametrize(
    "answer",
    [
        http.Response(500, b""),
        http.Response(200, b"nonsense"),
        http.Response(200, b'{"codes": 5}'),
        http.Response(200, b'{"codes": []}'),
    ],
)
def test_a_shop_that_gives_no_codes_is_told_of_on_the_offer_and_asked_again(monkeypatch, answer):
    monkeypatch.setattr(http, "request", lambda *args, **named: answer)
    shop = offer(
        code_source="campaigns.from_shop", code_params={"url": "https://shop.test/codes"}, keep_ready=5
    )
    assert pool.top_up(AT, Budget(5)) == 0
    shop.refresh_from_db()
    assert shop.source_problem and shop.source_problem_at == AT
    good = http.Response(200, b'{"codes": ["GOOD-1"]}')
    monkeypatch.setattr(http, "request", lambda *args, **named: good)
    assert pool.top_up(AT, Budget(5)) == 1
    shop.refresh_from_db()
    assert shop.source_problem == ""


def test_a_code_is_held_by_one_person_until_it_is_used_or_given_back(ana):
    spring = offer(good_for_hours=48, ends_at=AT + 30 * DAY)
    codes(spring, 1)
    message, refused = give(spring, ana)
    coupon = held(message)
    assert refused is None
    assert (coupon.state, coupon.contact_id, coupon.reserved_at) == ("reserved", ana.pk, AT)
    assert coupon.expires_at == AT + 48 * HOUR
    boris = mailing.people(1, mailing.campaign().purpose, first=2)[0]
    _, refused = give(spring, boris)
    assert refused.reason == "no_coupon"


def test_what_was_asked_for_and_did_not_come_about_takes_no_code(ana):
    spring = offer()
    codes(spring, 1)
    with pytest.raises(RuntimeError), transaction.atomic():
        give(spring, ana)
        raise RuntimeError
    assert spring.coupons.get().state == "free"


def along(message, *states, **last):
    for state in states:
        Delivery.objects.filter(pk=message.pk).update(state=state, **(last if state == states[-1] else {}))


@pytest.mark.parametrize(
    ("states", "attempt", "then"),
    [
        ((), None, "reserved"),
        (("claimed",), None, "reserved"),
        (("claimed", "skipped"), None, "free"),
        (("claimed", "suppressed"), None, "free"),
        (("claimed", "sending", "failed"), "refused", "free"),
        (("claimed", "sending", "queued", "claimed", "skipped"), "deferred", "free"),
        (("claimed", "sending", "sent"), "sent", "shown"),
        (("claimed", "sending", "unknown"), "unknown", "shown"),
        (("claimed", "sending", "unknown", "failed"), "by_failed", "shown"),
        (("claimed", "sending", "unknown", "queued", "claimed", "skipped"), "by_queued", "shown"),
        (("claimed", "sending", "unknown", "failed"), "", "shown"),
    ],
)
def test_a_code_goes_back_unless_somebody_may_have_seen_it(ana, states, attempt, then):
    spring = offer()
    codes(spring, 1)
    message, _ = give(spring, ana)
    if attempt is not None:
        DeliveryAttempt.objects.create(delivery=message, lease_token=1, fenced_at=AT, result=attempt)
    along(message, *states)
    upkeep.settle(AT + HOUR)
    coupon = spring.coupons.get()
    assert coupon.state == then
    assert coupon.contact_id == (None if then == "free" else ana.pk)
    assert held(message) == (None if then == "free" else coupon)


def test_a_hold_of_a_message_that_never_was_is_given_back(ana):
    spring = offer()
    codes(spring, 1)
    message, _ = give(spring, ana)
    message.delete()
    assert upkeep.settle(AT) == 1 and spring.coupons.get().state == "free"


def test_a_hold_of_a_shared_code_is_forgotten_when_the_message_does_not_leave(ana):
    everyone = offer(codes="shared", shared_code="EVERYONE")
    message, _ = give(everyone, ana)
    assert held(message).code == "EVERYONE"
    along(message, "claimed", "skipped")
    upkeep.settle(AT)
    assert not everyone.coupons.exists()


def test_what_was_paid_with_is_learned_from_orders_in_any_case_of_letters(ana):
    spring, everyone = offer(), offer("All", codes="shared", shared_code="Everyone")
    codes(spring, 2)
    message, _ = give(spring, ana)
    shared, _ = give(everyone, ana, AT - DAY)
    bought(ana, product(), AT + HOUR, coupon_code=f" {held(message).code.lower()} ")
    boris = mailing.people(1, mailing.campaign().purpose, first=2)[0]
    bought(boris, product(), AT + HOUR, coupon_code="EVERYONE")
    assert upkeep.learn_used(AT + 2 * HOUR, AT) == 1
    used = held(message)
    assert (used.state, used.used_at) == ("used", AT + HOUR) and used.order_id
    assert held(shared).state == "reserved"
    bought(ana, product(), AT + 3 * HOUR, coupon_code="EVERYONE")
    assert upkeep.learn_used(AT + 4 * HOUR, AT) == 1
    assert held(shared).state == "used"
    assert upkeep.learn_used(AT + 5 * HOUR, AT) == 0


def test_a_code_that_somebody_used_unasked_is_never_given_to_anybody(ana):
    spring = offer()
    codes(spring, 1)
    bought(ana, product(), AT + HOUR, coupon_code="SPRING-0000")
    bought(ana, product(), AT + 2 * HOUR, status="cancelled", coupon_code="SPRING-0000")
    upkeep.learn_used(AT + 3 * HOUR, AT)
    assert spring.coupons.get().state == "used"
    boris = mailing.people(1, mailing.campaign().purpose, first=2)[0]
    assert give(spring, boris)[1].reason == "no_coupon"


def test_codes_expire_by_their_own_end_and_by_what_was_promised(ana):
    spring = offer(good_for_hours=24)
    codes(spring, 1)
    Coupon.objects.create(offer=spring, code="OLD-1", good_until=AT, expires_at=AT, created_at=AT)
    message, _ = give(spring, ana)
    assert upkeep.expire(AT) == 1
    assert upkeep.expire(AT + timedelta(hours=23)) == 0
    assert upkeep.expire(AT + DAY) == 1
    assert (held(message).state, held(message).expired_at) == ("expired", AT + DAY)


def test_the_database_itself_keeps_a_code_from_two_holders():
    spring = offer()
    codes(spring, 1)
    other = offer("Other")
    with pytest.raises(Exception, match="one_row_a_single_code"), transaction.atomic():
        Coupon.objects.create(offer=other, code="spring-0000", created_at=AT)
    with pytest.raises(Exception, match="a_held_coupon_is_somebodys"), transaction.atomic():
        spring.coupons.update(state="reserved")
    with pytest.raises(Exception, match="offer_is_worth_something"), transaction.atomic():
        offer("Nothing", value=Decimal(0))
    assert Offer.objects.count() == 2
