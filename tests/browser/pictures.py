"""What a page shows at desktop and phone width, kept in the folder PICTURES names, if any."""

import os
from pathlib import Path

from playwright.sync_api import Page

WIDTHS = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


def keep(page: Page, name: str) -> None:
    folder = os.environ.get("PICTURES")
    if not folder:
        return
    for suffix, size in WIDTHS.items():
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.wait_for_timeout(250)
        page.screenshot(path=Path(folder) / f"{name}-{suffix}.png", full_page=True)
    page.set_viewport_size(WIDTHS["desktop"])  # type: ignore[arg-type]
