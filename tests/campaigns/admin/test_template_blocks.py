"""The blocks form without a script, the history of a template, and whom the preview may be of."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from campaigns.admin import template_preview, template_versions
from campaigns.flows.checklist import checklist
from campaigns.messages import compiling, composing, editing, palette, trial
from campaigns.messages.kinds import shapes
from campaigns.messages.look import PLAIN
from campaigns.models import Template
from tests import office

TEXT = {"kind": "campaigns.text", "params": {"heading": "Hello", "words": "We kept it.", "align": "left"}}
FOOTER = {"kind": "campaigns.footer", "params": {"because": "You left a cart."}}
ADD = "/admin/campaigns/template/add/"


@pytest.fixture(autouse=True)
def one_process(monkeypatch) -> None:
    """The check without its process of its own, which `test_liquid` shows to say the same."""

    def tried(sources, shapes=None):
        return {kind: compiling.problems(source, kind, shapes) for kind, source in sources.items()}

    monkeypatch.setattr(trial, "tried", tried)


def heading(words: str) -> dict:
    return TEXT | {"params": {"heading": words, "align": "left"}}


def url(name: str, *args: object) -> str:
    return reverse(f"admin:campaigns_template_{name}", args=args)


def posted(*blocks: dict, **more: str) -> dict:
    """The form as a browser sends it."""
    found: dict = {"name": "Hello", "subject": "A word", "preheader": "", "block": []}
    for number, block in enumerate(blocks):
        found["block"].append(f"b{number}")
        found[f"b{number}-kind"] = block["kind"]
        found |= {f"b{number}-{name}": value for name, value in block["params"].items()}
    return found | more


@pytest.fixture
def template(world) -> Template:
    made = Template.objects.create(name="Of blocks", created_at=office.NOW)
    editing.save_version(made, subject="A word", preheader="", blocks=[TEXT, FOOTER], by=None, now=office.NOW)
    return made


def labels(answer) -> list[str]:
    return re.findall(r"<summary>.*?<b>(.*?)</b>", answer.content.decode())


def test_a_new_template_begins_with_blocks_and_keeps_what_was_typed(ada, world):
    assert labels(ada.get(ADD)) == ["Head with logo", "Text", "Footer"]
    words = TEXT | {"params": TEXT["params"] | {"words": "One\r\ntwo"}}
    assert ada.post(ADD, posted(words, FOOTER)).status_code == 302
    version = Template.objects.get(name="Hello").current
    assert version.mode == "blocks"
    assert version.blocks[0]["params"]["words"] == "One\ntwo"


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("add:campaigns.cart", ["Text", "Cart", "Footer"]),
        ("down:b0", ["Footer", "Text"]),
        ("up:b1", ["Footer", "Text"]),
        ("up:b0", ["Text", "Footer"]),
        ("copy:b0", ["Text", "Text", "Footer"]),
        ("remove:b0", ["Footer"]),
        ("remove:b7", ["Text", "Footer"]),
        ("add:nobody.knows", ["Text", "Footer"]),
        ("dance", ["Text", "Footer"]),
    ],
)
def test_without_a_script_a_button_of_a_block_shows_the_page_again_and_saves_nothing(
    template, ada, act, expected
):
    words = TEXT | {"params": TEXT["params"] | {"words": "Not {{ saved"}}
    answer = ada.post(url("change", template.pk), posted(words, FOOTER, **{"block-act": act}))
    assert answer.status_code == 200
    assert labels(answer) == expected
    said = answer.content.decode()
    assert act == "remove:b0" or "Not {{ saved" in said
    assert "correct the error" not in said
    template.refresh_from_db()
    assert template.current.blocks == [TEXT, FOOTER]


def test_a_mistake_stands_beside_its_block_and_field_in_words(template, ada):
    wrong = TEXT | {"params": TEXT["params"] | {"words": "fine\n{{ nobody.knows }}"}}
    answer = ada.post(url("change", template.pk), posted(wrong, FOOTER))
    assert "Block 1, Text, line 2: there is no variable called nobody.knows" in answer.content.decode()
    [row, _footer] = answer.context["adminform"].form["blocks"].value()
    assert row.by_field == {"words": ["Line 2: there is no variable called nobody.knows"]}
    assert row.is_open
    assert template.versions.count() == 1


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([], "add one from the menu"),
        ([TEXT], "Every message needs a footer"),
        ([{"kind": "campaigns.gone", "params": {}}, FOOTER], "does not exist any more"),
        (
            [TEXT | {"params": {"align": "left"}}, FOOTER],
            "Block 1, Text, “Words”: Write a heading or some words.",
        ),
        (
            [{"kind": "campaigns.survey", "params": {}}, FOOTER],
            "Block 1, Survey, “Survey”: This field is required.",
        ),
        (
            [{"kind": "campaigns.columns", "params": {}}, FOOTER],
            "Block 1, Picture beside words, “Words”: This field is required.",
        ),
        ([heading("{{ contact.first_name }}"), FOOTER], "may be missing"),
        ([heading("{% if cart.total %}"), FOOTER], "Block 1, Text, line 1"),
        ([TEXT] * 70, "at most 60 blocks"),
    ],
)
def test_what_cannot_be_saved_says_why(template, ada, blocks, words):
    answer = ada.post(url("change", template.pk), posted(*blocks))
    assert answer.status_code == 200
    assert words in " ".join(answer.context["adminform"].form.non_field_errors())


def test_a_block_that_nobody_knows_any_more_keeps_what_it_held_until_it_is_removed(template, ada):
    gone = {"kind": "campaigns.gone", "params": {"words": "Years of work"}}
    template.versions.update(blocks=[gone, FOOTER])
    shown = ada.get(url("change", template.pk)).content.decode()
    assert "Years of work" in shown
    kept = posted({"kind": gone["kind"], "params": {"kept": json.dumps(gone["params"])}}, FOOTER)
    answer = ada.post(url("change", template.pk), kept)
    assert "Years of work" in answer.content.decode()


def test_blocks_are_seen_before_they_are_saved(template, ada):
    words = TEXT | {"params": TEXT["params"] | {"words": "Not saved yet"}}
    shown = ada.post(url("preview", template.pk), posted(words, FOOTER, who="everything")).content.decode()
    assert "Not saved yet" in shown and "A word" in shown and "KB" in shown
    new = ada.post(url("new_preview"), posted(words, FOOTER, who="nothing")).content.decode()
    assert "Not saved yet" in new and "somebody of whom nothing is known" in new
    wrong = posted(heading("{{ x }}"), FOOTER)
    assert (
        "Block 1, Text, line 1: there is no variable called x"
        in ada.post(url("preview", template.pk), wrong).content.decode()
    )


def test_a_message_over_100_kb_says_that_it_will_be_cut(template, ada):
    long = TEXT | {"params": TEXT["params"] | {"words": "All of it again and again. " * 700}}
    shown = ada.post(url("preview", template.pk), posted(*[long] * 6, FOOTER)).content.decode()
    assert "Gmail cuts the end off" in shown


def test_dark_and_light_are_told_whatever_the_readers_own_system_wears(template, ada):
    def shown(part):
        return ada.get(url("preview", template.pk), {"part": part}).content.decode()

    assert "prefers-color-scheme" not in shown("dark") + shown("desktop")
    assert "@media all" in shown("dark") and "@media not all" in shown("desktop")


def test_going_over_to_mjml_keeps_the_version_with_blocks(template, ada):
    page = ada.get(url("change", template.pk), {"mode": "source"}).content.decode()
    assert "the blocks form ends for this template" in page
    current = template.current
    written = {"name": "Of blocks", "subject": "A word", "mjml": current.mjml, "text": current.text}
    assert ada.post(url("change", template.pk) + "?mode=source", written).status_code == 302
    template.refresh_from_db()
    assert [(one.number, one.mode) for one in template.versions.order_by("number")] == [
        (1, "blocks"),
        (2, "source"),
    ]
    ada.post(url("again", template.pk), {"version": "1"})
    template.refresh_from_db()
    assert (template.current.number, template.current.mode) == (3, "blocks")
    assert template.current.blocks == [TEXT, FOOTER]


def test_beginning_again_overwrites_nothing(template, ada):
    editing.save_version(
        template, subject="Other words", preheader="", blocks=[FOOTER], afresh=True, by=None, now=office.NOW
    )
    ada.post(url("again", template.pk), {"version": "1"})
    assert list(template.versions.order_by("number").values_list("subject", flat=True)) == [
        "A word",
        "Other words",
        "A word",
    ]
    for odd in ("0", "x", "²", "99999999", ""):
        assert ada.post(url("again", template.pk), {"version": odd}).status_code == 404


def test_what_changed_is_shown_by_line(template, ada):
    changed = TEXT | {"params": TEXT["params"] | {"words": "We kept it.\nFor you."}}
    said = {"subject": "A new word", "preheader": "", "blocks": [changed, FOOTER]}
    editing.save_version(template, **said, afresh=True, by=None, now=office.NOW)
    parts = template_versions.compared(*template.versions.order_by("number"))
    assert [part.label for part in parts] == ["Subject", "Blocks"]
    assert ("added", "   For you.") in parts[1].lines
    page = ada.get(url("compare", template.pk), {"from": "1", "to": "2"}).content.decode()
    assert "<ins>   For you.</ins>" in page and "<del>A word</del>" in page
    assert "no version before" in ada.get(url("compare", template.pk), {"to": "1"}).content.decode()


def test_a_copy_has_a_name_of_its_own(template, ada):
    for _ in range(2):
        ada.post(url("copy", template.pk))
    copies = Template.objects.filter(name__startswith="Of blocks (copy")
    assert sorted(copy.name for copy in copies) == ["Of blocks (copy 2)", "Of blocks (copy)"]
    assert all(copy.current.blocks == [TEXT, FOOTER] for copy in copies)


def test_people_are_found_by_how_a_name_or_address_begins_and_shown_to_those_who_may_see_them(
    world, ada, vera
):
    bo = office.person("bo@shop-customers.example", first_name="Bo", last_name="Berg")

    def found(client, **asked):
        answer = client.get(url("people"), asked)
        return [one["email"] for one in answer.json()["people"]] if answer.status_code == 200 else answer

    assert found(ada, q="bo") == found(ada, q="Bo Be") == found(ada, q="BERG") == [bo.email]
    assert found(ada, q="") == found(ada, q="\0") == found(ada, q="%") == []
    assert found(ada, after=office.MAIL) == [bo.email]
    assert found(ada, after=bo.email) == [office.MAIL]
    assert found(vera, q="bo") == [bo.email]
    eve = office.logged_in(office.user("eve", "campaigns.view_template"))
    assert found(eve, q="bo").status_code == 403
    shown = eve.get(url("preview", world.delivery.template.pk), {"as": office.MAIL}).content.decode()
    assert "Fjord 1 speakers" not in shown and "an example" in shown


def test_the_next_person_of_nobody_is_nobody(ada, db):
    assert template_preview.following("", office.user("x", is_superuser=True)) is None


def test_what_is_drawn_is_checked_and_saved_as_drawn(template, ada):
    page = ada.get(url("visual", template.pk)).content.decode()
    assert "the blocks form ends for this template" in page and "vendor/grapesjs" in page
    wrong = ada.post(url("visual", template.pk), {"mjml": "<mjml><mj-body>{{ x }}</mj-body></mjml>"})
    assert wrong.status_code == 422
    assert any("there is no variable called x" in one for one in wrong.json()["mistakes"])
    right = ada.post(url("visual", template.pk), {"mjml": template.current.mjml.replace("kept", "held")})
    assert right.json()["version"] == 2
    template.refresh_from_db()
    assert (template.current.mode, template.current.text, template.current.blocks) == ("visual", "", [])
    assert "held" in template.current.html
    assert "drawn on the page" in ada.get(url("change", template.pk)).content.decode()


def test_every_variable_of_the_palette_and_every_subject_offered_can_be_written_as_it_stands():
    for group in palette.groups():
        for entry in group.entries:
            assert compiling.problems(entry.write, "subject", shapes()) == [], entry.write
    assert list(palette.subjects())


def test_before_launch_a_mistake_names_its_block(world):
    template = world.delivery.template
    # A variable that went away after the message was saved.
    blocks = [TEXT, heading("{{ gone.away }}"), FOOTER]
    made = composing.made_of(blocks, PLAIN)
    template.versions.update(mode="blocks", blocks=blocks, mjml=made.mjml, text=made.text)
    said = [check.problem for check in checklist(world.campaign, office.NOW) if "message" in check.label]
    assert any("Mend its block 2, Text" in one and "gone.away" in one for one in said), said
