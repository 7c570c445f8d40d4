"""Whether a page fits a window. Charts and what is swapped in follow a moment after the window did."""

from playwright.sync_api import Page

from tests.browser.conftest import DESKTOP, PHONE


def keeps_within(page: Page, width: int) -> None:
    """Nothing stands out to the right of the window as it is."""
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


def fits(page: Page) -> None:
    """Nothing stands out to the right at phone width."""
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    keeps_within(page, PHONE["width"])
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
