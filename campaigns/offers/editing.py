"""What has to happen when a colleague changes an offer or the guard's settings."""

from django.db.models import F

from campaigns.models import OfferSettings


def changed() -> None:
    """Messages that were made before this moment and have not left are made anew."""
    OfferSettings.objects.get_or_create(pk=1)
    OfferSettings.objects.filter(pk=1).update(version=F("version") + 1)
