"""Saving a message: mistakes by field and line, and a new version once one was used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.messages import mjml as markup
from campaigns.messages import trial
from campaigns.messages.compiling import Kind
from campaigns.models import Template, TemplateVersion


@dataclass(frozen=True)
class Mistake:
    """What is wrong, in which field and line."""

    field: str
    line: int
    message: str


def problems(*, subject: str, preheader: str, mjml: str, text: str) -> list[Mistake]:
    """Everything wrong with the four parts; an empty list means that it may be saved.

    Looked at in a process of its own, for the compiler is native code and the parts are anybody's.
    """
    parts: dict[Kind, str] = {"subject": subject, "preheader": preheader, "mjml": mjml, "text": text}
    found = trial.tried({kind: source for kind, source in parts.items() if source.strip()})
    return [Mistake(kind, one.line, one.message) for kind, some in found.items() for one in some]


def save_version(
    template: Template, *, subject: str, preheader: str, mjml: str, text: str, by: Any, now: datetime
) -> TemplateVersion:
    """Make this the newest version. An unused one is overwritten, one that a delivery used never touched."""
    parts = {"subject": subject, "preheader": preheader, "mjml": mjml, "text": text}
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
        if newest is None or newest.used_at is not None:
            newest = TemplateVersion(template=locked, number=newest.number + 1 if newest else 1)
        for name, value in parts.items():
            setattr(newest, name, value)
        newest.html, newest.created_at, newest.created_by = html, now, by
        newest.save()
        locked.current = newest
        locked.save(update_fields=["current"])
    template.current = newest
    return newest
