"""The page of a person asks only what knows something of them, and brings what is far below later."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.kernel import clock, panels
from tests import office

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with clock.frozen(office.NOW):
        yield


def page(contact) -> str:
    return reverse("admin:crm_contact_change", args=[contact.pk])


def panel(contact, key) -> str:
    return reverse("admin:crm_contact_panel", args=[contact.pk, key])


def test_of_tables_that_know_nothing_of_somebody_no_query_asks(ada):
    office.set_up_shop()
    bo = office.person("bo@shop-customers.example", first_name="Bo")
    ada.get(page(bo))  # What is written once a process is written now.
    with CaptureQueriesContext(connection) as asked:
        ada.get(page(bo))
    told = [query["sql"] for query in asked]
    for table in ("crm_note", "crm_order", "tracking_cart", "crm_lead", "campaigns_coupon", "crm_merging"):
        assert [sql for sql in told if f'FROM "{table}"' in sql] == [
            sql for sql in told if sql.startswith("SELECT EXISTS") and f'FROM "{table}"' in sql
        ]
    assert len(told) <= 28


def test_a_card_far_below_comes_when_somebody_gets_to_see_it(ada, vera, sten):
    office.set_up_shop()
    ana = office.person()
    address = panel(ana, "campaigns.would_show")
    assert f'hx-get="{address}" hx-trigger="intersect once"' in ada.get(page(ana)).content.decode()
    for client, status in ((ada, 200), (vera, 200), (sten, 403)):
        assert client.get(address).status_code == status
    assert panels.panels.get("campaigns.would_show").none in ada.get(address).content.decode()
    for strange in ("crm.tasks", "no.such"):
        assert ada.get(panel(ana, strange)).status_code == 404
    assert ada.post(address).status_code == 405
