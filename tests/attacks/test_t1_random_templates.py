"""T1 and T2 by chance: whatever pieces of templates make together, it is an error named with its line
or a message, in time, that tells nothing but data. The same for whatever is typed into blocks.
"""

import re
import time
from html.parser import HTMLParser

import pytest
from django import forms
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.messages import checking, compiling, composing, liquid, mjml, trial, variables
from campaigns.messages.compiling import BrokenTemplate, RenderFailed
from campaigns.messages.kinds import blocks, shapes
from campaigns.messages.look import PLAIN
from tests.attacks.test_t1_templates import GREEDY, PAYLOADS, VALUES

SECRET = "s3cr3t-canary"
LEAKS = (SECRET, "<class", "built-in", "object at 0x", "<function", "<bound", "root:x", "DJANGO_SETTINGS")
USUAL = {"database": None}

FILTER_WORDS = """
| default: 'x'
| money: cart.currency
| upcase
| replace: 'a', 'aaaa'
| date: '%d'
| join: 'x'
| split: ''
| append: cart.total
| nope
| link
| css
| times: 9999999
| slice: 0, 3
| map: 'name'
| sort
| default
""".strip().splitlines()
TAG_FORMS = """
{{% if {path} %}}
{{% endif %}}
{{% else %}}
{{% for a in {path} %}}
{{% endfor %}}
{{% assign x = {path} %}}
{{% capture x %}}
{{% endcapture %}}
{{% for i in (1..1000) %}}
{{% unless {path} > 1 %}}
{{% endunless %}}
{{% case {path} %}}
{{% when 1 %}}
{{% endcase %}}
{{% comment %}}
{{% endcomment %}}
{{% break %}}
{{% raw %}}
{{% include 'x' %}}
""".strip().splitlines()
MARKUP_WORDS = """
<mj-section>
</mj-section>
<mj-column>
</mj-column>
<mj-text>
</mj-text>
<mj-raw>
</mj-raw>
<b>
</b>
<mj-image src='
'/>
<a href="
">
</a>
<p style='color:
<mj-button href='https://x.example/
</mj-button>
&
&amp;
&nbsp;
<br>
<!--
-->
<mj-section><mj-column><mj-text>
</mj-text></mj-column></mj-section>
<script>
<mj-table><tr><td>
</td></tr></mj-table>
<style>
</style>
{{
}}
{%
%}
""".strip().splitlines()
ODD_MARKUP_WORDS = ["\n"]
SLY = """
[a](javascript:alert(1))
[a](https://x.example "onmouseover=alert(1)")
![x](https://x.example/p.png)
<https://x.example>
# h
`code`
$text ${look} $$
</mj-text></mj-column>
""".strip().splitlines()
ODD_SLY = ["**a\n\nb**", "- a\n- b", "    code", "[a]: javascript:x\n\n[a]", "a\x0bb", "a\ud7ffb", "\u2028"]
SOUND_FORMS = """
{{{{ {path} | default: 'x'{filters} }}}}
{{% if {path} %}}{{{{ {path}{filters} }}}}{{% endif %}}
{{% assign y = {path} | default: 'z'{filters} %}}{{{{ y }}}}
{{% for line in cart.lines %}}{{{{ line.name{filters} }}}}{{% endfor %}}
<!-- {path} -->
plain words
""".strip().splitlines()
NAMES = st.sampled_from(
    [*(name for name, _one in variables.catalogue()), "x", "settings", "contact", "cart.lines"]
)
PATHS = st.builds(
    lambda name, more: name.replace("[]", "[0]") + more,
    NAMES,
    st.sampled_from(["", "", ".size", ".__class__", "[0]", ".first", "[contact.email]"]),
)
FILTERS = st.lists(
    st.sampled_from([f" {one}" for one in FILTER_WORDS]),
    max_size=4,
).map("".join)
OUTPUTS = st.builds(lambda path, filters: f"{{{{ {path}{filters} }}}}", PATHS, FILTERS)
TAGS = st.builds(
    lambda path, form: form.format(path=path),
    PATHS,
    st.sampled_from(TAG_FORMS),
)
MARKUP = st.sampled_from([*MARKUP_WORDS, *ODD_MARKUP_WORDS])
SOUND = st.builds(
    lambda form, path, filters: form.format(path=path.replace("[]", "[0]"), filters=filters),
    st.sampled_from(SOUND_FORMS),
    st.sampled_from([name for name, _one in variables.catalogue() if "now" not in name]),
    st.sampled_from(["", "", " | upcase", " | truncate: 9", " | append: 'x' | size"]),
)
HOSTILE = st.sampled_from([*PAYLOADS, *VALUES, *(one for one in GREEDY if len(one) < 5_000)])
PIECES = st.one_of(OUTPUTS, OUTPUTS, TAGS, MARKUP, HOSTILE, st.text(max_size=20))
SOURCES = st.one_of(
    st.lists(PIECES, min_size=1, max_size=14).map("".join),
    st.lists(st.one_of(SOUND, SOUND, SOUND, PIECES), min_size=1, max_size=5).map("".join),
    st.lists(SOUND, min_size=1, max_size=9).map("".join),
)


def whole(body: str) -> str:
    """A message with these words in it, or with this in the place of its sections."""
    if "<mj-" not in body:
        body = f"<mj-section><mj-column><mj-text>{body}</mj-text></mj-column></mj-section>"
    end = "<mj-text>{{ shop.postal_address }}<a href='{{ links.unsubscribe }}'>x</a></mj-text>"
    return f"<mjml><mj-body>\n{body}\n<mj-section><mj-column>{end}</mj-column></mj-section></mj-body></mjml>"


def tried_in_time(source: str, kind: compiling.Kind) -> bool:
    """Whether it is a message; fails where it is neither that nor refused by line."""
    began = time.process_time()
    found = compiling.problems(source, kind, shapes())
    for problem in found:
        assert 1 <= problem.line <= source.count("\n") + 1 and problem.message
    if not found:
        try:
            html = mjml.compile_html(source) if kind == "mjml" else source
            shown = liquid.render(liquid.parse(html, html=kind == "mjml"), variables.example(shapes()))
        except (BrokenTemplate, RenderFailed) as refused:
            shown = str(refused)
        assert not [leak for leak in LEAKS if leak in shown and leak not in source]
    # Of this process alone. Looking and rendering each have 1.5 s; a machine at its limit takes more for it.
    assert time.process_time() - began < 12
    return not found


def any_template(source, kind):
    body = f"{source} {{{{ links.unsubscribe }}}} {{{{ shop.postal_address }}}}" if kind == "text" else source
    SOUND_ONES.append(tried_in_time(whole(body) if kind == "mjml" else body, kind))


SOUND_ONES: list[bool] = []


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.wrong = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "iframe", "form", "object", "embed", "base", "link", "svg", "input"):
            self.wrong.append(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.wrong.append(name)
            if name in ("href", "src") and not re.match(r"(https?://|mailto:|tel:|#|$)", value or ""):
                self.wrong.append(f"{name}={value}")


TYPED = st.one_of(
    st.lists(st.one_of(OUTPUTS, TAGS, MARKUP, HOSTILE, st.text(max_size=30)), max_size=4).map("".join),
    st.sampled_from([*SLY, *ODD_SLY]),
)
KEYS = [
    kind.key
    for kind in blocks
    if any(isinstance(one, forms.CharField) for one in kind.Params.base_fields.values())
]


def any_block(key, typed):
    kind = blocks.get(key)
    params = kind.blank() | dict(kind.example)
    words = iter(typed)
    params |= {
        name: next(words)
        for name, field in kind.Params.base_fields.items()
        if isinstance(field, forms.CharField) and not isinstance(field, forms.RegexField)
    }
    footer = {"kind": "campaigns.footer", "params": blocks.get("campaigns.footer").blank()}
    stored = [{"kind": key, "params": params}, footer]
    found = checking.problems(subject="s", preheader="", blocks=stored, look=PLAIN)
    for mistake in found:
        assert checking.in_words(mistake, stored)
    SOUND_ONES.append(not found)
    if found:
        return
    made = composing.made_of(stored, PLAIN)
    ready = compiling.compiled("s", mjml.compile_html(made.mjml), made.text)
    for sparse in (False, True):
        try:
            shown = ready.render(variables.example(shapes(), sparse=sparse, used=ready.used))
        except RenderFailed:
            continue
        assert Elements(shown.html).wrong == []
        assert shown.html.count("<table") == shown.html.count("</table")
        assert "Nygade 4" in shown.html and "Unsubscribe" in shown.html


@pytest.fixture
def one_process(monkeypatch, settings):
    """The check of `trial` without its process of its own: what it says is the same."""
    settings.SECRET_KEY = SECRET
    monkeypatch.setattr(
        trial,
        "tried",
        lambda sources, shapes=None: {
            kind: compiling.problems(source, kind, shapes) for kind, source in sources.items()
        },
    )


def by_chance(number, tried, *strategies):
    SOUND_ONES.clear()
    settings(max_examples=number, **USUAL)(given(*strategies)(tried))()
    share = sum(SOUND_ONES) / len(SOUND_ONES)
    assert 0.03 < share < 0.9, f"{share:.0%} were sound: chance no longer tries both"


ANY_TEMPLATE = (SOURCES, st.sampled_from(["subject", "text", "mjml", "mjml"]))
ANY_BLOCK = (st.sampled_from(KEYS), st.lists(TYPED, min_size=8, max_size=8))


@pytest.mark.proof
def test_t1_150_random_templates_are_refused_by_line_or_rendered_in_time(one_process):
    by_chance(150, any_template, *ANY_TEMPLATE)


@pytest.mark.proof
def test_t1_whatever_is_typed_into_a_block_is_refused_by_name_or_harmless(one_process, db):
    by_chance(60, any_block, *ANY_BLOCK)


@pytest.mark.chaos
def test_t1_1000_random_templates(one_process):
    by_chance(1000, any_template, *ANY_TEMPLATE)


@pytest.mark.chaos
def test_t1_1000_hands_typing_into_blocks(one_process, db):
    by_chance(1000, any_block, *ANY_BLOCK)
