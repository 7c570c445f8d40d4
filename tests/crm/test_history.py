"""The timeline shows what crm knows of a contact, newest first, a page at a time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from crm.kernel import timeline, tokens
from crm.people.consent import Said, record
from crm.people.identity import Known, resolve
from crm.shop.intake import LineIn, OrderIn, record_orders

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
ANA = tokens.address_hash("email", "ana@example.com")[0]


@pytest.fixture
def ana(db):
    known = Known(email="ana@example.com", first_name="Ana")
    contact_id = resolve([known], NOW - timedelta(days=20), source="shop")[0]
    resolve([Known(email="ana@example.com", country="DE")], NOW - timedelta(days=9), source="shop")
    for n in range(6):
        lines = tuple(LineIn(f"Thing {m}", quantity=Decimal(m + 1)) for m in range(n))
        record_orders([OrderIn(str(n), NOW - timedelta(days=n), Decimal(n), known=known, lines=lines)], NOW)
    record(
        [
            Said(
                ANA,
                "email",
                "newsletter",
                "granted",
                NOW - timedelta(days=2),
                "form",
                wording="Yes.",
                actor="Ana",
            )
        ],
        NOW,
    )
    record([Said(ANA, "email", None, "withdrawn", NOW, "unsubscribe")], NOW)
    return contact_id


def test_it_is_one_story_of_all_sources(ana):
    entries = timeline.read(ana).entries
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    titles = [entry.title for entry in entries]
    assert "Ordered for 5.00 EUR" in titles and "Withdrawn: everything" in titles
    assert "Granted: Newsletter" in titles and "Country: DE" in titles
    order = next(entry for entry in entries if entry.title.startswith("Ordered for 4.00"))
    assert order.detail == "1 × Thing 0, 2 × Thing 1, 3 × Thing 2 and 1 more"


def test_pages_follow_each_other_without_gap_or_double(ana):
    whole = [entry.key for entry in timeline.read(ana).entries]
    found, before = [], None
    while True:
        page = timeline.read(ana, before, limit=2)
        found += [entry.key for entry in page.entries]
        if page.next is None:
            break
        before = page.next
    assert found == whole and len(found) == 9


def test_chips_choose_and_a_page_costs_few_queries(ana, django_assert_max_num_queries):
    timeline.read(ana)  # Looks are written once a process.
    with django_assert_max_num_queries(2):
        consent = timeline.read(ana, kinds=["consent"]).entries
    assert [entry.detail for entry in consent] == [
        "E-mail, from unsubscribe",
        "E-mail, from form, Ana: “Yes.”",
    ]
