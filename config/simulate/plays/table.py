"""The figures of a replay: messages by play as they arrived, and by the program's own decisions why not."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy

from django.db.models import Count

from campaigns.models import Decision, Enrolment
from config.simulate.plays.notes import Letter, Notes

Verdict = Decision.Verdict
NOES = (Verdict.SKIPPED, Verdict.SUPPRESSED, Verdict.HELD_OUT, Verdict.WAITED, Verdict.FAILED)
BLURRED = (
    (re.compile(r"“[^”]*”"), "“…”"),
    (re.compile(r"\d+([:.,]\d+)*"), "…"),
    (re.compile(r"… (minute|hour|day)s? ago|just now"), "… ago"),
    (re.compile(r"to them (now|at …)"), "to them"),
    (re.compile(r"on … [A-Z][a-z]+;"), "on …;"),
)


@dataclass(frozen=True)
class Row:
    """One play: people let in, messages that arrived, and with an offer, why not, how often (in words)."""

    label: str
    priority: int
    entered: int
    messages: int
    offers: int
    noes: Counter[str]


@dataclass(frozen=True)
class Table:
    rows: list[Row]

    @property
    def messages(self) -> int:
        return sum(row.messages for row in self.rows)

    def reasons(self) -> Counter[str]:
        return sum((row.noes for row in self.rows), Counter())

    def lines(self) -> Iterator[str]:
        """Two tables in Markdown."""
        yield "| Play | Priority | Let in | Messages | With an offer | Held out | Made to wait | Skipped |"
        yield "|---|---|---|---|---|---|---|---|"
        for row in self.rows:
            numbers = [row.priority, row.entered, row.messages, row.offers, *_kinds(row.noes)]
            yield f"| {row.label} | " + " | ".join(f"{number:,}" for number in numbers) + " |"
        totals = [
            sum(row.entered for row in self.rows),
            self.messages,
            sum(row.offers for row in self.rows),
            *_kinds(self.reasons()),
        ]
        yield "| **all** | | " + " | ".join(f"**{number:,}**" for number in totals) + " |"
        yield ""
        yield "| Why not, or not yet | How often | Most of them |"
        yield "|---|---|---|"
        for words, number in self.reasons().most_common():
            plays = Counter({row.label: row.noes[words] for row in self.rows if row.noes[words]})
            yield f"| {words} | {number:,} | {', '.join(label for label, _ in plays.most_common(3))} |"


def made(notes: Notes, letters: Sequence[Letter]) -> Table:
    """From the sink and the decisions."""
    by_sender = {play.sender: play.key for play in notes.plays}
    arrived, offers = Counter[str](), Counter[str]()
    codes = re.compile("|".join(rf"\b{prefix}\b" for prefix in notes.code_prefixes))
    for letter in letters:
        message = message_from_bytes(letter.raw, policy=policy.default)
        key = by_sender[message["From"].addresses[0].addr_spec]
        part = message.get_body(("plain",))
        arrived[key] += 1
        offers[key] += bool(codes.search(part.get_content() if part else ""))
    entered = dict(
        Enrolment.objects.values_list("campaign__playbook").annotate(number=Count("pk")).order_by()
    )
    noes: dict[str, Counter[str]] = defaultdict(Counter)
    decided = Decision.objects.filter(verdict__in=NOES).order_by()
    for playbook, verdict, words, number in decided.values_list(
        "campaign__playbook", "verdict", "words"
    ).annotate(number=Count("pk")):
        noes[playbook][f"{_named(verdict)}: {_blurred(words)}"] += number
    return Table(
        [
            Row(
                play.label,
                play.priority,
                entered.get(f"campaigns.{play.key}", 0),
                arrived[play.key],
                offers[play.key],
                noes[f"campaigns.{play.key}"],
            )
            for play in sorted(notes.plays, key=lambda play: play.priority)
        ]
    )


def _kinds(noes: Counter[str]) -> list[int]:
    kinds: Counter[str] = Counter()
    for words, number in noes.items():
        kinds[words.partition(":")[0]] += number
    held, waited = kinds.pop("held out", 0), kinds.pop("waited", 0)
    return [held, waited, kinds.total()]


def _named(verdict: str) -> str:
    return {Verdict.HELD_OUT: "held out", Verdict.WAITED: "waited", Verdict.SUPPRESSED: "skipped"}.get(
        Verdict(verdict), Verdict(verdict).value
    )


def _blurred(words: str) -> str:
    for pattern, instead in BLURRED:
        words = pattern.sub(instead, words)
    return words.strip().rstrip(".")
