"""What goes into a transport and what comes out: letters, the fence, outcomes. No models, no clock.

    for known in transport.run(letters, fence):     # a list of outcomes, as soon as they are known
        settle(known)

- `letters` is any iterable. It is pulled one letter at a time, when a conversation is free for it, so that
  it can render just in time; to stop early, stop feeding: letters never pulled were never touched. Each
  letter pulled gets exactly one outcome. With no connection to be had the run ends, the rest unpulled.
- `fence(waiting)` is called with all letters that stand right before their irreversible byte. It commits
  leave for those it grants, together, and returns their keys; whoever gathers while one fence commits is the
  next group. Letters not granted end `NOT_FENCED`: the receiver has to throw away what it saw of them.
- Should `fence` or `letters` raise, nothing more is begun, what is under way is brought to its end, and the
  exception goes on after the last outcomes were handed out.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from campaigns.delivery.mime import Mail


class Keyed(Protocol):
    """Whatever a channel carries: the caller's own key comes back in the outcome."""

    @property
    def key(self) -> Hashable: ...


@dataclass(frozen=True, slots=True)
class Letter:
    """One message under way; `key` is the caller's own, unique in a run and handed back in the outcome."""

    key: Hashable
    mail: Mail
    envelope_from: str = ""  # where bounces go; the From address when empty


class Ending(StrEnum):
    SENT = "sent"  # accepted, for certain
    REFUSED = "refused"  # a permanent no was read; before the fence or after it, see `fenced`
    DEFERRED = "deferred"  # a temporary no was read; likewise
    UNKNOWN = "unknown"  # past the point of no return, and no answer: never to be sent again by itself
    NOT_FENCED = "not_fenced"  # the fence said no
    UNREACHABLE = "unreachable"  # certainly not sent: connection, log-in or fence failed; try again later
    UNSENDABLE = "unsendable"  # refused by ourselves: bad address, a header that could be injected into


@dataclass(frozen=True, slots=True)
class Outcome:
    key: Hashable
    ending: Ending
    code: int = 0  # SMTP or HTTP status where one was read
    text: str = ""  # the receiver's words, or the reason
    provider_message_id: str = ""
    # Leave had been given. Where the fence itself raised this is False, though its commit may stand: whoever
    # puts an UNREACHABLE letter back must do so from either side of the fence.
    fenced: bool = False


Fence = Callable[[Sequence[Letter]], Collection[Hashable]]


class Transport(Protocol):
    """Carries letters of its channel's own sort, each with a `key`; for mail they are `Letter`."""

    def run(
        self, letters: Iterable[Any], fence: Callable[[Sequence[Any]], Collection[Hashable]]
    ) -> Iterator[list[Outcome]]: ...

    def close(self) -> None: ...
