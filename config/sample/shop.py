"""The sample shop as a customer of the product: its settings, catalogue and the person who writes."""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from campaigns.models import Sender
from config import shop_keys
from config.embedded.sample.catalogue import CATEGORIES, CURRENCY, PRODUCTS, SHOP_NAME
from crm.models import Product, ShopSettings
from crm.shop.intake import SHOP, ProductIn, record_products

FLOW_NAME = "Abandoned cart (sample shop)"
KEY_NAME = "Sample shop"
SENDER_EMAIL = "mara@lark-and-valve.example.com"
TELEPHONE = "+31 20 555 0142"


def open_shop(now: datetime) -> ShopSettings:
    """Fill in the shop's settings. A shop that is somebody's own is left alone."""
    shop, _ = ShopSettings.objects.get_or_create(pk=1)
    if shop.set_up_at and not shop.is_sample:
        raise NotOurs(f"This installation serves {shop.name}; the sample shop does not move in with it.")
    url = settings.REKINDLE_SHOP_URL
    shop.name, shop.url, shop.currency = SHOP_NAME, url, CURRENCY
    shop.time_zone = "Europe/Amsterdam"
    shop.postal_address = "Prinsengracht 1142\n1017 JL Amsterdam\nNetherlands"
    shop.telephone, shop.opening_hours = TELEPHONE, "Monday to Saturday, 9 to 18"
    shop.logo_url, shop.colour = f"{url}/icon.svg", "#b8431f"
    shop.allowed_origins = [url]
    shop.cart_restore_url = f"{url}/cart/restore"
    shop.is_sample, shop.set_up_at = True, now
    shop.save()
    shop_keys.for_the_sample()
    return shop


class NotOurs(Exception):
    """The installation belongs to a real shop."""


def stock_shelves(now: datetime) -> dict[str, UUID]:
    """The catalogue; returns our id of each product by the shop's id."""
    url = settings.REKINDLE_SHOP_URL
    names = {category.key: category.name for category in CATEGORIES}
    words = [
        ProductIn(
            product.id,
            name=product.name,
            sku=product.sku,
            description=product.line,
            url=url + product.path,
            image_url=url + product.picture,
            price=product.price,
            list_price=product.list_price,
            currency=CURRENCY,
            brand=product.brand,
            category=names[product.category],
            consumable=product.supply_days is not None,
            days_of_supply=product.supply_days,
            in_stock=True,
            is_active=True,
            source_at=now,
        )
        for product in PRODUCTS
    ]
    return record_products(words, now, source=SHOP)


def hire(now: datetime) -> Sender:
    """The person customers hear from and reply to."""
    sender, _ = Sender.objects.get_or_create(
        email=SENDER_EMAIL,
        defaults={
            "name": f"Mara at {SHOP_NAME}",
            "person": "Mara Lindqvist",
            "role": "Listening room",
            "reply_to": SENDER_EMAIL,
            "telephone": TELEPHONE,
            "image_url": f"{settings.REKINDLE_SHOP_URL}/mara.svg",
            "is_default": not Sender.objects.filter(is_default=True).exists(),
            "created_at": now,
        },
    )
    return sender


def products_of_ours() -> list[UUID]:
    """The catalogue's rows, told by the shop's own address in their pages."""
    host = urlsplit(settings.REKINDLE_SHOP_URL).netloc
    ours = Product.objects.filter(source=SHOP, external_id__in=[product.id for product in PRODUCTS])
    return list(ours.filter(url__contains=host).values_list("id", flat=True))
