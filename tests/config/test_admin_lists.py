"""Lists and pages of the admin cost a fixed number of queries, and no list counts a large table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Decision
from crm.kernel.backoffice import EstimatedPaginator
from crm.models import Company, Segment, ServerKey
from tests import office
from tracking.models import Event, InboundEvent

LISTS = [
    "crm_contact",
    "crm_order",
    "crm_product",
    "crm_company",
    "crm_segment",
    "crm_serverkey",
    "crm_consentevent",
    "crm_suppression",
    "tracking_cart",
    "tracking_inboundevent",
    "campaigns_campaign",
    "campaigns_template",
    "campaigns_sender",
    "campaigns_delivery",
    "campaigns_decision",
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
    Segment.objects.create(name=f"Segment {number}")
    Company.objects.create(name=f"Company {number}")
    ServerKey.objects.create(name=f"Key {number}", prefix="sk_x", sha256=bytes([number]) * 32)
    InboundEvent.objects.create(source="collect", body={"n": number})


def cost(client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200, url
    return len(queries)


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
    before = cost(ada, url)
    for number in range(1, 30):
        at = office.NOW - timedelta(hours=number)
        office.order(world.contact, world.product, number=number + 50, at=at)
        Event.objects.create(contact=world.contact, kind="page", occurred_at=at, recorded_at=at)
        Decision.objects.create(contact=world.contact, verdict="skipped", words="Late.", decided_at=at)
        office.cart(world.contact, world.product, at=at, state="bought")
    assert cost(ada, url) == before
    assert before <= 45


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
