"""Places where a test may stop a sender, to make a race come out the same way every time.

Nothing happens unless the setting REKINDLE_BARRIERS, which only tests set, names a function for the place.
"""

from collections.abc import Sequence

from django.conf import settings

from campaigns.models import Delivery

PLACES = ("claimed", "rendered", "fence", "fenced", "replied")


def barrier(place: str, deliveries: Sequence[Delivery]) -> None:
    """After the claim, after rendering, right before the fence, right after it, after the reply."""
    hooks = getattr(settings, "REKINDLE_BARRIERS", None)
    if hooks and deliveries and place in hooks:
        hooks[place](deliveries)
