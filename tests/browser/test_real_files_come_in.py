"""Every real spreadsheet goes through the pages of the import by clicks, on a running installation.

What stands on the pages is held against a reading of one's own: no row is lost without a word, every reason
is true, the same file twice changes nothing, and the undo leaves nothing. A few kinds of files are a proof;
all of them, with the largest, are a long run. At the end a table says what became of each.
"""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser

from config.embedded.places import Places
from tests import leftovers, servers
from tests.browser.conftest import DESKTOP, PATIENCE_MS
from tests.browser.importing import Importer, Refused
from tests.browser.own_reading import Sheet, is_true, read
from tests.browser.real_files import FILES, File
from tests.browser.widths import fits
from tests.config import installations
from tests.config.installations import Installation
from tests.shared import shared

pytestmark = pytest.mark.browser
FOLDERS = ("contacts", "leads", "messy_spreadsheets", "products")
TABLES = {
    "Contacts": "crm_contact",
    "Leads": "crm_lead",
    "Orders": "crm_order",
    "Products": "crm_product",
    "Companies": "crm_company",
}
KEYS = {
    "Orders": ("Order number",),
    "Products": ("The shop's id",),
    "Companies": ("Name",),
}
PERSON = ("E-mail address", "Their number elsewhere", "Telephone number")
A_FEW = (
    "contacts/messy_lead_sheets/real-world_agency-chaos.csv",
    "messy_spreadsheets/sparse_with_column_errors.csv",
)
SAID = {"region": "telephone numbers are of {}", "blanks": "{} mean no answer"}
SET_UP = """
from crm.audience.leads import definitions
from crm.kernel import clock
made = definitions.new_definition("Leads", clock.now(), "admin")
bought = {"all": [{"kind": "crm.ordered", "params": {"times": "1000"}}]}
made.versions.update(is_lead=bought, published_at=clock.now())
"""


@dataclass
class Walked:
    """What became of a file."""

    name: str
    file: File
    rows: int = 0
    recognised: str = ""
    corrected: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)
    blank: int = 0

    def line(self) -> str:
        counts = self.counts
        came = ", ".join(
            f"{counts[name]:,} {name}" for name in ("new", "changed", "unchanged") if counts.get(name)
        )
        further = f"{counts['further lines']:,} further lines" if counts.get("further lines") else ""
        blank = f"{self.blank} blank, said" if self.blank else ""
        refused = f"{counts['refused']:,}: " if counts.get("refused") else ""
        cells = (
            f"`{Path(self.name).name}`, {self.file.kind}",
            self.file.subject,
            f"{self.rows:,}",
            self.recognised,
            "; ".join(self.corrected) or "nothing",
            ", ".join(one for one in (came, further, blank) if one) or "nothing",
            refused + "; ".join(sorted(self.reasons)) or "none",
        )
        return "| " + " | ".join(cells) + " |"


@pytest.fixture(scope="module")
def running(servers_run: servers.Run) -> Iterator[Installation]:
    shared("contacts")
    folder = servers_run.slot.ground / "imports"
    folder.mkdir(parents=True)
    with installations.installation(folder) as made:
        made.start().wait_until_running(600)
        assert made.manage("shell", "-c", SET_UP).returncode == 0
        yield made
        made.interrupt()
    leftovers.clear(folder)


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    """Told of all files at the end."""
    lines: list[str] = []
    yield lines
    print(
        "\n| File | As | Rows | Recognised | Corrected | Came in | Refused |\n|---|---|---|---|---|---|---|"
    )
    print("\n".join(lines))


@pytest.fixture(scope="module")
def importer(running: Installation, browser: Browser) -> Iterator[Importer]:
    context = browser.new_context(viewport=DESKTOP, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    password = re.search(r"one-time password (\S+)", running.output())
    assert password, running.output()
    admin = f"http://admin.localhost:{running.web}/admin/"
    page.goto(admin)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(password[1])
    with page.expect_navigation():
        page.locator("button[type=submit]").click()
    yield Importer(page, admin)
    context.close()


@pytest.fixture(scope="module")
def database(running: Installation) -> Iterator[psycopg.Connection]:
    """To count what is really there, and to let no file profit from what was said of another."""
    sockets = Places(running.home).sockets
    with psycopg.connect(
        f"postgresql://rekindle@/rekindle?host={sockets}&port=5432", autocommit=True
    ) as opened:
        yield opened


def test_every_real_file_is_walked():
    there = {
        f"{folder}/{path.relative_to(shared(folder))}"
        for folder in FOLDERS
        for path in shared(folder).rglob("*")
        if path.is_file()
    }
    assert there == FILES.keys() - {"leads/marketstar_b2b_leads.csv"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=() if one in A_FEW else pytest.mark.chaos) for one in FILES],
)
def test_a_real_file_comes_in_by_clicks_and_goes_again(
    name: str,
    importer: Importer,
    database: psycopg.Connection,
    table: list[str],
    tmp_path: Path,
) -> None:
    file, walked = FILES[name], Walked(name, FILES[name])
    path = where(name, tmp_path)
    for remembered in ("crm_columnmeaning", "crm_ownfield"):
        database.execute(f"DELETE FROM {remembered}")
    before = counted(database)
    if file.stops:
        assert file.stops in importer.drop(path, file.subject)
        walked.reasons.add("as a whole: " + file.stops)
        table.append(walked.line())
        return
    sheet = own_sheet(path, file)
    walked.rows, walked.blank = file.rows or len(sheet.rows), sheet.blank

    columns = look(importer, path, file, walked)
    assert importer.check() == "", name
    walked.counts = counts = importer.counts()
    told(importer)
    assert sum(counts.values()) - counts["rows in all"] == counts["rows in all"] == walked.rows
    if sheet.blank:
        assert re.search(r"blank rows were left out|is blank and was left out", importer.said())
    refused = importer.refused()
    walked.reasons = {re.sub(r"“[^”]*”", "“…”", one.reason) for one in refused}
    truthful(refused, columns, sheet)
    assert (len(refused), counts["refused"]) == (file.refused, file.refused)
    distinct(counts, columns, sheet, file, refused)
    table.append(walked.line())
    if not counts["new"]:
        importer.forget()
        assert counted(database) == before
        return

    importer.begin()
    assert "Stopped half-way" not in importer.said()
    address, done = importer.page.url, importer.counts()
    told(importer)
    assert done["made"] == counts["new"] and sum(done.values()) == 2 * walked.rows
    after = counted(database)
    assert after[file.subject] - before[file.subject] == counts["new"]

    look(importer, path, file, Walked(name, file))
    importer.check()
    again = importer.counts()
    assert (again["new"], again["changed"], again["refused"]) == (0, 0, counts["refused"])
    importer.forget()
    assert counted(database) == after

    importer.page.goto(address)
    importer.undo()
    gone = importer.counts()
    assert (gone["taken back"], gone["kept"]) == (counts["new"], 0)
    assert counted(database) == before
    assert importer.failures == []


def where(name: str, folder: Path) -> Path:
    """The file, unpacked where somebody had to unpack it first."""
    if name != "leads/marketstar_b2b_leads.csv":
        return shared(name)
    unpacked = folder / Path(name).name
    with gzip.open(shared(f"{name}.gz")) as packed, unpacked.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return unpacked


def own_sheet(path: Path, file: File) -> Sheet:
    if file.rows is not None:
        return Sheet([], {}, 0)
    return read(path, encoding=file.encoding, delimiter=file.delimiter, header_row=file.header_row)


def look(importer: Importer, path: Path, file: File, walked: Walked) -> dict[str, str]:
    """The first two steps, up to the dry run. Returns what each column is in the end."""
    assert importer.drop(path, file.subject) == ""
    taken = importer.columns()
    known = re.search(r"A known export: ([^.]+)\.", importer.seen())
    words = f" ({known[1]})" if known else ""
    walked.recognised = f"{sum(map(bool, taken.values()))} of {len(taken)} columns{words}"
    importer.correct(dict(file.columns), **file.answers)
    columns = importer.columns()
    walked.corrected = [
        f"*{heading}* is {label[:1].lower()}{label[1:]}" if label else f"*{heading}* left out"
        for heading, label in file.columns.items()
    ]
    walked.corrected += [SAID[name].format(answer) for name, answer in file.answers.items() if name in SAID]
    told(importer)
    return columns


def told(importer: Importer) -> None:
    """What the page says fits on a phone, and nothing went wrong on the way to it."""
    assert importer.failures == []
    fits(importer.page)


def truthful(refused: list[Refused], columns: dict[str, str], sheet: Sheet) -> None:
    """Every refused row is the row of the file, and what is said of it is so."""
    numbers = {one.number for one in refused}
    for one in refused:
        cells = sheet.rows[one.number]
        shown = [cell[1:] if cell[:2] in ("'=", "'+", "'-", "'@") else cell for cell in one.cells]
        assert [cell for cell in shown if cell] == [cell for cell in cells if cell], one
        assert is_true(one.reason, cells, said(cells, columns), sheet, numbers), one.reason


def said(cells: list[str], columns: dict[str, str]) -> dict[str, str]:
    """The cells of a row by what their columns are."""
    return {label: cell for label, cell in zip(columns.values(), cells, strict=False) if label}


def distinct(
    counts: dict[str, int], columns: dict[str, str], sheet: Sheet, file: File, refused: list[Refused]
) -> None:
    """As many things are new as the rows that come in name: a person by the first handle known before."""
    out, known, new = {one.number for one in refused}, set[tuple[str, str]](), 0
    for number, cells in sheet.rows.items():
        row = said(cells, columns)
        if number in out or row.get("Is a variant of"):
            continue
        handles = {
            (label, row[label].casefold()) for label in KEYS.get(file.subject, PERSON) if row.get(label)
        }
        assert handles, f"row {number} comes in, and says of nobody and nothing"
        new += not handles & known
        known |= handles
    if sheet.rows:
        assert counts["new"] == new


def counted(database: psycopg.Connection) -> dict[str, int]:
    return {
        subject: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # type: ignore[index]
        for subject, name in TABLES.items()
    }
