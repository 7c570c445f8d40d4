"""The history of a template: what changed from version to version, and beginning again from an old one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.admin.template_form import look
from campaigns.messages import editing, kinds
from campaigns.models import Template, TemplateVersion
from crm.kernel.kinds import UnknownKind

_MARKS = {"+": "added", "-": "removed", " ": "same"}
_AROUND = 3


@dataclass(frozen=True)
class Part:
    """One part of a message, compared: `lines` are (added | removed | same | gap, text)."""

    label: str
    lines: list[tuple[str, str]]


def compared(older: TemplateVersion, newer: TemplateVersion) -> list[Part]:
    """The parts in which two versions differ, by line."""
    pairs = [
        ("Subject", older.subject, newer.subject),
        ("Preheader", older.preheader, newer.preheader),
        ("Written as", older.get_mode_display(), newer.get_mode_display()),
    ]
    if older.blocks and newer.blocks:
        pairs.append(("Blocks", _blocks(older), _blocks(newer)))
    else:
        pairs += [("Message", older.mjml, newer.mjml), ("Plain text", older.text, newer.text)]
    return [Part(label, list(_lines(a, b))) for label, a, b in pairs if a != b]


def again(template: Template, version: TemplateVersion, by: Any, now: datetime) -> TemplateVersion:
    """A new version that says what an old one said, whatever was written since."""
    parts: dict[str, Any] = {"subject": version.subject, "preheader": version.preheader}
    if version.blocks:
        parts |= {"blocks": version.blocks, "look": look()}
    else:
        parts |= {"mjml": version.mjml, "text": version.text, "mode": version.mode}
    return editing.save_version(template, **parts, afresh=True, by=by, now=now)


def copied(template: Template, by: Any, now: datetime) -> Template:
    """The same template once more, under a name of its own, its newest version its first."""
    names = set(Template.objects.filter(name__startswith=template.name[:100]).values_list("name", flat=True))
    base = template.name[:100]
    number, name = 2, f"{base} (copy)"
    while name in names:
        name, number = f"{base} (copy {number})", number + 1
    made = Template.objects.create(name=name, created_at=now)
    if template.current:
        again(made, template.current, by, now)
    return made


def _blocks(version: TemplateVersion) -> str:
    """Blocks as lines that people can read."""
    lines = []
    for stored in version.blocks:
        try:
            label = kinds.blocks.get(stored["kind"]).label
        except UnknownKind:
            label = stored["kind"]
        lines.append(f"▪ {label}")
        for name, value in stored.get("params", {}).items():
            shown = value if isinstance(value, str) else json.dumps(value)
            first, *rest = shown.splitlines() or [""]
            lines += [f"   {name}: {first}", *(f"   {line}" for line in rest)]
    return "\n".join(lines)


def _lines(older: str, newer: str) -> Iterator[tuple[str, str]]:
    found = list(difflib.ndiff(older.splitlines(), newer.splitlines()))
    found = [line for line in found if not line.startswith("?")]
    near = {
        at + step for at, line in enumerate(found) if line[0] != " " for step in range(-_AROUND, _AROUND + 1)
    }
    is_gap = False
    for at, line in enumerate(found):
        if at in near:
            is_gap = False
            yield _MARKS[line[0]], line[2:]
        elif not is_gap:
            is_gap = True
            yield "gap", "…"
