"""Real files that lie beside some checkouts of the project. Tests that use them skip themselves elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared(path: str) -> Path:
    """A file of the shared data; skips the test where there is none."""
    named = os.environ.get("REKINDLE_SHARED")
    folders = [Path(named)] if named else [up / "shared" for up in Path(__file__).resolve().parents]
    for folder in folders:
        if (found := folder / "data" / path).exists():
            return found
    pytest.skip("the shared data is not here")
