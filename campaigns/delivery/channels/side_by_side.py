"""Calls that run side by side in threads, with the fence before each: what a provider's API and another
system's address have in common. The contract is that of `letters`.

One call a letter and no repetition in here: what was posted and not answered is for the caller to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from campaigns.delivery.channels.letters import Ending, Keyed, Outcome


class SideBySide[L: Keyed, P]:
    """`pack` makes ready what is posted, or says why it cannot be; `call` posts it and says what came."""

    def __init__(self, calls: int, name: str) -> None:
        self._calls = calls
        self._pool = ThreadPoolExecutor(calls, thread_name_prefix=name)

    def close(self) -> None:
        self._pool.shutdown()

    def pack(self, letter: L) -> P | Outcome:
        raise NotImplementedError(f"{type(self).__name__} posts nothing")

    def call(self, letter: L, packed: P) -> Outcome:
        raise NotImplementedError(f"{type(self).__name__} posts nothing")

    def run(
        self, letters: Iterable[L], fence: Callable[[Sequence[L]], Collection[Hashable]]
    ) -> Iterator[list[Outcome]]:
        feed: Iterator[L] | None = iter(letters)
        under_way: set[Future[Outcome]] = set()
        trouble: Exception | None = None
        while feed or under_way:
            known: list[Outcome] = []
            waiting: list[tuple[L, P]] = []
            try:
                while feed and len(under_way) + len(waiting) < self._calls:
                    letter = next(feed, None)
                    if letter is None:
                        feed = None
                    elif isinstance(made := self.pack(letter), Outcome):
                        known.append(made)
                    else:
                        waiting.append((letter, made))
            except Exception as error:  # noqa: BLE001 - raised again when what is under way has ended
                trouble, feed = error, None
            granted: Collection[Hashable] = ()
            no, why = Ending.NOT_FENCED, ""
            if waiting:
                try:
                    granted = fence([letter for letter, _ in waiting])
                except Exception as error:  # noqa: BLE001 - likewise
                    trouble, feed = error, None
                    no, why = Ending.UNREACHABLE, f"the fence failed: {error}"
            for letter, packed in waiting:
                if letter.key in granted:
                    under_way.add(self._pool.submit(self.call, letter, packed))
                else:
                    known.append(Outcome(letter.key, no, text=why))
            if under_way and not known:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                known = [one.result() for one in done]
            if known:
                yield known
        if trouble is not None:
            raise trouble
