"""What marketers write: checked by line before it is sent, rendered from plain data only."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from campaigns.messages import liquid, mjml, text, trial, variables
from campaigns.messages.rendering import NotPlain, compiled, problems
from tests.campaigns import reminder


def said(source: str, data: dict | None = None, *, html: bool = False) -> str:
    return liquid.render(liquid.parse(source, html=html), data or {})


def message(body: str) -> str:
    return (
        "<mjml><mj-body>\n<mj-section><mj-column>\n"
        f"{body}\n"
        "<mj-text>{{ shop.postal_address }} <a href='{{ links.unsubscribe }}'>leave</a></mj-text>\n"
        "</mj-column></mj-section></mj-body></mjml>"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ p | money: 'EUR' }}", "€1,234.50"),
        ("{{ p | money: 'JPY' }}", "¥1,234"),
        ("{{ p | money: 'CHF' }}", "1,234.50 CHF"),
        ("{{ p | money }}", "1,234.50"),
        ("{{ minus | money: 'GBP' }}", "-£3.00"),
        ("{{ nothing | money: 'EUR' }}|{{ word | money: 'EUR' }}", "|"),
        ("{{ at | date: '%-d %B %Y' }}", "5 March 2026"),
        ("{{ '2026-12-24' | date: '%A' }}", "Thursday"),
        ("{{ word | date: '%A' }}", ""),
        ("{{ at | days_until }} {{ '2026-03-02' | days_until }}", "3 0"),
        (
            "{{ none | default: 'there' }} {{ nothing | default: 'there' }} {{ void | default: 'x' }}",
            "there there x",
        ),
        ("{% for i in (1..3) %}{{ i }}{% endfor %}", "123"),
        ("{{ list | join: ', ' }} {{ list.size }} {{ list | first }}", "a, b 2 a"),
        ("{{ 'a-b' | replace: '-', ' ' | upcase | append: '!' }}", "A B!"),
        ("{% if p > 1000 %}much{% else %}little{% endif %}", "much"),
        ("{{ nothing }}{{ nothing.at.all }}{% for x in nothing %}x{% endfor %}", ""),
    ],
)
def test_filters_and_blanks(source, expected):
    data = {
        "p": Decimal("1234.50"),
        "minus": -3,
        "word": "hello",
        "none": None,
        "void": "",
        "list": ["a", "b"],
        "at": datetime(2026, 3, 5, 18, 0, tzinfo=UTC),
        "now": datetime(2026, 3, 2, 23, 0, tzinfo=UTC),
    }
    assert said(source, data) == expected


def test_values_are_escaped_in_html_and_left_alone_in_text():
    data = {"name": "<b>&\"'"}
    assert said("{{ name }}", data, html=True) == "&lt;b&gt;&amp;&#34;&#39;"
    assert said("{{ name }}", data) == "<b>&\"'"


@pytest.mark.parametrize(
    ("kind", "source", "line", "words"),
    [
        ("subject", "Hi {{ contact.first_nam }}", 1, "no variable called contact.first_nam"),
        ("subject", "Hi {{ contact.first_name }}", 1, "default"),
        ("subject", "Hi\n{{ contact.email }}", 1, "one line"),
        ("text", "a\n\n{% if %}{{ links.unsubscribe }}{{ shop.postal_address }}", 3, "missing expression"),
        ("text", "a\n{{ cart | nope }}", 2, "no filter called nope"),
        ("text", "a\n{{ cart.lines[0].nme }}", 2, "no variable called cart.lines[0].nme"),
        ("text", "{% for l in cart.lines %}\n{{ l.nme }}{% endfor %}", 2, "no variable called l.nme"),
        ("text", "{% for l in cart.lines %}\n{{ l }}{% endfor %}", 2, "group of values"),
        ("text", "a\n{{ x }}", 2, "no variable called x"),
        ("text", "hello", 1, "links.unsubscribe"),
        ("text", "{{ links.unsubscribe }}", 1, "shop.postal_address"),
        ("mjml", message("\n<mj-txt>a</mj-txt>"), 4, "mj-txt"),
        ("mjml", message("<mj-text>a</mj-column>"), 3, "closes nothing"),
        ("mjml", message("<mj-text>a"), 5, "closes nothing"),
        (
            "mjml",
            "<mjml><mj-head>\n{{ shop.name }}</mj-head><mj-body></mj-body></mjml>",
            2,
            "unexpected",
        ),
        ("mjml", message("<mj-divider title='{{ shop.name }}'/>"), 3, "nothing is shown"),
        ("mjml", message("<mj-include path='/etc/passwd'/>"), 3, "mj-include"),
        ("mjml", message("<mj-text>{{ contact.first_name }}</mj-text>"), 3, "default"),
        ("mjml", message("<mj-text>" + "<div>" * 20000 + "</mj-text>"), 3, "inside one another"),
        ("mjml", message("<mj-text><script>x</script></mj-text>"), 3, "<script>"),
        ("mjml", message("<mj-text><p onclick='x'>a</p></mj-text>"), 3, "onclick"),
        ("mjml", message("<mj-text><a href='javascript:x'>a</a></mj-text>"), 3, "https://"),
        ("mjml", message("<mj-text><a href=' JAVASCRIPT:x'>a</a></mj-text>"), 3, "https://"),
        (
            "mjml",
            message("<mj-text><a href='https://{{ shop.name }}/x'>a</a></mj-text>"),
            3,
            "where a link leads",
        ),
        (
            "mjml",
            message("<mj-text><a href='{% if cart.total %}x{% endif %}'>a</a></mj-text>"),
            3,
            "condition",
        ),
        ("mjml", message("<mj-text><p title={{ shop.name }}>a</p></mj-text>"), 3, "quotes"),
        ("mjml", message("<mj-text><p {{ shop.name }}='a'>a</p></mj-text>"), 3, "quotes"),
        ("mjml", message("<mj-text><style>{{ shop.name }}</style></mj-text>"), 3, "style sheet"),
        (
            "mjml",
            message("<mj-text><p style='background:url({{ shop.logo }})'>a</p></mj-text>"),
            3,
            "picture",
        ),
        ("mjml", "<!DOCTYPE a [<!ENTITY b 'c'>]>" + message("<mj-text>&b;</mj-text>"), 1, "document type"),
        ("mjml", "hello", 1, ""),
        ("mjml", "", 1, ""),
    ],
)
def test_mistakes_are_told_with_their_line(kind, source, line, words):
    found = problems(source, kind)
    assert any(one.line == line and words in one.message for one in found), found


@pytest.mark.parametrize(
    "source",
    [
        "Hi {{ contact.first_name | default: 'there' }}",
        "Hi{% if contact.first_name %} {{ contact.first_name }}{% endif %}",
        "{% assign name = contact.first_name | default: 'you' %}For {{ name }}",
        "{% assign line = cart.lines[0] %}{{ line.name }}",
        "{{ cart.lines.size }} {{ cart.lines.first.name }} {{ cart.total | money: cart.currency }}",
        "{% for line in cart.lines %}{{ forloop.index }}{{ line.name }}{% endfor %}",
    ],
)
def test_sound_sources_have_no_problems(source):
    assert problems(source, "subject") == []


def test_a_condition_may_stand_around_any_component():
    section = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"
    body = (
        "{% if cart.total > 100 %}"
        + section.format("much")
        + "{% else %}"
        + section.format("little")
        + "{% endif %}"
        "<mj-section><mj-column>{% for line in cart.lines %}<mj-text>{{ line.name }}</mj-text>{% endfor %}"
        "</mj-column></mj-section>"
    )
    ready = compiled("s", mjml.compile_html(f"<mjml><mj-body>{body}</mj-body></mjml>"))
    shown = ready.render(variables.example()).html
    assert "much" in shown and "little" not in shown and "Fjord 40" in shown
    assert shown.count("<table") == shown.count("</table") and shown.count("<tr>") == shown.count("</tr>")


def test_data_that_is_not_plain_is_refused_by_its_path():
    class Sly(str):
        def __html__(self):
            return "<script>"

    class Lazy(dict):
        pass

    for wrong, path in (
        ({"a": {"b": object()}}, "data.a.b"),
        ({"a": [Sly("x")]}, r"data.a\[0\]"),
        ({"a": Lazy()}, "data.a"),
        ({"a": lambda: 1}, "data.a"),
        ({"a": (1, 2)}, "data.a"),
        ({"a": {1: 2}}, "data.a"),
        ({"a": b"x"}, "data.a"),
        ({"a": liquid}, "data.a"),
    ):
        with pytest.raises(NotPlain, match=path):
            compiled("s", "<p></p>").render(wrong)
    deep: dict = {}
    deep["a"] = deep
    with pytest.raises(NotPlain, match="deeply"):
        compiled("s", "<p></p>").render(deep)


def test_the_cart_message_of_the_box_is_sound_and_reads_well():
    written = reminder.abandoned_cart()
    assert problems(written.mjml, "mjml") == []
    assert problems(written.text, "text") == []
    assert problems(written.subject, "subject") == problems(written.preheader, "preheader") == []
    ready = compiled(written.subject, mjml.compile_html(written.mjml), written.text, written.preheader)
    shown = ready.render(variables.example())
    assert shown.subject == "Still in your cart: Fjord 40 bookshelf speakers"
    links = ("https://t.example.com/r/abc", "https://m.example.com/u/abc")
    for one in (*links, "Hello Ana,", "€249.00", "Mira Lund", "+45 33 12 34 56", "Nygade 4, 1164 København"):
        assert one in shown.html and one in shown.text, one
    assert 'href="tel:+4533123456"' in shown.html
    sparse = ready.render(variables.example(sparse=True))
    assert "Hello there," in sparse.html and "Hello there," in sparse.text
    assert "None" not in sparse.html + sparse.text and "{{" not in sparse.html + sparse.text
    assert "fonts.googleapis.com" not in shown.html
    assert max(len(line) for line in shown.html.encode().split(b"\n")) <= 998


def test_text_is_made_from_the_message_where_nobody_wrote_it():
    made = text.from_html(mjml.compile_html(reminder.abandoned_cart().mjml))
    shown = said(made, variables.example())
    assert "Hello Ana," in shown and "Fjord 40 bookshelf speakers" in shown and "€249.00" in shown
    assert "Bring my cart back: https://t.example.com/r/abc" in shown
    assert "Unsubscribe: https://m.example.com/u/abc" in shown
    assert "<" not in shown and "{" not in shown and "color-scheme" not in shown


def test_a_message_says_what_can_be_used_in_it():
    names = dict(variables.catalogue())
    assert names["contact.first_name"].may_be_missing
    assert "cart.lines[].price" in names and "links.restore" in names


def test_the_check_in_a_process_of_its_own_says_the_same_and_survives_a_crash(monkeypatch):
    written = reminder.abandoned_cart()
    assert trial.tried({"mjml": written.mjml, "subject": written.subject}) == {"mjml": [], "subject": []}
    assert "nowhere" in trial.tried({"subject": "{{ nowhere }}"})["subject"][0].message
    monkeypatch.setattr(trial, "_SECONDS", 0.01)
    assert "too much time" in trial.tried({"subject": "x"})["subject"][0].message
