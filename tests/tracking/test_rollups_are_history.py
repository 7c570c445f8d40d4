"""Rules asked of rollups mean the same people as rules asked of the history, whatever came in when."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.kernel.rules.compiling import verdict
from crm.models import Contact, Product
from tests.tracking.browsing import (
    ANA,
    BORIS,
    DAY,
    MINE,
    MINUTE,
    NOW,
    OTHER,
    RIGHT,
    SECOND,
    SHOP,
    THIRD,
    Told,
    leaf,
    page,
    people,
    product,
    signs_in,
    tell,
)
from tracking.visits import rollups

pytestmark = pytest.mark.django_db

# Around now, around the borders of days, and around those of the windows that rules ask for: to the second,
# and on the same day but before.
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
MOMENTS = st.one_of(
    st.builds(lambda minutes: NOW - minutes * MINUTE, st.integers(1, 120)),
    st.builds(
        lambda days, seconds: NOW - days * DAY + seconds * SECOND,
        st.sampled_from([1, 2, 7]),
        st.sampled_from([-7 * 3600, -60, -1, 0, 1, 3600]),
    ),
    st.builds(
        lambda days, seconds: MIDNIGHT - days * DAY + seconds * SECOND,
        st.sampled_from([0, 1, 2, 7]),
        st.integers(-1800, 1800),
    ),
)
# Most by one, so that acts meet.
BROWSERS = st.sampled_from([MINE, MINE, MINE, MINE, OTHER, THIRD])
SENT_BY = st.sampled_from(["https://www.google.com/", SHOP])
ADDRESSES = st.sampled_from(["/", "/sale", "/sale?utm_source=News%20letter&utm_medium=cpc", "/?gclid=x1"])
DOINGS = st.one_of(
    st.builds(page, MOMENTS, ADDRESSES, BROWSERS, referrer=SENT_BY),
    st.builds(
        product,
        MOMENTS,
        st.sampled_from(["lamp", "ray"]),
        BROWSERS,
        category=st.sampled_from(["Lamps", "LAMPS", "Öfen", ""]),
        brand=st.sampled_from(["Philips", ""]),
    ),
    st.builds(Told, BROWSERS, st.just("search"), MOMENTS, details=st.just({"query": "Valves"})),
    st.builds(
        Told, BROWSERS, st.just("custom"), MOMENTS, details=st.just({"name": "quiz", "props": {"score": 7}})
    ),
    st.builds(Told, BROWSERS, st.just("page"), MOMENTS, agent=st.just("curl/8")),
)
LATE = st.sampled_from([timedelta(), 40 * MINUTE, 3 * DAY])
HISTORIES = st.lists(st.tuples(DOINGS, LATE), min_size=6, max_size=16)
SIGNED = st.lists(st.builds(signs_in, MOMENTS, BROWSERS, st.sampled_from([ANA, BORIS])), max_size=3)

OFTEN = {
    "times": st.sampled_from(["1", "2", "3"]),
    "which": st.sampled_from(["least", "most", "exactly"]),
}
SPANS = st.sampled_from(
    [
        {},
        {"within_days": "1"},
        {"within_days": "2"},
        {"within_days": "7"},
        {"from_day": "2026-11-13", "to_day": "2026-11-19"},
        {"from_day": "2026-11-19"},
        {"to_day": "2026-11-20"},
    ]
)
LAST_DAYS = st.sampled_from([{"within_days": str(days)} for days in (1, 2, 7)])
COUNTED = st.sampled_from(
    [{"event": "page"}, {"event": "product"}, {"event": "product", "category": "lamps"}]
)
SORTS = st.sampled_from(
    [
        {"event": "page"},
        {"event": "page", "address": "sale"},
        {"event": "product"},
        {"event": "product", "category": "lamps"},
        {"event": "product", "category": "öfen", "brand": "PHILIPS"},
        {"event": "product", "product": "Lamp"},
        {"event": "product", "told": "price", "told_is": "more", "told_value": "19.5"},
        {"event": "search", "search_words": "valve"},
        {"event": "custom", "name": "quiz"},
        {"event": "custom", "name": "quiz", "told": "score", "told_is": "less", "told_value": "8"},
    ]
)
VISITS = st.sampled_from(
    [
        ("tracking.visited", {}),
        ("tracking.visited", {"pages": "2", "minutes": "1"}),
        ("tracking.came_by", {"by": "source", "value": "news letter"}),
        ("tracking.came_by", {"by": "referrer", "value": "google"}),
        ("tracking.came_by", {"by": "ad"}),
        ("tracking.entry_or_exit", {"end": "exit_url", "address": "/sale"}),
    ]
)


CONDITIONS = st.one_of(
    st.builds(leaf, st.just("tracking.did"), SORTS, SPANS, st.fixed_dictionaries(OFTEN)),
    st.builds(leaf, st.just("tracking.did"), COUNTED, LAST_DAYS, st.fixed_dictionaries(OFTEN)),
    st.builds(leaf, st.just("tracking.did_not"), SORTS, SPANS),
    st.builds(
        lambda visit, span, often: leaf(visit[0], visit[1], span, often),
        VISITS,
        SPANS,
        st.fixed_dictionaries(OFTEN),
    ),
    st.builds(leaf, st.just("tracking.time_on_site"), SPANS, st.just({"minutes": "2"})),
    st.builds(leaf, st.just("tracking.first_seen"), SPANS),
    st.builds(
        lambda which, days: leaf("tracking.last_seen", {"which": which, "days": days}),
        st.sampled_from(["within", "not_for"]),
        st.sampled_from(["1", "2", "7"]),
    ),
)


@contextmanager
def nothing_left() -> Iterator[None]:
    """Examples of one test leave nothing to each other."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.proof
@given(st.data())
@settings(
    max_examples=15,
    # Not made smaller where it fails: each example is a batch or more through the whole of ingest.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_rollup_and_history_are_one(db: None, data: st.DataObject) -> None:
    acts = [Told(**{**vars(act), "late": late}) for act, late in data.draw(HISTORIES)]
    acts += [signs_in(NOW - 9 * DAY), *data.draw(SIGNED)]
    told = data.draw(st.permutations(acts + data.draw(st.lists(st.sampled_from(acts), max_size=3))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=3)))
    asked = data.draw(st.lists(CONDITIONS, min_size=30, max_size=30))
    with nothing_left():
        Product.objects.create(external_id="lamp", source="shop", name="Lamp")
        for first, last in zip([0, *cuts], [*cuts, len(told)], strict=True):
            tell(*told[first:last])

        assert rollups.differences() == RIGHT
        now, history = (of_each(asked, current=current) for current in (True, False))
        assert now == history
        for op in ("all", "none"):
            assert people(asked[0], current=True, op=op) == people(asked[0], current=False, op=op)


def of_each(asked: list[dict[str, Any]], *, current: bool) -> dict[str, set[Any]]:
    """Whom each condition means, by one question."""
    scope = Scope(current=current)
    each = {
        f"v{place}": verdict(rules.compile({"all": [one]}, NOW, scope)) for place, one in enumerate(asked)
    }
    rows = list(Contact.objects.annotate(**each).values("pk", *each))
    return {str(one): {row["pk"] for row in rows if row[f"v{place}"]} for place, one in enumerate(asked)}
