"""The keys the product gave the sample shop: from the environment, else the file `sample_shop` wrote."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

FILE = "sample_shop.json"
NAMES = ("ingest_key", "server_key", "signing_key")


def read(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """REKINDLE_INGEST_KEY and its like stand above the file; what neither has is empty."""
    try:
        kept = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    return {name: environ.get(f"REKINDLE_{name.upper()}", "") or str(kept.get(name, "")) for name in NAMES}


def write(folder: Path, keys: Mapping[str, str]) -> None:
    """Keep the keys for the shop's process, for this account's eyes only."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{FILE}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({name: keys[name] for name in NAMES}, file)
    draft.rename(folder / FILE)


def forget(folder: Path) -> None:
    (folder / FILE).unlink(missing_ok=True)
