"""Orders: known by their number, with a line in each row, and the person who placed them found or made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from crm.models import Contact, Import, ImportRow, Order, OrderLine
from crm.people import identity
from crm.sheets.importing.living import referred_to
from crm.sheets.matching import Target
from crm.sheets.persons.undoing import lived_on
from crm.sheets.subjects import OVERWRITE, Staged, Undone, Wrong, known_already, subjects
from crm.sheets.things import cells, ordering
from crm.sheets.things.subject import Brought, Came, Thing, Things, Weighed
from crm.shop import taking_back
from crm.shop.intake import SHOP, OrderIn, foretell_order, record_orders

Verdict = ImportRow.Verdict
_LINES = frozenset({OrderLine._meta.label})


@subjects.register
class Orders(Things):
    """A row is a line of an order; rows with the same number are one order. Whoever placed it is found by
    their address, their number elsewhere or their telephone number, or made. It is recorded as the server API
    records it, as of when it was placed: what is long ago begins no flow.
    """

    key = "crm.orders"
    label = "Orders"
    many = "orders"
    one = "order"
    permission = "crm.add_order"
    undo_says = (
        "Orders it made are deleted, and what people spent is counted anew; orders that the shop has told of"
        " since stay. People it made go with their orders, unless they visited, were written to or edited"
        " since. Orders it changed are as before. What the orders told of people we knew stays with them."
    )

    class Params(cells.SpellingForm):
        known = known_already(
            "Orders that are known already",
            keep="keep what is known, unless the file has a later state of them",
        )
        region = forms.RegexField(
            r"^[A-Za-z]{2}$",
            label="Country of telephone numbers",
            required=False,
            help_text="Two letters such as DE, for numbers without a country code in rows without a country.",
        )
        field_order = ("known", "region")

    def targets(self) -> list[Target]:
        return ordering.TARGETS

    def missing(self, targets: set[str]) -> str:
        if not targets & {"number", "external_id"}:
            return "No column says which order a row is of. Choose the column of the order number."
        if "placed_at" not in targets:
            return "No column says when the orders were placed. Choose the column of the day."
        if not targets & {"total", "line_price"}:
            return "No column says what was paid. Choose the column of the total, or of the price of a line."
        return ""

    def key_of(self, told: dict[str, Any]) -> tuple[str, str]:
        key = cells.plain_id(told.get("number") or told.get("external_id") or "")
        return SHOP, identity.short(key, 200)

    def shape(self, row: Staged, columns: cells.Columns) -> None:
        ordering.shape(row, columns)

    def weigh(self, run: Import, things: Sequence[Thing], now: datetime, *, hold: bool) -> list[Weighed]:
        at = run.created_at if run.options.get("known") == OVERWRITE else None
        known = _known(things, hold)
        lines = ordering.lines_of(known.values())
        products = ordering.products_of(things)
        weighed = []
        for thing in things:
            order = known.get(thing.key)
            try:
                word = ordering.word(thing, products, at, order)
            except Wrong as wrong:
                weighed.append(Weighed(Verdict.REFUSED, reason=str(wrong)))
                continue
            if order is None:
                weighed.append(Weighed(Verdict.NEW, plan=(word, {}, None)))
                continue
            kept = lines.get(order.pk, [])
            changes, new_lines = foretell_order(order, word, now, has_lines=bool(kept))
            is_relined = new_lines is not None and not ordering.are_same(kept, new_lines)
            is_changed = is_relined or bool(changes.keys() - {"source_at"})
            verdict = Verdict.CHANGED if is_changed else Verdict.UNCHANGED
            weighed.append(Weighed(verdict, order.pk, plan=(word, changes, kept if is_relined else None)))
        return weighed

    def bring(
        self, run: Import, things: Sequence[tuple[Thing, Weighed]], now: datetime
    ) -> Mapping[int, Brought]:
        words: list[OrderIn] = [one.plan[0] for _, one in things]
        asked = [word.known for word in words if identity.is_knowable(word.known)]
        strangers = iter(identity.recognise(asked, now, source=SHOP))
        is_new = [
            next(strangers)[1] if identity.is_knowable(word.known) else one.verdict == Verdict.NEW
            for word, (_, one) in zip(words, things, strict=True)
        ]
        found = record_orders(words, now, source=SHOP, is_backfill=True)
        stored = {
            pk: (contact_id, source_at)
            for pk, contact_id, source_at in Order.objects.filter(pk__in=found).values_list(
                "pk", "contact_id", "source_at"
            )
        }
        brought = {}
        for (thing, one), pk, is_stranger in zip(things, found, is_new, strict=True):
            contact_id, said_at = stored[pk]
            _, changes, lines = one.plan
            before: dict[str, Any] = {"said_at": said_at}
            if is_stranger:
                before["made"] = contact_id
            if one.verdict == Verdict.CHANGED:
                before["was"] = {name: ordering.plain(old) for name, (old, _) in changes.items()}
                before["lines"] = None if lines is None else [ordering.told_line(line) for line in lines]
            brought[thing.number] = Brought(pk, before)
        return brought

    def take_back(self, run: Import, rows: Sequence[Came], now: datetime) -> Undone:
        made = {row.object_id: datetime.fromisoformat(row.before["said_at"]) for row in rows if row.is_new}
        lived = referred_to(Order, made, _LINES)
        said = Order.objects.filter(pk__in=made).values_list("pk", "source_at")
        lived |= {pk for pk, source_at in said if source_at != made[pk]}
        gone = [pk for pk in made if pk not in lived]
        taking_back.take_out(gone)
        changed = {
            row.object_id: taking_back.Was(
                {name: ordering.kept(name, value) for name, value in row.before["was"].items()},
                row.before["lines"],
                datetime.fromisoformat(row.before["said_at"]),
            )
            for row in rows
            if not row.is_new
        }
        back = taking_back.put_back(changed)
        return Undone(len(gone) + len(back), len(lived) + len(changed) - len(back))

    def clear_up(self, made: Mapping[Any, str], now: datetime) -> None:
        """Delete the people that came with orders, once their orders are gone, unless they live on."""
        # That they were in the shop to order is what the orders said.
        lived = lived_on(made, but=("last_seen_at",))
        Contact.objects.filter(pk__in=[pk for pk in made if pk not in lived]).delete()


def _known(things: Sequence[Thing], hold: bool) -> dict[str, Order]:
    """The orders we have of these, by their keys in the file: by the shop's id, else by the number."""
    rows = Order.objects.filter(source=SHOP).order_by("pk")
    if hold:
        rows = rows.select_for_update(no_key=True)
    ids = {ordering.id_of(thing): thing.key for thing in things}
    known = {ids[order.external_id]: order for order in rows.filter(external_id__in=list(ids))}
    lacking = {thing.key: thing for thing in things if thing.key not in known}
    for order in rows.filter(number__in=list(lacking)):
        thing = lacking[order.number]
        # The same number under two ids of the shop's is two orders.
        if "external_id" not in thing.told or order.external_id == order.number:
            known.setdefault(thing.key, order)
    return known
