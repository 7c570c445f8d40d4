"""Links that are counted and the picture that is: put into a rendered message, the same way every time."""

import html as markup
import re
from collections.abc import Callable, Iterable
from uuid import UUID

from django.conf import settings

from tracking.mail import links

_HREF = re.compile(r'(<a\b[^>]*?\bhref=")(https?://[^"]+)(")', re.IGNORECASE)
_PLAIN = re.compile(r"https?://[^\s<>\"]+")
_END = re.compile(r"[.,;:!?)\]}'’]+$")


def addresses(html: str, text: str) -> set[str]:
    """The addresses of a message that may be counted; those by which people leave never are."""
    found = {markup.unescape(match.group(2)) for match in _HREF.finditer(html)}
    found |= {_END.sub("", url) for url in _PLAIN.findall(text)}
    return {url for url in found if not url.startswith(f"{settings.REKINDLE_PUBLIC_URL}/")}


def store(urls: Iterable[str]) -> dict[str, int]:
    """The number of each address; two queries however many."""
    return links.store(urls)


def counted(
    html: str, text: str, numbers: dict[str, int], ref: UUID, contact_id: UUID | None
) -> tuple[str, str]:
    """HTML and text with every known address replaced by the one that is counted."""

    def through(url: str) -> str:
        return links.click_url(numbers[url], ref, contact_id) if url in numbers else url

    def in_html(match: re.Match[str]) -> str:
        url = markup.unescape(match.group(2))
        return f"{match.group(1)}{through(url)}{match.group(3)}" if url in numbers else match.group(0)

    return _HREF.sub(in_html, html), in_plain(text, through)


def in_plain(text: str, change: Callable[[str], str]) -> str:
    """Plain text with each of its web addresses changed; what ends a sentence is no part of an address."""

    def changed(match: re.Match[str]) -> str:
        url = _END.sub("", match.group(0))
        return change(url) + match.group(0)[len(url) :]

    return _PLAIN.sub(changed, text)


def with_picture(html: str, ref: UUID, contact_id: UUID | None) -> str:
    """The invisible picture that tells of an open, at the end of the message."""
    picture = (
        f'<img src="{links.open_url(ref, contact_id)}" width="1" height="1" alt="" style="display:block">'
    )
    head, end, tail = html.rpartition("</body>")
    return f"{head}{picture}{end}{tail}" if end else html + picture
