"""What the made-up people agreed to: addresses, words on one purpose with their chain, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import batched
from random import Random  # noqa: TID251 - seeded

from benchmarks import crowd
from benchmarks.crowd import Size

PURPOSE = "newsletter"
_NOBODY_NAMED = bytes(32)


def tables(size: Size, purpose_id: int) -> Iterator[tuple[str, list[str]]]:
    """Lines for COPY, so many people at a time: six of ten agreed, some took it back."""
    from crm.kernel import tokens

    random = Random(3).random
    for some in batched(range(size.contacts), 20_000):
        rows: dict[str, list[str]] = {
            table: []
            for table in ("crm_contactpoint", "crm_consentevent", "crm_consentstate", "crm_suppression")
        }
        for n in some:
            since, address = crowd.contact_since(n, size), crowd.address(n)
            digest, key_id = tokens.address_hash("email", address)
            hashed, at = f"\\\\x{digest.hex()}", crowd.stamp(since)
            point = f"{_key(since, 5, n)}\t{crowd.contact_id(n, size)}\temail\t{address}"
            rows["crm_contactpoint"].append(f"{point}\t{hashed}\t{key_id}\tok\tt\t{at}\n")
            said, status = _words(random())
            if not said:
                continue
            before = b""
            last, moment = "", since
            for place, action in enumerate(said):
                moment = since + int(random() * (crowd.END - since)) if place else since
                last = _key(moment, 6, 2 * n + place)
                before, line = _event(last, digest, place + 1, action, moment, purpose_id, before)
                rows["crm_consentevent"].append(line)
            at = crowd.stamp(moment)
            rows["crm_consentstate"].append(
                f"{_key(since, 7, n)}\t{hashed}\temail\t{purpose_id}\t"
                f"{'t' if status == 'granted' else 'f'}\t{status}\t{at}\t{last}\n"
            )
            if status == "withdrawn":
                rows["crm_suppression"].append(
                    f"{_key(since, 8, n)}\t{hashed}\t{key_id}\temail\t{purpose_id}\t"
                    f"unsubscribed\t{at}\t{last}\n"
                )
        yield from rows.items()


def _key(seconds: int, kind: int, number: int) -> str:
    return f"{seconds * 1000:012x}70{kind:02x}8{number:015x}"


def _words(luck: float) -> tuple[tuple[str, ...], str]:
    if luck < 0.62:
        return ("granted",), "granted"
    if luck < 0.67:
        return ("granted", "withdrawn"), "withdrawn"
    return (("requested",), "pending") if luck < 0.7 else ((), "")


def _event(
    key: str, digest: bytes, place: int, action: str, moment: int, purpose_id: int, before: bytes
) -> tuple[bytes, str]:
    """One link of the chain as the product seals it; the detail it seals is as if erased."""
    from uuid import UUID

    from crm.models import ConsentEvent
    from crm.people import chain

    at = datetime.fromtimestamp(moment, UTC)
    event = ConsentEvent(
        id=UUID(key),
        address_hash=digest,
        position=place,
        channel="email",
        purpose_id=purpose_id,
        action=action,
        legal_basis="consent",
        source_kind="form",
        occurred_at=at,
        recorded_at=at,
        detail_digest=_NOBODY_NAMED,
    )
    chain.seal(event, PURPOSE, b"", before or chain.START)
    when = crowd.stamp(moment)
    line = (
        f"{key}\t\\\\x{digest.hex()}\t{place}\temail\t{purpose_id}\t{action}\tconsent\tform\t{when}\t{when}\tf\t"
        f"\\\\x{_NOBODY_NAMED.hex()}\t\\\\x{event.prev_sha256.hex()}\t\\\\x{event.row_sha256.hex()}\n"
    )
    return event.row_sha256, line
