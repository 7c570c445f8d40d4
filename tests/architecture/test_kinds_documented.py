"""Every kind says what it is: a label for marketers, a docstring for the reference."""

import pytest

from crm.kernel import kinds

FOUND = [kind for registry in kinds.registries() for kind in registry]


@pytest.mark.parametrize("kind", FOUND, ids=lambda kind: kind.key)
def test_a_kind_has_a_label_and_a_docstring_of_its_own(kind):
    assert kind.label.strip(), "no label"
    own = type(kind).__dict__.get("__doc__") or ""
    assert len(own.split()) >= 4, "a docstring that says nothing"


@pytest.mark.parametrize("kind", FOUND, ids=lambda kind: kind.key)
def test_the_key_of_a_kind_begins_with_the_app_it_lives_in(kind):
    assert kind.key.split(".")[0] == type(kind).__module__.split(".")[0]
