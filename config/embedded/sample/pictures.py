"""Product pictures drawn as SVG, so that the shop needs no image files and no other host."""

from .catalogue import BY_ID, Product

GROUNDS = {
    "speakers": ("#f4e4d4", "#e9c9a8"),
    "surround": ("#dfe7ef", "#b9cbdd"),
    "soundbars": ("#e6e2f1", "#c7bfe2"),
    "turntables": ("#fbe3dc", "#f0b9a8"),
    "headphones": ("#dff0ea", "#aed8c8"),
    "amplifiers": ("#f3ecd2", "#e2d093"),
    "cables": ("#e5ebe0", "#c2d2b4"),
    "care": ("#fdeed9", "#f5cf9b"),
}
DARK, WOOD, METAL, LIGHT = "#2b2622", "#8a5a34", "#b9b4ad", "#f7f3ee"


def _box(x: int, y: int, w: int, h: int, fill: str = WOOD, radius: int = 8) -> str:
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{radius}" fill="{fill}"/>'


def _cone(x: int, y: int, r: int) -> str:
    return (
        f'<circle cx="{x}" cy="{y}" r="{r}" fill="{DARK}"/>'
        f'<circle cx="{x}" cy="{y}" r="{r * 0.78:.1f}" fill="#45403b"/>'
        f'<circle cx="{x}" cy="{y}" r="{r * 0.3:.1f}" fill="{METAL}"/>'
    )


def _speaker(x: int, y: int, w: int, h: int, fill: str = WOOD) -> str:
    mid = x + w // 2
    cones = _cone(mid, y + int(h * 0.22), int(w * 0.2)) + _cone(mid, y + h - int(w * 0.55), int(w * 0.38))
    if h > 2 * w:
        cones += _cone(mid, y + h - int(w * 1.4), int(w * 0.38))
    return _box(x, y, w, h, fill) + cones


def _line(points: str, width: int = 10, colour: str = DARK) -> str:
    return (
        f'<path d="{points}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _bar(width: int) -> str:
    x = 200 - width // 2
    slots = "".join(_box(at, 196, 4, 28, "#4b4540", 2) for at in range(x + 18, x + width - 16, 12))
    return _box(x, 186, width, 48, DARK, 24) + slots


def _turntable(platter: str) -> str:
    return (
        _box(70, 130, 260, 180, WOOD, 14)
        + f'<circle cx="180" cy="220" r="78" fill="{platter}"/>'
        + "".join(
            f'<circle cx="180" cy="220" r="{r}" fill="none" stroke="#57504a" stroke-width="1.5"/>'
            for r in (70, 60, 50, 40)
        )
        + '<circle cx="180" cy="220" r="24" fill="#d8532f"/><circle cx="180" cy="220" r="4" fill="#fff"/>'
        + _line("M300 150 L296 226 L246 262", 8, METAL)
        + f'<circle cx="300" cy="150" r="16" fill="{METAL}"/>'
    )


def _headphones(open_back: bool) -> str:
    cup = "#45403b" if open_back else DARK
    return (
        _line("M110 236 C110 90 290 90 290 236", 16)
        + _box(88, 216, 52, 92, cup, 24)
        + _box(260, 216, 52, 92, cup, 24)
        + _box(132, 226, 18, 72, "#d8532f", 9)
        + _box(250, 226, 18, 72, "#d8532f", 9)
    )


def _amplifier(height: int) -> str:
    top = 290 - height
    return (
        _box(80, top, 240, height, METAL, 10)
        + _box(92, top + 12, 216, height - 24, LIGHT, 6)
        + f'<circle cx="262" cy="{top + height // 2}" r="{height // 4}" fill="{DARK}"/>'
        + "".join(
            f'<circle cx="{x}" cy="{top + height // 2}" r="7" fill="{METAL}"/>' for x in (122, 148, 174, 200)
        )
        + _box(100, 290, 30, 10, DARK, 3)
        + _box(270, 290, 30, 10, DARK, 3)
    )


def _bottle() -> str:
    return (
        _box(176, 96, 48, 40, DARK, 8)
        + _box(150, 130, 100, 180, "#5d9aa8", 22)
        + _box(150, 190, 100, 76, LIGHT, 0)
        + '<circle cx="200" cy="228" r="24" fill="#d8532f"/>'
        + f'<circle cx="200" cy="228" r="6" fill="{LIGHT}"/>'
    )


def _sleeves() -> str:
    return (
        "".join(
            _box(110 + 14 * i, 110 + 12 * i, 160, 170, c, 4)
            for i, c in enumerate(("#d9cdbd", "#e8dfd2", LIGHT))
        )
        + f'<circle cx="218" cy="219" r="40" fill="{DARK}"/><circle cx="218" cy="219" r="13" fill="#d8532f"/>'
    )


def _coil(colour: str, plug: str) -> str:
    rings = "".join(
        f'<circle cx="200" cy="205" r="{r}" fill="none" stroke="{colour}" stroke-width="9"/>'
        for r in (88, 74, 60)
    )
    return rings + _line("M270 262 L322 300", 9, colour) + _box(308, 290, 40, 22, plug, 5)


_SUBWOOFER = _box(268, 206, 96, 104, DARK, 10) + _cone(316, 258, 36)
_SET = (
    "".join(_speaker(x, 130, 44, 74) for x in (44, 104, 252, 312))
    + _box(150, 150, 100, 40)
    + _cone(176, 170, 14)
    + _cone(224, 170, 14)
    + _box(145, 214, 110, 104, DARK, 10)
    + _cone(200, 266, 38)
)

DRAWINGS = {
    "oriel-two": _speaker(92, 140, 94, 170) + _speaker(214, 140, 94, 170),
    "oriel-five": _speaker(110, 76, 72, 240) + _speaker(218, 76, 72, 240),
    "halden-monitor": _speaker(92, 130, 94, 180, DARK) + _speaker(214, 130, 94, 180, DARK),
    "kestrel-porch": _box(100, 170, 200, 120, "#d8532f", 56)
    + _cone(160, 230, 40)
    + _cone(240, 230, 40)
    + _line("M150 172 C150 120 250 120 250 172", 10),
    "halden-cinema": _SET,
    "oriel-salon": _SET.replace(DARK, "#3d2a1c"),
    "bramble-den": _SET.replace(WOOD, "#6f7c6a"),
    "nordlys-300": _bar(290),
    "nordlys-700": f'<g transform="translate(-24 -30)">{_bar(290)}</g>{_SUBWOOFER}',
    "bramble-beam": _bar(190),
    "marlow-t1": _turntable(DARK),
    "marlow-t3": _turntable("#3c3a44").replace(WOOD, "#3f3b38"),
    "marlow-reference": _box(60, 300, 280, 22, DARK, 6) + _turntable(DARK).replace(WOOD, "#6d4428"),
    "kestrel-over": _headphones(False),
    "kestrel-open": _headphones(True),
    "kestrel-pocket": _box(140, 150, 120, 96, LIGHT, 40)
    + _line("M142 196 L258 196", 3, METAL)
    + f'<circle cx="172" cy="284" r="20" fill="{DARK}"/><circle cx="228" cy="284" r="20" fill="{DARK}"/>',
    "halden-a50": _amplifier(84),
    "halden-r9": _amplifier(116),
    "marlow-phono": f'<g transform="translate(70 84) scale(.65)">{_amplifier(90)}</g>',
    "bramble-wire": _coil("#d8532f", METAL),
    "bramble-hdmi": _coil(DARK, METAL),
    "oriel-stands": "".join(
        _box(x, 120, 76, 12, DARK, 3)
        + _box(x + 31, 130, 14, 170, METAL, 2)
        + _box(x - 6, 298, 88, 14, DARK, 3)
        for x in (92, 232)
    ),
    "marlow-stylus": _box(150, 140, 100, 70, "#d8532f", 10)
    + _line("M180 210 L166 262", 8, METAL)
    + '<path d="M160 258 l14 4 l-12 22 z" fill="#2b2622"/>'
    + _box(168, 120, 64, 24, DARK, 4),
    "lark-fluid": _bottle(),
    "lark-sleeves": _sleeves(),
    "kestrel-pads": "".join(
        f'<ellipse cx="{x}" cy="210" rx="52" ry="66" fill="{DARK}"/>'
        f'<ellipse cx="{x}" cy="210" rx="26" ry="40" fill="#6a625b"/>'
        for x in (140, 260)
    ),
}


def draw(product: Product) -> str:
    """One picture, 400 by 400."""
    pale, deep = GROUNDS[product.category]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400" role="img">'
        f"<title>{product.name.replace('&', '&amp;')}</title>"
        f'<defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{pale}"/>'
        f'<stop offset="1" stop-color="{deep}"/></linearGradient></defs>'
        '<rect width="400" height="400" fill="url(#g)"/>'
        '<ellipse cx="200" cy="318" rx="150" ry="14" fill="#000" opacity=".12"/>'
        f"{DRAWINGS[product.id]}</svg>"
    )


def picture(product_id: str) -> str | None:
    """The drawing of a product by id, or None when the shop has no such product."""
    product = BY_ID.get(product_id)
    return draw(product) if product else None
