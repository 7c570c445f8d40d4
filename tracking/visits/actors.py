"""Who made a hit: a person, a mail proxy or a machine. Every hit is kept and classified, none is dropped or
punished.
"""

from collections.abc import Mapping
from functools import lru_cache

from crawlerdetect import CrawlerDetect

from tracking.models.events import Actor

RULESET = 1

_PROXIES = ("googleimageproxy", "ggpht.com", "yahoomailproxy")
_BARE = "Mozilla/5.0"
_detector = CrawlerDetect()


def of_hit(kind: str, method: str, headers: Mapping[str, str], user_agent: str) -> tuple[Actor, list[str]]:
    """Of an open or a click, with the rules that spoke. A click is taken for a person's until a landing
    confirms it.
    """
    lowered = user_agent.lower()
    if kind == "open" and any(name in lowered for name in _PROXIES):
        return Actor.PROXY, ["proxy"]
    rules = []
    if method != "GET" or any(headers.get(name) for name in ("purpose", "sec-purpose", "x-purpose", "x-moz")):
        rules.append("prefetch")
    elif kind == "click" and not (headers.get("accept") and headers.get("accept-language")):
        rules.append("no_accept")
    if is_machine(user_agent):
        rules.append("user_agent")
    if kind == "open" and user_agent.strip() == _BARE:
        rules.append("privacy_prefetch")
    if rules:
        return Actor.MACHINE, rules
    return Actor.LIKELY_HUMAN, []


@lru_cache(maxsize=10_000)
def is_machine(user_agent: str) -> bool:
    """Whether the user agent is a crawler's, a scanner's or a library's; none at all is a machine's, too."""
    return not user_agent.strip() or bool(_detector.isCrawler(user_agent))
