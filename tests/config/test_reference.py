"""The reference pages are what the program says of itself, now."""

from pathlib import Path

import pytest

from config.reference import pages, samples
from crm.kernel.rules import conditions
from crm.models import OwnField, Segment

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.fixture
def written(db):
    with samples.cast():
        return pages.pages()


def test_the_pages_are_not_old(written):
    kept = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert kept == written, "the reference is old: run make docs"
    assert not Segment.objects.exists() and not OwnField.objects.exists()


def test_every_condition_has_its_place_and_a_sentence(written):
    page = written["conditions.md"]
    for condition in conditions:
        part = page.partition(f"Key: `{condition.key}`")[0].rpartition("\n### ")[2]
        assert part.startswith(condition.label), condition.key
        assert "> People who " in part, f"{condition.key} says nothing"
