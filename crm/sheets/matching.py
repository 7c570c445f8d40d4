"""Which column of a file is what: by what was said last time, by known exports, names, and what is in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from crm.sheets.exports import Export, exports
from crm.sheets.reading import Look
from crm.sheets.vocabulary import SYNONYMS, loosely, spelled

type Kind = Literal["text", "email", "phone", "date", "number", "yes_no", "choice", "money", "tags"]
type Why = Literal["remembered", "export", "name", "synonym", "content", ""]

_SHOWN = 3
# What a row says of a person, whatever else it is about: whoever takes people out of orders takes these.
_OF_PEOPLE = frozenset({"email", "phone", "first_name", "last_name", "full_name", "country", "consent"})
_ENOUGH = 3
_SENTENCE = 5
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]{2,}")
_TELEPHONE = re.compile(r"\+\d[\d\s()/.-]{6,20}|0\d{1,5}[\s/-]\d[\d\s()/.-]{4,16}")
_SUBSCRIBED = re.compile(r"((un|non-?|not )?subscribed|opted[- ]?(in|out))$", re.IGNORECASE)
# By the kind or the key of what a column can be: how its cells begin.
_LOOKS = {"email": _ADDRESS, "phone": _TELEPHONE, "consent": _SUBSCRIBED}
_FIGURES = re.compile(r"\d(?:\D{0,3}\d){4,}")


@dataclass(frozen=True)
class Target:
    """What a column can be. `synonyms` come on top of the key, the label, and what `vocabulary` knows of the
    key, or of the `word` for it where the key alone is not telling; the most telling first."""

    key: str
    label: str
    kind: Kind = "text"
    synonyms: tuple[str, ...] = ()
    required: bool = False
    help: str = ""
    word: str = ""


@dataclass(frozen=True)
class Match:
    """A column, counted from 0, with the key of what it is (nothing if unknown), why, and three values."""

    column: int
    heading: str
    target: str
    why: Why
    sample: tuple[str, ...]


def recognise_export(look: Look) -> Export | None:
    """The program that wrote the file, where its headings give it away."""
    there = {spelled(heading) for heading in look.headings}
    return max(
        (export for export in exports if export.recognises(there)),
        key=lambda export: len(there & export.columns.keys()),
        default=None,
    )


def match(look: Look, targets: Sequence[Target], remembered: Mapping[str, str]) -> list[Match]:
    """What each column is, one match for each heading; no target twice.

    `remembered`: what people said of headings before, the key of a target, or nothing for *leave it out*.
    """
    columns = _Columns(look, targets)
    columns.remember(remembered)
    if export := recognise_export(look):
        columns.know(export)
    columns.name("name", spelled, lambda target: (target.key, target.label))
    columns.name("synonym", spelled, _known)
    columns.name("synonym", loosely, lambda target: (target.key, target.label, *_known(target)))
    columns.look_inside()
    return columns.matches()


def _known(target: Target) -> Iterable[str]:
    return (*target.synonyms, *SYNONYMS.get(target.word or target.key, ()))


class _Columns:
    """Columns of a file as they are given away, the surest first."""

    def __init__(self, look: Look, targets: Sequence[Target]) -> None:
        self.headings = look.headings
        self.targets = {target.key: target for target in targets}
        self.values = [[row[at] for row in look.samples if row[at]] for at in range(len(look.headings))]
        self.given: dict[int, tuple[str, Why]] = {}
        self.settled: set[int] = set()
        """Columns known to be something else: only the very name of a target makes them one."""

    def remember(self, remembered: Mapping[str, str]) -> None:
        said = {spelled(heading): key for heading, key in remembered.items()}
        for at, heading in enumerate(self.headings):
            key = remembered.get(heading, said.get(spelled(heading)))
            if key == "" or (key in self.targets and self._is_free(key)):
                self.given[at] = (key, "remembered")

    def know(self, export: Export) -> None:
        """Give away what an export says of its columns. What it says and nobody asks for is nothing else: the
        name of an order is no person's."""
        meanings = set(export.columns.values()) - {""}
        fits = export.holds == "contacts" or 2 * len(meanings & self.targets.keys()) >= len(meanings)
        for at in self._open():
            key = export.columns.get(spelled(self.headings[at]))
            if key is None:
                continue
            self.settled.add(at)
            if key == "":
                self.given[at] = ("", "export")
            elif (
                key in self.targets
                and (fits or key in _OF_PEOPLE)
                and self._is_free(key)
                and self._may_be(at, key)
            ):
                self.given[at] = (key, "export")

    def name(self, why: Why, spell: Callable[[str], str], names: Callable[[Target], Iterable[str]]) -> None:
        """Give away by name: of two columns for one target, the one with the more telling name."""
        ranks: dict[str, list[tuple[int, str]]] = {}
        for target in self.targets.values():
            for rank, name in enumerate(names(target)):
                ranks.setdefault(spelled(name), []).append((rank, target.key))
        found = sorted(
            (rank, at, key)
            for at in self._open()
            if why == "name" or at not in self.settled
            for rank, key in ranks.get(spell(self.headings[at]), ())
        )
        for _, at, key in found:
            if at not in self.given and self._is_free(key) and self._may_be(at, key):
                self.given[at] = (key, why)

    def look_inside(self) -> None:
        """Addresses, telephone numbers and who is subscribed are known by their looks, whatever stands above
        them.
        """
        for what, form in _LOOKS.items():
            keys = [target.key for target in self.targets.values() if what in (target.kind, target.key)]
            for key in keys:
                shares = [(self._share(at, form), -at) for at in self._open()]
                best, at = max(shares, default=(0.0, 0))
                if self._is_free(key) and best > 0.5:
                    self.given[-at] = (key, "content")

    def matches(self) -> list[Match]:
        return [
            Match(at, heading, *self.given.get(at, ("", "")), tuple(self.values[at][:_SHOWN]))
            for at, heading in enumerate(self.headings)
        ]

    def _open(self) -> list[int]:
        return [at for at in range(len(self.headings)) if at not in self.given]

    def _is_free(self, key: str) -> bool:
        return all(given != key for given, _ in self.given.values())

    def _may_be(self, at: int, key: str) -> bool:
        """Whether what is in a column does not give the lie to its name."""
        kind, values = self.targets[key].kind, self.values[at]
        if len(values) < _ENOUGH:
            return True
        if kind == "email":
            return any("@" in value for value in values)
        if kind == "phone":
            return any(_FIGURES.search(value) for value in values)
        if kind == "tags":
            # Tags are words; a column of sentences is what somebody noted, whatever it is called.
            tags = [tag for value in values for tag in re.split(r"[,;|]", value)]
            return sum(1 for tag in tags if len(tag.split()) >= _SENTENCE) * 3 < len(tags)
        return True

    def _share(self, at: int, form: re.Pattern[str]) -> float:
        values = self.values[at]
        return sum(1 for value in values if form.match(value)) / len(values) if values else 0
