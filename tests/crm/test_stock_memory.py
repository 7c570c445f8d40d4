"""From when on a product could be bought again is remembered, whoever tells of it."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.models import StockChange
from crm.shop import stock
from crm.shop.products import ProductIn, record_products
from tests import office

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def told(minutes: int, key: str = "p1", recorded: int | None = None, **said) -> None:
    at = NOW + minutes * MINUTE
    known = at if recorded is None else NOW + recorded * MINUTE
    record_products([ProductIn(key, name="Amp", source_at=at, **said)], known, source="script")


def remembered() -> list[tuple[bool, datetime]]:
    return list(StockChange.objects.order_by("id").values_list("can_be_bought", "occurred_at"))


def test_only_changes_are_remembered_and_what_was_never_sold_out_has_none():
    for minute, said in enumerate(
        [{}, {"stock": 3}, {"stock": 0}, {"in_stock": False}, {"stock": 1}, {"stock": 9}]
    ):
        told(minute, **said)
    assert remembered() == [(False, NOW + 2 * MINUTE), (True, NOW + 4 * MINUTE)]


def test_a_product_that_begins_sold_out_or_is_no_longer_sold_counts_as_well():
    told(0, stock=0)
    told(1, stock=2)
    told(2, is_active=False)
    told(3, is_active=True)
    assert [can for can, _at in remembered()] == [False, True, False, True]


def test_several_words_of_one_batch_are_all_remembered_and_old_news_changes_nothing():
    words = [ProductIn("p1", name="Amp", stock=n, source_at=NOW + n * MINUTE) for n in (2, 0, 1)]
    record_products(words, NOW + 9 * MINUTE, source="script")
    told(-5, stock=0, recorded=10)
    assert [can for can, _at in remembered()] == [False, True]
    assert stock.back(NOW, NOW + DAY).get().recorded_at == NOW + 9 * MINUTE


def test_back_is_the_last_return_and_only_while_it_holds():
    for minute, number in enumerate([0, 1, 0, 1]):
        told(minute, stock=number)
    assert stock.back(NOW - DAY, NOW + DAY).get().occurred_at == NOW + 3 * MINUTE
    assert not stock.back(NOW + 3 * MINUTE, NOW + DAY).exists(), "known before"
    told(9, stock=0)
    assert not stock.back(NOW - DAY, NOW + DAY).exists()


def test_a_colleague_who_changes_the_stock_by_hand_is_remembered_too(ada):
    product = office.product(stock=7)
    for said, can in (
        ({"in_stock": "false"}, False),
        ({"in_stock": "true"}, True),
        ({"name": "Amp II"}, True),
    ):
        page = f"/admin/crm/product/{product.pk}/change/"
        form = ada.get(page).context["adminform"].form
        values = {name: value for name, value in form.initial.items() if value is not None}
        assert ada.post(page, values | said).status_code == 302
        assert StockChange.objects.latest("id").can_be_bought is can
    assert StockChange.objects.count() == 2
