"""A message as one person would get it: for the frame beside the editor, with its line in an inbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.http import HttpResponse

from campaigns.admin import block_rows, frames, trials
from campaigns.admin.template_form import LINES, PARTS, look
from campaigns.flows import variants
from campaigns.messages import checking, compiling, composing, editing, mjml, rendering
from campaigns.models import Sender, Template, TemplateVersion
from campaigns.offers import telling
from crm.access import seeing
from crm.models import Contact
from crm.shop.settings import shop_zone, this_shop

EVERYTHING, NOTHING = "everything", "nothing"
CLIPPED = 100_000
"""Bytes of HTML from which mail programs cut the rest off: Gmail does at 102 KB."""


class Mistaken(Exception):
    """What was typed cannot be shown; says why, as a page for the frame."""

    def __init__(self, found: list[str]) -> None:
        super().__init__("; ".join(found))
        self.found = found


def page(
    template: Template | None, asked: Mapping[str, str], typed: Any, user: User | AnonymousUser, now: datetime
) -> HttpResponse:
    """`typed` is a posted form of the editor, shown and forgotten; without it a stored version is shown."""
    who = asked.get("who", "")
    contact = None if who in (EVERYTHING, NOTHING) else whose(asked.get("as", ""), user)
    try:
        version = _typed(template, typed) if typed is not None else _stored(template, asked)
        if who == NOTHING:
            shown = rendering.preview_of_nobody(version, now)
        else:
            shown = rendering.preview(version, contact, now, told=_given(template))
    except Mistaken as mistaken:
        return frames.mistakes(mistaken.found)
    except (compiling.BrokenTemplate, compiling.RenderFailed, compiling.NotPlain) as error:
        return frames.mistakes([str(error)])
    part = asked.get("part", "")
    size = len(shown.html.encode())
    return frames.message(
        shown,
        part=part if part in ("phone", "text", "dark") else "desktop",
        to="somebody of whom nothing is known" if who == NOTHING else str(contact or "an example"),
        sender=Sender.objects.filter(is_default=True).first(),
        kilobytes=max(1, round(size / 1000)),
        is_clipped=size > CLIPPED,
    )


def _given(template: Template | None) -> dict[str, Any]:
    """The offer of the step that sends it, with an example of a code; without one the offer's own example."""
    step = variants.step_of(template) if template and template.pk else None
    if step is None or step.offer is None:
        return {}
    return {"offer": telling.told(step.offer, None, this_shop(), shop_zone())}


def whose(typed: str, user: User | AnonymousUser) -> Contact | None:
    """The contact with this address, else whose name begins so, else somebody with a cart; people are shown
    only to those who may see them.
    """
    if not user.has_perm("crm.view_contact"):
        return None
    return trials.chosen(typed) or next(iter(found(typed, user, 1)), None) or trials.somebody()


def found(typed: str, user: User | AnonymousUser, most: int = 8) -> list[Contact]:
    """People whose first or last name, or both, or address begins with what was typed."""
    words = typed.split()[:2]
    if not words or "\0" in typed or not user.has_perm("crm.view_contact"):
        return []
    one = words[0]
    asked = Q(first_name__istartswith=one) | Q(last_name__istartswith=one)
    if not seeing.masked_in_lists(user):
        asked |= Q(email__istartswith=one)
    if len(words) > 1:
        asked = Q(first_name__istartswith=one, last_name__istartswith=words[1])
    return list(trials.known_people().filter(asked).order_by("-id")[:most])


def following(typed: str, user: User | AnonymousUser) -> Contact | None:
    """The next person after the one with this address, the newest first and round again."""
    if not user.has_perm("crm.view_contact"):
        return None
    current, people = trials.chosen(typed), trials.known_people().order_by("-id")
    after = people.filter(pk__lt=current.pk).first() if current else None
    return after or people.first()


def _stored(template: Template | None, asked: Mapping[str, str]) -> TemplateVersion:
    number = asked.get("version", "")
    version = numbered(template, number) or (template.current if template else None)
    if version is None:
        raise Mistaken(["Nothing is written yet."])
    return version


def numbered(template: Template | None, typed: str) -> TemplateVersion | None:
    """The version with this number, whatever was typed."""
    is_number = typed.isascii() and typed.isdecimal() and len(typed) < 6
    return template.versions.filter(number=int(typed)).first() if template and is_number else None


def _typed(template: Template | None, typed: Any) -> TemplateVersion:
    """A version made of what was typed, and never saved."""
    if "block" in typed:
        blocks = [row.stored for row in block_rows.posted(typed)]
        lines = {name: typed.get(name, "") for name in LINES}
        if wrong := checking.problems(**lines, blocks=blocks, look=look()):
            raise Mistaken([checking.in_words(mistake, blocks) for mistake in wrong])
        made = composing.made_of(blocks, look())
        parts = {**lines, "mjml": made.mjml, "text": made.text}
    else:
        parts = {name: block_rows.one_kind_of_lines(typed.get(name, "")) for name in PARTS}
        if found := editing.problems(**parts):
            raise Mistaken([f"{mistake.field}, line {mistake.line}: {mistake.message}" for mistake in found])
    return TemplateVersion(template=template, html=mjml.compile_html(parts["mjml"]), **parts)
