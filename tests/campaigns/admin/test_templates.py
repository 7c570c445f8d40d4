"""The message editor: mistakes by line, versions, a preview that runs nothing and fetches nothing strange."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.urls import reverse

from campaigns.messages import editing
from campaigns.models import Delivery, Step, Template, TemplateVersion
from tests import office
from tests.campaigns import reminder

WRITTEN = reminder.abandoned_cart()
PARTS = {
    "subject": WRITTEN.subject,
    "preheader": WRITTEN.preheader,
    "mjml": WRITTEN.mjml,
    "text": WRITTEN.text,
}
HOSTILE = """<script>fetch('https://evil.example/x')</script><form action="https://evil.example"><input></form>
<img src="https://evil.example/pixel.gif" onerror="alert(1)"><meta http-equiv="refresh" content="0;url=/x">"""


def preview(template: Template) -> str:
    return reverse("admin:campaigns_template_preview", args=[template.pk])


def edit(template: Template) -> str:
    return reverse("admin:campaigns_template_change", args=[template.pk])


@pytest.fixture
def template(world) -> Template:
    """Written as MJML source."""
    made = world.delivery.template
    made.versions.update(mode="source", blocks=[])
    return Template.objects.get(pk=made.pk)


def test_the_list_shows_a_subject_as_somebody_would_read_it(template, ada):
    TemplateVersion.objects.update(subject="{{ contact.first_name | default: 'Hello' }}, your cart")
    broken = Template.objects.create(name="Broken", created_at=office.NOW)
    broken.current = TemplateVersion.objects.create(
        template=broken, number=1, subject="{% if", mjml="", created_at=office.NOW
    )
    broken.save()
    shown = ada.get(reverse("admin:campaigns_template_changelist")).content.decode()
    assert "Ana, your cart" in shown and "{% if" in shown


def test_saving_what_nobody_was_sent_changes_the_version_in_place(template, ada):
    answer = ada.post(edit(template), PARTS | {"name": "Cart", "subject": "Another subject"})
    assert answer.status_code == 302
    template.refresh_from_db()
    assert (template.current.number, template.current.subject) == (1, "Another subject")


def test_saving_what_somebody_was_sent_makes_a_new_version(template, ada):
    template.versions.update(used_at=office.NOW)
    ada.post(edit(template), PARTS | {"name": "Cart", "subject": "Another subject"})
    template.refresh_from_db()
    assert [version.number for version in template.versions.order_by("number")] == [1, 2]
    assert template.current.created_by.username == "ada"
    shown = ada.get(edit(template)).content.decode()
    assert "was sent: the next save makes a new one" in shown
    assert "not sent yet" in shown


def test_line_ends_of_browsers_are_no_mistakes(template, ada):
    browsers = {name: text.replace("\n", "\r\n") for name, text in PARTS.items()}
    assert ada.post(edit(template), browsers | {"name": "Cart"}).status_code == 302
    template.refresh_from_db()
    assert "\r" not in template.current.mjml


def test_a_mistake_is_named_with_its_line_beside_its_field_and_nothing_typed_is_lost(template, ada):
    wrong = PARTS["mjml"].replace("</mj-body>", "{{ cart.colour }}\n</mj-body>")
    answer = ada.post(edit(template), PARTS | {"name": "Cart", "mjml": wrong})
    assert answer.status_code == 200
    said = answer.context["adminform"].form.errors["mjml"]
    assert any(re.match(r"Line \d+: there is no variable called cart.colour", one) for one in said)
    assert "{{ cart.colour }}" in answer.content.decode()
    assert template.versions.count() == 1


def test_a_message_without_an_unsubscribe_link_is_not_saved(template, ada):
    answer = ada.post(edit(template), PARTS | {"name": "Cart", "text": "Buy it. {{ shop.postal_address }}"})
    assert "links.unsubscribe" in str(answer.context["adminform"].form.errors["text"])


def test_the_preview_is_of_a_person_with_their_cart(template, ada):
    shown = ada.get(preview(template), {"as": office.MAIL}).content.decode()
    assert "Ana" in shown
    assert "Fjord 1 speakers" in shown
    text = ada.get(preview(template), {"as": office.MAIL, "part": "text"}).content.decode()
    assert "Fjord 1 speakers" in text
    assert "<table" not in text


def test_the_preview_shows_the_offer_of_the_step_that_sends_it_with_an_example_of_a_code(template, ada):
    told = "{{ offer.headline | default: 'nothing' }} by {{ offer.code | default: 'no code' }}"
    template.versions.update(html=f"<p>{told}</p>", text=told)
    assert "20 % off by SPRING-7KQ2" in ada.get(preview(template), {"as": office.MAIL}).content.decode()
    Step.objects.filter(template=template).update(offer=office.offer("Preview", 2, value=33))
    shown = ada.get(preview(template), {"as": office.MAIL}).content.decode()
    assert "33 % off by EXAMPLE-CODE" in shown


def test_what_was_typed_is_shown_and_forgotten(template, ada):
    typed = PARTS | {"mjml": PARTS["mjml"].replace("you left", "YOU FORGOT"), "as": office.MAIL}
    assert "YOU FORGOT" in ada.post(preview(template), typed).content.decode()
    template.refresh_from_db()
    assert "YOU FORGOT" not in template.current.mjml


def test_what_cannot_be_shown_says_why_in_the_frame(template, ada):
    answer = ada.post(preview(template), PARTS | {"subject": "{{ nobody }}"})
    assert answer.status_code == 200
    assert "subject, line 1: there is no variable called nobody" in answer.content.decode()


def test_the_frame_runs_nothing_and_fetches_only_the_shops_own_pictures(template, ada):
    # The editor refuses most of this; the frame must hold even where it did not.
    template.versions.update(html=HOSTILE)
    answer = ada.get(preview(template))
    assert "evil.example" in answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    assert "script-src" not in policy
    assert "form-action 'none'" in policy
    pictures = next(part for part in policy.split(";") if "img-src" in part)
    assert "https://shop.example" in pictures
    assert "evil.example" not in pictures
    assert settings.REKINDLE_COLLECT_URL not in pictures
    assert answer["Referrer-Policy"] == "no-referrer"
    frame = re.search(r"<iframe[^>]*rk-preview-frame[^>]*>", ada.get(edit(template)).content.decode())
    assert frame is not None
    assert " sandbox " in frame[0]
    assert "allow-" not in frame[0]


def test_an_older_version_can_be_looked_at(template, ada):
    template.versions.update(used_at=office.NOW)
    changed = PARTS | {"mjml": PARTS["mjml"].replace("you left", "YOU FORGOT")}
    editing.save_version(template, **changed, by=None, now=office.NOW)
    assert "YOU FORGOT" not in ada.get(preview(template), {"version": "1"}).content.decode()
    assert "YOU FORGOT" in ada.get(preview(template), {"version": "2"}).content.decode()
    for odd in ("0", "x", "²", "99999999999"):
        assert ada.get(preview(template), {"version": odd}).status_code == 200


def test_a_test_goes_to_a_colleague_as_a_person_would_get_it(template, ada):
    url = reverse("admin:campaigns_template_test", args=[template.pk])
    ada.post(url, {"as": office.MAIL, "to": ""})
    test = Delivery.objects.get(origin="test")
    assert test.test_address == "ada@office.example"
    assert test.contact_id is not None


def test_a_test_as_nobody_is_refused(template, ada):
    url = reverse("admin:campaigns_template_test", args=[template.pk])
    answer = ada.post(url, {"as": "nobody@shop-customers.example"}, follow=True)
    assert "Whose message?" in answer.content.decode()
    assert not Delivery.objects.filter(origin="test").exists()


def test_a_new_template_is_written_and_then_shown(ada, db):
    office.set_up_shop()
    answer = ada.post(reverse("admin:campaigns_template_add"), PARTS | {"name": "New"}, follow=True)
    assert Template.objects.get().current.number == 1
    assert "Preview" in answer.content.decode()
