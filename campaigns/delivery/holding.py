"""The one switch for all sending: a hold stops every sender at its next fence."""

from datetime import datetime

from campaigns.delivery.channels.base import wake
from campaigns.models import SendingControl


def hold(reason: str, by: str, now: datetime) -> None:
    """Hold all sending. What is queued stays queued; what passed its fence already goes on."""
    SendingControl.objects.update_or_create(
        id=1,
        defaults={"sending_hold": True, "reason": reason[:300], "held_by": by[:120], "held_at": now},
    )


def release(by: str, now: datetime) -> None:
    """Let sending go on. Who released it and when stays on the switch."""
    SendingControl.objects.update_or_create(
        id=1, defaults={"sending_hold": False, "reason": "", "held_by": by[:120], "held_at": now}
    )
    wake()


def is_held() -> bool:
    return SendingControl.objects.filter(sending_hold=True).exists()
