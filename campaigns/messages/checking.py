"""What is wrong with a message made of blocks: beside its block, its field and the line of what was typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.forms.utils import pretty_name
from django.utils.text import capfirst

from campaigns.messages import composing, editing, guards, kinds, liquid, trial, variables
from campaigns.messages.compiling import Kind
from campaigns.messages.editing import Mistake
from campaigns.messages.liquid import BrokenTemplate, Problem
from campaigns.messages.look import PLAIN, Look
from crm.kernel.kinds import BrokenParams, UnknownKind

type Stored = Mapping[str, Any]
MOST_BLOCKS = 60


def problems(*, subject: str, preheader: str, blocks: Sequence[Stored], look: Look) -> list[Mistake]:
    """Everything wrong with the two lines and the blocks; an empty list means that it may be saved.

    Each field is looked at for itself first, so that its mistake stands beside it; then the whole.
    """
    lines: dict[Kind, str] = {"subject": subject, "preheader": preheader}
    found = [] if blocks else [Mistake("", 1, "A message has at least one block: add one from the menu.")]
    if len(blocks) > MOST_BLOCKS:
        found.append(Mistake("", 1, f"A message has at most {MOST_BLOCKS} blocks."))
    shapes = kinds.shapes()
    for number, stored in enumerate(blocks):
        found += _of_one(number, stored, shapes)
    found += _shown_twice(blocks)
    if found:
        tried = trial.tried({kind: source for kind, source in lines.items() if source.strip()}, shapes)
        return [Mistake(kind, one.line, one.message) for kind, some in tried.items() for one in some] + found
    made = composing.made_of(blocks, look)
    whole = editing.problems(subject=subject, preheader=preheader, mjml=made.mjml, text=made.text)
    if any(mistake.field == "mjml" for mistake in whole):
        # What the message says wrongly its plain text says wrongly, too.
        whole = [mistake for mistake in whole if mistake.field != "text"]
    return list(dict.fromkeys(_beside_its_block(mistake, made) for mistake in whole))


def in_words(mistake: Mistake, blocks: Sequence[Stored]) -> str:
    """`Block 3, Text, line 2: there is no variable called x`; what is wrong as a whole names its field."""
    if mistake.block is None:
        place = [mistake.field.capitalize()] if mistake.field else []
    else:
        stored = blocks[mistake.block]
        place = [f"Block {mistake.block + 1}", _label(stored)]
        if not mistake.line and (name := _field(stored, mistake.field)):
            place.append(f"“{name}”")
    if mistake.line and place:
        place.append(f"line {mistake.line}")
    return f"{', '.join(place)}: {mistake.message}" if place else mistake.message


def place(blocks: Sequence[Stored], line: int, *, in_text: bool = False) -> str:
    """`block 3, Text`: what made this line of the MJML (or of the text); blank for the frame around them."""
    try:
        number = composing.made_of(blocks, PLAIN).block_at(line, in_text=in_text)
    except (UnknownKind, BrokenParams):
        return ""
    return "" if number is None else f"block {number + 1}, {_label(blocks[number])}"


def _field(stored: Stored, name: str) -> str:
    """How the page calls a field of a block; blank for none of its fields."""
    try:
        field = kinds.blocks.get(stored["kind"]).Params.base_fields.get(name)
    except UnknownKind:
        return ""
    return capfirst(str(field.label or pretty_name(name))) if field else ""


def _label(stored: Stored) -> str:
    try:
        return kinds.blocks.get(stored["kind"]).label
    except UnknownKind:
        return "unknown"


def _of_one(number: int, stored: Stored, shapes: Mapping[str, Any]) -> Iterator[Mistake]:
    try:
        kind = kinds.blocks.get(stored["kind"])
    except UnknownKind:
        yield Mistake("", 0, "this kind of block does not exist any more: remove it", number)
        return
    params = stored.get("params", {})
    form = kind.form(params)
    for name, errors in form.errors.items():
        for error in errors:
            yield Mistake("" if name == "__all__" else name, 0, str(error), number)
    broken = set(form.errors)
    for name, field in kind.Params.base_fields.items():
        typed = params.get(name, "")
        if name not in broken and isinstance(typed, str) and isinstance(field, forms.CharField):
            for problem in _typed(typed, shapes):
                broken.add(name)
                yield Mistake(name, problem.line, problem.message, number)
    try:
        kind.read(params)
    except BrokenParams as error:
        if not broken:
            yield Mistake(error.field, 0, error.message, number)


def _shown_twice(blocks: Sequence[Stored]) -> Iterator[Mistake]:
    """Whoever reads the message would see the same products again."""
    first: dict[str, int] = {}
    for number, stored in enumerate(blocks):
        try:
            goods = kinds.blocks.get(stored["kind"]).goods(stored.get("params", {}))
        except (UnknownKind, KeyError):
            continue
        if goods and first.setdefault(goods, number) != number:
            words = f"block {first[goods] + 1} shows these products already"
            yield Mistake("", 0, f"{words}: choose others, or show more of them there", number)


def _typed(typed: str, shapes: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the Liquid in one field: whatever is opened there is closed there."""
    try:
        guards.mask(typed)
        template = liquid.parse(typed, html=False)
    except BrokenTemplate as broken:
        return list(broken.problems)
    if strange := next(
        (at for at, letter in enumerate(typed) if ord(letter) < 32 and letter not in "\n\t"), None
    ):
        return [Problem(liquid.line_of(typed, strange), "a character that cannot be shown: type it anew")]
    return variables.problems(template, typed, shapes)


def _beside_its_block(mistake: Mistake, made: composing.Composed) -> Mistake:
    if mistake.field in ("subject", "preheader"):
        return mistake
    if mistake.message.startswith("every message needs"):
        return Mistake("", 0, "Every message needs a footer, with the address and the links that stop it.")
    number = made.block_at(mistake.line, in_text=mistake.field == "text")
    return Mistake("", 0, mistake.message, number)
