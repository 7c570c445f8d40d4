"""What people did, as a list: narrowed to one kind by an index, however many events there are."""

import json

import pytest
from django.contrib.admin.sites import site
from django.db import connection
from django.urls import reverse

from tests import office
from tracking.models import Event

pytestmark = pytest.mark.django_db

LIST = "admin:tracking_event_changelist"


@pytest.fixture
def ana():
    office.set_up_shop()
    return office.person()


def test_the_list_is_narrowed_to_one_kind(ada, ana):
    for kind in ("page", "search", "search", "reply"):
        Event.objects.create(contact=ana, kind=kind, occurred_at=office.NOW)
    assert ada.get(reverse(LIST)).context["cl"].result_count == 4
    found = ada.get(reverse(LIST), {"kind__exact": "search"}).context["cl"]
    assert [event.kind for event in found.result_list] == ["search", "search"]
    both = {"kind__exact": "search", "q": office.MAIL}
    assert ada.get(reverse(LIST), both).context["cl"].result_count == 2


def test_a_rare_kind_is_found_by_its_index(ada, ana):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tracking_event (id, contact_id, kind, url, actor, props, occurred_at, recorded_at,"
            " is_backfill) SELECT gen_random_uuid(), %s, CASE n %% 2000 WHEN 0 THEN 'reply' ELSE 'page' END,"
            " '', 'human', '{}', now() - (n %% 60) * interval '1 day', now(), false"
            " FROM generate_series(1, 20000) AS n",
            [ana.pk],
        )
        cursor.execute("ANALYZE tracking_event")
        cursor.execute("SET LOCAL enable_seqscan = off")  # Months without any event are read as one likes.
        request = ada.get(reverse(LIST), {"kind__exact": "reply"}).wsgi_request
        rows = site.get_model_admin(Event).get_queryset(request).filter(kind="reply").order_by("-id")[:50]
        sql, params = rows.query.sql_with_params()
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = json.dumps(cursor.fetchone()[0])
    assert "_kind" in plan and '"Sort"' not in plan


def test_new_months_have_the_index_from_the_start(ana):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tracking_make_partition('2031-05-01')")
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'tracking_event_2031_05'")
        assert any("(kind, id DESC)" in definition for (definition,) in cursor.fetchall())
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'event_kind'::regclass")
        assert cursor.fetchone() == (True,)
