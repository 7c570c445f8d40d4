"""Judges the letters of a replay from outside: the letters as they arrived, the raw file, and what the stage
wrote down. Knows nothing of the program, and asks it nothing.

What must hold is restated here from what marketers are promised, not from how it is done.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from config.simulate.plays.notes import Bought, Did, Letter, Notes, Play, Recorded

HOUR, DAY = 3600, 86_400
ITEM = re.compile(r"Item (\d+)|\[(\w+)\]")
SOLD_OUT = "sold out for now"
CARTS = ("abandoned_cart", "abandoned_checkout")
ANSWERS = (*CARTS, "browsed_and_left")
FIRST_ABOUT_A_CART = "Still in your cart"
FIRST_WELCOME = "Welcome"
# For how long before a letter its person must not have ordered, by play (days).
WITHOUT_ORDER = {
    "browsed_and_left": 14,
    "we_miss_you": 14,
    "anniversary": 14,
    "new_in_your_brands": 14,
    "broadcast": 3,
    "ask_why": 3,
    "post_purchase": 4,
    "nurture": 10_000,
    "at_risk": 1,
    "sunset": 1,
    "replenishment": 2,
}
# Series that any order ends: since their letter before, if it is not older than so many days.
SERIES = {"at_risk": 16, "sunset": 16, "replenishment": 13, "we_miss_you": 9, "broadcast": 5, "welcome": 5}
# The first letter of a run: what came of an earlier run says nothing of it.
BEGINS_ANEW = ("Running low", "Has everything arrived?")
# What was bought may be named when it is sold out by now: these speak of an order.
OF_ORDERS = ("post_purchase", "anniversary", "thank_vip")
# When the next letter of a series is due after the one before (hours); a visit moves none of these.
NEXT_AFTER = {"welcome": [72], "post_purchase": [240, 384], "replenishment": [288], "broadcast": [72]}


@dataclass(frozen=True)
class Violation:
    """One thing that must not be, with what is needed to look it up."""

    rule: str
    person: str
    at: int
    words: str

    def __str__(self) -> str:
        when = datetime.fromtimestamp(self.at, tz=UTC).isoformat(timespec="minutes")
        return f"{self.rule}: person {self.person}, {when}: {self.words}"


@dataclass
class Verdict:
    """How often each rule was asked, and where it was broken."""

    asked: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def broken(self) -> Counter[str]:
        return Counter(one.rule for one in self.violations)


@dataclass
class Read:
    """A letter, opened."""

    letter: Letter
    person: str
    play: Play
    message: EmailMessage

    @property
    def at(self) -> int:
        return self.letter.at

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @cached_property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part else ""

    @property
    def is_first_about_a_cart(self) -> bool:
        return self.play.key in CARTS and self.subject.startswith(FIRST_ABOUT_A_CART)

    @property
    def was_asked_for(self) -> bool:
        """A note that something is back, and the welcome: both pass the limits."""
        return self.play.key == "back_in_stock" or (
            self.play.key == "welcome" and self.subject.startswith(FIRST_WELCOME)
        )

    @property
    def answers(self) -> bool:
        """It may leave at night, if they were here a moment ago."""
        return self.play.key in ANSWERS or self.was_asked_for

    def offers(self, prefixes: tuple[str, ...]) -> list[str]:
        """The codes it gives."""
        ways = "|".join(map(re.escape, prefixes))
        return sorted(set(re.findall(rf"\b(?:{ways})(?:-[A-Z0-9]{{4,5}})*\b", self.text)))


class Case:
    """All letters, by person, and what is known of everybody."""

    def __init__(self, letters: list[Letter], notes: Notes, recorded: Recorded) -> None:
        self.notes = notes
        self.verdict = Verdict()
        by_sender = {play.sender: play for play in notes.plays}
        self.letters: dict[str, list[Read]] = defaultdict(list)
        for one in sorted(letters, key=lambda letter: letter.at):
            message = message_from_bytes(one.raw, policy=policy.default)
            play = by_sender[message["From"].addresses[0].addr_spec]
            person = one.to.partition("@")[0].removeprefix("user")
            self.letters[person].append(Read(one, person, play, message))
        self.bought: dict[str, list[Bought]] = defaultdict(list)
        for order in sorted(recorded.bought, key=lambda order: order[1]):
            self.bought[order[0]].append(order)
        self.did: dict[str, list[Did]] = defaultdict(list)
        for act in sorted(recorded.did, key=lambda act: act[1]):
            self.did[act[0]].append(act)

    def zone(self, person: str) -> ZoneInfo:
        return ZoneInfo(self.notes.zones.get(person, self.notes.zone))

    def orders(self, person: str, since: int, until: int) -> list[Bought]:
        return [order for order in self.bought[person] if since <= order[1] <= until]

    def last(self, person: str, until: int, kind: str = "") -> Did | None:
        """The last thing they did in the shop by then."""
        acts = self.did[person]
        place = bisect_right(acts, until, key=lambda act: act[1])
        return next((act for act in reversed(acts[:place]) if not kind or act[2] == kind), None)

    def ask(self, rule: str, is_broken: bool, one: Read, words: str = "") -> None:
        self.verdict.asked[rule] += 1
        if is_broken:
            said = f"{one.play.label}, “{one.subject}”. {words}".strip()
            self.verdict.violations.append(Violation(rule, one.person, one.at, said))


Rule = Callable[[Case, str, list[Read]], None]


def judge(letters: list[Letter], notes: Notes, recorded: Recorded) -> Verdict:
    """Ask every rule of every letter."""
    case = Case(letters, notes, recorded)
    for person, theirs in case.letters.items():
        for rule in RULES:
            rule(case, person, theirs)
    _codes_are_nobody_elses(case)
    return case.verdict


def _one_offer_a_day(case: Case, person: str, letters: list[Read]) -> None:
    given: Counter[object] = Counter()
    for one in letters:
        if one.offers(case.notes.code_prefixes):
            day = datetime.fromtimestamp(one.at, tz=case.zone(person)).date()
            given[day] += 1
            case.ask("one offer a local day", given[day] > case.notes.limits.offers_a_day, one, f"On {day}.")


def _limits_hold(case: Case, person: str, letters: list[Read]) -> None:
    for place, one in enumerate(letters):
        if one.is_first_about_a_cart or one.was_asked_for:
            continue
        for within, at_most in case.notes.limits.within:
            before = [other for other in letters[:place] if other.at > one.at - within]
            words = f"{len(before)} in {within // HOUR} hours before."
            case.ask("frequency limits", len(before) >= at_most, one, words)


def _by_day(case: Case, person: str, letters: list[Read]) -> None:
    limits = case.notes.limits
    for one in letters:
        local = datetime.fromtimestamp(one.at, tz=case.zone(person))
        is_day = limits.allowed_from <= local.hour < limits.allowed_until
        last = case.last(person, one.at)
        seen = max([last[1] if last else 0, *[at for at in case.notes.clicked[person] if at <= one.at]])
        answers = one.answers and one.at - seen <= limits.answers_within
        case.ask("quiet hours", not is_day and not answers, one, f"It was {local:%H:%M} there.")


def _agreed(case: Case, person: str, letters: list[Read]) -> None:
    since, purposes = case.notes.agreed.get(person, (0, set()))
    for one in letters:
        stopped = case.notes.stopped.get((person, one.play.purpose))
        no = one.play.purpose not in purposes or one.at < since or (stopped is not None and one.at >= stopped)
        case.ask("only what they agreed to", no, one, f"Agreed to {sorted(purposes)}, stopped at {stopped}.")


def _not_twice(case: Case, person: str, letters: list[Read]) -> None:
    seen: set[str] = set()
    for one in letters:
        name = str(one.message["Message-ID"])
        case.ask("no letter twice", name in seen, one)
        seen.add(name)


def _not_to_buyers(case: Case, person: str, letters: list[Read]) -> None:
    before: dict[str, int] = {}
    for one in letters:
        key = one.play.key
        since = _unbought_since(case, one, before.get(key))
        before[key] = one.at
        if since is not None:
            orders = case.orders(person, since, one.at)
            case.ask("no message to a buyer", bool(orders), one, f"Ordered at {[at for _, at, _ in orders]}.")


def _unbought_since(case: Case, one: Read, before: int | None) -> int | None:
    """From when on an order forbids this letter; nothing where none does."""
    key, person = one.play.key, one.person
    if key in CARTS:
        cart = case.last(person, one.at, "cart")
        return cart[1] if cart else 0
    moments = []
    if key in WITHOUT_ORDER:
        moments.append(one.at - WITHOUT_ORDER[key] * DAY + 1)
    goes_on = before is not None and not one.subject.startswith(BEGINS_ANEW)
    if goes_on and before is not None and key in SERIES and one.at - before < SERIES[key] * DAY:
        moments.append(before)
    if key == "welcome":
        moments.append(case.notes.agreed[person][0])
    changes: list[int] = []
    if (item := _about(one)) and key == "back_in_stock":
        changes = [at for at, is_there in case.notes.stock.get(item, ()) if is_there and at <= one.at]
    elif item and key == "price_drop":
        changes = [at for at, _ in case.notes.prices.get(item, ()) if at <= one.at]
    return min([*moments, *changes[-1:]], default=None)


def _about(one: Read) -> str | None:
    """The product a letter about one product is about: the first it names."""
    found = ITEM.search(one.text)
    return next(filter(None, found.groups())) if found else None


def _nothing_sold_out(case: Case, person: str, letters: list[Read]) -> None:
    for one in letters:
        theirs = {item for order in case.bought[person] for item in order[2]}
        for line in one.text.splitlines():
            for item in [next(filter(None, found)) for found in ITEM.findall(line)]:
                if one.play.key in OF_ORDERS and item in theirs:
                    continue
                gone = case.notes.is_sold_out(item, one.at)
                said = SOLD_OUT in line
                case.ask("nothing sold out", gone != said, one, f"{line.strip()}: sold out is {gone}.")
        lines = [line for line in one.text.splitlines() if one.play.key in CARTS and " × " in line]
        if lines:
            case.ask("nothing sold out", all(SOLD_OUT in line for line in lines), one, "All of the cart.")


def _the_better_went_first(case: Case, person: str, letters: list[Read]) -> None:
    """Of a letter whose moment is known from outside, no worse one had gone when it was due already."""
    for better, due in _moments(case, person, letters):
        for worse in letters:
            if not due <= worse.at < better.at or worse.play.priority <= better.play.priority:
                continue
            if worse.answers:  # may leave when the better one may not: at night, over the limits
                continue
            case.ask(
                "priority",
                True,
                worse,
                f"“{better.subject}” ({better.play.label}) was due since {due}, left {better.at}.",
            )
        case.verdict.asked["priority"] += 1


def _moments(case: Case, person: str, letters: list[Read]) -> Iterator[tuple[Read, int]]:
    """Letters of which the raw file, or the letter before, says when they were due."""
    series: dict[str, list[Read]] = defaultdict(list)
    for one in letters:
        series[one.play.key].append(one)
    for key, mine in series.items():
        if key == "welcome":
            yield mine[0], case.notes.agreed[person][0]
        for before, one in pairwise(mine):
            if one.subject.startswith(BEGINS_ANEW):
                continue
            for hours in NEXT_AFTER.get(key, ()):
                # On its own day, and late by no more than it is good for.
                if 0 <= one.at - before.at - hours * HOUR <= 3 * DAY:
                    yield one, before.at + hours * HOUR
        if key == "post_purchase":
            for one in mine:
                order = [at for _, at, _ in case.orders(person, one.at - 8 * DAY, one.at - 4 * DAY)]
                if order and one.subject == "Has everything arrived?":
                    yield one, order[-1] + 4 * DAY


def _codes_are_nobody_elses(case: Case) -> None:
    holders: dict[str, str] = {}
    for person, letters in case.letters.items():
        for one in letters:
            for code in one.offers(case.notes.code_prefixes):
                if "-" in code:
                    other = holders.setdefault(code, person)
                    case.ask("a code of their own", other != person, one, f"{code} is {other}'s.")


RULES: tuple[Rule, ...] = (
    _one_offer_a_day,
    _limits_hold,
    _by_day,
    _the_better_went_first,
    _not_to_buyers,
    _nothing_sold_out,
    _agreed,
    _not_twice,
)
