"""Other systems that know of a person: what has to be done there by hand once they are erased here.

Each app names those it is connected to in a module called `elsewhere`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crm.kernel.keeping import Person
from crm.kernel.kinds import Kind, Registry


@dataclass(frozen=True)
class ToDo:
    """One system: its name, which names nobody, and what to do there, which may name the person."""

    system: str
    what: str


class Elsewhere(Kind):
    """One sort of system that is told of people, or tells of them."""

    place = 100

    def to_do(self, person: Person) -> Iterator[ToDo]:
        """What to do in each system of this sort, as far as it knows of the person."""
        raise NotImplementedError(f"{type(self).__name__} names no system")


elsewhere: Registry[Elsewhere] = Registry(Elsewhere)


def to_do(person: Person) -> list[ToDo]:
    """Everything to be done by hand, the shop first."""
    kinds = sorted(elsewhere, key=lambda kind: kind.place)
    return [one for kind in kinds for one in kind.to_do(person)]
