"""Rollups are what counting the history gives, however it came in."""

import pytest

from tests.tracking.test_ingest import Browser, apply
from tracking.models import DailyCount, Visit
from tracking.visits import rollups

pytestmark = pytest.mark.django_db


def test_x():
    b = Browser()
    b.does("page", 0)
    b.does("product", 1, product_id="lamp", name="L", category="LAMPS")
    apply()
    b.signs_in(2)
    b.does("product", 40, product_id="lamp", name="L", category="LAMPS")
    apply()
    print(list(DailyCount.objects.values()))
    print(list(Visit.objects.values()))
    assert rollups.differences() == {"counts": 0, "visits": 0}
    b.does("page", 20)
    apply()
    print(list(Visit.objects.values()))
    assert rollups.differences() == {"counts": 0, "visits": 0}
