"""Whether a product can be bought: told by a number, by yes or no, or not at all; and when that changed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from crm.models import Product
from crm.shop.products import ProductIn, record_products
from tests import office
from tests.crm.sheets.bringing import brought

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def told(minutes: int = 0, **said) -> Product:
    at = NOW + minutes * MINUTE
    record_products([ProductIn("p1", name="Amp", source_at=at, **said)], at, source="script")
    return Product.objects.get(external_id="p1")


def stock(product: Product) -> tuple[bool | None, int | None, bool]:
    return product.in_stock, product.stock, Product.objects.buyable().filter(pk=product.pk).exists()


def test_unknown_is_in_stock_and_a_number_says_yes_or_no():
    assert stock(told()) == (None, None, True)
    assert stock(told(1, stock=3)) == (True, 3, True)
    assert stock(told(2, stock=0)) == (False, 0, False)
    assert stock(told(3, stock=-2)) == (False, -2, False)
    assert stock(told(4, price=Decimal(5))) == (False, -2, False)
    assert stock(told(5, stock=1)) == (True, 1, True)


def test_yes_or_no_says_what_a_number_cannot():
    assert stock(told(in_stock=False)) == (False, 0, False)
    assert stock(told(1, in_stock=True)) == (True, None, True)
    assert stock(told(2, stock=0, in_stock=True)) == (True, 0, True)  # on order, and sold
    assert stock(told(3, stock=5, in_stock=False)) == (False, 5, False)
    assert stock(told(4, in_stock=True)) == (True, 5, True)


def test_an_older_word_changes_no_stock_and_a_hint_only_fills_what_is_unknown():
    told(5, stock=0)
    assert stock(told(2, stock=9)) == (False, 0, False)
    record_products([ProductIn("p1", in_stock=True), ProductIn("p2", stock=4)], NOW, source="script")
    assert Product.objects.get(external_id="p1").in_stock is False
    assert Product.objects.get(external_id="p2").in_stock is True


@pytest.mark.parametrize(
    "said",
    [
        {"price": Decimal(6)},
        {"list_price": Decimal(9)},
        {"stock": 0},
        {"is_active": False},
        {"url": "https://shop.example/new"},
        {"image_url": "https://shop.example/i.png"},
    ],
    ids=str,
)
def test_what_a_message_says_of_it_moves_the_moment_of_its_last_change(said):
    told(price=Decimal(5), stock=3)
    assert told(1, description="Longer words.", days_of_supply=9).changed_at == NOW
    assert told(2, **said).changed_at == NOW + 2 * MINUTE
    assert told(3, **said).changed_at == NOW + 2 * MINUTE


def test_two_changes_at_one_instant_are_two():
    moments = []
    for minutes, price in ((3, 5), (2, 6), (1, 7)):
        word = ProductIn("p1", price=Decimal(price), source_at=NOW - minutes * MINUTE)
        record_products([word], NOW, source="script")
        moments.append(Product.objects.get().changed_at)
    assert moments == sorted(set(moments)) and len(moments) == 3


def test_a_spreadsheet_that_tells_one_half_of_the_stock_lets_the_other_follow():
    told(stock=4)
    record_products([ProductIn("p2", in_stock=False, source_at=NOW)], NOW, source="script")
    brought(b"external_id,stock,in_stock\np1,0,\np2,,yes\n", subject="crm.products")
    assert stock(Product.objects.get(external_id="p1")) == (False, 0, False)
    assert stock(Product.objects.get(external_id="p2")) == (True, None, True)


def test_a_colleague_marks_a_product_as_sold_out_on_its_page(ada):
    product = office.product(stock=7)
    page = f"/admin/crm/product/{product.pk}/change/"
    form = ada.get(page).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value is not None}
    answer = ada.post(page, values | {"in_stock": "false"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    product.refresh_from_db()
    assert (product.in_stock, product.stock) == (False, 0) and product.changed_at is not None
    assert "sold out" in ada.get("/admin/crm/product/").content.decode()
