"""Starting a campaign with its forecast kept, so that the forecast can guard what comes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.flows import launching
from campaigns.flows.forecasting import Forecast
from campaigns.flows.permitted import May
from campaigns.models import Campaign


def start(
    campaign: Campaign,
    by: Any,
    now: datetime,
    made: Forecast | None,
    *,
    existing_a_day: int | None = None,
    is_shadow: bool = False,
    may: May | None = None,
) -> Campaign:
    """Launch it: forward only, or so many of the existing people a day as well. Raises launching.NotReady,
    with nothing changed.
    """
    with transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(
            forecast=made.kept() if made else {}, existing_a_day=existing_a_day, is_shadow=is_shadow
        )
        return launching.launch(campaign, by, now, may=may)
