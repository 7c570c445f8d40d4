"""The lines of the checklist about people's peace and about telling what it earned: the way to stop, links,
limits, lateness, control group, and paths nobody is on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from django.db.models import F

from campaigns.delivery import limits
from campaigns.flows import first_few, variants
from campaigns.flows.check import Check
from campaigns.flows.kinds import steps
from campaigns.messages import joining, leading
from campaigns.models import Campaign, Step, Template, TemplateVersion
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.models import Channel, ShopSettings

STOP = "links.unsubscribe"
ADDRESS = "shop.postal_address"
NEEDED = {STOP: "the link by which people unsubscribe", ADDRESS: "the shop's postal address"}


def lines(
    campaign: Campaign, rows: Sequence[Step], shop: ShopSettings | None, expected: int | None
) -> Iterator[Check]:
    """All of them, for these steps and so many people (None: not known)."""
    templates = list(dict.fromkeys(template for row in rows for _, template in variants.messages_of(row)))
    if writes(rows):
        yield _unsubscribe(templates)
        if shop is not None:
            yield from _links(templates, shop)
    yield from _paths(rows)
    if writes(rows):
        yield _lateness(campaign, rows)
        yield from _joins(campaign, templates)
    yield from _first(rows, expected)
    yield _limits(campaign)
    yield _control(campaign)


def writes(rows: Sequence[Step]) -> bool:
    """Whether one of these steps writes to people."""
    return any(row.kind in steps and steps.get(row.kind).channel for row in rows)


def lacks(version: TemplateVersion) -> list[str]:
    """What the law asks for and this wording does not have, in words."""
    written = [version.mjml, *([version.text] if version.text.strip() else [])]
    return [words for name, words in NEEDED.items() if any(name not in source for source in written)]


def _unsubscribe(templates: Sequence[Template]) -> Check:
    label = "A way to stop in every message"
    for template in templates:
        if template.current is not None and (found := lacks(template.current)):
            words = f"“{template}” lacks {' and '.join(found)}: add the block “Footer”."
            return Check("unsubscribe", label, words, "template", template.pk)
    return Check("unsubscribe", label, note="unsubscribe link and postal address" if templates else "")


def _links(templates: Sequence[Template], shop: ShopSettings) -> Iterator[Check]:
    label = "Where the links lead"
    strange: set[str] = set()
    for template in templates:
        if template.current is None:
            continue
        for url in leading.elsewhere(template.current, shop):
            strange.add(url)
            if said := leading.known(url):
                words = f"“{url}” in “{template}”: {said}. Mend the link, or take it out."
                yield Check(f"link:{template.pk}", label, words, "template", template.pk)
                break
    unknown = sorted({_host(url) for url in strange if leading.known(url) is None})
    if unknown:
        named = ", ".join(unknown[:3]) + (f" and {len(unknown) - 3} more" if len(unknown) > 3 else "")
        yield Check("links", label, warning=f"not only to the shop. {named}: tried at the launch.")
    elif strange:
        yield Check("links", label, note="to the shop, and to others that answered")
    else:
        yield Check("links", label, note="to the shop")


def _host(url: str) -> str:
    return urlsplit(url).netloc or url


def _paths(rows: Sequence[Step]) -> Iterator[Check]:
    reached = {""}
    for row in rows:
        if row.path not in reached:
            words = f"It is for the path “{row.path}”, and no step before it puts anybody on that."
            yield Check(f"path:{row.key}", f"Step {row.position}", words, "steps", row.pk)
        reached |= set(_paths_of(row))
    used = {row.path for row in rows}
    if empty := sorted(reached - used):
        named = " and ".join(f"“{name}”" for name in empty)
        words = f"nothing happens on {named} alone; people there go on with the steps for everyone."
        yield Check("paths", "Paths", note=words)


def _paths_of(row: Step) -> list[str]:
    try:
        kind = steps.get(row.kind)
        return kind.paths(kind.read(row.params))
    except (UnknownKind, BrokenParams):
        return []


def _lateness(campaign: Campaign, rows: Sequence[Step]) -> Check:
    label = "A late message"
    open_ended = [
        row
        for row in rows
        if row.kind in steps and steps.get(row.kind).has_template and not row.expires_after
    ]
    if campaign.expires_after:
        return Check("expiry", label, note=f"skipped {_long(campaign.expires_after)} after its time")
    if open_ended:
        words = "a message leaves however late it is, after a pause, too. Say how long it is good for."
        return Check("expiry", label, warning=words)
    return Check("expiry", label, note="each step says how long its message is good for")


def _long(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours" if hours != 1 else "1 hour"


def _first(rows: Sequence[Step], expected: int | None) -> Iterator[Check]:
    for row in rows:
        if first_few.is_asked(row.params, row) and first_few.too_few(expected):
            words = (
                f"fewer than {first_few.FEWEST_PEOPLE:,} people are expected, so all get one of its messages "
                "at once: a few of them would tell nothing."
            )
            yield Check(f"first:{row.key}", f"Step {row.position}", note=words)


def _limits(campaign: Campaign) -> Check:
    shop = limits.frequency()
    day = "one offer" if shop.offers_a_day == 1 else f"{shop.offers_a_day} offers"
    holds = [f"{day} to a person on one day"]
    if campaign.in_caps:
        holds += [str(limit) for limit in limits.of_all(Channel.EMAIL)]
    if campaign.quiet_hours:
        holds.append(f"only from {shop.allowed_from:%H:%M} to {shop.allowed_until:%H:%M} where they are")
    if campaign.exit_on_purchase:
        holds.append("any order ends it")
    label = "What holds it back"
    if not campaign.in_caps:
        words = f"{', '.join(holds)}; not the frequency limits: right only for what people asked for."
        return Check("limits", label, warning=words)
    return Check("limits", label, note=", ".join(holds))


def _joins(campaign: Campaign, templates: Sequence[Template]) -> Iterator[Check]:
    if campaign.when_beaten != Campaign.WhenBeaten.JOIN:
        return
    label = "When another message goes first"
    if not any(joining.brings(template) for template in templates):
        words = "its messages show no products that could join another, so they wait. Add products, or choose"
        yield Check("joins", label, warning=f"{words} that it waits.")
    elif not _has_somewhere_to_join(campaign):
        words = "no message of another running campaign has the block “Also for you”, so it finds nothing to"
        yield Check("joins", label, warning=f"{words} join, and waits. Add the block to those that go first.")
    else:
        yield Check("joins", label, note="its products join it; its own message is not sent")


def _has_somewhere_to_join(campaign: Campaign) -> bool:
    others = Step.objects.exclude(version__campaign=campaign).filter(
        version=F("version__campaign__current"), version__campaign__state=Campaign.State.RUNNING
    )
    rows = others.select_related("template__current").prefetch_related("variants__template__current")
    return any(joining.has_place(template) for row in rows for _, template in variants.messages_of(row))


def _control(campaign: Campaign) -> Check:
    label = "Control group"
    if campaign.control_share:
        share = f"{100 * campaign.control_share:.1f}".rstrip("0").rstrip(".")
        return Check("control", label, note=f"{share} % get nothing, so that what it earns can be told")
    if of_all := limits.held_out_of_all(campaign, limits.frequency()):
        words = f"only the {of_all:g} % whom no campaign writes to: what it earns is told late, if at all."
        return Check("control", label, warning=f"{words} Give it a share of its own, such as 0.2.")
    words = "nobody is held out, so what it earns cannot be told. Give it a share, such as 0.2."
    return Check("control", label, warning=words)
