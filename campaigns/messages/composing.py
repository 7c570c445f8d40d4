"""Blocks become one message, at saving, once: the frame around them, and what follows what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.messages import kinds
from campaigns.messages.look import Look
from campaigns.messages.markup import fill


@dataclass(frozen=True, slots=True)
class Composed:
    """MJML and plain text, and for each block the line of the MJML that it begins in."""

    mjml: str
    text: str
    starts: tuple[int, ...]

    def block_at(self, line: int) -> int | None:
        """Which block made this line of the MJML, from 0; none for the frame around them."""
        found = [number for number, start in enumerate(self.starts) if start <= line]
        return found[-1] if found else None


def made_of(blocks: Sequence[Mapping[str, Any]], look: Look) -> Composed:
    """The message of stored blocks: each a kind and its parameters. Raises UnknownKind and BrokenParams."""
    pieces = []
    for stored in blocks:
        kind = kinds.blocks.get(stored["kind"])
        params = kind.read(stored.get("params", {}))
        pieces.append((kind.mjml(params, look), kind.text(params)))
    return compose(pieces, look)


def compose(pieces: Iterable[tuple[str, str]], look: Look) -> Composed:
    """One message of the MJML and the text of each block, in order."""
    lines, texts, starts = fill("blocks/frame.mjml", look).splitlines(), [], []
    end = lines.index("<!-- blocks -->")
    lines, after = lines[:end], lines[end + 1 :]
    for mjml, text in pieces:
        starts.append(len(lines) + 1)
        lines += mjml.splitlines() or [""]
        texts.append(text.strip())
    return Composed(
        "\n".join([*lines, *after]) + "\n", "\n\n".join(filter(None, texts)) + "\n", tuple(starts)
    )
