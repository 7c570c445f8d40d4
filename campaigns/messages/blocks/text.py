"""Words: a heading and paragraphs."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, line, plain, words
from campaigns.messages.typed import ALIGNMENTS, Line, Words


@blocks.register
class Text(Block):
    """A heading, some paragraphs, or both. **Bold**, *italic*, [links](https://…) and lists are written as
    in Markdown; variables such as {{ contact.first_name | default: "there" }} stand anywhere.
    """

    key = "campaigns.text"
    label = "Text"
    icon = "notes"
    help = "A heading and paragraphs."
    place = 10
    example = {
        "heading": "Hello {{ contact.first_name | default: 'there' }}",
        "words": "A few friendly words.",
    }

    class Params(forms.Form):
        heading = Line(required=False)
        words = Words(required=False)
        align = forms.ChoiceField(label="stands", choices=ALIGNMENTS, initial="left")

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            if not self.errors and not cleaned["heading"] and not cleaned["words"]:
                self.add_error("words", "Write a heading or some words.")
            return cleaned

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        rows, align = [], params["align"]
        if params["heading"]:
            rows.append(fill("blocks/heading.mjml", heading=attribute(params["heading"]), align=align))
        if params["words"]:
            rows.append(fill("blocks/paragraphs.mjml", words=words(params["words"]), align=align))
        return fill("blocks/text.mjml", rows="\n".join(rows))

    def text(self, params: dict[str, Any]) -> str:
        return "\n\n".join(filter(None, [line(params["heading"]), plain(params["words"])]))
