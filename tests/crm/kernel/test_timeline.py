"""Pages of the timeline: newest first, nothing twice, nothing lost, also where things share an instant."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.kernel import timeline
from crm.kernel.timeline import Cursor, Entry, Source

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Joined(Source):
    """Users of a surname, by when they joined."""

    key = "test.joined"
    label = "Joined"
    kinds = {"joined": "Joined", "staff": "Staff"}
    column = "date_joined"
    usual = True

    def page(self, contact_id, before, limit, kinds=None, search=None):
        rows = User.objects.filter(last_name=contact_id, **{f"{self.column}__isnull": False})
        if kinds is not None and "staff" not in kinds:
            rows = rows.filter(is_staff=False)
        if kinds is not None and "joined" not in kinds:
            rows = rows.filter(is_staff=True)
        return [
            Entry(
                getattr(row, self.column),
                self.key,
                str(row.pk),
                "staff" if row.is_staff else "joined",
                row.username,
            )
            for row in self.below(rows, before, at=self.column)[:limit]
        ]


class Seen(Joined):
    """The same users, by when they were last seen."""

    key = "test.seen"
    label = "Seen"
    kinds = {"seen": "Seen"}
    column = "last_login"

    def page(self, contact_id, before, limit, kinds=None, search=None):
        return super().page(contact_id, before, limit)


@pytest.fixture(autouse=True)
def known_sources(monkeypatch):
    monkeypatch.setattr(timeline.sources, "_kinds", {})
    with ExitStack() as stack:
        stack.enter_context(timeline.sources.temporarily(Joined))
        stack.enter_context(timeline.sources.temporarily(Seen))
        yield


minutes = st.integers(0, 4)


@pytest.mark.proof
@settings(max_examples=60)
@given(rows=st.lists(st.tuples(minutes, minutes | st.none()), max_size=15), limit=st.integers(1, 7))
def test_pages_together_are_the_whole_history_in_order_whatever_ties_there_are(db, rows, limit):
    User.objects.all().delete()
    for number, (joined, seen) in enumerate(rows):
        User.objects.create(
            username=str(number),
            last_name="Ana",
            date_joined=NOON + timedelta(minutes=joined),
            last_login=None if seen is None else NOON + timedelta(minutes=seen),
        )
    whole = timeline.read("Ana", limit=1000)
    assert whole.next is None
    assert len(whole.entries) == len(rows) + sum(seen is not None for _, seen in rows)
    assert [entry.at for entry in whole.entries] == sorted(
        (entry.at for entry in whole.entries), reverse=True
    )

    paged, before = [], None
    while True:
        page = timeline.read("Ana", before, limit)
        paged += page.entries
        assert len(page.entries) <= limit
        if page.next is None:
            break
        before = Cursor.read(str(page.next))
    assert paged == whole.entries


def test_one_query_a_source_and_other_peoples_rows_stay_out(db, django_assert_num_queries):
    User.objects.create(username="a", last_name="Ana", date_joined=NOON, last_login=NOON)
    User.objects.create(username="b", last_name="Boris", date_joined=NOON)
    with django_assert_num_queries(2):
        page = timeline.read("Ana", Cursor(NOON + timedelta(days=1), "test.seen", "9"))
    assert [entry.title for entry in page.entries] == ["a", "a"]


def test_chips_narrow_the_page_and_ask_only_the_sources_that_have_them(db, django_assert_num_queries):
    User.objects.create(username="a", last_name="Ana", date_joined=NOON, last_login=NOON)
    User.objects.create(username="s", last_name="Ana", date_joined=NOON, is_staff=True)
    with django_assert_num_queries(1):
        assert [entry.title for entry in timeline.read("Ana", kinds=["staff"]).entries] == ["s"]
    assert [entry.source for entry in timeline.read("Ana", kinds=["seen"]).entries] == ["test.seen"]
    assert timeline.read("Ana", kinds=[]).entries == []
    assert timeline.kinds() == {"joined": "Joined", "staff": "Staff", "seen": "Seen"}


@pytest.mark.parametrize(
    "text", ["", "x", "~~", "2026-03-01~test.seen~1", f"{NOON.isoformat()}~gone~1", "9~9~9\0"]
)
def test_a_broken_cursor_is_no_cursor(text):
    assert Cursor.read(text) is None


def test_a_key_typed_into_the_address_bar_does_no_harm(db):
    User.objects.create(username="a", last_name="Ana", date_joined=NOON)
    later = NOON + timedelta(minutes=1)
    assert timeline.read("Ana", Cursor(later, "test.joined", "no number")).entries
    assert not timeline.read("Ana", Cursor(NOON, "test.joined", "no number")).entries


def test_a_source_must_have_entries():
    with pytest.raises(NotImplementedError):
        Source().page("Ana", None, 10)
