"""The sink's record against the database's rows: the only comparison that proves anything."""

import json
from collections import Counter
from dataclasses import asdict, dataclass

from campaigns.models import Delivery, DeliveryAttempt
from tests.sink.smtp import SmtpSink

ENDS = {"sent", "failed", "suppressed", "skipped", "unknown"}


@dataclass
class Report:
    recipients: int
    states: dict[str, int]
    doubled: int
    lost: int
    parked: int
    parked_arrived: int
    stray: int

    def __str__(self) -> str:
        return json.dumps(asdict(self))


def compare(sink: SmtpSink) -> Report:
    """Every promise of S1 but the bound on what is parked, which depends on what was done to the senders."""
    copies = sink.copies()
    rows = {str(public_id): state for public_id, state in Delivery.objects.values_list("public_id", "state")}
    states = Counter(rows.values())
    parked = {public_id for public_id, state in rows.items() if state == "unknown"}
    report = Report(
        recipients=len(rows),
        states=dict(states),
        doubled=sum(1 for count in copies.values() if count > 1),
        lost=sum(1 for public_id, state in rows.items() if state == "sent" and public_id not in copies),
        parked=len(parked),
        parked_arrived=sum(1 for public_id in parked if public_id in copies),
        stray=sum(1 for public_id in copies if rows.get(public_id) not in ("sent", "unknown")),
    )
    assert report.doubled == 0, report
    assert report.lost == 0, report
    assert report.stray == 0, report
    assert set(states) <= ENDS, report
    assert not Delivery.objects.filter(state="unknown", reason="").exists()
    unsettled = DeliveryAttempt.objects.filter(ended_at=None).exclude(delivery__state="unknown")
    assert not unsettled.exists(), list(unsettled.values())
    return report
