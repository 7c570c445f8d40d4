"""Orders by spreadsheet, several lines each: as the API records them, once, and taken out again."""

from __future__ import annotations

import gzip
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError

from crm.kernel.work import Budget
from crm.models import Bought, Contact, Engagement, Order, OrderLine, OutsideId, Product
from crm.people.identity import Known
from crm.sheets.importing import acts, running
from crm.sheets.subjects import orders
from crm.shop.intake import SHOP, LineIn, OrderIn, record_orders
from tests import office
from tests.crm.sheets.bringing import at_work, brought, checked, counts, sheet, undone
from tests.office import NOW
from tests.shared import shared

SUBJECT = "crm.orders"
HEADER = [
    *("Name", "Email", "Financial Status", "Currency", "Subtotal", "Shipping", "Total", "Created at"),
    *("Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku", "Billing Name", "Phone", "Id"),
]
NORA = "new@shop-customers.example"


def row(number, mail="", line="", **told):
    """A row of the export; `line`: quantity, name, price and article number, with bars between."""
    named = {"Name": number, "Email": mail} | dict(zip(HEADER[8:12], line.split("|"), strict=False))
    if mail:
        named |= {"Currency": "EUR", "Financial Status": "paid", "Created at": "2026-08-01 09:15:32 +0200"}
    named |= {heading.replace("_", " "): cell for heading, cell in told.items()}
    return [named.get(heading, "") for heading in HEADER]


FILE = sheet(
    HEADER,
    row("#1", office.MAIL, "1|Speakers|249|S-1", Total="258", Shipping="9", Id="901"),
    row("#1", "", "2|Odd cable|3|none"),
    row("#2", NORA, "1|Cup|20", Total="20", Id="902", Phone="12", Billing_Name="Nora New",
        Financial_Status="partially_refunded"),
    row("#3", NORA, "1|Cup|4", Total="2o", Id="903"),
    row("#3", "", "1|Cap|4"),
    row("#4", "x@shop-customers.example", Financial_Status="lost", Total="1", Id="904"),
    row("#5", NORA, Created_at="2026-08-03", Total="5", Id="905"),
)  # fmt: skip


def everything():
    orders = Order.objects.order_by("number").values(
        *(
            "number",
            "external_id",
            "source",
            "status",
            "currency",
            "total",
            "subtotal",
            "shipping",
            "discount",
        ),
        *("coupon_code", "occurred_at", "source_at", "address_hash", "contact__email", "contact__first_name"),
    )
    lines = OrderLine.objects.order_by("name").values_list(
        "name", "sku", "quantity", "unit_price", "product__external_id"
    )
    rhythm = Bought.objects.values_list("product__external_id", "orders", "quantity", "last_at")
    people = Engagement.objects.order_by("contact__email").values_list(
        "contact__email", "order_count", "spent", "last_order_at"
    )
    return [list(one) for one in (orders, lines, rhythm, people)]


def test_an_order_of_a_file_is_the_order_the_api_would_have_made(db):
    office.set_up_shop()
    office.person(agreed=False)
    office.product(1, sku="S-1")
    run = brought(FILE, subject=SUBJECT)
    first = Order.objects.get(number="#1")
    by_file = everything()
    assert (first.is_backfill, first.recorded_at) == (True, first.occurred_at)
    undone(run)
    lines = (
        LineIn("Speakers", product="p-1", sku="S-1", unit_price=Decimal(249)),
        LineIn("Odd cable", sku="none", unit_price=Decimal(3), quantity=Decimal(2)),
    )
    cup, nora = (LineIn("Cup", unit_price=Decimal(20)),), Known(NORA, first_name="Nora", last_name="New")
    at, more = first.occurred_at, {"status": "paid", "currency": "EUR"}
    midnight = at.replace(day=2, hour=22, minute=0, second=0)
    words = [
        OrderIn("901", at, Decimal(258), Known(office.MAIL), number="#1", subtotal=Decimal(255),
                shipping=Decimal(9), lines=lines, **more),
        OrderIn("902", at, Decimal(20), nora, number="#2", subtotal=Decimal(20), lines=cup, **more),
        OrderIn("905", midnight, Decimal(5), Known(NORA), number="#5", **more),
    ]  # fmt: skip
    record_orders(words, NOW, source=SHOP)
    assert everything() == by_file


def test_every_line_is_accounted_for_and_the_same_file_twice_is_no_change(db):
    office.set_up_shop()
    office.person(agreed=False)
    run = checked(FILE, subject=SUBJECT)
    assert (counts(run), run.further, run.total) == ((3, 0, 0, 3), 1, 7)
    reasons = dict(run.rows.exclude(reason=None).values_list("number", "reason"))
    assert "Total “2o”: is not a number" in reasons[5] and "Row 5 of the same order" in reasons[6]
    assert "Status “lost” is none we know" in reasons[7] and "telephone “12” is left out" in reasons[4]
    brought(FILE, subject=SUBJECT)
    before = everything()
    again = brought(FILE, subject=SUBJECT)
    assert (counts(again)[:3], again.made, again.updated, everything()) == ((0, 0, 3), 0, 0, before)
    newer = brought(FILE.replace(b"partially_refunded", b"refunded"), subject=SUBJECT)
    assert (newer.new, newer.changed, Order.objects.get(number="#2").status) == (0, 1, "refunded")
    undone(newer)
    assert everything() == before


def test_the_undo_takes_out_orders_and_whom_they_brought_and_keeps_what_the_shop_told_since(db):
    ana = office.person(agreed=False)
    run = brought(FILE, subject=SUBJECT)
    later = OrderIn(
        "902",
        NOW - timedelta(days=200),
        Decimal(20),
        Known(),
        source_at=NOW,
        status="refunded",
        refunded=Decimal(20),
    )
    record_orders([later], NOW, source=SHOP)
    run = undone(run)
    assert (run.undone, run.kept) == (2, 1)
    assert list(Order.objects.values_list("external_id", flat=True)) == ["902"]
    assert set(Contact.objects.values_list("first_name", flat=True)) == {"Ana", "Nora"}
    assert Engagement.objects.get(contact=ana).order_count == 0
    run = undone(brought(sheet(HEADER, row("7", "z@shop-customers.example", Total="1")), subject=SUBJECT))
    assert run.undone == 1 and not Contact.objects.filter(email__startswith="z@").exists()
    assert OutsideId.objects.filter(kind="order").count() == 1


def test_an_import_that_dies_in_the_middle_goes_on_where_it_was(db, monkeypatch):
    brought(FILE, subject=SUBJECT)
    expected = everything()
    Contact.objects.all().delete()
    OutsideId.objects.all().delete()
    monkeypatch.setattr(running, "BATCH", 1)
    run = checked(FILE, subject=SUBJECT)
    acts.begin(run, NOW)
    done, record = [], orders.record_orders

    def dying(words, *args, **more):
        done.append(words)
        found = record(words, *args, **more)
        if len(done) == 2:
            raise OperationalError("killed")
        return found

    monkeypatch.setattr(orders, "record_orders", dying)
    with pytest.raises(OperationalError):
        running.keep_up(NOW, Budget(60))
    assert Order.objects.count() == 1
    run = at_work(run)
    assert (run.status, run.made, everything()) == ("done", 3, expected)


def test_an_order_known_under_its_number_is_not_made_twice(db):
    record_orders(
        [OrderIn("5001", NOW, Decimal(9), Known(office.MAIL), number="1001", currency="EUR")],
        NOW,
        source=SHOP,
    )
    plain = sheet(["Order number", "Order date", "Total", "Email", "SKU", "Quantity", "Unit price"],
                  ["1001", "23.11.2026 12:00", "9,00", office.MAIL, "A", "1", "9,00"],
                  ["", "", "", "", "C", "3", "1,00"],
                  ["1002", "23.11.2026 12:05", "", office.MAIL, "A", "2", "4,50"],
                  ["1002", "23.11.2026 12:05", "", office.MAIL, "B", "-1", "1,50"],
                  ["1003", "", "5,00", office.MAIL, "", "", ""])  # fmt: skip
    run = brought(plain, subject=SUBJECT)
    assert (run.made, run.updated, run.refused) == (0, 1, 3)
    # A row that names no order goes on with the one above it.
    assert set(OrderLine.objects.values_list("sku", "quantity")) == {("A", 1), ("C", 3)}
    assert Order.objects.get().external_id == "5001"
    reasons = dict(run.rows.filter(verdict="refused").values_list("number", "reason"))
    assert "below zero is a return" in reasons[5] and "says when it was placed" in reasons[6]
    assert run.rows.get(number=6).cells[0] == "1003"


def test_shopifys_own_columns_come_in_whole(db):
    run = brought(shared("contacts/shopify_orders_export_clean.csv").read_bytes(), subject=SUBJECT)
    assert (run.made, run.further, run.refused, run.total) == (10, 2, 0, 12)
    machine = Order.objects.get(number="#1006")
    assert (machine.total, machine.tax, machine.currency) == (
        Decimal("123456.78"),
        Decimal("18457.78"),
        "INR",
    )
    assert Order.objects.get(number="#1005").status == "cancelled"
    assert not Product.objects.exists()


def test_the_lines_of_a_real_shop_come_in_as_orders_and_its_returns_do_not(db):
    packed = shared("transactions/online_retail_2010-12_to_2011-06.csv.gz").read_bytes()
    run = brought(b"".join(gzip.decompress(packed).splitlines(keepends=True)[:1501]), subject=SUBJECT)
    assert all(run.mapping.values())
    assert run.made + run.further + run.refused == run.total == 1500
    refused = set(run.rows.filter(verdict="refused").values_list("reason", flat=True))
    assert all("below zero is a return" in reason for reason in refused)
    first = Order.objects.get(number="536365")
    assert (first.total, first.lines.count(), first.contact.country) == (Decimal("139.12"), 7, "GB")
