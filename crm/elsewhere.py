"""The shop's own system, and whatever else sends orders and customers in."""

from __future__ import annotations

from collections.abc import Iterator

from crm.kernel.elsewhere import Elsewhere, ToDo, elsewhere
from crm.kernel.keeping import Person
from crm.models import OutsideId
from crm.shop.settings import this_shop


@elsewhere.register
class Shop(Elsewhere):
    """The shop, whose next order would make them known again, with the numbers it calls them by."""

    key = "crm.shop"
    label = "Shop"
    place = 10

    def to_do(self, person: Person) -> Iterator[ToDo]:
        shop = this_shop()
        numbers = OutsideId.objects.filter(contact_id__in=person.ids, kind="customer")
        by_source: dict[str, list[str]] = {}
        for source, number in numbers.order_by("source", "external_id").values_list("source", "external_id"):
            by_source.setdefault(source, []).append(number)
        called = "; ".join(f"{source}: {', '.join(ids)}" for source, ids in by_source.items())
        yield ToDo(
            f"Your shop’s own system ({shop.url or shop.name or 'no address is set'})",
            "Erase them there, too: its next order would make them known here again."
            + (f" Their customer numbers: {called}." if called else ""),
        )
