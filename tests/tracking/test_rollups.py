"""Daily counts and visits are kept up with the events, whatever comes when, and can be made anew."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Contact, Engagement
from crm.people import stirring
from crm.ticking import run_tick
from tests.tracking.browsing import (
    DAY,
    MINE,
    MINUTE,
    NOW,
    OTHER,
    RIGHT,
    SECOND,
    SHOP,
    Told,
    leaf,
    page,
    people,
    product,
    signs_in,
    tell,
)
from tracking import tasks
from tracking.models import DailyCount, Event, InboundEvent, UnrolledMonth, Visit
from tracking.visits import ingest, rollups

pytestmark = pytest.mark.django_db

ONCE = {"times": "1"}


def visits() -> list[tuple[int, int, int]]:
    """Acts, pages and seconds of each, oldest first."""
    return list(Visit.objects.order_by("started_at").values_list("acts", "pages", "seconds"))


def test_a_batch_costs_the_same_number_of_queries_however_many_acts_it_holds() -> None:
    tell(signs_in(NOW - 9 * DAY))
    queries = []
    for number in (3, 30):
        acts = [page(NOW - n * MINUTE, f"/{n}") for n in range(number)]
        acts += [product(NOW - n * DAY, f"p{n}") for n in range(5)]
        InboundEvent.objects.bulk_create([act.row() for act in acts])
        with CaptureQueriesContext(
            connection,
        ) as captured:
            ingest.apply(NOW)
        queries.append(len(captured))
    assert queries[0] == queries[1]
    assert rollups.differences() == RIGHT


def test_half_an_hour_without_an_act_ends_a_visit_and_a_late_act_bridges_it() -> None:
    begin = NOW - 100 * MINUTE
    tell(signs_in(begin), page(begin + 30 * MINUTE - SECOND), page(begin + 60 * MINUTE - SECOND, "/b"))
    assert visits() == [(2, 1, 30 * 60 - 1), (1, 1, 0)]

    tell(Told(MINE, "search", begin + 45 * MINUTE, late=DAY))
    assert visits() == [(4, 2, 60 * 60 - 1)]


def test_browsers_of_one_person_make_visits_of_their_own_and_machines_none() -> None:
    begin = NOW - 50 * MINUTE
    tell(
        signs_in(begin), signs_in(begin, OTHER), page(begin + MINUTE), page(begin + 2 * MINUTE, browser=OTHER)
    )
    tell(Told(MINE, "page", begin + 3 * MINUTE, agent="Googlebot/2.1"))
    assert sorted(visits()) == [(2, 1, 60), (2, 1, 120)]
    assert DailyCount.objects.get(kind="page").number == 2


def test_what_was_done_before_we_knew_them_counts_once_they_are_known() -> None:
    tell(page(NOW - 9 * MINUTE), product(NOW - 8 * MINUTE))
    assert not DailyCount.objects.exists() and not Visit.objects.exists()

    tell(signs_in(NOW - 5 * MINUTE), product(NOW - 4 * MINUTE, category="LAMPS"))
    counts = DailyCount.objects.order_by("kind").values_list("kind", "category", "number")
    assert list(counts) == [("identify", "", 1), ("page", "", 1), ("product", "lamps", 2)]
    assert visits() == [(4, 2, 300)]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/?utm_source=News%20Letter&utm_campaign=Caf%C3%A9+1", ("news letter", "", "café 1", False)),
        ("/?x=1&UTM_SOURCE=Google&utm_medium=cpc", ("google", "cpc", "", True)),
        ("/?gclid=abc", ("", "", "", True)),
        ("/?gclid=&utm_campaign=%FF%00", ("", "", "%ff%00", False)),
        ("/sale", ("", "", "", False)),
    ],
)
def test_a_visit_came_from_where_its_first_page_says(address: str, told: tuple[Any, ...]) -> None:
    begin = NOW - 9 * MINUTE
    later = page(begin + MINUTE, "/next?utm_source=other", referrer="https://other.example/")
    tell(signs_in(begin), later, page(begin, address, referrer="https://www.Search.example:443/?q=x"))
    visit = Visit.objects.get()
    assert (visit.source, visit.medium, visit.campaign, visit.is_ad) == told
    assert visit.referrer == "www.search.example"
    assert (visit.entry_url, visit.exit_url) == (SHOP + address, SHOP + "/next?utm_source=other")


def test_a_page_of_the_shop_itself_sent_nobody() -> None:
    tell(signs_in(NOW - 9 * MINUTE), page(NOW - 9 * MINUTE, "/b", referrer=f"{SHOP}/a"))
    assert Visit.objects.get().referrer == ""


@pytest.fixture
def two_months() -> Callable[[], dict[str, int]]:
    """Acts around the end of October, a visit over midnight among them, and others in November."""
    midnight = datetime(2026, 11, 1, tzinfo=UTC)
    tell(signs_in(midnight - 20 * MINUTE))
    tell(page(midnight - MINUTE), page(midnight + 9 * MINUTE), product(midnight + 5 * DAY), page(NOW))
    return rollups.differences


def test_the_command_makes_them_anew_and_tells_when_they_are_wrong(two_months: Any) -> None:
    kept = visits()
    call_command("rollups", "check", stdout=StringIO())
    DailyCount.objects.filter(kind="page").update(number=9)
    Visit.objects.filter(acts=1).delete()
    with pytest.raises(CommandError, match="6 counts, 2 visits"):
        call_command("rollups", "check")

    call_command("rollups", "rebuild", "--since", "2026-11-05", stdout=StringIO())
    assert two_months()["visits"] == 0
    call_command("rollups", "rebuild", stdout=StringIO())
    assert (two_months(), visits()) == (RIGHT, kept)


def test_until_earlier_months_are_counted_rules_ask_the_history(
    two_months: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "_whole", False)
    DailyCount.objects.all().delete()
    Visit.objects.all().delete()
    UnrolledMonth.objects.bulk_create([UnrolledMonth(month=date(2026, month, 1)) for month in (10, 11)])
    asked = [
        leaf("tracking.did", {"event": "product", "times": "1"}),
        leaf("tracking.visited", {"times": "2"}),
    ]
    assert not rollups.are_whole()
    assert all(people(one, current=True) == people(one, current=False) != set() for one in asked)

    assert run_tick("tracking.rollups", NOW) == 2
    assert tasks and rollups.are_whole() and two_months() == RIGHT
    assert all(people(one, current=True) == people(one, current=False) != set() for one in asked)


def test_counting_people_anew_follows_what_became_of_their_events(two_months: Any) -> None:
    ana = Contact.objects.get()
    boris = Contact.objects.create(first_name="Boris")
    Event.objects.filter(kind="product").update(contact=boris)
    Event.objects.filter(kind="page", occurred_at=NOW).delete()
    mark = stirring.mark()

    rollups.recount([ana.pk, boris.pk])
    assert two_months() == RIGHT
    assert set(stirring.stirred_since(mark).values_list("contact_id", flat=True)) >= {ana.pk, boris.pk}


def test_whoever_is_counted_is_asked_again() -> None:
    tell(signs_in(NOW - 9 * MINUTE))
    mark = stirring.mark()
    Engagement.objects.update(stirred=1)
    tell(Told(MINE, "custom", NOW, details={"name": "quiz"}))
    assert stirring.stirred_since(mark).count() == 1
