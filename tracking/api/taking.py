"""Told by the shop's server: kept raw as the collector keeps what browsers tell, and applied by the same
ingest.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from ninja.errors import HttpError

from crm.kernel import ids
from crm.people.identity import Known
from crm.ticking import ring
from tracking.models import InboundEvent
from tracking.visits import messages

SOURCE = "api"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def cleaned(
    kind: str,
    key: Sequence[str],
    at: datetime,
    who: Known,
    visitor_id: UUID | None,
    details: Any,
    url: str = "",
) -> dict[str, Any]:
    """One event as ingest reads it. The same key is the same event, however often it is told."""
    raw = {
        "id": str(ids.uuid_from(SOURCE, kind, *key)),
        "t": kind,
        "at": (at - _EPOCH) // _MILLISECOND,
        "url": url,
        "p": details,
    }
    try:
        event = messages.clean_event(raw)
    except messages.Refused as refused:
        raise HttpError(422, refused.reason) from None
    return event | {"who": asdict(who), "v": str(visitor_id) if visitor_id else ""}


def keep(events: Sequence[dict[str, Any]], now: datetime) -> None:
    InboundEvent.objects.create(source=SOURCE, received_at=now, body={"e": list(events)})
    ring("tracking.ingest")
