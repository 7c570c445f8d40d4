"""One spelling for every address, so that one inbox is one address. Refusals name what to do about it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

import idna
import phonenumbers

EMAIL = "email"
SMS = "sms"
WEBPUSH = "webpush"

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LOCAL_ASCII = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_DOTS_MEAN_NOTHING = {"gmail.com", "googlemail.com"}


def normalise(channel: str, address: str, *, region: str | None = None) -> str:
    """The address as we store and hash it; `region` is the country of numbers that do not name theirs."""
    if channel == SMS:
        return _phone(address, region)
    try:
        spell = _SPELLINGS[channel]
    except KeyError:
        raise ValueError(
            f"there is no channel called {channel!r}; known are email, sms and webpush"
        ) from None
    return spell(address)


def fold(channel: str, address: str) -> str:
    """A coarser spelling that complaints alone go by: no +tag, and no dots where they mean nothing."""
    plain = normalise(channel, address)
    if channel != EMAIL:
        return plain
    local, _, domain = plain.rpartition("@")
    local = local.split("+", 1)[0] or local
    if domain in _DOTS_MEAN_NOTHING:
        local, domain = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{domain}"


def _email(address: str) -> str:
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", address.strip()).lower())
    local, at, domain = plain.rpartition("@")
    if not at or not local or not domain:
        raise ValueError("an e-mail address looks like name@example.com: one @ with something on both sides")
    if "@" in local:
        raise ValueError("this e-mail address has more than one @: leave one address and remove the rest")
    if len(local.encode()) > 64:
        raise ValueError(
            "the part before the @ is longer than 64 characters: check for text pasted in by accident"
        )
    # Most are of plain letters alone: sign by sign only where something else is among them.
    for character in "" if _LOCAL_ASCII.fullmatch(local) else local:
        if character.isascii() and not _LOCAL_ASCII.fullmatch(character):
            raise ValueError("spaces, brackets, quotes and commas cannot stand before the @: remove them")
        if not character.isascii() and unicodedata.category(character)[0] not in "LNM":
            raise ValueError("there is an invisible or unusual sign before the @: type the address by hand")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise ValueError("a dot before the @ must stand between two other characters: remove the extra dot")
    spelled = f"{local}@{_domain(domain)}"
    if len(spelled.encode()) > 254:
        raise ValueError(
            "the e-mail address is longer than 254 characters: check for text pasted in by accident"
        )
    return spelled


@lru_cache(maxsize=4096)  # Many people share few domains.
def _domain(domain: str) -> str:
    if not domain.isascii() or "xn--" in domain:
        try:
            domain = idna.encode(domain, uts46=True, std3_rules=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise ValueError("the part after the @ is not a domain name: check its spelling") from None
    labels = domain.removesuffix(".").split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or len(domain) > 253:
        raise ValueError("the part after the @ is not a domain name such as example.com: check its spelling")
    if labels != ["localhost"] and (len(labels) < 2 or labels[-1].isdigit()):
        raise ValueError("the part after the @ lacks its ending, such as .com: complete it")
    return ".".join(labels)


def _phone(number: str, region: str | None) -> str:
    try:
        parsed = phonenumbers.parse(number.strip(), region)
    except phonenumbers.NumberParseException:
        raise ValueError("write the telephone number with its country code, such as +31 6 12345678") from None
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError(
            "this telephone number has too few or too many digits: check it, with its country code"
        )
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _endpoint(address: str) -> str:
    plain = address.strip()
    try:
        parts = urlsplit(plain)
        usable = (
            parts.scheme == "https" and bool(parts.hostname) and plain.isprintable() and len(plain) <= 2000
        )
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("a push subscription is an https address given by the browser: subscribe again")
    return plain


_SPELLINGS: dict[str, Callable[[str], str]] = {EMAIL: _email, WEBPUSH: _endpoint}
