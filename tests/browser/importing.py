"""The pages of an import as a person goes through them: by what stands on them, and by clicks."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, Response

LONG_MS = 1_800_000
"""A large file on a busy machine; nothing here waits longer than the work takes."""


@dataclass(frozen=True)
class Refused:
    """A row of the file of refused rows."""

    number: int
    cells: list[str]
    reason: str


class Importer:
    """Somebody who is logged in and brings files in. Every answer of the server is looked at."""

    def __init__(self, page: Page, admin: str) -> None:
        self.page, self.admin = page, admin
        self.failures: list[str] = []
        page.on("response", self._look)

    def _look(self, response: Response) -> None:
        if response.status >= 500:
            self.failures.append(f"{response.status} {response.url}")

    def drop(self, path: Path, subject: str) -> str:
        """The first step. Returns why the file is refused, or nothing."""
        self.page.goto(f"{self.admin}crm/import/add/")
        self.page.get_by_label("What its rows are").select_option(label=subject)
        self.page.locator("input[type=file]").set_input_files(path)
        self._go("Look at the file")
        if "/add/" not in self.page.url:
            return ""
        return " ".join(self.page.locator("[role=alert]").all_inner_texts())

    def seen(self) -> str:
        """What the second page says of the file."""
        return self.page.locator("section.rk-card", has_text="What we saw").first.inner_text()

    def columns(self) -> dict[str, str]:
        """What each heading is taken to be, in the words of the page; nothing where it is left out."""
        found = {}
        for row in self.page.locator(".rk-columns > li").all():
            chosen = row.locator("select option:checked")
            value = row.locator("select").input_value()
            found[row.locator("label").inner_text()] = chosen.inner_text() if value else ""
        return found

    def correct(self, columns: dict[str, str], **answers: str) -> None:
        """Say what columns are, by heading and in the words of the page, and answer other questions."""
        for heading, label in columns.items():
            row = self.page.locator(".rk-columns > li").filter(
                has=self.page.locator("label", has_text=re.compile(rf"^\s*{re.escape(heading)}\s*$"))
            )
            row.locator("select").select_option(label=label or "– leave it out –")
        for name, answer in answers.items():
            field = self.page.locator(f"[name=option-{name}]")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(label=answer)
            else:
                field.fill(answer)

    def check(self) -> str:
        """The dry run. Returns what is said in red, where it does not begin."""
        self._go("Dry run")
        if self.page.locator("#rk-import-columns").count():
            return " ".join(self.page.locator("[role=alert]").all_inner_texts())
        self._wait(re.compile("^What it would do"))
        return ""

    def begin(self) -> None:
        self._act("Bring it in", re.compile("^It came in|^Stopped half-way"))

    def undo(self) -> None:
        self.page.get_by_text("Undo this import…").click()
        self._act("Undo this import", re.compile("^Undone"))

    def forget(self) -> None:
        self._go("Forget this file")

    def _act(self, button: str, heading: re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()
        self._wait(heading)

    def _go(self, button: str) -> None:
        with self.page.expect_navigation(timeout=LONG_MS):
            self.page.get_by_role("button", name=button).click()

    def _wait(self, heading: re.Pattern[str]) -> None:
        """The page asks by itself how far it is, and shows itself anew at the end."""
        self.page.get_by_role("heading", name=heading).wait_for(timeout=LONG_MS)
        self.page.wait_for_load_state()

    def counts(self) -> dict[str, int]:
        """The numbers at the top of the page, by what stands above them."""
        pairs = self.page.locator("dl.rk-week > div")
        return {
            pair.locator("dt").inner_text(): int(pair.locator("dd").inner_text().replace(",", ""))
            for pair in pairs.all()
        }

    def said(self) -> str:
        return self.page.locator(".rk-import").inner_text()

    def refused(self) -> list[Refused]:
        """The rows of the file one can download; none where there is no link to it."""
        link = self.page.get_by_role("link", name="Download the refused rows")
        if not link.count():
            return []
        with self.page.expect_download() as downloading:
            link.first.click()
        text = Path(downloading.value.path()).read_text(encoding="utf-8-sig")
        _, *rows = csv.reader(io.StringIO(text))
        return [Refused(int(row[-2]), row[:-2], row[-1]) for row in rows]
