"""Several rows of one person, made one: what the first says, filled or overtaken by the others in order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

FILLED = ("first_name", "last_name", "language", "country", "time_zone")
# Besides what a person is, such as their stage as a lead: whoever says it first is believed.
_PERSONAL = frozenset(
    {
        *FILLED,
        "company",
        "own",
        "tags",
        "more",
        "source",
        "consent",
        "consent_at",
        "email",
        "phone",
        "external_id",
    }
)
_HANDLES = ("email", "phone", "external_id")


@dataclass
class Folded:
    """One person of a file: the row that stands for all, and what became of the others."""

    leader: int
    told: dict[str, Any] = field(default_factory=dict)
    followers: list[tuple[int, str, str]] = field(default_factory=list)


def fold(leader: int, members: Iterable[Any], overwrites: bool) -> Folded:
    """`members`: number, told, both hashes, the space of the outside id, which handles are fresh, and the
    person as they are known, in the order of the file.
    """
    made = Folded(leader)
    known: dict[str, Any] = {}
    for _, number, told, email_hash, phone_hash, space, *fresh, contact in members:
        told = json.loads(told) if isinstance(told, str) else told
        contact = json.loads(contact) if isinstance(contact, str) else contact
        if number == leader:
            # What an earlier check folded in is told by its own row again.
            told.pop("more", None)
            made.told, known = told, dict(contact or {})
            known["company"] = known.get("company_id") or ""
            known["fields"], known["tags"] = dict(known.get("fields") or {}), list(known.get("tags") or [])
            _take(known, told, overwrites, {})
            continue
        added = _take(known, told, overwrites, made.told)
        hashes = (email_hash, phone_hash, space)
        more = [
            {"row": number, "what": name, "is": told[name], "by": by}
            for name, by, is_fresh in zip(_HANDLES, hashes, fresh, strict=True)
            if is_fresh
        ]
        if more:
            made.told.setdefault("more", []).extend(more)
        verdict = "changed" if added or more else "unchanged"
        made.followers.append((number, verdict, f"the same person as row {leader}"))
    return made


def _take(known: dict[str, Any], told: dict[str, Any], overwrites: bool, into: dict[str, Any]) -> bool:
    """Let a person learn what a row says, and note it in `into`. Returns whether anything was news."""
    news = False
    for name in (*FILLED, "company"):
        value = told.get(name)
        if value and known.get(name, "") != value and (overwrites or not known.get(name)):
            known[name] = into[name] = value
            news = True
    for name in told.keys() - _PERSONAL:
        into.setdefault(name, told[name])
    for key, value in told.get("own", {}).items():
        if key not in known["fields"] or (overwrites and known["fields"][key] != value):
            known["fields"][key] = into.setdefault("own", {})[key] = value
            news = True
    for tag in told.get("tags", []):
        if tag not in known["tags"]:
            known["tags"].append(tag)
            into.setdefault("tags", []).append(tag)
            news = True
    return news
