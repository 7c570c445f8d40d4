"""Saving a message: mistakes by field and line, and a new version once one was used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.messages import composing, kinds, liquid, trial, variables
from campaigns.messages import mjml as markup
from campaigns.messages.compiling import Kind
from campaigns.messages.look import PLAIN, Look
from campaigns.models import Template, TemplateVersion


@dataclass(frozen=True)
class Mistake:
    """What is wrong, in which field and line; in which block, from 0, where the message is made of blocks.

    Without a line it is the field as a whole, without a field the block.
    """

    field: str
    line: int
    message: str
    block: int | None = None


def problems(*, subject: str, preheader: str, mjml: str, text: str) -> list[Mistake]:
    """Everything wrong with the four parts; an empty list means that it may be saved.

    Looked at in a process of its own, for the compiler is native code and the parts are anybody's.
    """
    parts: dict[Kind, str] = {"subject": subject, "preheader": preheader, "mjml": mjml, "text": text}
    sources = {kind: source for kind, source in parts.items() if source.strip()}
    found = trial.tried(sources, kinds.shapes())
    mistakes = [Mistake(kind, one.line, one.message) for kind, some in found.items() for one in some]
    return mistakes or unknown_names(sources)


def unknown_names(sources: dict[Kind, str]) -> list[Mistake]:
    """What messages call by a name that nobody gave (any more), such as a survey."""
    return [
        Mistake(kind, 1, words)
        for kind, source in sources.items()
        for words in kinds.problems(variables.used(liquid.parse(source, html=kind == "mjml")))
    ]


def save_version(
    template: Template,
    *,
    subject: str,
    preheader: str,
    mjml: str = "",
    text: str = "",
    blocks: Sequence[Mapping[str, Any]] = (),
    mode: str = "",
    look: Look = PLAIN,
    afresh: bool = False,
    by: Any,
    now: datetime,
) -> TemplateVersion:
    """Make this the newest version. An unused one is overwritten, one that a delivery used never touched, nor
    one that was written in another way; and none where it is made `afresh`.

    With `blocks`, MJML and text are made from them in this look; blocks that cannot be read raise UnknownKind
    or BrokenParams, and what they make together BrokenTemplate.
    """
    if blocks:
        composed = composing.made_of(blocks, look)
        mjml, text, mode = composed.mjml, composed.text, TemplateVersion.Mode.BLOCKS
    parts: dict[str, Any] = {"subject": subject, "preheader": preheader, "mjml": mjml, "text": text}
    parts |= {"blocks": list(blocks), "mode": mode or TemplateVersion.Mode.SOURCE}
    html = markup.compile_html(mjml)
    with transaction.atomic():
        locked = Template.objects.select_for_update(no_key=True, of=("self",)).get(pk=template.pk)
        newest = (
            TemplateVersion.objects.select_for_update(no_key=True, of=("self",))
            .filter(template=locked)
            .order_by("-number")
            .first()
        )
        if newest and all(getattr(newest, name) == value for name, value in parts.items()):
            return newest
        if newest is None or newest.used_at or afresh or newest.mode != parts["mode"]:
            newest = TemplateVersion(template=locked, number=newest.number + 1 if newest else 1)
        for name, value in parts.items():
            setattr(newest, name, value)
        newest.html, newest.created_at, newest.created_by = html, now, by
        newest.save()
        locked.current = newest
        locked.save(update_fields=["current"])
    template.current = newest
    return newest
