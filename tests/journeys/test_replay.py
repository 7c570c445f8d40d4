"""Recorded people of a real shop: what arrives equals a plain count of the file, to person and minute."""

import ast
import sys
from pathlib import Path

import pytest

from config.simulate import clickstream, independent, stage
from tracking.models import DailyCount
from tracking.visits import rollups

DAY, MINUTE = independent.DAY, independent.MINUTE
RECORDED = (
    Path(__file__).resolve().parents[3]
    / "shared"
    / "data"
    / "clickstream"
    / "taobao_user_behavior_600_users.csv"
)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded clickstream is not on this machine")
@pytest.mark.django_db(transaction=True)
def test_a_slice_of_the_recording():
    report = stage.run(RECORDED, people=8)
    assert report.is_equal, "\n".join(report.lines())
    assert report.messages == report.expected > 5
    assert DailyCount.objects.exists() and rollups.differences() == {"counts": 0, "visits": 0}


def test_the_independent_count_knows_nothing_of_the_program():
    tree = ast.parse(Path(independent.__file__).read_text())
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert named <= sys.stdlib_module_names | {"collections.abc"}


def test_a_purchase_before_the_delay_is_over_leaves_no_cart():
    assert _dues([("1", 0, "cart"), ("1", 479, "buy")]) == []
    assert _dues([("1", 0, "cart"), ("1", 481, "buy")]) == [480]


def test_coming_back_begins_the_delay_anew():
    assert _dues([("1", 0, "cart"), ("1", 480, "pv")]) == [960]
    assert _dues([("1", 0, "cart"), ("1", 481, "pv")]) == [480]


def test_whoever_is_back_when_somebody_looks_has_not_left():
    rows = [("1", 0, "cart"), ("1", 485, "pv")]
    assert _dues(rows) == [480]
    assert [(left.due, left.sent) for left in independent.count(rows, looked_every=50)] == [(965, 1000)]


def test_one_message_in_a_week_and_only_after_a_change_of_the_cart():
    looked = [("1", 0, "cart"), ("1", 8 * DAY, "pv")]
    assert _dues(looked) == [480]
    assert _dues([*looked, ("1", 9 * DAY, "cart")]) == [480, 9 * DAY + 480]
    assert _dues([("1", 0, "cart"), ("1", 6 * DAY, "cart")]) == [480]
    assert _dues([("1", 0, "cart"), ("1", 6 * DAY, "cart"), ("1", 8 * DAY, "pv")]) == [480, 8 * DAY + 480]


def test_a_purchase_lets_the_next_cart_be_written_about_at_once():
    rows = [("1", 0, "cart"), ("1", DAY, "buy"), ("1", DAY + MINUTE, "cart")]
    assert _dues(rows) == [480, DAY + MINUTE + 480]


def test_a_forgotten_cart_is_not_written_about():
    assert _dues([("1", 0, "cart"), ("1", 60, "pv"), ("1", 31 * DAY, "pv")]) == [540]
    assert _dues([("1", 0, "cart"), ("1", DAY, "buy"), ("1", 31 * DAY, "pv")]) == [480]


def test_the_shop_tells_a_cart_whole_and_empties_it_by_a_purchase():
    acts = [
        clickstream.Act("1", item, "9", kind, at)
        for item, kind, at in [
            ("a", "cart", 0),
            ("b", "cart", 1),
            ("a", "buy", 2),
            ("c", "buy", 2),
            ("d", "cart", 3),
        ]
    ]
    told = list(clickstream.Shop("ingest", "signing").tell(acts))
    first, order, second = told
    assert [event["t"] for event in first.body["e"]] == ["identify", "cart", "cart"]
    assert [line["product_id"] for line in first.body["e"][-1]["p"]["lines"]] == ["a", "b"]
    assert order.body["cart_token"] == first.body["e"][-1]["p"]["token"]
    assert len(order.body["lines"]) == 2
    cart = second.body["e"][-1]["p"]
    assert [line["product_id"] for line in cart["lines"]] == ["d"]
    assert cart["token"] != order.body["cart_token"]


def _dues(rows):
    return [left.due for left in independent.count(rows)]
