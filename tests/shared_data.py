"""Published data beside the repository, used where it is there and never copied into it."""

import os
from pathlib import Path

import pytest


def shared(*parts: str) -> Path:
    """A file of it; the test that asks skips itself where there is none."""
    named = os.environ.get("REKINDLE_SHARED")
    places = [Path(named)] if named else [parent / "shared" for parent in Path(__file__).parents]
    for place in places:
        found = place.joinpath("data", *parts)
        if found.exists():
            return found
    pytest.skip(f"{'/'.join(parts)} is not on this machine")
