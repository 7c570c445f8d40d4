"""The brand kit as messages need it: their look, and the templates that take on a new one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from campaigns.messages import editing
from campaigns.messages.compiling import BrokenTemplate
from campaigns.messages.look import FONT, Look
from campaigns.models import BrandKit, Template, TemplateVersion
from crm.kernel import colours
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.models import ShopSettings

FONTS = {
    BrandKit.Font.SYSTEM: FONT,
    BrandKit.Font.ARIAL: "Arial, Helvetica, sans-serif",
    BrandKit.Font.VERDANA: "Verdana, Geneva, sans-serif",
    BrandKit.Font.TREBUCHET: "'Trebuchet MS', Helvetica, sans-serif",
    BrandKit.Font.GEORGIA: "Georgia, 'Times New Roman', serif",
    BrandKit.Font.TIMES: "'Times New Roman', Times, serif",
}


def this_kit() -> BrandKit:
    """The shop's brand kit; the defaults where it has none yet."""
    return BrandKit.objects.filter(pk=1).first() or BrandKit()


def this_look() -> Look:
    """What the shop's messages look like now: for everything that composes blocks."""
    return look_of(this_kit(), ShopSettings.objects.filter(pk=1).first() or ShopSettings())


def look_of(kit: BrandKit, shop: ShopSettings) -> Look:
    """What follows from the chosen colours is mixed from them."""
    return Look(
        text=kit.text,
        muted=_muted(kit),
        link=kit.link,
        paper=kit.paper,
        page=kit.page,
        tint=colours.between(kit.paper, kit.text, 0.04),
        line=colours.between(kit.paper, kit.text, 0.12),
        button=shop.colour,
        button_text=colours.readable_on(shop.colour),
        font=FONTS.get(BrandKit.Font(kit.font), FONT),
        radius=kit.radius,
    )


@dataclass(frozen=True, slots=True)
class Contrast:
    """How well one thing is read on another."""

    what: str
    ink: str
    ground: str

    @property
    def ratio(self) -> float:
        return colours.contrast(self.ink, self.ground)

    @property
    def is_readable(self) -> bool:
        return self.ratio >= colours.READABLE


def contrasts(look: Look) -> list[Contrast]:
    """Everything that is read in a message, with what it stands on."""
    return [
        Contrast("Text on paper", look.text, look.paper),
        Contrast("Links on paper", look.link, look.paper),
        Contrast("Words on the button", look.button_text, look.button),
        Contrast("Small print on the background", look.muted, look.page),
        Contrast("Small print on paper", look.muted, look.paper),
    ]


@dataclass(slots=True)
class Restyled:
    """What became of the templates made of blocks: how many, and which could not be made anew."""

    in_place: int = 0
    new_versions: int = 0
    unchanged: int = 0
    broken: list[str] = field(default_factory=list)


def restyle(look: Look, by: Any, now: datetime) -> Restyled:
    """Every template made of blocks takes on this look. A version that was sent stays as it is, and gets a
    successor; one that was not is changed in place.

    One template after the other, for each is locked and compiled by itself; there are dozens, not thousands.
    """
    done = Restyled()
    written = Template.objects.filter(current__mode=TemplateVersion.Mode.BLOCKS)
    for template in written.select_related("current").order_by("name"):
        before = template.current
        assert before is not None
        stands = (before.pk, before.mjml)
        try:
            after = editing.save_version(
                template,
                subject=before.subject,
                preheader=before.preheader,
                blocks=before.blocks,
                look=look,
                by=by,
                now=now,
            )
        except (UnknownKind, BrokenParams, BrokenTemplate):
            done.broken.append(template.name)
            continue
        if after.pk != stands[0]:
            done.new_versions += 1
        elif after.mjml != stands[1]:
            done.in_place += 1
        else:
            done.unchanged += 1
    return done


def _muted(kit: BrandKit) -> str:
    """Text drawn towards the paper as far as small print stays readable on paper and background."""
    for share in (0.35, 0.28, 0.2, 0.12, 0.0):
        muted = colours.between(kit.text, kit.paper, share)
        if min(colours.contrast(muted, ground) for ground in (kit.paper, kit.page)) >= colours.READABLE:
            return muted
    return kit.text
