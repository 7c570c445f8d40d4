"""Header fields that nothing can be smuggled through: addresses, names, subjects, links.

What a person typed (names, subjects) is made harmless; what must be exact (addresses, links, header names)
is refused with `Unsendable` when it is not. Everything that comes out is ASCII and has no bare CR, LF or NUL.
"""

import base64
import re
from functools import lru_cache

import idna


class Unsendable(ValueError):
    """This message must not go onto the wire as it stands; the text says why."""


LINE = 76  # RFC 5322 asks for 78, the hard end is 998
LONGEST_LINE = 998
_NAME_LENGTH = 120
_SUBJECT_LENGTH = 400

# Control characters, line and paragraph separators, and what turns the reading direction around.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")
_PRINTABLE = re.compile(r"[ -~]*").fullmatch
_VISIBLE = re.compile(r"[!-;=?-~]+").fullmatch  # no blanks, no angle brackets
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*").fullmatch
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?").fullmatch
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*").fullmatch
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,70}").fullmatch
_RESERVED = re.compile(
    r"(from|to|cc|bcc|sender|reply-to|return-path|subject|date|message-id|mime-version|received|auto-submitted"
    r"|dkim-signature|list-unsubscribe(-post)?|content-.*|resent-.*|arc-.*|x-rekindle-.*)",
    re.IGNORECASE,
).fullmatch


@lru_cache(maxsize=4096)
def address(text: str) -> str:
    """The address as it goes on the wire, its domain in ASCII; refused if it is not a plain local@domain."""
    local, at, domain = text.strip(" ").rpartition("@")
    if not at or not _LOCAL(local) or len(local) > 64:
        raise Unsendable(f"not an address we can send to: {text[:80]!r}")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise Unsendable(f"not a domain: {domain[:80]!r}") from error
    if not all(_LABEL(label) for label in domain.split(".")) or len(local) + 1 + len(domain) > 254:
        raise Unsendable(f"not a domain: {domain[:80]!r}")
    return f"{local}@{domain.lower()}"


def clean(text: str, longest: int) -> str:
    """One visible line of at most `longest` characters."""
    text = _CONTROLS.sub(" ", text).strip().encode("utf-8", "replace").decode()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def encoded_words(text: str) -> str:
    """RFC 2047, each word at most 75 characters and never cutting a character in two, one word a line."""
    words, chunk = [], b""
    for char in text:
        octets = char.encode()
        if len(chunk) + len(octets) > 45:
            words.append(chunk)
            chunk = b""
        chunk += octets
    words.append(chunk)
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(word).decode()}?=" for word in words)


def unstructured(text: str, longest: int = _SUBJECT_LENGTH) -> str:
    """The value of a Subject, or of any header that people read."""
    text = clean(text, longest)
    # What looks like an encoded word would be decoded by the reader.
    if len(text) <= 60 and _PRINTABLE(text) and "=?" not in text:
        return text
    return encoded_words(text)


@lru_cache(maxsize=4096)
def mailbox(name: str, at: str) -> str:
    """`Name <address>`, the name quoted or encoded as it needs, on lines of their own where it is long."""
    exact = address(at)
    name = clean(name, _NAME_LENGTH)
    if not name:
        return exact
    if "=?" in name or len(name) > 50 or not _PRINTABLE(name):
        shown = encoded_words(name)
    elif _ATOMS(name):
        shown = name
    else:
        shown = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    gap = " " if "\n" not in shown and len(shown) + len(exact) < 64 else "\r\n "
    return f"{shown}{gap}<{exact}>"


def link(url: str, schemes: tuple[str, ...] = ("https://", "http://")) -> str:
    """A URL for use between angle brackets."""
    if not url.startswith(schemes) or not _VISIBLE(url) or len(url) > 900:
        raise Unsendable(f"not a link for a header: {url[:80]!r}")
    return f"<{url}>"


def extra(name: str, value: str) -> str:
    """A header line of the caller's own; never one of those this program writes itself."""
    if not _HEADER_NAME(name) or _RESERVED(name):
        raise Unsendable(f"this header may not be set: {name[:80]!r}")
    if _CONTROLS.search(value):
        raise Unsendable(f"a control character in header {name}")
    if len(name) + len(value) < LINE and _PRINTABLE(value) and "=?" not in value:
        return f"{name}: {value}\r\n"
    return f"{name}:\r\n {encoded_words(value)}\r\n"
