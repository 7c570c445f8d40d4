"""The keys the sample's storefront works with, as any shop would: one public, one for its server."""

import hashlib
import secrets

from crm.kernel import tokens
from crm.models import ServerKey, ShopSettings


def for_the_sample() -> dict[str, str]:
    """Made when missing; none where the sample shop has been removed or never was.

    The server key is the signing secret, so that no readable copy of a key has to be kept.
    """
    shop = ShopSettings.objects.filter(is_sample=True).first()
    if shop is None:
        return {}
    if not shop.ingest_key:
        shop.ingest_key = f"shop_{secrets.token_urlsafe(18)}"
        shop.save(update_fields=["ingest_key"])
    secret = tokens.derive("shop-server").hex()
    ServerKey.objects.get_or_create(
        sha256=hashlib.sha256(secret.encode()).digest(),
        defaults={"name": "Sample shop", "prefix": secret[:8]},
    )
    return {"REKINDLE_INGEST_KEY": shop.ingest_key, "REKINDLE_SERVER_KEY": secret}
