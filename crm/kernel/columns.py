"""What a list that leaves as a file has as its columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """One column: a permanent key, its heading, and what it says of a row of the list: text, a number, a
    date, an instant, yes or no, several of them, or None for nothing. `needs` names the relations it reads,
    so that they are read with the rows; `is_chosen` says whether it is ticked where nobody has chosen yet.
    """

    key: str
    label: str
    value: Callable[[Any], Any]
    needs: tuple[str, ...] = ()
    is_chosen: bool = False
