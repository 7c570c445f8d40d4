"""A headless Chromium for the browser tests, and pictures of what it shows where somebody asks for them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import chromium_path

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


def picture(page: Page, name: str) -> None:
    """Keep what the page shows at desktop and phone width, in the folder REKINDLE_PICTURES names."""
    folder = os.environ.get("REKINDLE_PICTURES")
    if not folder:
        return
    for suffix, size in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.wait_for_timeout(250)
        page.screenshot(path=Path(folder) / f"{name}-{suffix}.png", full_page=True)
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
