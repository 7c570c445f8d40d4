"""What people can ask of a shop about their data: each sort of request says what is to be done for it, step
by step. Each app registers its sorts in a module called `request_kinds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from crm.kernel.kinds import Kind, Registry


class CannotDo(ValueError):
    """It cannot be done with this request now: why, in words."""


@dataclass(frozen=True)
class Step:
    """One thing to do before a request is answered. `noted` is what its log says of it once it was done.

    It is done on a page of the person (`page`, its name in the admin, for whoever has `permission`), right on
    the page of the request (`here`: the kind's `do`), or it is written down that it was done (`by_hand`: what
    is asked for then). What was done longer ago than `holds` is to be done anew.
    """

    key: str
    title: str
    how: str
    noted: str
    button: str = ""
    page: str = ""
    permission: str = ""
    here: bool = False
    by_hand: str = ""
    holds: timedelta | None = None


class RequestKind(Kind):
    """One sort of request. `place` orders them; `needs_proof`: whoever asks has to be who they say; `closing`
    says what to tell them in the end, `ends_by_erasing` that erasing
    them is the answer.
    """

    place = 100
    needs_proof = True
    ends_by_erasing = False
    steps: Sequence[Step] = ()
    closing = ""

    def step(self, key: str) -> Step:
        """The step of this key. Raises CannotDo."""
        for step in self.steps:
            if step.key == key:
                return step
        raise CannotDo("This is not to be done for this request.")

    def do(self, key: str, contact_id: UUID, now: datetime, *, by: str) -> str:
        """Do a step that is done right here, and say in words what was done."""
        raise NotImplementedError(f"{type(self).__name__} does nothing by itself")


request_kinds: Registry[RequestKind] = Registry(RequestKind)


def in_order() -> list[RequestKind]:
    """Every sort of request, those asked for most first."""
    return sorted(request_kinds, key=lambda kind: kind.place)


def choices() -> list[tuple[str, str]]:
    """For the menu of a form."""
    return [(kind.key, kind.label) for kind in in_order()]
