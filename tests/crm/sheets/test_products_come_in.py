"""Products by spreadsheet, variants and all: recorded as the API records them, unchanged twice, undone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from crm.models import ImportRow, PriceChange, Product
from crm.shop.products import ProductIn, record_products
from tests import office
from tests.crm.sheets.bringing import brought, checked, counts, sheet, undone
from tests.office import NOW
from tests.shared import shared

SUBJECT = "crm.products"
EARLIER = NOW - timedelta(days=9)
SHOPIFY = sheet(
    ["Handle", "Title", "Vendor", "Type", "Variant SKU", "Variant Inventory Tracker", "Variant Inventory Qty",
     "Variant Price", "Variant Compare At Price", "Image Src", "Status"],
    ["shirt", "Shirt", "Acme", "Tops", "S-1", "shopify", "2", "20", "25", "https://shop.example/s", "active"],
    ["shirt", "", "", "", "S-2", "shopify", "3", "22", "", "", ""],
    ["mug", "Mug", "Acme", "Kitchen", "M-1", "shopify", "0", "9.50", "", "ftp://shop.example/m", "draft"],
    ["cap", "Cap", "Acme", "Tops", "C-1", "", "0", "4o", "", "", "active"],
    ["cap", "", "", "", "C-2", "", "0", "15", "", "", ""],
    ["", "Nobody", "", "", "", "", "", "1", "", "", ""],
)  # fmt: skip


def told():
    names = (
        "external_id",
        "name",
        "price",
        "list_price",
        "stock",
        "in_stock",
        "is_active",
        "sku",
        "category",
    )
    return list(Product.objects.order_by("external_id").values_list(*names))


def test_variants_go_on_with_their_product_and_every_row_is_accounted_for(db):
    run = checked(SHOPIFY, subject=SUBJECT)
    assert (counts(run), run.further, run.total) == ((2, 0, 0, 3), 1, 6)
    assert not Product.objects.exists()
    run = brought(SHOPIFY, subject=SUBJECT)
    assert (run.status, run.made, run.refused) == ("done", 2, 3)
    assert told() == [
        ("mug", "Mug", Decimal("9.50"), None, 0, False, False, "M-1", "Kitchen"),
        ("shirt", "Shirt", Decimal(20), Decimal(25), 5, True, True, "S-1", "Tops"),
    ]
    reasons = dict(run.rows.exclude(reason=None).values_list("number", "reason"))
    assert reasons[3] == "goes on with row 2" and "picture “ftp:" in reasons[4]
    assert (
        "Price “4o”: is not a number" in reasons[5] and "Row 5 of the same product is refused" in reasons[6]
    )
    assert "needs the shop's id" in reasons[7]
    # Refused only for its first row, and in the file of refused rows as typed all the same.
    assert ImportRow.objects.get(run=run, number=6).cells[:1] == ["cap"]


def test_the_same_products_twice_are_no_change_and_the_undo_gives_back_what_was(db):
    record_products(
        [ProductIn("mug", name="Old mug", price=Decimal(12), brand="Else", source_at=EARLIER)],
        EARLIER,
        source="script",
    )
    before = list(
        Product.objects.values("name", "price", "brand", "category", "sku", "is_active", "source_at")
    )
    run = brought(SHOPIFY, subject=SUBJECT)
    assert (run.made, run.updated) == (1, 1)
    assert Product.objects.get(external_id="mug").brand == "Acme"
    again = brought(SHOPIFY, subject=SUBJECT)
    assert (counts(again)[:3], again.made, again.updated) == ((0, 0, 2), 0, 0)
    run = undone(run)
    assert (run.status, run.undone, run.kept) == ("undone", 2, 0)
    assert list(Product.objects.values(*before[0])) == before
    prices = PriceChange.objects.order_by("id").values_list("price", flat=True)
    assert list(prices) == [Decimal(12), Decimal("9.50"), Decimal(12)]


def test_a_product_that_was_ordered_since_outlives_the_undo(db):
    run = brought(SHOPIFY, subject=SUBJECT)
    office.order(office.person(agreed=False), Product.objects.get(external_id="shirt"))
    run = undone(run)
    assert (run.undone, run.kept) == (1, 1)
    assert Product.objects.get().external_id == "shirt"


def test_products_known_by_their_article_number_alone_fill_blanks_if_told_so(db):
    record_products(
        [ProductIn("p-1", name="Amp", sku="A1", price=Decimal(1), source_at=EARLIER)],
        EARLIER,
        source="script",
    )
    data = sheet(["Artikelnummer", "Bezeichnung", "Preis", "Marke"], ["A1", "Verstärker", "1.199,00", "Horn"],
                 ["A2", "Kabel", "9,50", "Horn"])  # fmt: skip
    brought(data, subject=SUBJECT, known="fill")
    amp = Product.objects.get(external_id="p-1")
    assert (amp.name, amp.price, amp.brand) == ("Amp", Decimal(1), "Horn")
    assert Product.objects.get(external_id="A2").price == Decimal("9.50")
    brought(data, subject=SUBJECT)
    amp.refresh_from_db()
    assert (amp.name, amp.price) == ("Verstärker", Decimal(1199))


def test_a_variation_names_its_parent_and_one_without_is_refused(db):
    run = brought(
        sheet(["ID", "Type", "SKU", "Name", "Visibility in catalog", "Sale price", "Regular price",
               "Parent", "Categories"],
              ["7", "variable", "tee", "Tee", "visible", "", "", "", "Clothing > Tees, Sale"],
              ["8", "variation", "tee-b", "Tee blue", "visible", "", "25", "tee", ""],
              ["9", "variation", "tee-r", "Tee red", "visible", "20", "25", "id:7", ""],
              ["10", "variation", "x", "X", "visible", "", "5", "gone", ""]),
        subject=SUBJECT,
    )  # fmt: skip
    assert (run.made, run.further, run.refused) == (1, 2, 1)
    tee = Product.objects.get()
    assert (tee.external_id, tee.name, tee.price, tee.category) == (
        "7",
        "Tee",
        Decimal(25),
        "Clothing > Tees",
    )
    assert "“gone” is in no row of this file" in run.rows.get(number=5).reason


@pytest.mark.parametrize(
    ("path", "recognised", "products", "further"),
    [
        ("shopify_apparel.csv", 12, 20, 2),
        ("shopify_jewelery.csv", 12, 20, 21),
        ("woocommerce_sample_products.csv", 12, 15, 9),
    ],
)
def test_the_samples_of_the_shops_themselves_come_in_whole(db, path, recognised, products, further):
    run = brought(shared(f"products/{path}").read_bytes(), subject=SUBJECT)
    assert sum(bool(target) for target in run.mapping.values()) == recognised
    assert (run.made, run.further, run.refused, run.new) == (products, further, 0, run.total - further)
