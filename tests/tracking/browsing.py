"""What browsers tell, as raw rows that the collector would keep: early, late, twice, by whom it may be."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crm.kernel import rules
from crm.kernel.rules import Scope
from crm.models import Contact
from tests.collecting import BROWSER
from tracking.models import InboundEvent
from tracking.visits import ingest, messages, visitors

NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
SHOP = "https://shop.example.com"
MINUTE, DAY, SECOND = timedelta(minutes=1), timedelta(days=1), timedelta(seconds=1)
ANA, BORIS = "ana@example.com", "boris@example.com"
MINE, OTHER, THIRD = (uuid.uuid5(uuid.NAMESPACE_DNS, name) for name in ("mine", "other", "third"))
RIGHT = {"counts": 0, "visits": 0}


@dataclass(frozen=True)
class Told:
    """One act of one browser, and how much later it was told."""

    browser: uuid.UUID
    kind: str
    at: datetime
    late: timedelta = timedelta()
    url: str = ""
    agent: str = BROWSER
    details: dict[str, Any] = field(default_factory=dict)
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    def row(self) -> InboundEvent:
        received = max(min(self.at + self.late, NOW), self.at)
        details = self.details
        if self.kind == "identify":
            seconds = int(received.timestamp())
            signature = visitors.sign_identity(self.browser, details["email"], seconds)
            details = details | {"timestamp": seconds, "signature": signature}
        raw = {
            "id": str(self.id),
            "t": self.kind,
            "at": round(self.at.timestamp() * 1000),
            "url": self.url,
            "p": details,
        }
        return InboundEvent(
            source="collect",
            received_at=received,
            visitor_id=self.browser,
            user_agent=self.agent,
            body={
                "v": str(self.browser),
                "b": "",
                "s": round(received.timestamp() * 1000),
                "e": [messages.clean_event(raw)],
            },
        )


def tell(*acts: Told) -> None:
    InboundEvent.objects.bulk_create([act.row() for act in acts])
    while ingest.apply(NOW):
        pass
    assert list(InboundEvent.objects.filter(state="parked").values_list("error", flat=True)) == []


def signs_in(at: datetime, browser: uuid.UUID = MINE, email: str = ANA) -> Told:
    return Told(browser, "identify", at, details={"email": email})


def page(at: datetime, url: str = "/", browser: uuid.UUID = MINE, **more: Any) -> Told:
    return Told(browser, "page", at, url=SHOP + url, details=more)


def product(at: datetime, name: str = "lamp", browser: uuid.UUID = MINE, **more: Any) -> Told:
    details = {"product_id": name, "name": name.title(), "price": "19.90", "category": "Lamps", **more}
    return Told(browser, "product", at, url=f"{SHOP}/p/{name}", details=details)


def leaf(key: str, *params: dict[str, Any]) -> dict[str, Any]:
    return {"kind": key, "params": {name: value for one in params for name, value in one.items()}}


def people(condition: dict[str, Any], *, current: bool, op: str = "all") -> set[uuid.UUID]:
    rule = {op: [condition]}
    assert not rules.problems(rule)
    scope = Scope(current=current)
    return set(Contact.objects.filter(rules.compile(rule, NOW, scope)).values_list("pk", flat=True))
