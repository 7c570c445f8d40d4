"""Figures as `make bench` keeps them: one line a figure on the screen, and all of them in results.json."""

import json
import os
import platform
from pathlib import Path

from crm.kernel import clock

FILE = Path(__file__).with_name("results.json")


def note(
    name: str, value: float, *, better: str, floor: float, moonshot: float, n: int, digits: int = 2
) -> None:
    """Print one figure beside its goals and write it into the file; figures of other runs stay."""
    figure = round(value, digits)
    print(f"{name}: {figure:g} (floor {floor:g}, moonshot {moonshot:g})")
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    kept[name] = {
        "value": figure,
        "better": better,
        "floor": floor,
        "moonshot": moonshot,
        "n": n,
        "on": clock.now().date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
    }
    FILE.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
