"""Who is behind a browser: recognised by proof alone, and then given what they did before.

Proof is a signature of the shop's server, or a click from a message that a person at the shop's page
confirmed. An address a browser merely claims is remembered as a hash and changes nothing else.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from crm.kernel import tokens as kernel_tokens
from crm.people.identity import Known
from tracking.mail import tokens
from tracking.models import Visitor
from tracking.visits.decoding import Act

SIGNATURE_TOLERANCE = timedelta(minutes=15)
SIGNING_SECRET = "shop-server"


@dataclass
class Recognised:
    """A visitor who became somebody in this batch: what they did since `since` is that person's."""

    visitor_id: UUID
    contact_id: UUID
    since: datetime | None


@dataclass
class Seen:
    """What a walk through a batch found: who was recognised, and which clicks a landing confirmed."""

    recognised: list[Recognised]
    confirmed: list[tuple[tokens.Landed, Act]]


def signing_key() -> str:
    """The secret the shop's server signs identities with, as it is shown to the shop."""
    return kernel_tokens.derive(SIGNING_SECRET).hex()


def sign_identity(visitor_id: UUID, email: str, timestamp: int, key: str | None = None) -> str:
    """What the shop's server computes: HMAC-SHA256 over visitor, address and Unix seconds."""
    return hmac.digest((key or signing_key()).encode(), _signed(visitor_id, email, timestamp), "sha256").hex()


def is_signed(act: Act) -> bool:
    """Whether the shop's server vouches for the address in this act, for this browser, as of now."""
    email, signature, timestamp = (act.details.get(name) for name in ("email", "signature", "timestamp"))
    if not email or not signature or timestamp is None or act.visitor_id is None:
        return False
    message = _signed(act.visitor_id, email, timestamp)
    fits = [
        hmac.compare_digest(
            hmac.digest(secret.hex().encode(), message, "sha256").hex().encode(), signature.encode()
        )
        for secret in kernel_tokens.derive_all(SIGNING_SECRET)
    ]
    if not any(fits):
        return False
    return (
        act.is_replay
        or abs(act.row.received_at.timestamp() - timestamp) <= SIGNATURE_TOLERANCE.total_seconds()
    )


def known_of(act: Act) -> Known:
    """What a signed act says of the person."""
    names = ("email", "external_id", "first_name", "last_name", "language", "country", "time_zone")
    return Known(source="script", **{name: act.details.get(name, "") for name in names})


def landed(act: Act) -> tokens.Landed | None:
    """The click that a landing confirms, while its token lasts."""
    return tokens.read_landing(act.details["rk"], now=act.row.received_at) if act.kind == "landing" else None


def walk(
    acts: Iterable[Act],
    visitors: Mapping[UUID, Visitor],
    resolved: Mapping[UUID, UUID],
    contacts: Mapping[UUID, UUID],
) -> Seen:
    """Follow each visitor through their acts and give each act its person, where there is proof of one.

    `resolved` has the contact of each signed act, `contacts` those whom click tokens may name.
    """
    seen = Seen([], [])
    for act in sorted(acts, key=lambda act: act.at):
        visitor = visitors.get(act.visitor_id) if act.visitor_id else None
        if visitor is None:
            continue
        if act.id in resolved:
            if act.kind in ("identify", "order"):
                _become(visitor, resolved[act.id], Visitor.Trust.SIGNED, act.at, seen)
        elif act.kind == "identify":
            _claim(visitor, act.details["email"])
        elif (click := landed(act)) and (contact_id := contacts.get(click.contact_id)):
            _land(visitor, contact_id, click, act, seen)
        if act.contact_id is None and _is_theirs(visitor, act.at):
            act.contact_id = visitor.contact_id
    return seen


def _become(visitor: Visitor, contact_id: UUID, trust: Visitor.Trust, at: datetime, seen: Seen) -> None:
    changed_at = visitor.identity_changed_at
    if changed_at is not None and at < changed_at:
        return
    if visitor.contact_id is None:
        seen.recognised.append(Recognised(visitor.id, contact_id, changed_at))
    elif visitor.contact_id != contact_id:
        # Somebody else at the same browser: what was done before stays with whom it belonged to.
        visitor.identity_changed_at = at
    elif visitor.trust == Visitor.Trust.SIGNED:
        return
    visitor.contact_id, visitor.trust = contact_id, trust


def _land(visitor: Visitor, contact_id: UUID, click: tokens.Landed, act: Act, seen: Seen) -> None:
    """A confirmed click; not of somebody signed in as another, who reads a message that was passed on."""
    if visitor.trust == Visitor.Trust.SIGNED and visitor.contact_id not in (None, contact_id):
        return
    _become(visitor, contact_id, Visitor.Trust.CLICKED, act.at, seen)
    act.ref = click.ref
    seen.confirmed.append((click, act))


def _claim(visitor: Visitor, email: str) -> None:
    try:
        visitor.claimed_hash = kernel_tokens.address_hash("email", email)[0]
    except ValueError:
        return
    if visitor.trust == Visitor.Trust.ANONYMOUS:
        visitor.trust = Visitor.Trust.CLAIMED


def _is_theirs(visitor: Visitor, at: datetime) -> bool:
    """Late news from before the browser changed hands belongs to nobody we could name."""
    return visitor.contact_id is not None and (
        visitor.identity_changed_at is None or at >= visitor.identity_changed_at
    )


def _signed(visitor_id: UUID, email: str, timestamp: int) -> bytes:
    return f"{visitor_id}|{email}|{timestamp}".encode()
