"""When a segment is refreshed as a whole: an interval or a crontab of django-celery-beat, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm.models import Segment

BY_DEFAULT = timedelta(hours=1)


def next_at(segment: Segment, now: datetime) -> datetime:
    """The next whole refresh after `now`; hourly where nothing was said."""
    if segment.crontab_id is not None:
        start, delta, _asked = segment.crontab.schedule.remaining_delta(now)  # type: ignore[union-attr]
        return start + delta
    if segment.interval_id is not None:
        return now + segment.interval.schedule.run_every  # type: ignore[union-attr]
    return now + BY_DEFAULT
