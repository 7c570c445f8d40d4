"""Products out into a spreadsheet and in again, through the admin."""

from __future__ import annotations

from decimal import Decimal

from django.urls import reverse

from crm.shop.products import ProductIn, record_products
from tests import office
from tests.crm.sheets.bringing import checked
from tests.crm.sheets.leaving import taken


def test_an_onlooker_brings_nothing_in(vera, db):
    assert vera.get(reverse("admin:crm_import_add")).status_code == 403


def test_products_that_left_come_in_again_as_they_are(ada, db):
    words = [
        ProductIn(
            "1", "Amp", "A-1", stock=4, url="https://shop.example/1", price=Decimal(1199), is_active=False
        ),
        ProductIn("2", "Comma, Inc.", in_stock=False, consumable=True, days_of_supply=30, category="A > B"),
    ]
    record_products(words, office.NOW, source="script")
    form = ada.get(reverse("admin:crm_export_of", args=["crm.product"])).context["form"]
    everything = [key for key, _label in form.fields["columns"].choices]
    run = checked(taken(ada, "crm.product", columns=everything), subject="crm.products")
    assert (run.new, run.changed, run.unchanged, run.refused) == (0, 0, 2, 0)
