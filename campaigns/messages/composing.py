"""Blocks become one message, at saving, once: the frame around them, and what follows what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from campaigns.messages import kinds
from campaigns.messages.look import Look
from campaigns.messages.markup import fill


class Piece(NamedTuple):
    """What one block became."""

    mjml: str
    text: str
    on_paper: bool = True
    bleeds: bool = False


@dataclass(frozen=True, slots=True)
class Composed:
    """MJML and plain text, and for each block the line of either that it begins in."""

    mjml: str
    text: str
    starts: tuple[int, ...]
    text_starts: tuple[int, ...] = ()

    def block_at(self, line: int, *, in_text: bool = False) -> int | None:
        """Which block made this line of the MJML (or of the text), from 0; none for the frame around them."""
        starts = self.text_starts if in_text else self.starts
        found = [number for number, start in enumerate(starts) if start <= line]
        return found[-1] if found else None


def made_of(blocks: Sequence[Mapping[str, Any]], look: Look) -> Composed:
    """The message of stored blocks: each a kind and its parameters. Raises UnknownKind and BrokenParams."""
    pieces = []
    for stored in blocks:
        kind = kinds.blocks.get(stored["kind"])
        params = kind.read(stored.get("params", {}))
        pieces.append(Piece(kind.mjml(params, look), kind.text(params), kind.on_paper, kind.bleeds(params)))
    return compose(pieces, look)


def compose(pieces: Iterable[Piece], look: Look) -> Composed:
    """One message of the MJML and the text of each block, in order; what stands on paper is one sheet."""
    lines, starts = fill("blocks/frame.mjml", look).splitlines(), []
    text: list[str] = []
    text_starts = []
    end = lines.index("<!-- blocks -->")
    lines, after = lines[:end], lines[end + 1 :]
    for is_sheet, some in groupby(pieces, lambda piece: piece.on_paper):
        sheet = list(some)
        if is_sheet:
            above, below = "0" if sheet[0].bleeds else "16px", "0" if sheet[-1].bleeds else "36px"
            lines.append(fill("blocks/sheet.mjml", look, above=above, below=below))
        for piece in sheet:
            starts.append(len(lines) + 1)
            lines += piece.mjml.splitlines() or [""]
            text_starts.append(len(text) + 1)
            if said := piece.text.strip():
                text += [*said.splitlines(), ""]
        if is_sheet:
            lines.append("    </mj-wrapper>")
    return Composed(
        "\n".join([*lines, *after]) + "\n", "\n".join(text).strip() + "\n", tuple(starts), tuple(text_starts)
    )
