"""The exact words people saw when they agreed or refused, each kept once and never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Max

from crm.models import ConsentText
from crm.people.chain import wording_digest


class Shown(NamedTuple):
    """What was shown, for which purpose, in which language."""

    purpose_key: str
    locale: str
    wording: str

    @property
    def digest(self) -> bytes:
        return wording_digest([self.purpose_key], self.locale, self.wording)


def kept(shown: Iterable[Shown], now: datetime) -> dict[Shown, ConsentText]:
    """The row of each wording; one never seen before becomes the next version for its purpose."""
    digests = {one.digest: one for one in sorted(set(shown))}
    if not digests:
        return {}
    rows = ConsentText.objects.filter(sha256__in=list(digests))
    found = {bytes(text.sha256) for text in rows}
    new = [one for digest, one in digests.items() if digest not in found]
    if new:
        _add(new, now)
    return {digests[bytes(text.sha256)]: text for text in rows.all()}


def _add(new: list[Shown], now: datetime) -> None:
    versions = ConsentText.objects.values_list("purposes", "locale").annotate(newest=Max("version"))
    newest = Counter({(purposes[0], locale): number for purposes, locale, number in versions if purposes})
    texts = []
    for one in new:
        newest[one.purpose_key, one.locale] += 1
        texts.append(
            ConsentText(
                purposes=[one.purpose_key],
                locale=one.locale,
                version=newest[one.purpose_key, one.locale],
                wording=one.wording,
                sha256=one.digest,
                valid_from=now,
            )
        )
    ConsentText.objects.bulk_create(texts, ignore_conflicts=True)
