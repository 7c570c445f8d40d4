"""POST /products: what the shop sells. The newest `updated_at` counts; what is left out stays as it was."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field, model_validator

from crm.kernel import clock
from crm.kernel.endpoints import Body, Moment, OutsideId
from crm.shop.intake import SHOP, ProductIn, record_products
from crm.shop.shapes import MOST, Answer, Code, Currency, Long, Money, Recorded, Title, listed

router = Router(tags=["products"])


class OneProduct(Body):
    id: OutsideId
    name: Title | None = None
    sku: Code | None = None
    description: Long | None = None
    url: Long | None = None
    image: Long | None = None
    price: Money | None = None
    list_price: Money | None = None
    cost: Money | None = None
    currency: Currency | None = None
    brand: Title | None = None
    category: Title | None = None
    stock: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    in_stock: bool | None = None
    consumable: bool | None = None
    days_of_supply: Annotated[int, Field(ge=0, le=36_500)] | None = None
    is_active: bool | None = None
    updated_at: Moment | None = None

    def told(self, now: Any) -> ProductIn:
        return ProductIn(
            external_id=self.id,
            image_url=self.image,
            source_at=self.updated_at or now,
            **{name: getattr(self, name) for name in _SAME},
        )


_SAME = (
    *("name", "sku", "description", "url", "price", "list_price", "cost", "currency", "brand", "category"),
    *("stock", "in_stock", "consumable", "days_of_supply", "is_active"),
)


class Products(Body):
    products: list[OneProduct] = Field(min_length=1, max_length=MOST)

    @model_validator(mode="before")
    @classmethod
    def _one_alone(cls, value: Any) -> Any:
        return listed(value, "products")


@router.post("/products", response=Answer, summary="Record products")
def record(request: HttpRequest, body: Products) -> Answer:
    """One product, or `{"products": […]}` with up to 500. All are recorded, or none."""
    now = clock.now()
    ours = record_products([product.told(now) for product in body.products], now, source=SHOP)
    return Answer(recorded=[Recorded(id=product.id, ours=ours[product.id]) for product in body.products])
