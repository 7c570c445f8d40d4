"""Where the links of a message lead: to the shop, or elsewhere, and whether those answer."""

from __future__ import annotations

import hashlib
import html as markup
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.cache import cache

from campaigns.messages.marking import origin, shop_origins
from campaigns.models import TemplateVersion
from crm.kernel import http
from crm.models import ShopSettings

_HREF = re.compile(r"""\bhref\s*=\s*["'](https?://[^"'\s]+)["']""", re.IGNORECASE)
_PLAIN = re.compile(r"https?://[^\s<>\"'{]+")
ANSWERS = "answers"
REMEMBERED = 24 * 3600
MOST = 50
SECONDS = 4.0
_POLICY = http.Policy(schemes=frozenset({"https", "http"}), ports=frozenset({443, 80}))
# They are there, and let no program in.
_SHY = {401, 403, 405, 406, 429, 999}


def elsewhere(version: TemplateVersion, shop: ShopSettings) -> list[str]:
    """The addresses written into a message that lead neither to the shop nor back to us. Those that hold a
    value of the person or the product are not judged: they come from the catalogue.
    """
    found = [markup.unescape(url) for url in _HREF.findall(version.html or version.mjml)]
    found += [url.rstrip(".,;:!?)") for url in _PLAIN.findall(version.text)]
    ours = {origin(url) for url in (settings.REKINDLE_PUBLIC_URL, settings.REKINDLE_COLLECT_URL)}
    known = shop_origins(shop) | ours
    return sorted({url for url in found if "{" not in url and origin(url) not in known})


def known(url: str) -> str | None:
    """What is wrong with an address, as it was tried last; blank: it answered; None: not tried lately."""
    said = cache.get(_key(url))
    return None if said is None else "" if said == ANSWERS else str(said)


def ask(urls: Iterable[str]) -> dict[str, str]:
    """Try these addresses, at most fifty, some at a time, and remember for a day what came of it."""
    wanted = [url for url in dict.fromkeys(urls) if known(url) is None][:MOST]
    if not wanted:
        return {}
    with ThreadPoolExecutor(max_workers=8) as pool:
        said = dict(zip(wanted, pool.map(_try, wanted), strict=True))
    for url, words in said.items():
        cache.set(_key(url), words or ANSWERS, REMEMBERED)
    return said


def _try(url: str) -> str:
    try:
        answer = http.request("HEAD", url.partition("#")[0], policy=_POLICY, seconds=SECONDS)
    except http.Forbidden as error:
        return f"it is not on the public internet ({error})"
    except http.Unreachable as error:
        return f"it does not answer ({error})"
    if answer.status < 400 or answer.status in _SHY:
        return ""
    return "it answers that there is no such page" if answer.status == 404 else f"it answers {answer.status}"


def _key(url: str) -> str:
    return f"leads:{hashlib.sha256(url.encode()).hexdigest()}"
