"""A message put together from blocks: what was typed means itself, and each mistake knows its block."""

from datetime import UTC, datetime

import pytest

from campaigns.messages import checking, compiling, composing, editing, kinds, mjml, variables
from campaigns.messages.kinds import blocks, shapes
from campaigns.messages.look import PLAIN
from campaigns.models import Template, TemplateVersion
from crm.kernel.kinds import BrokenParams, UnknownKind

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEXT = {"kind": "campaigns.text", "params": {"heading": "Hello", "words": "We kept it.", "align": "left"}}
CART = {"kind": "campaigns.cart", "params": {"button": "Back to my cart"}}
STRUCK = '<s class="muted"'
FOOTER = {"kind": "campaigns.footer", "params": {"because": "You left a cart."}}


def said(*stored, **changed):
    """HTML and text of a message of these blocks, for the person of the examples."""
    made = composing.made_of(stored, PLAIN)
    ready = compiling.compiled("s", mjml.compile_html(made.mjml), made.text)
    return ready.render(variables.example() | changed)


def typed(words):
    return TEXT | {"params": TEXT["params"] | {"words": words}}


@pytest.mark.parametrize("kind", list(blocks), ids=lambda kind: kind.key)
def test_every_block_as_it_comes_out_of_the_menu_is_sound(kind):
    params = kind.shown()
    if params is None:
        pytest.skip("it has to be filled in first; its own tests do")
    stored = [{"kind": kind.key, "params": params}]
    if kind.key != FOOTER["kind"]:
        stored.append(FOOTER)
    made = composing.made_of(stored, PLAIN)
    assert compiling.problems(made.mjml, "mjml", shapes()) == []
    assert compiling.problems(made.text, "text", shapes()) == []


def test_blocks_become_one_message_and_its_plain_text():
    shown = said(TEXT, CART, FOOTER)
    assert "Hello" in shown.html and "Back to my cart" in shown.html and "Nygade 4" in shown.html
    assert "Fjord 40" in shown.text and "Back to my cart: https://t.example.com/r/abc" in shown.text


def test_a_cart_falls_away_where_there_is_none():
    nothing = variables.example()["cart"] | {"lines": []}
    shown = said(TEXT, CART, FOOTER, cart=nothing)
    assert "Back to my cart" not in shown.html + shown.text
    assert "Hello" in shown.html


def test_marks_of_markdown_mean_bold_links_and_lists():
    shown = said(typed("**New** from [our shop](https://shop.example.com/new):\n\n- one\n- two"), FOOTER)
    assert (
        "<strong>New</strong>" in shown.html
        and '<a href="https://shop.example.com/new">our shop</a>' in shown.html
    )
    assert "<li>one</li>" in shown.html
    assert "New from our shop: https://shop.example.com/new:" in shown.text


@pytest.mark.parametrize(
    "words",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a < b & c", "</mj-text>", "&#60;b>"],
)
def test_what_was_typed_is_text_and_no_markup(words):
    shown = said(typed(words), FOOTER)
    assert "<script" not in shown.html and "<img src=x" not in shown.html
    assert words in shown.text
    heading = TEXT | {"params": TEXT["params"] | {"heading": words}}
    assert "<script" not in said(heading, FOOTER).html


def test_variables_stand_anywhere_in_what_was_typed():
    shown = said(typed("Dear {{ contact.first_name | default: 'you' }}, [look]({{ shop.url }})."), FOOTER)
    assert "Dear Ana" in shown.html and 'href="https://shop.example.com/"' in shown.html
    assert "Dear Ana, look: https://shop.example.com/" in shown.text


def test_a_mistake_knows_the_block_it_is_in():
    made = composing.made_of([TEXT, typed("{{ nobody.knows }}"), FOOTER], PLAIN)
    [problem] = compiling.problems(made.mjml, "mjml", kinds.shapes())
    assert made.block_at(problem.line) == 1
    assert made.block_at(1) is None


def test_a_block_that_nobody_knows_or_that_is_not_filled_in_is_an_error():
    with pytest.raises(UnknownKind):
        composing.made_of([{"kind": "campaigns.gone", "params": {}}], PLAIN)
    with pytest.raises(BrokenParams, match="heading or some words"):
        composing.made_of([{"kind": "campaigns.text", "params": {"align": "left"}}], PLAIN)


def test_a_version_keeps_its_blocks_and_what_was_made_of_them(db):
    template = Template.objects.create(name="Blocks", created_at=NOW)
    version = editing.save_version(
        template, subject="s", preheader="", blocks=[TEXT, FOOTER], by=None, now=NOW
    )
    version.refresh_from_db()
    assert version.mode == TemplateVersion.Mode.BLOCKS
    assert version.blocks == [TEXT, FOOTER]
    assert "Hello" in version.html and "<mj-text" in version.mjml
    by_hand = editing.save_version(
        template, subject="s", preheader="", mjml=version.mjml, text=version.text, by=None, now=NOW
    )
    assert (by_hand.mode, by_hand.blocks) == (TemplateVersion.Mode.SOURCE, [])


def block(key, **params):
    kind = blocks.get(key)
    return {"kind": key, "params": kind.blank() | dict(kind.example) | params}


def test_a_picture_that_somebody_lacks_falls_away_with_its_place():
    shown = said(block("campaigns.image", picture="{{ sender.image | default: '' }}", alt="Mira"), FOOTER)
    assert "mira.jpg" in shown.html
    nobody = variables.example()["sender"] | {"image": None}
    without = said(
        block("campaigns.image", picture="{{ sender.image | default: '' }}", alt="Mira"),
        FOOTER,
        sender=nobody,
    )
    assert "<img" not in without.html


@pytest.mark.parametrize(
    ("typed_in", "kept"),
    [
        ("shop.example.com/new", "https://shop.example.com/new"),
        ("mira@shop.example.com", "mailto:mira@shop.example.com"),
        ("{{ links.restore }}", "{{ links.restore }}"),
        ("tel:+4533123400", "tel:+4533123400"),
    ],
)
def test_a_link_gets_the_scheme_it_lacks(typed_in, kept):
    assert blocks.get("campaigns.button").read(block("campaigns.button", link=typed_in)["params"])[
        "link"
    ] == (kept)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil", "x"]
)
def test_any_other_scheme_is_refused(link):
    with pytest.raises(BrokenParams, match="begins with https"):
        blocks.get("campaigns.button").read(block("campaigns.button", link=link)["params"])


def test_blocks_on_paper_are_one_sheet_between_head_and_footer():
    made = composing.made_of([block("campaigns.header"), TEXT, block("campaigns.button"), FOOTER], PLAIN)
    assert made.mjml.count("<mj-wrapper") == made.mjml.count("</mj-wrapper>") == 1
    lines = made.mjml.splitlines()
    assert all("<mj-section" in lines[start - 1] for start in made.starts)
    text = made.text.splitlines()
    assert text[made.text_starts[0] - 1] == "{{ shop.name }}"
    assert [made.block_at(start, in_text=True) for start in made.text_starts] == [0, 1, 2, 3]


def test_a_button_of_two_columns_leads_somewhere():
    with pytest.raises(BrokenParams, match="Where does the button lead"):
        blocks.get("campaigns.columns").read(block("campaigns.columns", button="Go")["params"])


def test_what_was_ordered_is_shown_whole_or_as_far_as_it_can_be_had_again():
    def line(name, in_stock):
        return {"name": name, "url": None, "image": None, "quantity": 2, "price": 9, "in_stock": in_stock}

    order = {"lines": [line("Lamp", True), line("Chair", False)]}
    whole = said(block("campaigns.ordered", which="all"), FOOTER, order=order)
    assert "2 × Lamp" in whole.text and "2 × Chair" in whole.text and "Chair" in whole.html
    again = said(block("campaigns.ordered", which="again"), FOOTER, order=order)
    assert "2 × Lamp" in again.text and "Chair" not in again.text + again.html
    gone = said(block("campaigns.ordered", which="again"), FOOTER, order={"lines": [line("Chair", False)]})
    assert "You ordered" not in gone.text + gone.html


def test_the_product_it_is_about_says_what_it_cost_when_they_last_looked():
    product = {"name": "Lamp", "url": "https://shop.example.com/l", "price": 9, "currency": "EUR"}
    cheaper = said(block("campaigns.product"), FOOTER, product=product | {"was": 12})
    assert "Lamp: €9.00 (was €12.00)" in cheaper.text and STRUCK in cheaper.html
    same = said(block("campaigns.product"), FOOTER, product=product | {"was": None, "list_price": None})
    assert "Lamp: €9.00\n" in same.text and STRUCK not in same.html
    assert "See it in the shop" not in said(block("campaigns.product"), FOOTER, product={"name": None}).text


def test_a_message_shows_a_list_of_products_once():
    similar = {"kind": "campaigns.recommendations", "params": blocks.get("campaigns.recommendations").shown()}
    best = {"kind": similar["kind"], "params": {**similar["params"], "sort": "best"}}
    assert checking.problems(subject="s", preheader="", blocks=[similar, best, FOOTER], look=PLAIN) == []
    found = checking.problems(subject="s", preheader="", blocks=[similar, TEXT, similar, FOOTER], look=PLAIN)
    assert [checking.in_words(one, [similar, TEXT, similar, FOOTER]) for one in found] == [
        "Block 3, Recommendations: block 1 shows these products already: "
        "choose others, or show more of them there"
    ]
