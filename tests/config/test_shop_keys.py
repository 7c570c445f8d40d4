"""The sample's storefront gets keys that the product accepts, and only while there is a sample shop."""

import hashlib

import pytest

from config import shop_keys
from crm.models import ServerKey, ShopSettings

pytestmark = pytest.mark.django_db


def test_where_there_is_no_sample_shop_no_key_is_made() -> None:
    assert shop_keys.for_the_sample() == {}
    ShopSettings.objects.update_or_create(pk=1, defaults={"is_sample": False})
    assert shop_keys.for_the_sample() == {}
    assert not ServerKey.objects.exists()


def test_the_sample_gets_the_same_keys_at_every_start() -> None:
    ShopSettings.objects.update_or_create(pk=1, defaults={"is_sample": True})
    first = shop_keys.for_the_sample()
    assert shop_keys.for_the_sample() == first
    assert ShopSettings.objects.get().ingest_key == first["REKINDLE_INGEST_KEY"]
    digest = hashlib.sha256(first["REKINDLE_SERVER_KEY"].encode()).digest()
    assert bytes(ServerKey.objects.get().sha256) == digest
