"""One customer's year with all plays on at once: what Ana received, when and why, and what she did not. Both
lists stand in docs/a-year.md for marketers to read, and what comes out must be what stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from campaigns.flows.kinds import playbooks
from tests.journeys.a_year import ZONE, Year, all_plays_on

PAGE = Path(__file__).resolve().parents[2] / "docs" / "a-year.md"
RECEIVED = ("When", "What she did, and **what she received**", "Play", "Why")
NOT = ("When", "Play", "Why not, or not yet")
# Plays that have nothing to say to somebody who lives as Ana does; each has a story of its own.
SILENT: set[str] = set()
VERDICTS = ("Skipped", "Made to wait", "Not allowed")


@pytest.mark.chaos
def test_the_year(transactional_db, tmp_path: Path) -> None:
    with all_plays_on() as year:
        year.live()
        after = tmp_path / PAGE.name
        after.write_text(_page(year))
        _is_kind(year)
        _is_told(year)
    assert after.read_text() == PAGE.read_text(), f"the year as it came out: {after}"


def test_the_page_names_every_play() -> None:
    told = PAGE.read_text()
    assert [play.label for play in playbooks if f"| {play.label} |" not in told] == sorted(SILENT)


def _is_kind(year: Year) -> None:
    """Counted here, not asked of the program: never two within 20 hours, but for a cart; never five a week;
    nothing at night, but for a cart just left; nothing about what ended by an order.
    """
    mail = [row for row in year.rows if row.play]
    for one, other in pairwise(mail):
        assert other.at - one.at >= timedelta(hours=20) or "Still in your cart" in other.what, other
    for number, row in enumerate(mail[4:]):
        week = row.at - mail[number].at >= timedelta(days=7)
        assert week or "Still in your cart" in row.what, row
    for row in mail:
        assert 9 <= row.at.astimezone(ZONE).hour < 20 or "Still in your cart" in row.what, row


def _is_told(year: Year) -> None:
    """Each no stands on the page *Why* of its campaign: what was decided, at the same minute, in the same
    words.
    """
    pages: dict[str, str] = {}
    for no in year.noes():
        page = pages.get(no.play) or pages.setdefault(no.play, year.why(no.play))
        assert any(f"{no.when} {verdict}: {no.what}" in page for verdict in VERDICTS), no


def _page(year: Year) -> str:
    """The page with its two tables written anew."""
    lines = PAGE.read_text().split("\n")
    received = [
        [row.when, f"**{row.what}**" if row.play else row.what, row.play, row.why] for row in year.rows
    ]
    noes = [[row.when, row.play, row.what] for row in year.noes()]
    for head, rows in ((RECEIVED, received), (NOT, noes)):
        first = lines.index(_line(head))
        last = next(place for place in range(first, len(lines) + 1) if not "".join(lines[place : place + 1]))
        lines[first:last] = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
