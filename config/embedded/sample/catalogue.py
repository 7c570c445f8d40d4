"""What the sample shop sells: home audio, by invented makers."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

SHOP_NAME = "Lark & Valve"
CURRENCY = "EUR"
FREE_SHIPPING_FROM = Decimal("150.00")
SHIPPING = Decimal("6.90")
TAX_RATE = Decimal("0.21")

COUPONS: Mapping[str, int] = MappingProxyType({"WELCOME10": 10, "VINYL15": 15, "AUTUMN20": 20})
"""Code to per cent off. A code of somebody's own begins with one of these: VINYL15-7KQ2-MX9D-4HJPW."""


@dataclass(frozen=True, slots=True)
class Category:
    key: str
    name: str
    line: str


@dataclass(frozen=True, slots=True)
class Product:
    """One article; `supply_days` is how long a consumable lasts, `weight` how often it is asked for."""

    id: str
    name: str
    brand: str
    category: str
    price: Decimal
    line: str
    points: tuple[str, ...]
    list_price: Decimal | None = None
    supply_days: int | None = None
    weight: int = 10

    @property
    def sku(self) -> str:
        return self.id.upper()

    @property
    def picture(self) -> str:
        return f"/pictures/{self.id}.svg"

    @property
    def path(self) -> str:
        return f"/p/{self.id}"


CATEGORIES: tuple[Category, ...] = (
    Category("speakers", "Speakers", "A pair for the shelf, or a pair that stands by itself."),
    Category("surround", "5.1 sets", "Six boxes, one evening to set up, years of cinema."),
    Category("soundbars", "Soundbars", "One long box under the screen."),
    Category("turntables", "Turntables", "For the records you kept, and the ones you will buy."),
    Category("headphones", "Headphones", "For the hours when the house is asleep."),
    Category("amplifiers", "Amplifiers", "The part you hear least and notice most."),
    Category("cables", "Cables & stands", "Short paths, firm ground."),
    Category("care", "Care & parts", "What wears out, and what keeps the rest from wearing."),
)


def _product(
    id: str,
    name: str,
    brand: str,
    category: str,
    price: str,
    line: str,
    points: str,
    *,
    list_price: str = "",
    supply_days: int | None = None,
    weight: int = 10,
) -> Product:
    return Product(
        id=id,
        name=name,
        brand=brand,
        category=category,
        price=Decimal(price),
        line=line,
        points=tuple(points.split("; ")),
        list_price=Decimal(list_price) if list_price else None,
        supply_days=supply_days,
        weight=weight,
    )


PRODUCTS: tuple[Product, ...] = (
    _product("oriel-two", "Oriel Two bookshelf pair", "Oriel", "speakers", "349.00",
             "Small boxes that do not sound small.",
             "13 cm woven cone; Walnut veneer on six sides; Stands or shelf", list_price="399.00", weight=14),
    _product("oriel-five", "Oriel Five floorstanding pair", "Oriel", "speakers", "1190.00",
             "Two slim columns with the patience for an orchestra.",
             "Two and a half ways; 38 Hz without strain; Spikes and felt in the box", weight=3),
    _product("halden-monitor", "Halden Monitor 6 active pair", "Halden", "speakers", "529.00",
             "Amplifier inside, one cable to the source.",
             "2 x 60 W built in; Phono input; Remote control", weight=7),
    _product("kestrel-porch", "Kestrel Porch portable", "Kestrel", "speakers", "129.00",
             "Kitchen by day, porch by night.",
             "18 hours on a charge; Rain does not matter; Pairs with a second", weight=16),
    _product("halden-cinema", "Halden Cinema 5.1", "Halden", "surround", "599.00",
             "Five satellites and a subwoofer that fit a living room.",
             "Six pieces, matched; Wall brackets included; 200 W subwoofer", list_price="699.00", weight=9),
    _product("oriel-salon", "Oriel Salon 5.1", "Oriel", "surround", "1490.00",
             "Real wood, real bass, film night taken seriously.",
             "Walnut or white oak; Centre with two tweeters; Ten years' warranty", weight=3),
    _product("bramble-den", "Bramble Den 5.1 wireless", "Bramble", "surround", "449.00",
             "Rear speakers without a cable across the floor.",
             "Wireless rears; Set up in half an hour; One remote", weight=7),
    _product("nordlys-300", "Nordlys Bar 300", "Nordlys", "soundbars", "229.00",
             "Voices you can follow without the subtitles.",
             "Speech mode; 90 cm wide; One HDMI cable", weight=12),
    _product("nordlys-700", "Nordlys Bar 700 with subwoofer", "Nordlys", "soundbars", "479.00",
             "The bar, and the floor joining in.",
             "Wireless subwoofer; Seven drivers; Room correction", list_price="549.00", weight=7),
    _product("bramble-beam", "Bramble Beam mini", "Bramble", "soundbars", "139.00",
             "Short enough for a desk.", "55 cm wide; USB-C or optical; Wall mount included", weight=9),
    _product("marlow-t1", "Marlow T1 turntable", "Marlow", "turntables", "249.00",
             "Plug it in, put a record on.",
             "Built-in phono stage; Belt drive; Cartridge fitted", weight=12),
    _product("marlow-t3", "Marlow T3 turntable", "Marlow", "turntables", "549.00",
             "Carbon arm, heavy platter, nothing that rattles.",
             "Carbon tonearm; 2 kg platter; 33, 45 and 78", weight=6),
    _product("marlow-reference", "Marlow Reference", "Marlow", "turntables", "1290.00",
             "The last turntable you choose.",
             "Two-piece plinth; Outboard supply; Made to order in three weeks", weight=2),
    _product("kestrel-over", "Kestrel Over wireless headphones", "Kestrel", "headphones", "199.00",
             "Thirty hours of quiet.", "Noise cancelling; 30 hours; Folds flat", weight=15),
    _product("kestrel-open", "Kestrel Open headphones", "Kestrel", "headphones", "329.00",
             "Open backs for an airy room between your ears.",
             "Open back; Replaceable pads; Cable at either side", weight=6),
    _product("kestrel-pocket", "Kestrel Pocket earphones", "Kestrel", "headphones", "89.00",
             "Gone in a coat pocket.", "Three sizes of tip; 8 hours; Case charges twice", weight=16),
    _product("halden-a50", "Halden A50 integrated amplifier", "Halden", "amplifiers", "399.00",
             "Fifty watts, five inputs, one large knob.",
             "2 x 50 W; Phono input; Headphone socket", weight=8),
    _product("halden-r9", "Halden R9 cinema receiver", "Halden", "amplifiers", "749.00",
             "Seven channels and no need for the manual.",
             "7 x 90 W; Four HDMI in, two out; Measures your room", list_price="829.00", weight=5),
    _product("marlow-phono", "Marlow phono stage", "Marlow", "amplifiers", "119.00",
             "A little box that lets the needle speak.", "MM and MC; Low noise; Metal case", weight=7),
    _product("bramble-wire", "Bramble speaker cable, 10 m", "Bramble", "cables", "29.00",
             "Enough for both sides of the room.", "2 x 2.5 mm²; Cut to length; Banana plugs", weight=14),
    _product("bramble-hdmi", "Bramble HDMI cable, 2 m", "Bramble", "cables", "19.00",
             "The cable that was not in the box.", "48 Gbit/s; Woven jacket; Slim plug", weight=15),
    _product("oriel-stands", "Oriel stands, pair", "Oriel", "cables", "159.00",
             "Ears' height, and steady.", "60 cm; Sand-fillable; Spikes", weight=7),
    _product("marlow-stylus", "Marlow replacement stylus", "Marlow", "care", "49.00",
             "A fresh diamond after a thousand hours.",
             "Fits T1 and T3; Elliptical; Two minutes to change", supply_days=300, weight=13),
    _product("lark-fluid", "Lark record cleaning fluid, 500 ml", "Lark", "care", "16.90",
             "Two hundred sides of quiet grooves.",
             "No alcohol; Cloth included; Refill bottle", supply_days=90, weight=18),
    _product("lark-sleeves", "Lark anti-static sleeves, 50", "Lark", "care", "14.90",
             "Paper keeps dust; these do not.",
             "50 inner sleeves; 12 inch; Acid-free", supply_days=75, weight=16),
    _product("kestrel-pads", "Kestrel ear pads, pair", "Kestrel", "care", "24.90",
             "Soft again.", "For Over and Open; Snap on; Memory foam", supply_days=270, weight=9),
)  # fmt: skip

BY_ID: Mapping[str, Product] = MappingProxyType({product.id: product for product in PRODUCTS})
BY_CATEGORY: Mapping[str, tuple[Product, ...]] = MappingProxyType(
    {each.key: tuple(p for p in PRODUCTS if p.category == each.key) for each in CATEGORIES}
)

GOES_WITH: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "speakers": ("bramble-wire", "oriel-stands", "halden-a50"),
        "surround": ("halden-r9", "bramble-wire", "bramble-hdmi"),
        "soundbars": ("bramble-hdmi",),
        "turntables": ("lark-fluid", "lark-sleeves", "marlow-phono", "marlow-stylus", "oriel-two"),
        "headphones": ("kestrel-pads",),
        "amplifiers": ("bramble-wire", "oriel-two"),
        "cables": ("bramble-wire", "bramble-hdmi"),
        "care": ("lark-fluid", "lark-sleeves", "marlow-stylus"),
    }
)
"""What people put beside an article of a category, by product id."""


def shipping_for(goods: Decimal) -> Decimal:
    """Nothing above the threshold, nothing for an empty basket."""
    return Decimal("0.00") if goods >= FREE_SHIPPING_FROM or goods == 0 else SHIPPING


def tax_within(total: Decimal) -> Decimal:
    """Prices include tax; this is the part of a total that is tax."""
    return (total * TAX_RATE / (1 + TAX_RATE)).quantize(Decimal("0.01"))


def percent_of(coupon: str) -> int:
    """What a code takes off in per cent, nothing for a code the shop does not know."""
    return COUPONS.get(coupon.upper().partition("-")[0], 0)


def discount_for(goods: Decimal, coupon: str) -> Decimal:
    """What a code takes off."""
    return (goods * percent_of(coupon) / 100).quantize(Decimal("0.01"))
