"""Blocks that were filled in once and are offered again; they are copied into a message, as they are then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from campaigns.messages.kinds import blocks
from campaigns.models import SavedBlock
from crm.kernel.kinds import BrokenParams, UnknownKind


class Offered(TypedDict):
    """A saved block as an editor needs it: `kind` and `params` are those of a block of a message."""

    id: int
    name: str
    label: str
    icon: str
    kind: str
    params: dict[str, Any]


def saved_blocks() -> list[Offered]:
    """All that can be put into a message now, by name; one whose kind is gone, or that its own form refuses
    by now, is left out.
    """
    found: list[Offered] = []
    for row in SavedBlock.objects.order_by("name"):
        try:
            kind = blocks.get(row.kind)
            kind.read(row.params)
        except (UnknownKind, BrokenParams):
            continue
        found.append(
            {
                "id": row.pk,
                "name": row.name,
                "label": kind.label,
                "icon": kind.icon,
                "kind": row.kind,
                "params": row.params,
            }
        )
    return found


def saved_block(number: str) -> Offered | None:
    """The one of this number, if it can be put into a message now."""
    return next((one for one in saved_blocks() if str(one["id"]) == number), None)


def save_block(name: str, kind: str, params: Mapping[str, Any], by: Any, now: datetime) -> SavedBlock:
    """Keep a block under a name; one of that name is replaced.

    Raises UnknownKind and BrokenParams for the block, ValueError for the name.
    """
    name = " ".join(name.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise ValueError("Give it a name of at most 80 letters.")
    blocks.get(kind).read(params)
    row, _made = SavedBlock.objects.update_or_create(
        name=name,
        defaults={"kind": kind, "params": dict(params), "created_at": now, "created_by": by},
    )
    return row
