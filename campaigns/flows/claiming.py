"""Whose turn it is: those who are due in the campaign that goes first."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db.models import Exists, OuterRef

from campaigns.models import Campaign, Due


def claim(now: datetime, served: Counter[int], limit: int) -> list[Due]:
    """Lock some who are due, those of one campaign at a time: it is asked the same of all of them, once.

    Campaigns of one priority take turns by `served`, which counts how often each had one. Where nobody is due
    in a running campaign, those follow who are still inside a stopped one.
    """
    lock = Due.objects.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("due_at", "pk")
    ready = {"problem": "", "due_at__lte": now}
    anybody = Due.objects.filter(campaign=OuterRef("pk"), **ready)
    running = Campaign.objects.filter(Exists(anybody), state=Campaign.State.RUNNING)
    waiting = sorted((priority, served[pk], pk) for priority, pk in running.values_list("priority", "pk"))
    for _priority, _turns, campaign_id in waiting:
        # None are left of one that other processes have wholly in hand.
        if claimed := list(lock.filter(campaign=campaign_id, **ready)[:limit]):
            served[campaign_id] += 1
            return claimed
    return list(lock.filter(campaign__state=Campaign.State.STOPPED)[:limit])
