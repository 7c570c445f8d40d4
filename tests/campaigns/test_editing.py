"""Saving a message: its mistakes by field and line, and versions that never change once one was used."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.messages import editing
from campaigns.models import Template
from tests.campaigns import reminder

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WRITTEN = reminder.abandoned_cart()
PARTS = {
    "subject": WRITTEN.subject,
    "preheader": WRITTEN.preheader,
    "mjml": WRITTEN.mjml,
    "text": WRITTEN.text,
}


@pytest.fixture
def template(db):
    return Template.objects.create(name="Cart", created_at=NOW)


def test_the_message_that_comes_with_the_program_has_no_mistakes():
    assert editing.problems(**PARTS) == []


def test_mistakes_are_named_by_field_and_line():
    broken = PARTS | {
        "subject": "{{ cart.colour }}",
        "mjml": PARTS["mjml"].replace("</mj-body>", "{{ nobody.knows }}\n</mj-body>"),
    }
    found = editing.problems(**broken)
    assert {mistake.field for mistake in found} == {"subject", "mjml"}
    line = (
        broken["mjml"]
        .splitlines()
        .index(next(line for line in broken["mjml"].splitlines() if "nobody.knows" in line))
    )
    assert any(mistake.field == "mjml" and mistake.line == line + 1 for mistake in found)


def test_a_version_nobody_used_is_overwritten(template):
    first = editing.save_version(template, **PARTS, by=None, now=NOW)
    second = editing.save_version(template, **(PARTS | {"subject": "Another"}), by=None, now=NOW)
    assert (second.pk, second.number, second.subject) == (first.pk, 1, "Another")
    assert "<mj-text" not in second.html


def test_a_version_that_a_delivery_used_stays_as_it_was_and_the_next_becomes_current(template):
    first = editing.save_version(template, **PARTS, by=None, now=NOW)
    template.versions.update(used_at=NOW)
    second = editing.save_version(
        template, **(PARTS | {"subject": "Another"}), by=None, now=NOW + timedelta(days=1)
    )
    assert second.number == 2
    first.refresh_from_db()
    assert first.subject == PARTS["subject"]
    template.refresh_from_db()
    assert template.current_id == second.pk


def test_saving_the_same_again_makes_no_version(template):
    editing.save_version(template, **PARTS, by=None, now=NOW)
    template.versions.update(used_at=NOW)
    editing.save_version(template, **PARTS, by=None, now=NOW)
    assert template.versions.count() == 1
