"""The blocks of a message in a form: a row each, in the order in which they were posted."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.template.loader import render_to_string

from campaigns.admin.images import choosable
from campaigns.messages import kinds, saved
from campaigns.messages.checking import MOST_BLOCKS
from campaigns.messages.editing import Mistake
from campaigns.messages.kinds import Block
from campaigns.messages.typed import Picture
from crm.kernel.backoffice import dress
from crm.kernel.kinds import UnknownKind

_ID = re.compile(r"[a-z][a-z0-9]{0,15}")
ACT = "block-act"  # as the buttons of templates/campaigns/block_row.html say
STARTER = [
    {"kind": "campaigns.header", "params": {"align": "center", "height": 40}},
    {
        "kind": "campaigns.text",
        "params": {"heading": "Hello {{ contact.first_name | default: 'there' }},", "align": "left"},
    },
    {"kind": "campaigns.footer", "params": {"because": "You get this because you agreed to hear from us."}},
]


@dataclass
class Row:
    """One block in the form. `stored` is what would be kept; `id` is its own while the page is open."""

    id: str
    stored: dict[str, Any]
    is_open: bool = False
    wrong: list[str] = field(default_factory=list)
    by_field: dict[str, list[str]] = field(default_factory=dict)

    @property
    def kind(self) -> Block | None:
        try:
            return kinds.blocks.get(self.stored["kind"])
        except UnknownKind:
            return None

    @property
    def kept(self) -> str:
        """What an unknown block was made of, so that it goes nowhere unseen."""
        return json.dumps(self.stored.get("params", {}))

    @property
    def fields(self) -> list[tuple[forms.BoundField, list[str]]]:
        """Each field in the theme's clothes, with what is wrong with it."""
        if self.kind is None:
            return []
        form = dress(self.kind.form(self.stored.get("params", {}), prefix=self.id))
        for name, one in form.fields.items():
            one.widget.attrs |= {"data-block-field": name}
            if isinstance(one, forms.CharField) and not one.widget.is_hidden:
                one.widget.attrs |= {"data-speaks": ""}
            if isinstance(one, Picture):
                choosable(one)
            if name in self.by_field:
                one.widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"{self.id}-{name}-wrong"}
        return [(form[name], self.by_field.get(name, [])) for name in form.fields]

    @property
    def summary(self) -> str:
        """A few words of what was typed, to know it by while it is folded."""
        return self.kind.summary(self.stored.get("params", {}))[:80] if self.kind else ""


def rows_of(blocks: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Stored blocks as rows, all folded."""
    return [Row(f"b{number}", dict(stored)) for number, stored in enumerate(blocks)]


def posted(data: Any) -> list[Row]:
    """The rows of a posted form, in their order, after what was pressed was done to them."""
    found: list[Row] = []
    for row_id in dict.fromkeys(data.getlist("block")):
        if not _ID.fullmatch(row_id) or len(found) > MOST_BLOCKS:
            continue
        found.append(Row(row_id, _stored(data, row_id), is_open=f"{row_id}-open" in data))
    verb, _, target = data.get(ACT, "").partition(":")
    return _acted(found, verb, target) if verb else found


def made(kind: Block, params: Mapping[str, Any] | None = None) -> Row:
    """A new row, open, with a name that no other row of any page has."""
    chosen = dict(kind.blank() if params is None else params)
    return Row(f"n{secrets.token_hex(5)}", {"kind": kind.key, "params": chosen}, is_open=True)


def with_mistakes(rows: list[Row], mistakes: Iterable[Mistake]) -> None:
    """Each mistake of a block beside its field, and the block open."""
    for mistake in mistakes:
        if mistake.block is None or mistake.block >= len(rows):
            continue
        row = rows[mistake.block]
        row.is_open = True
        words = f"Line {mistake.line}: {mistake.message}" if mistake.line else mistake.message
        known = row.kind is not None and mistake.field in row.kind.Params.base_fields
        (row.by_field.setdefault(mistake.field, []) if known else row.wrong).append(words)


def menu() -> list[Block]:
    """Every block there is, as it stands in the menu."""
    return sorted(kinds.blocks, key=lambda kind: (kind.place, kind.label))


def drawn(row: Row) -> str:
    """One row on its own, for the script that puts it into the page."""
    return render_to_string("campaigns/block_row.html", {"row": row})


def _stored(data: Any, row_id: str) -> dict[str, Any]:
    key = data.get(f"{row_id}-kind", "")
    try:
        params = kinds.blocks.get(key).typed(data, prefix=row_id)
    except UnknownKind:
        params = _kept(data.get(f"{row_id}-kept", ""))
    return {"kind": key, "params": {name: one_kind_of_lines(value) for name, value in params.items()}}


def _kept(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text[:100_000])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def one_kind_of_lines(value: Any) -> Any:
    """Line ends as the compiler knows them; browsers send others."""
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


def _acted(rows: list[Row], verb: str, target: str) -> list[Row]:
    if verb == "add":
        if target in kinds.blocks:
            rows.insert(_before_the_footer(rows), made(kinds.blocks.get(target)))
        return rows
    if verb == "saved":
        if offered := saved.saved_block(target):
            row = made(kinds.blocks.get(offered["kind"]), offered["params"])
            rows.insert(_before_the_footer(rows), row)
        return rows
    at = next((number for number, row in enumerate(rows) if row.id == target), None)
    if at is None:
        return rows
    if verb == "remove":
        del rows[at]
    elif verb == "copy" and (kind := rows[at].kind):
        rows.insert(at + 1, made(kind, rows[at].stored["params"]))
    elif verb == "up" and at:
        rows[at - 1], rows[at] = rows[at], rows[at - 1]
    elif verb == "down" and at + 1 < len(rows):
        rows[at + 1], rows[at] = rows[at], rows[at + 1]
    return rows


def _before_the_footer(rows: list[Row]) -> int:
    is_footer = bool(rows) and rows[-1].stored["kind"] == "campaigns.footer"
    return len(rows) - 1 if is_footer else len(rows)
