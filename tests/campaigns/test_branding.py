"""The brand kit: one look for all messages made of blocks, footer words, saved blocks."""

from __future__ import annotations

import json

import pytest
from django.http import QueryDict
from django.urls import reverse

from campaigns.admin import block_rows
from campaigns.messages import branding, editing, rendering, saved
from campaigns.messages.kinds import blocks
from campaigns.models import BrandKit, SavedBlock, Template, TemplateVersion
from crm.kernel import colours
from crm.kernel.kinds import BrokenParams, UnknownKind
from crm.models import ShopSettings
from tests import office
from tests.campaigns import mailing
from tests.office import NOW

pytestmark = pytest.mark.django_db
PAGE = "admin:campaigns_brandkit_change"
BLOCKS = [
    {"kind": "campaigns.header", "params": {"align": "center", "height": "40"}},
    {
        "kind": "campaigns.text",
        "params": {"heading": "Hello", "words": "[a link](https://shop.example)", "align": "left"},
    },
    {"kind": "campaigns.cart", "params": {"button": "Bring it back"}},
    {"kind": "campaigns.footer", "params": {"because": "You agreed."}},
]


@pytest.fixture
def shop(db) -> ShopSettings:
    office.sender()
    return office.set_up_shop()


def written(name: str, *, sent: bool = False) -> Template:
    template = Template.objects.create(name=name)
    version = editing.save_version(
        template, subject="S", preheader="", blocks=BLOCKS, look=branding.this_look(), by=None, now=NOW
    )
    if sent:
        TemplateVersion.objects.filter(pk=version.pk).update(used_at=NOW)
    return template


def posted(**changes: str) -> dict[str, str]:
    return {
        "logo_url": "https://shop.example/logo.png", "button": "#1f6f5c", "link": "#22262e",
        "text": "#22262e", "paper": "#ffffff", "page": "#f3f1ee", "radius": "12", "font": "system",
        "footer_words": "", "social": "", "adds_parameters": "on", "source": "rekindle", "medium": "email",
        "campaign": "{campaign}", "content": "{step}-{variant}",
    } | changes  # fmt: skip


def save(client, **changes: str):
    return client.post(reverse(PAGE, args=[1]), posted(**changes), follow=True)


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_what_was_sent_keeps_its_look_and_what_was_not_changes_in_place(shop, ada):
    fresh, sent = written("Fresh"), written("Sent", sent=True)
    source = mailing.template("Written as MJML")
    before = {row.pk: row.mjml for row in TemplateVersion.objects.all()}
    answer = save(ada, button="#7a1f5c", radius="0", font="georgia")
    assert said(answer) == [
        "The brand kit is saved. Of the templates made of blocks 1 took the new look in place and 1 that had "
        "been sent got a new version in it."
    ]
    for template in (fresh, sent, source):
        template.refresh_from_db()
    assert fresh.versions.count() == 1 and sent.versions.count() == 2 and source.versions.count() == 1
    assert sent.versions.get(number=1).mjml == before[sent.versions.get(number=1).pk]
    for template in (fresh, sent):
        assert "#7a1f5c" in template.current.html and "Georgia" in template.current.html
        assert template.current.blocks == BLOCKS
    assert "#7a1f5c" not in source.current.html
    assert TemplateVersion.objects.filter(created_by__username="ada").count() == 2
    assert said(save(ada, button="#7a1f5c", radius="0", font="georgia")) == ["The brand kit is saved."]


def test_a_block_that_cannot_be_read_any_more_is_named_and_left_alone(shop, ada):
    template = written("Broken")
    TemplateVersion.objects.update(blocks=[{"kind": "campaigns.gone", "params": {}}])
    answer = save(ada, button="#7a1f5c")
    assert said(answer)[1] == "These could not be made anew; open them, mend them and save: “Broken”."
    assert template.versions.count() == 1


def test_logo_and_buttons_are_the_shops_for_its_public_pages_use_them(shop, ada):
    save(ada, button="#7A1F5C", logo_url="https://shop.example/new.png")
    shop.refresh_from_db()
    assert (shop.colour, shop.logo_url) == ("#7a1f5c", "https://shop.example/new.png")


def test_only_looking_saves_nothing(shop, vera):
    assert vera.get(reverse(PAGE, args=[1])).status_code == 200
    assert vera.post(reverse(PAGE, args=[1]), posted(button="#7a1f5c")).status_code == 403
    assert not BrandKit.objects.exists()


@pytest.mark.parametrize(
    "field, value, words",
    [
        ("button", "red", "A colour is # and six"),
        ("text", "#12", "A colour is # and six"),
        ("radius", "99", "less than or equal to 32"),
        ("font", "comic", "not one of the available choices"),
        ("source", "my shop", "Letters without accents"),
        ("campaign", "{person}", "{campaign}, {step}, {variant}"),
        ("content", "{{ contact.email }}", "{campaign}, {step}, {variant}"),
        ("social", "Instagram", "end the line with an address"),
        ("social", "Evil javascript:alert(1)", "end the line with an address"),
        ("logo_url", "javascript:alert(1)", "valid URL"),
    ],
)
def test_a_wrong_value_is_named_beside_its_field_and_changes_nothing(shop, ada, field, value, words):
    answer = save(ada, **{field: value})
    assert words in str(answer.context["adminform"].form.errors[field])
    assert not BrandKit.objects.exists()
    shop.refresh_from_db()
    assert shop.colour == "#1f6f5c"


def test_hard_to_read_colours_are_warned_about_while_they_are_chosen(shop, ada):
    shown = ada.post(reverse("admin:campaigns_brandkit_contrast"), posted(text="#aaaaaa", link="#f0f0f0"))
    words = shown.content.decode()
    assert words.count("hard to read") >= 2
    fine = ada.post(reverse("admin:campaigns_brandkit_contrast"), posted()).content.decode()
    assert "hard to read" not in fine and "Text on paper" in fine


@pytest.mark.parametrize("button", ["#ffee00", "#102030", "#777777", "#1f6f5c", "#ffffff", "#000000"])
def test_the_words_on_a_button_are_always_readable(button):
    look = branding.look_of(BrandKit(), ShopSettings(colour=button))
    assert colours.contrast(look.button_text, look.button) >= colours.READABLE


@pytest.mark.parametrize(
    "text, paper", [("#22262e", "#ffffff"), ("#eeeeee", "#101010"), ("#000000", "#ffd0d0")]
)
def test_small_print_stays_readable(text, paper):
    look = branding.look_of(BrandKit(text=text, paper=paper, page=paper), ShopSettings())
    assert colours.contrast(look.muted, look.paper) >= colours.READABLE


def test_the_sample_beside_the_form_shows_what_is_typed_and_keeps_nothing(shop, ada):
    url = reverse("admin:campaigns_brandkit_preview")
    stored = ada.get(url)
    assert "sandbox" in stored["Content-Security-Policy"] and "Hearth &amp; Horn" in stored.content.decode()
    typed = posted(
        button="#7a1f5c",
        footer_words="Open till <8>",
        social="Instagram https://instagram.com/x",
        paper="#fffdf0",
    )
    shown = ada.post(url, typed).content.decode()
    assert "#7a1f5c" in shown and "#fffdf0" in shown
    assert "Open till &lt;8&gt;" in shown and 'href="https://instagram.com/x"' in shown
    wrong = ada.post(url, posted(button="red")).content.decode()
    assert "This cannot be shown yet" in wrong
    assert not BrandKit.objects.exists()


def test_footer_words_and_social_links_stand_in_every_footer_when_it_is_sent(shop):
    template = written("With footer")
    BrandKit.objects.create(
        footer_words="Open till 8\nEvery day",
        social=[{"name": "Instagram", "url": "https://instagram.com/x"}],
    )
    (queued,) = mailing.queue(1, with_carts=True, template=template)
    mail = rendering.prepare([queued], mailing.AT)[queued.pk]
    assert "Open till 8<br" in mail.html and 'href="https://instagram.com/x"' in mail.html
    assert "Open till 8\nEvery day\nInstagram: https://instagram.com/x\n" in mail.text
    assert "utm_" not in mail.text.split("instagram.com/x")[1].split("\n")[0]


def test_a_shop_without_a_kit_sends_as_before(shop):
    (queued,) = mailing.queue(1, with_carts=True, template=written("Plain"))
    mail = rendering.prepare([queued], mailing.AT)[queued.pk]
    assert "None" not in mail.text and "Instagram" not in mail.html


# Saved blocks


TEXT = {"heading": "", "words": "Free returns for 30 days.", "align": "left"}


def test_a_filled_in_block_is_kept_and_offered_as_an_editor_needs_it(ada):
    answer = ada.post(
        reverse("admin:campaigns_savedblock_keep"),
        {"name": " Our  promise ", "kind": "campaigns.text", "params": json.dumps(TEXT)},
    )
    assert answer.status_code == 200
    row = SavedBlock.objects.get()
    assert (row.name, row.kind, row.params, row.created_by.username) == (
        "Our promise", "campaigns.text", TEXT, "ada",
    )  # fmt: skip
    (offered,) = ada.get(reverse("admin:campaigns_savedblock_offer")).json()
    assert (offered["name"], offered["kind"], offered["params"]) == ("Our promise", "campaigns.text", TEXT)
    assert blocks.get(offered["kind"]).text(blocks.get(offered["kind"]).read(offered["params"]))


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"name": "  "}, "Give it a name"),
        ({"kind": "campaigns.gone"}, "there is no block called"),
        ({"params": '{"align": "left"}'}, "Write a heading or some words"),
        ({"params": "{"}, "cannot be read"),
        ({"params": '{"evil": 1}'}, "is not a parameter"),
        ({"params": "[1]"}, "a list of names and values"),
    ],
)
def test_what_cannot_be_kept_says_why(ada, changes, words):
    good = {"name": "Promise", "kind": "campaigns.text", "params": json.dumps(TEXT)}
    answer = ada.post(reverse("admin:campaigns_savedblock_keep"), good | changes)
    assert answer.status_code == 400 and words in answer.json()["problem"]
    assert not SavedBlock.objects.exists()


def test_one_whose_kind_is_gone_is_not_offered_and_breaks_nothing(ada):
    saved.save_block("Good", "campaigns.text", TEXT, None, NOW)
    SavedBlock.objects.create(name="Gone", kind="campaigns.gone")
    SavedBlock.objects.create(name="Refused", kind="campaigns.text", params={"words": ""})
    assert [one["name"] for one in saved.saved_blocks()] == ["Good"]
    assert (
        "unknown: campaigns.gone"
        in ada.get(reverse("admin:campaigns_savedblock_changelist")).content.decode()
    )
    with pytest.raises(UnknownKind):
        saved.save_block("x", "campaigns.gone", {}, None, NOW)
    with pytest.raises(BrokenParams):
        saved.save_block("x", "campaigns.text", {}, None, NOW)


def test_saved_blocks_are_written_and_changed_in_the_admin_with_the_fields_of_their_kind(ada):
    answer = ada.post(
        reverse("admin:campaigns_savedblock_add"),
        {"name": "Promise", "kind": "campaigns.text", "kind--campaigns-text-words": "Free returns.",
         "kind--campaigns-text-align": "left"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    row = SavedBlock.objects.get()
    assert row.params["words"] == "Free returns." and row.created_by.username == "ada"
    changed = ada.post(
        reverse("admin:campaigns_savedblock_change", args=[row.pk]),
        {"name": "Promise", "kind": "campaigns.text", "kind--campaigns-text-words": "Free for 60 days.",
         "kind--campaigns-text-align": "left"},
    )  # fmt: skip
    assert changed.status_code == 302
    row.refresh_from_db()
    assert row.params["words"] == "Free for 60 days."


def test_the_editor_offers_saved_blocks_and_copies_them_in(ada):
    row = saved.save_block("Our promise", "campaigns.text", TEXT, None, NOW)
    template = written("Welcome")
    shown = ada.get(reverse("admin:campaigns_template_change", args=[template.pk])).content.decode()
    assert f'value="saved:{row.pk}"' in shown and "Our promise" in shown
    made = ada.post(reverse("admin:campaigns_template_block"), {"saved": row.pk}).content.decode()
    assert "Free returns for 30 days." in made
    assert ada.post(reverse("admin:campaigns_template_block"), {"saved": "0"}).status_code == 404
    rows = block_rows.posted(QueryDict(f"block=b0&b0-kind=campaigns.footer&{block_rows.ACT}=saved:{row.pk}"))
    assert [one.stored["kind"] for one in rows] == ["campaigns.text", "campaigns.footer"]
    assert rows[0].stored["params"] == TEXT
    row.delete()
    assert rows[0].stored["params"] == TEXT


def test_a_block_of_a_form_is_kept_as_it_stands_there(ada):
    posted = {
        "name": "Promise", "of": "b1", "block": ["b0", "b1"],
        "b0-kind": "campaigns.footer", "b1-kind": "campaigns.text",
        "b1-words": "Free\r\nreturns.", "b1-align": "left",
    }  # fmt: skip
    assert ada.post(reverse("admin:campaigns_savedblock_keep"), posted).status_code == 200
    row = SavedBlock.objects.get()
    assert (row.kind, row.params) == ("campaigns.text", {"words": "Free\nreturns.", "align": "left"})
    broken = ada.post(reverse("admin:campaigns_savedblock_keep"), posted | {"b1-words": ""})
    assert "Write a heading or some words" in broken.json()["problem"]
