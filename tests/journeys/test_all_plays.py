"""Recorded people in a shop with every play on. Whatever comes together: one offer a day, the limits, the
night, the order of the plays, nothing to buyers, nothing that is sold out. Judged from outside.
"""

import ast
import sys
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from campaigns.flows.kinds import playbooks
from config.simulate.plays import judge, notes, raw, shelf, stage
from config.simulate.plays.notes import Letter, Limits, Notes, Play, Recorded

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CLICKSTREAM = DATA / "clickstream" / "taobao_user_behavior_600_users.csv"
INVOICES = DATA / "transactions" / "online_retail_2010-12_to_2011-06.csv.gz"
HOUR, DAY = 3600, 86_400
NOON = int(datetime(2017, 11, 27, 12, tzinfo=UTC).timestamp())
PLAYS = {
    "abandoned_cart": (30, "cart_recovery"),
    "browsed_and_left": (40, "product_reminder"),
    "back_in_stock": (12, "back_in_stock"),
    "welcome": (10, "newsletter"),
    "broadcast": (80, "newsletter"),
    "post_purchase": (20, "newsletter"),
}

recorded = pytest.mark.skipif(not CLICKSTREAM.exists(), reason="the recordings are not on this machine")


@recorded
@pytest.mark.chaos
@pytest.mark.django_db(transaction=True)
def test_a_slice_of_the_clickstream_with_all_plays_on():
    outcome = stage.run("taobao", CLICKSTREAM, people=6, rest_days=1, every=DAY)
    assert outcome.is_well, "\n".join(outcome.lines())
    assert {f"campaigns.{play.key}" for play in outcome.plays} == {play.key for play in playbooks}
    assert outcome.table.messages > 5
    assert outcome.verdict.asked["no message to a buyer"] > 3


@recorded
@pytest.mark.chaos
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "path"), [("taobao", CLICKSTREAM), ("retail", INVOICES)])
def test_all_recorded_people_with_all_plays_on(kind, path):
    outcome = stage.run(kind, path)
    assert outcome.is_well, "\n".join(outcome.lines())
    assert outcome.table.messages > 1000
    assert min(outcome.verdict.asked.values()) > 50


@pytest.mark.parametrize("module", [judge, notes, raw])
def test_the_judge_knows_nothing_of_the_program(module):
    tree = ast.parse(Path(module.__file__).read_text())
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert named <= sys.stdlib_module_names | {"collections.abc", "email.message", notes.__name__}


def test_two_letters_that_break_nothing():
    assert broken(letter("welcome", 0), letter("broadcast", 2 * DAY)) == {}


def test_two_offers_on_one_local_day_are_found_and_on_two_days_are_none():
    gives = "Your code: HELLO-7KQ2-MX9D-4HJPW"
    other = "Your code: HELLO-AAAA-BBBB-CCCCC"
    late = NOON + 11 * HOUR  # 23:00 in London, where they live
    assert "one offer a local day" in broken(
        letter("welcome", 0, gives), letter("broadcast", 21 * HOUR, other, at=late)
    )
    assert "one offer a local day" not in broken(
        letter("welcome", 0, gives), letter("broadcast", 21 * HOUR, other)
    )


def test_a_code_that_two_people_have_is_found():
    gives = "Your code: HELLO-7KQ2-MX9D-4HJPW"
    assert broken(letter("welcome", 0, gives), letter("welcome", 0, gives, person="2")) == {
        "a code of their own": 1
    }


def test_a_second_letter_within_twenty_hours_is_found_but_the_first_about_a_cart_may_leave():
    assert broken(letter("welcome", 0), letter("broadcast", 19 * HOUR, at=NOON + 5 * HOUR)) == {
        "frequency limits": 1
    }
    did = [("1", NOON + 4 * HOUR, "cart", "7")]
    cart = letter("abandoned_cart", 5 * HOUR, subject="Still in your cart: Item 7")
    assert broken(letter("welcome", 0), cart, did=did) == {}
    assert broken(letter("welcome", 0), letter("abandoned_cart", 5 * HOUR), did=did) == {
        "frequency limits": 1
    }
    assert broken(letter("broadcast", 0), letter("back_in_stock", 5 * HOUR)) == {}, "they asked for it"


def test_a_letter_at_night_is_found_unless_it_answers_a_visit_of_a_moment_ago():
    night = NOON + 10 * HOUR
    assert broken(letter("broadcast", 0, at=night)) == {"quiet hours": 1}
    cart = letter("abandoned_cart", 0, at=night, subject="Still in your cart")
    assert broken(cart, did=[("1", night - 600, "cart", "7")]) == {}
    assert broken(cart, did=[("1", night - 3600, "cart", "7")]) == {"quiet hours": 1}


def test_a_letter_to_a_buyer_is_found():
    did = [("1", NOON - HOUR, "cart", "7")]
    cart = letter("abandoned_cart", 0, subject="Still in your cart")
    assert broken(cart, did=did, bought=[("1", NOON - 2 * HOUR, ("7",))]) == {}
    assert broken(cart, did=did, bought=[("1", NOON - 1, ("9",))]) == {"no message to a buyer": 1}
    assert broken(letter("broadcast", 0), bought=[("1", NOON - 2 * DAY, ("9",))]) == {
        "no message to a buyer": 1
    }
    assert broken(letter("broadcast", 0), bought=[("1", NOON - 4 * DAY, ("9",))]) == {}


def test_a_product_that_is_sold_out_at_that_moment_is_found():
    gone, back = (NOON - HOUR, False), (NOON - 60, True)
    about = letter("back_in_stock", 0, "Item 7 is back")
    assert broken(about, stock={"7": [gone, back]}) == {}
    assert broken(about, stock={"7": [gone]}) == {"nothing sold out": 1}
    assert broken(about, stock={"7": [gone, back, (NOON - 1, False)]}) == {"nothing sold out": 1}
    marked = letter("broadcast", 0, "1 × Item 7: €5 (sold out for now)")
    assert broken(marked, stock={"7": [gone]}) == {}
    assert broken(marked, stock={"7": [gone, back]}) == {"nothing sold out": 1}


def test_a_letter_nobody_agreed_to_or_that_was_stopped_is_found():
    assert broken(letter("back_in_stock", 0), agreed={"newsletter"}) == {"only what they agreed to": 1}
    assert broken(letter("broadcast", 0), stopped={("1", "newsletter"): NOON - 5}) == {
        "only what they agreed to": 1
    }


def test_a_letter_that_went_before_a_better_one_that_was_due_is_found():
    order = [("1", NOON - 5 * DAY, ("7",))]
    arrived = letter("post_purchase", DAY - HOUR, subject="Has everything arrived?")
    assert broken(letter("broadcast", 0), arrived, bought=order) == {"priority": 1}
    assert (
        broken(letter("broadcast", 0), arrived, bought=[("1", NOON - 4 * DAY + HOUR, ("7",))])["priority"]
        == 0
    )


def test_the_first_letter_of_a_run_is_not_due_by_what_came_of_an_earlier_one():
    earlier, arrived = (
        letter("post_purchase", at, subject="Has everything arrived?") for at in (-10 * DAY, DAY)
    )
    order = [("1", NOON - 4 * DAY + HOUR, ("7",))]
    assert broken(earlier, letter("broadcast", 0), arrived, bought=order)["priority"] == 0
    review = letter("post_purchase", DAY, subject="How is it?")
    assert broken(earlier, letter("broadcast", 0), review)["priority"] == 1


def test_goods_run_out_and_come_back_the_same_way_each_time():
    items = [str(number) for number in range(400)]
    changes = list(shelf.sold_out(items, 0, 30 * DAY))
    assert changes == list(shelf.sold_out(items, 0, 30 * DAY))
    gone = [change.item for change in changes if change.can_be_bought is False]
    assert 60 < len(set(gone)) < 140 and len(gone) > len(set(gone)), "some run out again"
    last = {change.item: change.can_be_bought for change in sorted(changes, key=lambda one: one.at)}
    assert all(last.values())


def letter(play, after, words="Hello.", *, at=None, subject="News", person="1"):
    message = EmailMessage()
    at = NOON + after if at is None else at
    message["From"], message["Subject"] = f"{play}@shop.example.com", subject
    message["Message-ID"] = f"<{play}-{person}-{at}@shop.example.com>"
    message.set_content(words)
    return Letter(f"user{person}@example.com", at, message.as_bytes())


def broken(*letters, did=(), bought=(), stock=None, agreed=None, stopped=None):
    said = Notes(
        zone="Europe/London",
        limits=Limits(((20 * HOUR, 1), (7 * DAY, 4)), 9, 20, 1800, 1),
        code_prefixes=("HELLO",),
    )
    said.plays = [
        Play(key, key, priority, purpose, f"{key}@shop.example.com")
        for key, (priority, purpose) in PLAYS.items()
    ]
    purposes = agreed or {purpose for _, purpose in PLAYS.values()}
    said.agreed = dict.fromkeys(("1", "2"), (NOON - 60 * DAY, purposes))
    said.stopped = stopped or {}
    said.stock = stock or {}
    return judge.judge(list(letters), said, Recorded.of(bought, did)).broken()
