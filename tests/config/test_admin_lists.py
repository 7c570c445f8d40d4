"""Lists and pages of the admin cost a fixed number of queries, and no list counts a large table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Decision
from crm.kernel import clock
from crm.kernel.backoffice import EstimatedPaginator
from crm.models import Company, Contact, PersonRequest, Segment, ServerKey, Task
from tests import office
from tracking.models import Event, InboundEvent

LISTS = [
    "crm_contact",
    "crm_order",
    "crm_product",
    "crm_company",
    "crm_segment",
    "crm_lead",
    "crm_leaddefinition",
    "crm_task",
    "crm_personrequest",
    "crm_serverkey",
    "crm_consentevent",
    "crm_suppression",
    "tracking_cart",
    "tracking_event",
    "tracking_inboundevent",
    "campaigns_campaign",
    "campaigns_template",
    "campaigns_sender",
    "campaigns_offer",
    "campaigns_coupon",
    "campaigns_delivery",
    "campaigns_decision",
    "campaigns_enrolment",
]


def more(world: office.World, number: int) -> None:
    """Another of everything."""
    contact = office.person(f"more{number}@shop-customers.example", first_name=f"More {number}")
    thing = office.product(100 + number)
    about = office.cart(contact, thing)
    office.order(contact, thing, number=100 + number)
    campaign = office.draft()
    office.delivery(campaign, contact, about, number=number)
    office.sender(is_default=False)
    office.offer(f"Offer {number}", 1 + number)
    Segment.objects.create(name=f"Segment {number}")
    office.lead(contact, office.definition(f"Definition {number}"))
    Task.objects.create(contact=contact, title=f"Task {number}")
    PersonRequest.objects.create(
        contact=contact, kind="crm.erase", recorded_by="ada", due_at=clock.now() + timedelta(days=31)
    )
    Company.objects.create(name=f"Company {number}")
    ServerKey.objects.create(name=f"Key {number}", prefix="sk_x", sha256=bytes([number]) * 32)
    InboundEvent.objects.create(source="collect", body={"n": number})
    Event.objects.create(contact=contact, kind="page", occurred_at=office.NOW, recorded_at=office.NOW)


def cost(client, url: str) -> int:
    client.get(url)  # What is looked up once a process is looked up now.
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200, url
    return len(queries)


@pytest.mark.proof
def test_a_list_costs_the_same_whatever_stands_in_it(world, ada):
    urls = [reverse(f"admin:{name}_changelist") for name in LISTS]
    ada.get(reverse("admin:index"))
    before = {url: cost(ada, url) for url in urls}
    for number in range(1, 5):
        more(world, number)
    after = {url: cost(ada, url) for url in urls}
    assert after == before
    assert max(after.values()) <= 16


def test_the_page_of_a_person_costs_the_same_whatever_happened_to_them(world, ada):
    url = reverse("admin:crm_contact_change", args=[world.contact.pk])
    for number in range(1, 60):
        if number == 2:
            before = cost(ada, url)  # A table that knows nothing of somebody is asked for nothing.
        at = office.NOW - timedelta(hours=number)
        office.order(world.contact, world.product, number=number + 50, at=at)
        Event.objects.create(contact=world.contact, kind="page", occurred_at=at, recorded_at=at)
        Decision.objects.create(contact=world.contact, verdict="skipped", words="Late.", decided_at=at)
        office.cart(world.contact, world.product, at=at, state="bought")
    assert cost(ada, url) == before <= 42


@pytest.mark.parametrize("page", ["home", "campaign", "delivery", "template"])
def test_pages_cost_the_same_whatever_there_is(world, ada, page):
    url = {
        "home": reverse("admin:index"),
        "campaign": reverse("admin:campaigns_campaign_change", args=[world.campaign.pk]),
        "delivery": reverse("admin:campaigns_delivery_change", args=[world.delivery.pk]),
        "template": reverse("admin:campaigns_template_change", args=[world.delivery.template_id]),
    }[page]
    before = cost(ada, url)
    for number in range(1, 4):
        more(world, number)
    assert cost(ada, url) == before


def test_large_tables_are_estimated_not_counted(world, ada, monkeypatch):
    monkeypatch.setattr(EstimatedPaginator, "worth_counting", -1)
    for name in ("crm_contact", "campaigns_delivery", "tracking_cart", "tracking_inboundevent", "crm_order"):
        with CaptureQueriesContext(connection) as queries:
            assert ada.get(reverse(f"admin:{name}_changelist")).status_code == 200
        counted = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
        assert counted == [], name


SEARCHES = [
    ("crm_contact", {"country": "PT"}),
    ("crm_contact", {"source": "test"}),
    ("crm_order", {"q": "R-1"}),
    ("crm_order", {"status__exact": "refunded"}),
    ("tracking_cart", {"q": "t-1"}),
    ("tracking_cart", {"state__exact": "bought"}),
    ("tracking_inboundevent", {"state__exact": "parked"}),
    ("campaigns_delivery", {"state__exact": "unknown"}),
    ("campaigns_delivery", {"reason": "purchased"}),
    ("campaigns_decision", {"verdict__exact": "failed"}),
    ("campaigns_coupon", {"q": "code-0001"}),
]


@pytest.mark.parametrize("name, query", SEARCHES)
def test_searches_and_filters_have_an_index_to_look_into(world, ada, name, query):
    rows = ada.get(reverse(f"admin:{name}_changelist"), query).context["cl"].queryset
    assert "Seq Scan" not in plan_of(rows)


def test_names_are_found_through_an_index_by_how_they_begin(world):
    names = Q(first_name__istartswith="ana") | Q(last_name__istartswith="ana")
    with connection.cursor() as cursor:
        # On a handful of rows walking any whole index is as good; a bitmap is only made of those that fit.
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
    plan = plan_of(Contact.objects.filter(names))
    assert "contact_first_prefix" in plan
    assert "contact_last_prefix" in plan


def plan_of(rows: QuerySet[Any]) -> str:
    with connection.cursor() as cursor:
        # Small tables are read whole unless that is forbidden.
        cursor.execute("SET LOCAL enable_seqscan = off")
        sql, params = rows.order_by().values("pk").query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", params)
        return "\n".join(row[0] for row in cursor.fetchall())
