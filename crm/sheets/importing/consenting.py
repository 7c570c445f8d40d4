"""Consent that a file brings: only with where, how, when and to which words people agreed, attested by who
imports. It lifts nothing: who unsubscribed, complained or bounced stays so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from crm.kernel import tokens
from crm.kernel.work import in_batches
from crm.models import Channel, ConsentEvent, ConsentState, Import, ImportRow, Purpose, Suppression
from crm.people import consent
from crm.people.consent import Said
from crm.people.own_fields import TRUE_WORDS
from crm.people.permission import standing_consents
from crm.shop.settings import shop_zone

SOURCE_KIND = "import"
_BATCH = 2000
# What e-mail services call people who may be written to.
YES = TRUE_WORDS | {
    "subscribed",
    "opted in",
    "opt-in",
    "opted_in",
    "accepts",
    "granted",
    "ja",
    "oui",
    "sí",
    "si",
}


def record(run: Import, after: int, upto: int, now: datetime) -> int:
    """Write down what the people of these rows agreed to. Returns how many words on it were new."""
    attested, new = run.consent, 0
    zone = shop_zone()
    for rows in in_batches(_agreed(run, after, upto), _BATCH):
        said = [
            Said(
                tokens.address_hash(Channel.EMAIL, told["email"])[0],
                Channel.EMAIL,
                purpose,
                ConsentEvent.Action.GRANTED,
                datetime.combine(_day(told, attested), time(), tzinfo=zone),
                SOURCE_KIND,
                address=told["email"],
                contact_id=None,
                wording=attested["wording"],
                locale=attested.get("locale") or "en",
                legal_basis="consent",
                source_ref=f"{attested['source']} ({attested['form']})"[:200],
                actor=run.made_by.get_username() if run.made_by else SOURCE_KIND,
                evidence={"import": str(run.pk), "file": run.name, "row": number} | attested,
            )
            for number, told in rows
            for purpose in attested["purposes"]
        ]
        new += len(consent.record(said, now, unless_repeated=True))
    return new


def take_back(run: Import, after: int, upto: int, now: datetime) -> int:
    """Let what these rows brought expire, where nothing was said since. Returns how many."""
    taken = 0
    for rows in in_batches(_agreed(run, after, upto), _BATCH):
        hashes = {tokens.address_hash(Channel.EMAIL, told["email"])[0]: told["email"] for _, told in rows}
        ours = ConsentState.objects.filter(
            address_hash__in=list(hashes),
            channel=Channel.EMAIL,
            may_send=True,
            last_event__source_kind=SOURCE_KIND,
            last_event__detail__evidence__import=str(run.pk),
        )
        said = [
            Said(
                bytes(digest),
                Channel.EMAIL,
                purpose,
                ConsentEvent.Action.EXPIRED,
                now,
                SOURCE_KIND,
                address=hashes[bytes(digest)],
                evidence={"import": str(run.pk), "undone": True},
            )
            for digest, purpose in ours.values_list("address_hash", "purpose__key")
        ]
        taken += len(consent.record(said, now))
    return taken


def forecast(run: Import) -> dict[str, dict[str, int]]:
    """By purpose: of the people of this file, how many may be written to now, and how many after it."""
    counts: dict[str, dict[str, int]] = {}
    purposes = list(Purpose.objects.filter(key__in=run.consent["purposes"]))
    for purpose in purposes:
        counts[purpose.key] = {"agreed": 0, "now": 0, "after": 0, "stopped": 0}
    for rows in in_batches(_addresses(run), _BATCH):
        addresses = dict(rows)
        folded = {
            tokens.folded_hash(Channel.EMAIL, address)[0]: digest for digest, address in addresses.items()
        }
        stops = Suppression.objects.filter(channel=Channel.EMAIL)
        complained = {
            folded[bytes(digest)]
            for digest in stops.filter(
                address_hash__in=list(folded), purpose=None, reason=Suppression.Reason.COMPLAINED
            ).values_list("address_hash", flat=True)
        }
        for purpose in purposes:
            counted = counts[purpose.key]
            states = standing_consents().filter(
                address_hash__in=list(addresses), channel=Channel.EMAIL, purpose=purpose
            )
            may = {bytes(digest) for digest in states.values_list("address_hash", flat=True)}
            stopped = complained | {
                bytes(digest)
                for digest, which in stops.filter(address_hash__in=list(addresses)).values_list(
                    "address_hash", "purpose"
                )
                if which in (None, purpose.pk)
            }
            counted["agreed"] += len(addresses)
            counted["now"] += len(may)
            counted["after"] += len(may | (set(addresses) - stopped))
            counted["stopped"] += len(stopped - may)
    return counts


def _agreed(run: Import, after: int, upto: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows whose people agreed: those that say so, or all, where no column says it."""
    rows = ImportRow.objects.filter(run=run, number__gt=after, number__lte=upto).exclude(verdict="refused")
    by_column = "consent" in run.mapping.values()
    for number, told in rows.order_by("number").values_list("number", "told").iterator(chunk_size=_BATCH):
        if told.get("email") and (not by_column or says_yes(told.get("consent", ""))):
            yield number, told


def _addresses(run: Import) -> Iterator[tuple[bytes, str]]:
    """Each address once: rows come in the order of their addresses, so that none has to be remembered."""
    rows = ImportRow.objects.filter(run=run, email_hash__isnull=False).exclude(verdict="refused")
    by_column = "consent" in run.mapping.values()
    before = b""
    for digest, told in (
        rows.order_by("email_hash").values_list("email_hash", "told").iterator(chunk_size=_BATCH)
    ):
        if (
            digest is not None
            and bytes(digest) != before
            and (not by_column or says_yes(told.get("consent", "")))
        ):
            before = bytes(digest)
            yield tokens.address_hash(Channel.EMAIL, told["email"])[0], told["email"]


def says_yes(cell: str) -> bool:
    """Whether a cell says that somebody agreed. What is neither yes nor no is no."""
    return " ".join(cell.split()).casefold() in YES


def _day(told: dict[str, Any], attested: dict[str, Any]) -> date:
    """When they agreed: the row's own date where it has one we can read, else the one attested for all."""
    try:
        return date.fromisoformat(told.get("consent_at", "")[:10])
    except ValueError:
        return date.fromisoformat(attested["on"])
