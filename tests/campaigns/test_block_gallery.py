"""Every block there is, for somebody with everything and somebody with nothing: sound, small and ours."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from tinyhtml5.parser import HTMLParser as Strict

from campaigns.messages.kinds import blocks
from tests.campaigns.gallery import all_blocks, for_everybody, params_of, version_of

# The last is where the shop itself is at home elsewhere: a link in its footer.
OURS = {"shop.example.com", "t.example.com", "m.example.com", "example.invalid", "social.example"}
FOOTER = "campaigns.footer"


class Addresses(HTMLParser):
    """Every address that a mail program fetches or leads to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", html)
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("href", "src", "background") and value]


@pytest.mark.parametrize("key", [*(kind.key for kind in blocks), "all of them"])
def test_a_block_is_sound_small_and_speaks_of_nobody_elses_host(key, db):
    if key == "all of them":
        stored = all_blocks()
    else:
        stored = [{"kind": key, "params": params_of(blocks.get(key))}]
        if key != FOOTER:
            stored.append({"kind": FOOTER, "params": blocks.get(FOOTER).blank()})
    for shown in for_everybody(version_of(*stored)):
        strict = Strict()
        strict.parse(shown.html)
        assert strict.errors == []
        assert len(shown.html.encode()) < 100_000
        hosts = {urlsplit(one).hostname for one in Addresses(shown.html).found if one.startswith("http")}
        assert hosts <= OURS
        for said in (shown.html, shown.text):
            assert "{{" not in said and "{%" not in said and "None" not in said
        assert "<" not in shown.text and "\n\n\n" not in shown.text
        assert "Unsubscribe: https://" in shown.text and "Nygade 4" in shown.html
        assert max(map(len, shown.html.encode().split(b"\n"))) <= 998
