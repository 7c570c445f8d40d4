"""Letters to try a transport with, and the usual fences."""

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from campaigns.delivery.channels.letters import Ending, Letter, Outcome, Transport
from campaigns.delivery.mime import Mail

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def mail(number: int = 1, **changes: object) -> Mail:
    usual: dict[str, object] = {
        "public_id": str(UUID(int=number, version=4)),
        "to_name": f"Person {number}",
        "to_address": f"person{number}@example.com",
        "from_name": "Anna Müller",
        "from_address": "anna@shop.test",
        "subject": f"Your cart, number {number}",
        "text": f"Hello {number}\n.\n..two dots\nGrüße\n",
        "html": f"<p>Hello {number}</p>\n.\n<p>Grüße</p>\n",
        "date": AT,
        "list_unsubscribe_url": f"https://m.shop.test/u/{number}",
    }
    return Mail(**(usual | changes))  # type: ignore[arg-type]


def letters(count: int, first: int = 1) -> list[Letter]:
    return [Letter(number, mail(number)) for number in range(first, first + count)]


def everyone(waiting: Sequence[Letter]) -> Collection[Hashable]:
    return {letter.key for letter in waiting}


def nobody(waiting: Sequence[Letter]) -> Collection[Hashable]:
    return ()


def outcomes(transport: Transport, carried: Sequence[Letter], fence=everyone) -> dict[Hashable, Outcome]:
    """By key; a letter that ends twice, or not at all, fails the test at once."""
    found: dict[Hashable, Outcome] = {}
    for known in transport.run(carried, fence):
        for outcome in known:
            assert outcome.key not in found
            found[outcome.key] = outcome
    return found


def endings(found: dict[Hashable, Outcome]) -> Counter[Ending]:
    return Counter(outcome.ending for outcome in found.values())
