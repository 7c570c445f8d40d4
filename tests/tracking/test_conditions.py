"""What rules ask of acts and visits: the words, the evidence, the borders, and what must not be believed."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact, Order, Product, ShopSettings
from crm.people import engagement
from tests.tracking.browsing import (
    BORIS,
    DAY,
    MINE,
    MINUTE,
    NOW,
    OTHER,
    SECOND,
    Told,
    leaf,
    page,
    people,
    product,
    signs_in,
    tell,
)
from tracking.models import DailyCount, Event

pytestmark = pytest.mark.django_db


def who(condition: dict[str, Any], at: datetime = NOW) -> set[str]:
    """Asked of the history and, where that moment is now, of rollups; of everybody, and of named people."""
    rule = {"all": [condition]}
    assert rules.problems(rule) == []
    found = Contact.objects.filter(rules.compile(rule, at))
    names = set(found.values_list("email", flat=True))
    if at == NOW:
        everybody = list(Contact.objects.values_list("pk", flat=True))
        for scope in (Scope(current=True), Scope(current=True, among=everybody), Scope(among=everybody)):
            now = Contact.objects.filter(rules.compile(rule, at, scope))
            assert set(now.values_list("email", flat=True)) == names
    return {name.split("@")[0] for name in names}


def told(condition: dict[str, Any], email: str = "ana@example.com") -> tuple[str, str]:
    person = Contact.objects.filter(email=email)
    explained = rules.explain(person, {"all": [condition]}, NOW, Scope(current=True))
    assert explained and explained.root
    return explained.root.leaves()[0].evidence, explained.change


@pytest.fixture
def ana_and_boris() -> None:
    """Ana looks at lamps on three days, the first time exactly seven days ago; Boris once, a second later."""
    Product.objects.create(external_id="lamp", source="shop", name="Lamp")
    tell(signs_in(NOW - 9 * DAY), signs_in(NOW - 9 * DAY, OTHER, BORIS))
    tell(product(NOW - 7 * DAY, brand="Philips"), product(NOW - 2 * DAY), product(NOW - DAY, "ray"))
    tell(product(NOW - 7 * DAY + SECOND, browser=OTHER))
    tell(Told(MINE, "custom", NOW - DAY, details={"name": "Quiz_Done", "props": {"score": 7, "ok": True}}))


def did(**params: str) -> dict[str, Any]:
    return leaf("tracking.did", {"times": "1", "event": "product"}, params)


def test_a_window_ends_to_the_second(ana_and_boris: None) -> None:
    assert who(did(within_days="7")) == {"ana", "boris"}
    assert who(did(within_days="7", times="3")) == set()
    assert who(did(within_days="8", times="3")) == {"ana"}
    assert who(did(within_days="7", which="exactly", times="2")) == {"ana"}
    assert who(did(within_days="7", which="most", times="1")) == {"boris"}
    assert who(did(within_days="6"), NOW - 1.5 * DAY) == {"ana", "boris"}
    assert who(leaf("tracking.did_not", {"event": "product", "within_days": "6"})) == {"boris"}


def test_acts_are_told_apart_by_goods_page_and_what_they_told(ana_and_boris: None) -> None:
    assert who(did(category="lAMPS", times="3")) == {"ana"}
    assert who(did(brand="philips")) == {"ana"}
    assert who(did(product="Lamp", times="2")) == {"ana"}
    assert who(did(address="/p/RAY")) == {"ana"}
    assert who(did(address="/p/%")) == set()
    assert who(did(told="price", told_is="more", told_value="19.89")) == {"ana", "boris"}
    assert who(did(told="price", told_is="less", told_value="19.90")) == set()
    assert who(did(told="name", told_is="less", told_value="1")) == set()
    assert who(did(event="custom", name="quiz_done", told="score", told_is="is", told_value="7")) == {"ana"}
    assert who(did(event="custom", name="quiz_done", told="ok", told_is="given")) == {"ana"}
    assert who(did(event="custom", name="quiz")) == set()


def test_a_property_is_a_value_and_never_a_part_of_the_statement(ana_and_boris: None) -> None:
    for name in ("price') OR true --", "name__icontains", "category->>'x'", "%s", '"', "a'b"):
        assert who(did(told=name, told_is="contains", told_value="' OR '1'='1")) == set()
        assert who(did(told=name, told_is="given")) == set()


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"event": "custom"}, "name"),
        ({"name": "quiz"}, "name"),
        ({"search_words": "x"}, "search_words"),
        ({"told_value": "x"}, "told"),
        ({"told": "price", "told_is": "more", "told_value": "dear"}, "told_value"),
        ({"told": "price"}, "told_value"),
        ({"product": "gone"}, "product"),
        ({"event": "open"}, "event"),
        ({"within_days": "7", "from_day": "2026-11-01"}, "within_days"),
    ],
)
def test_what_says_nothing_clear_is_refused_where_it_stands(params: dict[str, str], field: str) -> None:
    rule = {"all": [did(**params)]}
    assert [problem.field for problem in rules.problems(rule)] == [field]
    assert not Contact.objects.filter(rules.compile(rule, NOW)).exists()


def test_each_speaks_and_gives_its_evidence(ana_and_boris: None) -> None:
    once = did(within_days="7", category="Lamps", times="4")
    assert rules.sentence({"all": [once]}) == (
        "People who looked at a product in Lamps at least 4 times in the last 7 days."
    )
    evidence, change = told(once)
    assert evidence == "2 times, last on 19 November 2026"
    assert "looked at a product in Lamps 2 times more" in change
    assert told(leaf("tracking.did_not", {"event": "search"}))[0] == "never"
    assert told(leaf("tracking.last_seen", {"which": "within", "days": "3"}))[0].startswith("last here on 19")


def test_visits_are_counted_by_their_sort(ana_and_boris: None) -> None:
    tell(page(NOW - 30 * MINUTE, "/sale?utm_source=News"), page(NOW - 25 * MINUTE, "/b"))
    visited = {"times": "1", "within_days": "1"}
    assert who(leaf("tracking.visited", visited, {"minutes": "5", "pages": "2"})) == {"ana"}
    assert who(leaf("tracking.visited", visited, {"minutes": "6"})) == set()
    assert who(leaf("tracking.visited", {"times": "5", "which": "exactly"})) == {"ana"}
    assert who(leaf("tracking.came_by", visited, {"by": "source", "value": "NEWS"})) == {"ana"}
    assert who(leaf("tracking.entry_or_exit", visited, {"end": "exit_url", "address": "/b"})) == {"ana"}
    assert who(leaf("tracking.time_on_site", {"minutes": "5"})) == {"ana"}
    assert who(leaf("tracking.first_seen", {"within_days": "8"})) == set()
    assert who(leaf("tracking.first_seen", {"within_days": "10"})) == {"ana", "boris"}
    assert told(leaf("tracking.time_on_site", {"minutes": "9"})) == (
        "5 minutes in the shop",
        "It would be in with: 4 more minutes",
    )


def test_an_order_on_the_web_says_they_were_here(ana_and_boris: None) -> None:
    boris = Contact.objects.get(email=BORIS)
    Order.objects.create(
        contact=boris, source="shop", external_id="1", total=1, occurred_at=NOW - DAY, recorded_at=NOW - DAY
    )
    engagement.recount_orders([boris.pk])
    assert who(leaf("tracking.last_seen", {"which": "within", "days": "2"})) == {"ana", "boris"}
    assert who(leaf("tracking.last_seen", {"which": "not_for", "days": "1"})) == {"ana", "boris"}


def test_time_alone_moves_only_whom_drift_names(ana_and_boris: None) -> None:
    since, at = NOW, NOW + timedelta(hours=3)
    for condition in (
        did(within_days="7"),
        did(within_days="7", address="/p/"),
        leaf("tracking.visited", {"times": "1", "within_days": "7"}),
        leaf("tracking.last_seen", {"which": "within", "days": "1"}),
        leaf("tracking.first_seen", {"within_days": "9"}),
    ):
        rule, scope = {"all": [condition]}, Scope(current=True)
        before, after = (set(Contact.objects.filter(rules.compile(rule, t, scope))) for t in (since, at))
        turned = rules.drift(rule, since, at, scope)
        assert turned is not None
        named = {row["contact_id"] for rows in turned for row in rows.values("contact_id")}
        assert {contact.pk for contact in before ^ after} <= named
    assert rules.drift({"all": [did()]}, since, at) == []


def test_who_looked_at_a_category_is_read_from_its_index(ana_and_boris: None) -> None:
    contacts = [Contact(first_name=str(number), created_at=NOW) for number in range(300)]
    Contact.objects.bulk_create(contacts)
    DailyCount.objects.bulk_create(
        DailyCount(
            contact=one, on_day=NOW.date() - timedelta(days=day), kind="product", category=f"c{day}", number=1
        )
        for one in contacts
        for day in range(40)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tracking_dailycount")
    rule = {"all": [did(category="C7", times="3", within_days="30")]}
    plan = Contact.objects.filter(rules.compile(rule, NOW, Scope(current=True))).explain()
    assert "daily_category" in plan
    # Whoever the whole days settle is not asked for their acts.
    assert not re.search(r"Group Key: .*SubPlan", plan)
    assert people(rule["all"][0], current=True) == set()


def test_events_of_before_stay_readable_by_their_old_parameters(ana_and_boris: None) -> None:
    stored = {"event": "product", "times": "2", "category": "Lamps", "within_days": "30"}
    assert who(leaf("tracking.did", stored)) == {"ana"}
    assert Event.objects.get(kind="custom").props == {
        "event": "quiz_done", "score": 7, "ok": True,
    }  # fmt: skip
    assert rules.conditions.get("tracking.did_since_entering").read({"event": "click", "times": "1"})


def test_days_of_the_calendar_are_the_shops(ana_and_boris: None) -> None:
    ShopSettings.objects.update_or_create(pk=1, defaults={"time_zone": "Pacific/Auckland"})
    tell(page(datetime(2026, 11, 18, 10, 59, 59, tzinfo=UTC)), page(datetime(2026, 11, 19, 11, tzinfo=UTC)))
    day = {"times": "1", "event": "page", "from_day": "2026-11-19", "to_day": "2026-11-19"}
    assert who(leaf("tracking.did", day)) == set()
    tell(page(datetime(2026, 11, 18, 11, tzinfo=UTC)))
    assert who(leaf("tracking.did", day)) == {"ana"}
