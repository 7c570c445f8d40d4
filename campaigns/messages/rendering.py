"""Deliveries become mails: context, rendering, counted links, and what is kept to show it again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.delivery.mime import Mail
from campaigns.messages import contexts, counting, goods, marking, variables
from campaigns.messages.compiling import (
    BrokenTemplate,
    Compiled,
    Kind,
    NotPlain,
    Problem,
    Rendered,
    RenderFailed,
    compiled,
    problems,
)
from campaigns.messages.contexts import Context
from campaigns.messages.kinds import NOWHERE, Asked, Missing, Recipient, facts, named
from campaigns.messages.marking import Marks
from campaigns.models import Delivery, Sender, TemplateVersion
from crm.models import Contact, ShopSettings
from tracking.models import Cart

__all__ = [
    "AsSent",
    "BrokenTemplate",
    "Compiled",
    "Kind",
    "NotPlain",
    "Problem",
    "RenderFailed",
    "RenderProblem",
    "Rendered",
    "as_sent",
    "compiled",
    "prepare",
    "preview",
    "problems",
]


@dataclass(frozen=True, slots=True)
class RenderProblem:
    """Why one message could not be made: a code, and words for people."""

    reason: str
    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class AsSent:
    """A message made once more from what was kept; `is_exact` says whether it is the very one that left."""

    subject: str
    html: str
    text: str
    is_exact: bool


def prepare(deliveries: Sequence[Delivery], now: datetime) -> dict[int, Mail | RenderProblem]:
    """The mail of each delivery, in a fixed number of queries.

    Sets on each made delivery, for the caller to save before the fence: `context`, `message_sha256`,
    `template_version_id`, `subject_version`, `products`, `products_stamp`.
    """
    versions = contexts.versions(deliveries, now)
    found = contexts.build(deliveries, _used(deliveries, versions), now)
    made: dict[int, Mail | RenderProblem] = {}
    rendered: list[tuple[Delivery, Context, Rendered]] = []
    for delivery in deliveries:
        context = found[delivery.pk]
        version = versions.get(delivery.template_id) if delivery.template_id else None
        if isinstance(context, Missing):
            made[delivery.pk] = RenderProblem(context.reason, context.words)
        elif version is None:
            made[delivery.pk] = RenderProblem("no_message", "The template has no message yet.")
        else:
            try:
                shown = _marked(_render(version, context), context.marks)
            except (BrokenTemplate, RenderFailed, NotPlain) as error:
                made[delivery.pk] = RenderProblem(
                    "broken_template", f"The message could not be made: {error}"[:300]
                )
                continue
            delivery.template_version = version
            rendered.append((delivery, context, shown))
    numbers = counting.store(
        url
        for _delivery, context, shown in rendered
        if context.counts_clicks
        for url in counting.addresses(shown.html, shown.text)
    )
    for delivery, context, shown in rendered:
        made[delivery.pk] = _finish(delivery, context, shown, numbers, now)
    return made


def _used(
    deliveries: Sequence[Delivery], versions: Mapping[int, TemplateVersion]
) -> dict[int, frozenset[str]]:
    """What the message of each delivery speaks of; one that cannot be read is named when it is rendered."""
    found: dict[int, frozenset[str]] = {}
    for delivery in deliveries:
        version = versions.get(delivery.template_id) if delivery.template_id else None
        if version is not None:
            with suppress(BrokenTemplate):
                found[delivery.pk] = _compiled(version).used
    return found


def as_sent(delivery: Delivery) -> AsSent | None:
    """The message as it left, or nothing where none was made."""
    if delivery.context is None or delivery.template_version is None:
        return None
    data, clicks, opens, marks = contexts.unpacked(bytes(delivery.context))
    shown = _marked(_compiled(delivery.template_version).render(data), marks)
    numbers = counting.store(counting.addresses(shown.html, shown.text)) if clicks else {}
    whole = _counted(delivery, _subject(delivery, shown), numbers, opens)
    exact = delivery.message_sha256 is not None and _digest(whole) == bytes(delivery.message_sha256)
    return AsSent(whole.subject, whole.html, whole.text, exact)


def preview(
    version: TemplateVersion,
    contact: Contact | None,
    now: datetime,
    *,
    shop: ShopSettings | None = None,
    told: Mapping[str, Any] | None = None,
) -> Rendered:
    """A version as this contact would get it, its links leading nowhere; examples where nothing is known.

    `shop` and what is `told` stand in the place of what is stored, for settings that are not saved yet.
    Raises what rendering raises: BrokenTemplate, RenderFailed.
    """
    shop = shop or ShopSettings.objects.filter(pk=1).first()
    data = variables.example() | _of_the_shop(shop)
    cart = None
    if contact:
        data["contact"] = {name: getattr(contact, name) for name in ("first_name", "last_name", "email")}
        cart = Cart.objects.filter(contact=contact, item_count__gt=0).order_by("-changed_at").first()
        lines = list(cart.lines.all()) if cart else []
        data["cart"] = contexts.cart_data(cart, lines, shop or ShopSettings(), goods.of_lines(lines))
    data["links"] = dict.fromkeys(data["links"], NOWHERE)
    ready = _compiled(version)
    facts_of_it = _facts(ready, contact, shop or ShopSettings(), cart, now)
    return ready.render(data | facts_of_it | dict(told or {}) | {"now": now})


def preview_of_nobody(version: TemplateVersion, now: datetime) -> Rendered:
    """A version as somebody would get it of whom nothing is known: no name, no cart, nothing to recommend."""
    shop = ShopSettings.objects.filter(pk=1).first()
    data = {name: variables.bare(shape) for name, shape in variables.VARIABLES.items()} | _of_the_shop(shop)
    for fact in facts:
        data[fact.name] = variables.nothing(fact.shape)
    data["links"] = dict.fromkeys(data["links"], NOWHERE)
    ready = _compiled(version)
    return ready.render(data | _for_everybody(ready, shop or ShopSettings(), now) | {"now": now})


def _of_the_shop(shop: ShopSettings | None) -> dict[str, Any]:
    """What the basics say of who writes, as far as it is set up."""
    sender = Sender.objects.filter(is_default=True).first()
    found: dict[str, Any] = {"shop": contexts.shop_data(shop)} if shop else {}
    return found | ({"sender": contexts.sender_data(sender)} if sender else {})


def _for_everybody(ready: Compiled, shop: ShopSettings, now: datetime) -> dict[str, Any]:
    """What those facts tell that depend on nobody."""
    below, nobody = named(ready.used), Recipient(key=0, contact=Contact(), address="")
    common = [fact for fact in facts if fact.key in below and not fact.is_personal]
    told = {fact.name: fact.load(Asked([nobody], below[fact.key], shop, now)).get(0) for fact in common}
    return {name: answer for name, answer in told.items() if answer}


def _facts(
    ready: Compiled, contact: Contact | None, shop: ShopSettings, cart: Cart | None, now: datetime
) -> dict[str, Any]:
    """What the facts tell of this contact; their examples where nobody is named, or where a message to them
    would not leave.
    """
    found = variables.example(
        {fact.name: fact.shape for fact in facts if fact.key in named(ready.used)}, used=ready.used
    )
    if contact is None:
        return found | _for_everybody(ready, shop, now)
    recipient = Recipient(key=0, contact=contact, address=contact.email)
    if cart:
        recipient.subject_kind, recipient.subject_id = "cart", cart.pk
    about = (fact.subject_of(contact, now) for fact in facts if fact.key in named(ready.used))
    if subject := next(filter(None, about), None):
        recipient.subject_kind, recipient.subject_id = subject
    told = contexts.with_facts([recipient], {0: ready.used}, shop, now)[0]
    return found if isinstance(told, Missing) else told


def _compiled(version: TemplateVersion) -> Compiled:
    return compiled(version.subject, version.html, version.text, version.preheader)


def _render(version: TemplateVersion, context: Context) -> Rendered:
    return _compiled(version).render(context.data)


def _marked(shown: Rendered, marks: Marks) -> Rendered:
    html, text = marking.marked(shown.html, shown.text, marks)
    return Rendered(shown.subject, html, text, shown.preheader)


def _finish(
    delivery: Delivery, context: Context, shown: Rendered, numbers: dict[str, int], now: datetime
) -> Mail:
    whole = _counted(
        delivery, _subject(delivery, shown), numbers if context.counts_clicks else {}, context.counts_opens
    )
    delivery.context = contexts.packed(context)
    delivery.message_sha256 = _digest(whole)
    delivery.subject_version = context.cart_changed_at
    delivery.products = list(context.shows) or None
    delivery.products_stamp = goods.stamp(context.shows) if context.shows else None
    sender = context.sender
    return Mail(
        public_id=str(delivery.public_id),
        to_address=context.to_address,
        to_name=context.to_name,
        from_address=sender.email,
        from_name=sender.name,
        reply_to_address=sender.reply_to,
        reply_to_name=sender.person,
        subject=whole.subject,
        text=whole.text,
        html=whole.html,
        date=now,
        list_unsubscribe_url=context.unsubscribe,
    )


def _subject(delivery: Delivery, shown: Rendered) -> Rendered:
    if delivery.origin != Delivery.Origin.TEST:
        return shown
    return Rendered(f"[Test] {shown.subject}", shown.html, shown.text, shown.preheader)


def _counted(delivery: Delivery, shown: Rendered, numbers: dict[str, int], opens: bool) -> Rendered:
    html, text = shown.html, shown.text
    if numbers:
        html, text = counting.counted(html, text, numbers, delivery.public_id, delivery.contact_id)
    if opens:
        html = counting.with_picture(html, delivery.public_id, delivery.contact_id)
    return Rendered(shown.subject, html, text, shown.preheader)


def _digest(shown: Rendered) -> bytes:
    return hashlib.sha256("\0".join((shown.subject, shown.html, shown.text)).encode()).digest()
