"""Claimed messages made ready: rendered, and what they were made from kept with them before the fence."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from campaigns.delivery import making
from campaigns.delivery.settling import Settlement, backoff
from campaigns.delivery.statements import LOST, columns, run
from campaigns.messages.rendering import RenderProblem
from campaigns.models import Decision, Delivery, DeliveryState

type Make = Callable[[Sequence[Delivery], datetime], Mapping[int, Any]]

logger = logging.getLogger(__name__)

_KEEP = """
UPDATE campaigns_delivery
SET context = kept_context, message_sha256 = sha, template_version_id = version, subject_version = changed,
    products = shown::uuid[], products_stamp = stamp
FROM unnest(%(ids)s::bigint[], %(tokens)s::bigint[], %(contexts)s::bytea[], %(shas)s::bytea[],
    %(versions)s::bigint[], %(changes)s::timestamptz[], %(shown)s::text[], %(stamps)s::bigint[])
    AS made(made_id, token, kept_context, sha, version, changed, shown, stamp)
WHERE id = made_id AND lease_token = token AND state = 'claimed'
"""
_NAMES = ["ids", "tokens", "contexts", "shas", "versions", "changes", "shown", "stamps"]


def prepared(
    deliveries: Sequence[Delivery], now: datetime, make: Make = making.mails
) -> tuple[dict[int, Any], list[Settlement]]:
    """What leaves by delivery (mails, unless `make` makes something else), and what becomes of those for
    which nothing could be made.
    """
    made = _made(deliveries, now, make)
    good = {number: one for number, one in made.items() if not isinstance(one, RenderProblem)}
    _keep([delivery for delivery in deliveries if delivery.id in good])
    problems = []
    for delivery in deliveries:
        problem = made.get(delivery.id)
        if isinstance(problem, RenderProblem):
            problems.append(_skipped(delivery, problem))
        elif problem is None:
            problems.append(_again_later(delivery, now))
    return good, problems


def _made(deliveries: Sequence[Delivery], now: datetime, make: Make) -> Mapping[int, Any]:
    try:
        return make(deliveries, now)
    except LOST:
        raise
    except Exception:
        if len(deliveries) == 1:
            logger.exception("Delivery %s could not be made", deliveries[0].public_id)
            return {}
    # One message that cannot be made must not keep the others from leaving.
    found: dict[int, Any] = {}
    for delivery in deliveries:
        found |= _made([delivery], now, make)
    return found


def _keep(deliveries: Sequence[Delivery]) -> None:
    if deliveries:
        rows = [
            (
                one.id,
                one.lease_token,
                one.context,
                one.message_sha256,
                one.template_version_id,
                one.subject_version,
                # An array of arrays would be laid flat: each goes over as it is written.
                None if one.products is None else f"{{{','.join(map(str, one.products))}}}",
                one.products_stamp,
            )
            for one in deliveries
        ]
        run(_KEEP, columns(rows, _NAMES))


def _skipped(delivery: Delivery, problem: RenderProblem) -> Settlement:
    return Settlement(
        delivery,
        DeliveryState.SKIPPED,
        reason=problem.reason,
        verdict=Decision.Verdict.SKIPPED,
        words=problem.words,
    )


def _again_later(delivery: Delivery, now: datetime) -> Settlement:
    return Settlement(
        delivery,
        DeliveryState.QUEUED,
        reason="not_made",
        again_at=now + backoff(delivery.attempts + 1),
        tried=True,
    )
