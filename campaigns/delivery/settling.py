"""What became of a message, written down: state, attempt and decision in one statement, for many at once.
The offer of a day that its message did not bring is free again.

Only the holder of the lease token settles, and only once: a sender that lost its lease changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from campaigns.delivery.channels.letters import Ending, Outcome
from campaigns.delivery.fencing import Refusal
from campaigns.delivery.guards import Guard, Verdict
from campaigns.delivery.statements import columns, run
from campaigns.models import Decision, Delivery, DeliveryState
from crm.kernel import ids

MOST_ATTEMPTS = 12

_UNSENT = (DeliveryState.FAILED, DeliveryState.SUPPRESSED, DeliveryState.SKIPPED)
_FINAL = (DeliveryState.SENT, *_UNSENT)


@dataclass(slots=True)
class Settlement:
    """One delivery's next state. `fenced`: it leaves *sending* (or *unknown*); else it leaves *claimed*."""

    delivery: Delivery
    state: str
    reason: str = ""
    fenced: bool = False
    again_at: datetime | None = None
    moves_due: bool = False  # the moment it should leave moves with it, and its expiry
    tried: bool = False  # counts as an attempt though it was not fenced
    provider: str = ""
    provider_message_id: str = ""
    result: str = ""
    code: int | None = None
    response: str = ""
    verdict: str = ""  # of the decision to leave; none when blank
    words: str = ""

    def row(self) -> tuple[object, ...]:
        return (
            self.delivery.id,
            self.delivery.lease_token,
            self.fenced,
            self.state,
            self.reason[:60],
            self.again_at,
            self.moves_due,
            int(self.tried),
            self.provider[:30],
            self.provider_message_id[:200],
            self.result[:12],
            self.code,
            self.response[:2000],
            ids.uuid7(),
            self.verdict,
            self.words[:300],
        )


_ARRAYS = {
    "ids": "bigint",
    "tokens": "bigint",
    "fenced": "bool",
    "states": "text",
    "reasons": "text",
    "again": "timestamptz",
    "moves": "bool",
    "tried": "int",
    "providers": "text",
    "messages": "text",
    "results": "text",
    "codes": "int",
    "responses": "text",
    "decisions": "uuid",
    "verdicts": "text",
    "words": "text",
}
_FROM = ", ".join(f"%({name})s::{kind}[]" for name, kind in _ARRAYS.items())

# The locked join keeps a contact from being deleted between the look and the foreign key's own check.
_SETTLE = f"""
WITH told AS (
    SELECT * FROM unnest({_FROM}) AS t(
        told_id, token, fenced, to_state, to_reason, again, moves, tried, told_provider, message, result,
        code, response, decision, verdict, words)
), settled AS (
    UPDATE campaigns_delivery d
    SET state = to_state, reason = to_reason, attempts = attempts + tried,
        not_before = COALESCE(again, not_before),
        due_at = CASE WHEN moves THEN COALESCE(again, due_at) ELSE due_at END,
        not_after = CASE WHEN moves THEN not_after + (COALESCE(again, due_at) - due_at) ELSE not_after END,
        finished_at = CASE WHEN to_state = ANY (%(final)s::text[]) THEN %(now)s::timestamptz END,
        subject_version = CASE WHEN to_state = 'queued' THEN NULL ELSE subject_version END,
        products = CASE WHEN to_state = 'queued' THEN NULL ELSE products END,
        products_stamp = CASE WHEN to_state = 'queued' THEN NULL ELSE products_stamp END,
        provider = told_provider, provider_message_id = message
    FROM told
    WHERE d.id = told_id AND d.lease_token = token
    AND CASE WHEN fenced THEN d.state IN ('sending', 'unknown') ELSE d.state = 'claimed' END
    RETURNING d.id, d.public_id, d.offer_id, d.state, d.contact_id, d.campaign_id, d.enrolment_id, d.step_key,
        told.*
), ended AS (
    UPDATE campaigns_deliveryattempt a
    SET ended_at = %(now)s::timestamptz, result = settled.result, code = settled.code,
        response = settled.response
    FROM settled WHERE settled.fenced AND a.lease_token = settled.token
), freed AS (
    DELETE FROM campaigns_offerslot s USING settled
    WHERE settled.offer_id IS NOT NULL AND settled.to_state = ANY (%(unsent)s::text[])
    AND s.contact_id = settled.contact_id AND s.held_for = settled.public_id
), decided AS (
    INSERT INTO campaigns_decision (id, contact_id, campaign_id, enrolment_id, delivery_id, step_key, verdict,
        reason, words, evidence, decided_at)
    SELECT decision, c.id, campaign_id, enrolment_id, settled.id, step_key, verdict, to_reason, words, '{{}}',
        %(now)s::timestamptz
    FROM settled JOIN crm_contact c ON c.id = settled.contact_id
    WHERE verdict <> '' FOR KEY SHARE OF c
)
SELECT id, state FROM settled
"""  # noqa: S608 - our own columns

# A refusal that was read before the fence is as final as one read after it, and leaves the same trace.
_FENCE_TO_FAIL = """
WITH failing AS (
    UPDATE campaigns_delivery SET state = 'sending', fenced_at = %(now)s::timestamptz, attempts = attempts + 1
    FROM unnest(%(ids)s::bigint[], %(tokens)s::bigint[]) AS mine(mine_id, mine_token)
    WHERE campaigns_delivery.id = mine_id AND lease_token = mine_token AND state = 'claimed'
    RETURNING campaigns_delivery.id, lease_token, message_sha256
)
INSERT INTO campaigns_deliveryattempt (delivery_id, lease_token, fenced_at, message_sha256, result, response)
SELECT id, lease_token, %(now)s::timestamptz, message_sha256, '', '' FROM failing
"""


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many attempts before this one; the last pause is kept for ever."""
    pauses = settings.REKINDLE_BACKOFF_SECONDS
    return timedelta(seconds=pauses[min(attempts, len(pauses) - 1)])


def settle(settlements: Sequence[Settlement], now: datetime) -> dict[int, str]:
    """Write them down. Returns the new state of each that was still its sender's to settle."""
    if not settlements:
        return {}
    values = columns([one.row() for one in settlements], list(_ARRAYS)) | {
        "now": now,
        "final": list(_FINAL),
        "unsent": list(_UNSENT),
    }
    failing = [one for one in settlements if one.state == DeliveryState.FAILED and not one.fenced]
    if not failing:
        return dict(run(_SETTLE, values))
    for one in failing:
        one.fenced = True
    values["fenced"] = [one.fenced for one in settlements]
    with transaction.atomic():
        run(
            _FENCE_TO_FAIL,
            {
                "ids": [one.delivery.id for one in failing],
                "tokens": [one.delivery.lease_token for one in failing],
                "now": now,
            },
        )
        return dict(run(_SETTLE, values))


def of_outcome(delivery: Delivery, outcome: Outcome, provider: str, now: datetime, took: str) -> Settlement:
    """What an answer of the receiver means; `took` says in words that it took the message."""
    made = Settlement(
        delivery,
        DeliveryState.SENT,
        fenced=outcome.fenced,
        provider=provider,
        provider_message_id=outcome.provider_message_id,
        result=outcome.ending,
        code=outcome.code or None,
        response=outcome.text,
    )
    match outcome.ending:
        case Ending.SENT:
            made.verdict, made.words = Decision.Verdict.SENT, took
        case Ending.UNKNOWN:
            made.state, made.reason = DeliveryState.UNKNOWN, "no_answer"
        case Ending.REFUSED | Ending.UNSENDABLE:
            made.state, made.reason = DeliveryState.FAILED, outcome.ending
            made.verdict, made.words = Decision.Verdict.FAILED, f"Refused: {_answer(outcome)}"
        case Ending.DEFERRED if delivery.attempts + 1 >= MOST_ATTEMPTS:
            made.state, made.reason = DeliveryState.FAILED, "gave_up"
            made.verdict = Decision.Verdict.FAILED
            made.words = f"Given up after {delivery.attempts + 1} attempts: {_answer(outcome)}"
        case _:
            made.state, made.reason = DeliveryState.QUEUED, outcome.ending
            made.again_at = now + backoff(delivery.attempts)
            made.tried = not outcome.fenced
    return made


def of_refusals(refusals: Collection[Refusal], by_id: dict[int, Delivery], now: datetime) -> list[Settlement]:
    """What the guards' refusals mean for the claimed deliveries they block."""
    found, told = [], _told(refusals, by_id, now)
    for refusal in refusals:
        guard = refusal.guard
        made = Settlement(
            by_id[refusal.delivery_id],
            DeliveryState.QUEUED,
            reason=refusal.reason,
            again_at=refusal.again_at,
            moves_due=guard.moves_due,
        )
        if guard.verdict in (Verdict.SUPPRESSED, Verdict.SKIPPED):
            made.state = guard.verdict.value
        if guard.tells:
            made.verdict = Decision.Verdict.WAITED if made.state == DeliveryState.QUEUED else made.state
            made.words = told.get(refusal.delivery_id) or guard.say(refusal.reason)
        found.append(made)
    return found


def _told(refusals: Collection[Refusal], by_id: dict[int, Delivery], now: datetime) -> dict[int, str]:
    """What guards have to say of single deliveries."""
    blocked: dict[Guard, list[Delivery]] = defaultdict(list)
    for refusal in refusals:
        if refusal.guard.tells:
            blocked[refusal.guard].append(by_id[refusal.delivery_id])
    found: dict[int, str] = {}
    for guard, deliveries in blocked.items():
        found |= guard.tell(deliveries, now)
    return found


def _answer(outcome: Outcome) -> str:
    return f"{outcome.code or ''} {outcome.text}".strip()
