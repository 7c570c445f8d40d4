"""Ana, whose year it is: what she does, and what happens in the shop meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm.ticking import run_tick
from tests.journeys.doors import BROWSER, SHOP, Browser, ask, links_of
from tests.journeys.shopfloor import AGREED, TICKS, World, comes_by, person

ZONE = ZoneInfo("Europe/Berlin")
SHELF = {
    "beans": ("Espresso beans, 1 kg", "Coffee", "24.00"),
    "grinder": ("Grinder", "Machines", "199.00"),
    "kettle": ("Kettle", "Machines", "79.00"),
    "scale": ("Scale", "Machines", "49.00"),
    "tasting-box": ("Tasting box", "Presents", "39.00"),
}
# So long after it a play may begin by what she did.
CART, VISIT = timedelta(minutes=8), timedelta(minutes=61)
CLICK = ORDER = timedelta(days=3, minutes=1)


@dataclass(frozen=True)
class Act:
    """What she does, or what happens in the shop, and after how long a play may begin by it."""

    at: datetime
    words: str
    does: Callable[[], None]
    stirs: timedelta | None = None


class Ana:
    def __init__(self, world: World) -> None:
        self.world = world
        self.browser = Browser(world.collector)

    def life(self) -> list[Act]:
        def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
            return datetime(2026, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)

        cart = [self._line("grinder"), self._line("tasting-box")]
        kettle = self._line("kettle", "69.00")
        return [
            Act(at(1, 12, 10), "signs up for the newsletter, says her birthday", self._signs_up),
            Act(
                at(1, 16, 18, 10), "looks at a grinder and a kettle", self._looks("grinder", "kettle"), VISIT
            ),
            Act(at(1, 20, 21, 15), "fills a cart and leaves", self._leaves("till-1", *cart), CART),
            Act(at(1, 22, 18), "comes back by the message", self._clicks("Is anything unclear"), CLICK),
            Act(
                at(1, 22, 18, 30),
                "orders the grinder and a tasting box",
                self._orders("1", "grinder", "tasting-box", price="238.00", cart_token="till-1"),
                ORDER,
            ),
            Act(at(2, 3, 12, 30), "looks at the kettle once more", self._looks("kettle")),
            Act(at(2, 9, 11), "(the kettle costs €69 instead of €79)", self._goods("kettle", price="69.00")),
            Act(at(2, 12, 19), "orders beans", self._orders("2", "beans"), ORDER),
            Act(at(3, 1, 12), "(the scale is sold out)", self._goods("scale", stock=0)),
            Act(at(3, 3, 19), "saves the scale for later", self._saves("scale")),
            Act(at(3, 10, 14), "(the scale can be bought again)", self._goods("scale", stock=12)),
            Act(at(3, 14, 19), "orders beans", self._orders("3", "beans"), ORDER),
            Act(
                at(3, 26, 18, 30),
                "clicks, looks around, buys nothing",
                self._clicks("seen these", "New in the"),
                CLICK,
            ),
            Act(at(3, 30, 18), "answers “The price”", self._answers),
            Act(at(4, 13, 19), "orders beans", self._orders("4", "beans"), ORDER),
            Act(
                at(9, 14, 19), "clicks: she would like to stay", self._clicks("Shall we keep writing"), CLICK
            ),
            Act(
                at(9, 22, 19, 20),
                "goes to the checkout with a kettle, leaves",
                self._leaves("till-2", kettle),
                CART,
            ),
            Act(
                at(9, 23, 10, 30),
                "orders the kettle by telephone",
                self._orders("5", "kettle", price="69.00", channel="phone"),
                ORDER,
            ),
            Act(at(10, 19, 19), "orders a scale", self._orders("6", "scale", price="49.00"), ORDER),
            Act(at(10, 26, 9, 30), "sends the scale back", self._sends_back),
            Act(at(11, 10, 11), "looks at a grinder and a scale", self._looks("grinder", "scale"), VISIT),
            Act(at(11, 10, 18), "clicks and looks again", self._clicks("Did you find"), CLICK),
        ]

    def _signs_up(self) -> None:
        self.browser.identify("ana@example.com", first_name="Ana", consents=AGREED)
        for name in TICKS:
            run_tick(name, self.world.hand.at)
        page = f"/admin/crm/contact/{person('ana').pk}/change/"
        self.world.mia.fills(page, own_birthday="1991-04-28")

    def _looks(self, *keys: str) -> Callable[[], None]:
        def act() -> None:
            for key in keys:
                self.browser.tell("product", product_id=key, name=SHELF[key][0])

        return act

    def _saves(self, key: str) -> Callable[[], None]:
        return lambda: self.browser.tell("favourite", product_id=key, name=SHELF[key][0])

    def _clicks(self, *subjects: str) -> Callable[[], None]:
        def act() -> None:
            mail = self.world.mail_to("ana")
            comes_by(
                self.browser, [one for one in mail if any(words in one["Subject"] for words in subjects)][-1]
            )

        return act

    def _answers(self) -> None:
        link = next(one for one in links_of(self.world.mail_to("ana")[-1]) if "/s/" in one)
        path = re.sub(r"https?://[^/]+", "", link)
        _, shown = ask(self.world.web, "GET", path, headers=BROWSER)
        [chosen] = re.findall(r'value="(\d+)" checked', shown.decode())
        form = BROWSER | {"Content-Type": "application/x-www-form-urlencoded"}
        ask(self.world.web, "POST", path, f"answer={chosen}", form)

    def _orders(self, number: str, *keys: str, price: str = "24.00", **more: Any) -> Callable[[], None]:
        def act() -> None:
            if "channel" not in more:
                self.browser.tell("product", product_id=keys[0], name=SHELF[keys[0]][0])
            self.world.orders("ana", number, *keys, price=price, **more)

        return act

    def _sends_back(self) -> None:
        placed = datetime(2026, 10, 19, 19, tzinfo=ZONE).isoformat()
        self.world.orders(
            "ana", "6", "scale", price="49.00", status="refunded", refunded="49.00", placed_at=placed
        )

    def _leaves(self, token: str, *lines: dict[str, object]) -> Callable[[], None]:
        def act() -> None:
            self.browser.cart(token, *lines)
            if token == "till-2":
                self.browser.tell("checkout", token=token, currency="EUR", lines=list(lines))

        return act

    def _goods(self, key: str, **said: Any) -> Callable[[], None]:
        return lambda: self.world.offers(key, **said)

    def _line(self, key: str, price: str = "") -> dict[str, object]:
        name, _, usual = SHELF[key]
        return {"product_id": key, "name": name, "price": price or usual, "url": f"{SHOP}/p/{key}"}
