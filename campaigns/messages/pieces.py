"""Blocks as the program's own messages are written: each a kind and what is filled in.

What is not said here is what the block begins with.
"""

from __future__ import annotations

from typing import Any

HELLO = 'Hello {{ contact.first_name | default: "there" }},'

Piece = dict[str, Any]


def letter(*blocks: Piece, because: str, reply: str = "") -> list[Piece]:
    """A whole message: the head, these blocks, the person who writes, and the footer that says why."""
    return [
        {"kind": "campaigns.header", "params": {"align": "center", "height": "40"}},
        *blocks,
        {"kind": "campaigns.sender", "params": {"words": reply} if reply else {}},
        {"kind": "campaigns.footer", "params": {"because": because}},
    ]


def text(*paragraphs: str, heading: str = "") -> Piece:
    params = {"words": "\n\n".join(paragraphs), "align": "left"}
    return {"kind": "campaigns.text", "params": ({"heading": heading} if heading else {}) | params}


def button(words: str, link: str = "{{ shop.url }}") -> Piece:
    return {
        "kind": "campaigns.button",
        "params": {"words": words, "link": link, "style": "filled", "align": "center"},
    }


def cart(button: str = "Bring my cart back") -> Piece:
    return {"kind": "campaigns.cart", "params": {"button": button}}


def product(button: str = "See it in the shop") -> Piece:
    """The one product a flow is about."""
    return {"kind": "campaigns.product", "params": {"button": button}}


def ordered(title: str, which: str = "all") -> Piece:
    """What was ordered: all of it, or what can be bought again."""
    return {"kind": "campaigns.ordered", "params": {"title": title, "which": which}}


def viewed(title: str, number: int = 4) -> Piece:
    return {"kind": "campaigns.viewed", "params": {"title": title, "number": str(number), "look": "list"}}


def recommended(sort: str, title: str, number: int = 2) -> Piece:
    return {
        "kind": "campaigns.recommendations",
        "params": {"sort": sort, "title": title, "number": str(number), "look": "grid"},
    }


def also() -> Piece:
    """A place for what gives way to this message."""
    return {"kind": "campaigns.also", "params": {"title": "Also for you", "look": "list"}}


def reading(title: str, number: int = 2) -> Piece:
    return {"kind": "campaigns.reading", "params": {"title": title, "number": str(number)}}


def coupon(title: str = "For you") -> Piece:
    return {"kind": "campaigns.coupon", "params": {"title": title, "already_bought": True}}


def survey(slug: str) -> Piece:
    return {"kind": "campaigns.survey", "params": {"survey": slug}}
