"""A picture beside words."""

from __future__ import annotations

from typing import Any

from django import forms

from campaigns.messages.kinds import Block, blocks
from campaigns.messages.look import Look
from campaigns.messages.markup import attribute, fill, line, plain, words
from campaigns.messages.typed import Line, Picture, Target, Words

SIDES = [("left", "on the left"), ("right", "on the right")]


@blocks.register
class Columns(Block):
    """A picture and words side by side; on a telephone the picture stands above the words."""

    key = "campaigns.columns"
    label = "Picture beside words"
    icon = "view_column_2"
    help = "Side by side; one under the other on a telephone."
    place = 25
    example = {
        "picture": "{{ shop.logo | default: '' }}",
        "heading": "Two columns",
        "words": "Words beside the picture.",
    }

    class Params(forms.Form):
        picture = Picture(help_text="Its address, such as https://…, or a variable.")
        alt = Line(
            label="in words", required=False, help_text="What it shows, for people who see no pictures."
        )
        side = forms.ChoiceField(label="the picture stands", choices=SIDES, initial="left")
        heading = Line(required=False)
        words = Words(rows=4)
        button = Line(label="on the button", max_length=80, required=False)
        link = Target(
            label="leads to", required=False, help_text="Behind the picture, and the button if there is one."
        )

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or self.cleaned_data
            if cleaned.get("button") and "link" in cleaned and not cleaned["link"]:
                self.add_error("link", "Where does the button lead?")
            return cleaned

    def mjml(self, params: dict[str, Any], look: Look) -> str:
        rows, href = [], ""
        if params["heading"]:
            rows.append(fill("blocks/columns_heading.mjml", heading=attribute(params["heading"])))
        rows.append(fill("blocks/columns_words.mjml", words=words(params["words"])))
        if params["link"]:
            href = f' href="{attribute(params["link"])}"'
        if params["button"]:
            rows.append(fill("blocks/columns_button.mjml", button=attribute(params["button"]), link=href))
        return fill(
            "blocks/columns.mjml",
            look,
            picture=attribute(params["picture"]),
            alt=attribute(params["alt"]),
            link=href,
            direction="rtl" if params["side"] == "right" else "ltr",
            rows="\n".join(rows),
        )

    def text(self, params: dict[str, Any]) -> str:
        leads = ": ".join(filter(None, [line(params["button"]), line(params["link"])]))
        return "\n\n".join(filter(None, [line(params["heading"]), plain(params["words"]), leads]))
