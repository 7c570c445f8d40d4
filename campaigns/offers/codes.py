"""Codes into the pool of an offer: brought by hand, made here, or fetched; never twice, and never quietly."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import transaction
from django.db.models.functions import Upper
from django.utils.dateparse import parse_date, parse_datetime

from campaigns.models import Coupon, Offer
from campaigns.offers.sources import NoCodes, source_of
from campaigns.offers.sources.made_here import MadeHere
from crm.kernel.work import Budget, in_batches

MOST_LINES = 200_000
_SHAPE = re.compile(r"[\w.\-]{4,80}")
_HEADINGS = {"code", "codes", "coupon", "voucher", "discount code"}
_EXPIRY = {"expires", "expiry", "valid until", "good until", "ends", "end date"}


@dataclass
class Report:
    """What became of the lines that were brought: new, known already, or refused with the reason."""

    new: int = 0
    known: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)

    def refuse(self, line: int, text: str, why: str) -> None:
        self.refused.append((line, text[:80], why))


def bring(offer: Offer, text: str, now: datetime) -> Report:
    """Take codes from pasted text or a CSV file: one a line, in the first column or the one headed *code*.

    A column headed *expires* gives single codes an end of their own. All other columns are left alone.
    """
    report = Report()
    codes: dict[str, tuple[int, str, datetime | None]] = {}
    for number, code, expires in _rows(text, report):
        if unfit := why_unfit(code, expires, now):
            report.refuse(number, code, unfit)
        elif code.upper() in codes:
            report.refuse(number, code, f"it stands in line {codes[code.upper()][0]} already")
        else:
            codes[code.upper()] = (number, code, expires)
    for batch in in_batches(codes.items(), 5000):
        _add(offer, dict(batch), report, now)
    report.refused.sort()
    return report


def why_unfit(code: str, expires: datetime | None, now: datetime) -> str:
    """Why nobody could use such a code; nothing where they could."""
    if not _SHAPE.fullmatch(code):
        return "a code has 4 to 80 letters, digits, dots, dashes or underscores"
    return "it has expired already" if expires is not None and expires <= now else ""


def make(offer: Offer, number: int, now: datetime) -> int:
    """So many new codes of our own for the pool; returns how many."""
    source = MadeHere()
    params = offer.code_params if offer.code_source == source.key else {}
    made = source.codes(offer, source.read(params), number)
    Coupon.objects.bulk_create(
        [Coupon(offer=offer, code=code, created_at=now) for code in made], batch_size=1000
    )
    return len(made)


def listed(offer: Offer) -> Iterator[str]:
    """The codes that somebody may still use, as lines of a CSV file that `bring` takes back."""
    coupons = Coupon.objects.filter(offer=offer, is_single=True)
    usable = coupons.exclude(state__in=[Coupon.State.USED, Coupon.State.EXPIRED]).order_by("pk")
    yield "code,expires\r\n"
    for code, expires in usable.values_list("code", "expires_at").iterator(chunk_size=5000):
        yield f"{code},{expires.isoformat() if expires else ''}\r\n"


def top_up(now: datetime, budget: Budget) -> int:
    """Fetch codes for every running offer that has fewer free ones than it keeps ready. Returns how many.

    What a source could not give is told on the offer's page. Asks outside every transaction.
    """
    got = 0
    offers = Offer.objects.running(now).filter(codes=Offer.Codes.SINGLE, keep_ready__gt=0)
    for offer in offers.exclude(code_source="").order_by("source_problem_at", "pk"):
        if not budget:
            break
        source = source_of(offer)
        missing = offer.keep_ready - offer.coupons.filter(state=Coupon.State.FREE).count()
        if source is None or missing <= 0:
            continue
        problem = ""
        try:
            got += _fetched(offer, source.codes(offer, source.read(offer.code_params), missing), now)
        except (NoCodes, ValueError) as error:
            problem = str(error)[:300]
        Offer.objects.filter(pk=offer.pk).update(
            source_problem=problem, source_problem_at=now if problem else None
        )
    return got


def _fetched(offer: Offer, codes: Sequence[str], now: datetime) -> int:
    report = Report()
    fresh: dict[str, tuple[int, str, datetime | None]] = {
        code.upper(): (place, code, None) for place, code in enumerate(codes, 1) if _SHAPE.fullmatch(code)
    }
    _add(offer, fresh, report, now)
    if not report.new:
        raise NoCodes("the shop gave no code that is new")
    return report.new


def weigh(offer: Offer, codes: Collection[str]) -> dict[str, str | None]:
    """Of codes in capitals those that cannot be new to an offer: why not, or None where it has them."""
    single = Coupon.objects.annotate(capitals=Upper("code")).filter(capitals__in=codes, is_single=True)
    found: dict[str, str | None] = {
        capitals: None if owner == offer.pk else "it belongs to another offer"
        for capitals, owner in single.values_list("capitals", "offer_id")
    }
    shared = Offer.objects.annotate(capitals=Upper("shared_code")).filter(capitals__in=codes)
    for capitals in shared.values_list("capitals", flat=True):
        found[capitals] = "it is the shared code of an offer, so it is nobody's own"
    return found


def add(offer: Offer, codes: Iterable[tuple[str, datetime | None]], now: datetime) -> int:
    """Put codes with their own ends into the pool; returns how many nobody else brought meanwhile."""
    fresh = [
        Coupon(offer=offer, code=code, good_until=expires, expires_at=expires, created_at=now)
        for code, expires in codes
    ]
    # In one order, so that two who bring the same codes never wait in a circle.
    fresh.sort(key=lambda coupon: coupon.code.upper())
    before = Coupon.objects.filter(offer=offer).count()
    Coupon.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=1000)
    return Coupon.objects.filter(offer=offer).count() - before


def _add(
    offer: Offer, codes: dict[str, tuple[int, str, datetime | None]], report: Report, now: datetime
) -> None:
    """Codes by their capitals, with the line each stood in and its own end."""
    with transaction.atomic():
        known = weigh(offer, list(codes))
        for capitals, why in known.items():
            if why is None:
                report.known += 1
            else:
                line, code, _ = codes[capitals]
                report.refuse(line, code, why)
        fresh = [(code, expires) for capitals, (_, code, expires) in codes.items() if capitals not in known]
        added = add(offer, fresh, now)
        report.new += added
        report.known += len(fresh) - added


def _rows(text: str, report: Report) -> Iterable[tuple[int, str, datetime | None]]:
    """Each line's number, code and end; headings say which column is which."""
    lines = text.removeprefix("\ufeff").replace("\0", "").splitlines()
    first = lines[0] if lines else ""
    between = max(",;\t", key=first.count)
    where, ends = 0, None
    for number, cells in enumerate(csv.reader(io.StringIO("\n".join(lines)), delimiter=between), start=1):
        named = [cell.strip().casefold() for cell in cells]
        if number == 1 and _HEADINGS & set(named):
            where = next(place for place, name in enumerate(named) if name in _HEADINGS)
            ends = next((place for place, name in enumerate(named) if name in _EXPIRY), None)
            continue
        if number > MOST_LINES:
            report.refuse(
                number, "", f"only {MOST_LINES:,} lines are taken at once: bring the rest after them"
            )
            return
        if not any(named):
            continue
        code = cells[where].strip() if where < len(cells) else ""
        told = cells[ends].strip() if ends is not None and ends < len(cells) else ""
        expires = _moment(told)
        if told and expires is None:
            report.refuse(number, code, f"“{told[:40]}” is not a day such as 2026-12-31")
        else:
            yield number, code, expires


def _moment(told: str) -> datetime | None:
    try:
        if day := parse_date(told):
            return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)
        at = parse_datetime(told)
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
