"""reliability.md F1 and O2: hostile files are refused in words or read, and the server never notices."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.hostile_sheets import FILES, many_texts

ROOT = Path(__file__).resolve().parents[2]
MOST_MEGABYTES = 300
MOST_SECONDS = 60

# What a web process does with an upload, told with what it and those it started took.
READING = """
import json, re, resource, sys
from pathlib import Path
from crm.sheets import reading
path, said, rows = Path(sys.argv[1]), "", 0
try:
    for row in reading.rows(path, reading.look(path, path.name)):
        rows += not row.wrong
except reading.Unreadable as unreadable:
    said = str(unreadable)
both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
status = Path("/proc/self/status")  # What the kernel says of us holds what our parent took before we began.
peak = int(re.search(r"VmHWM:\\s*(\\d+)", status.read_text())[1]) if status.exists() else both[0].ru_maxrss
print(json.dumps({
    "said": said,
    "rows": rows,
    "megabytes": [peak / 1024, both[1].ru_maxrss / 1024],
    "seconds": sum(one.ru_utime + one.ru_stime for one in both),
}))
"""


def reading(path):
    ended = subprocess.run(
        [sys.executable, "-c", READING, str(path)], cwd=ROOT, capture_output=True, check=True, text=True
    )
    told = json.loads(ended.stdout)
    assert max(told["megabytes"]) < MOST_MEGABYTES, told
    assert told["seconds"] < MOST_SECONDS, told
    return told


@pytest.mark.proof
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused_in_words_or_read(name, tmp_path):
    make, expected = FILES[name]
    make(tmp_path / name)

    told = reading(tmp_path / name)

    if isinstance(expected, int):
        assert (told["said"], told["rows"]) == ("", expected)
    else:
        assert re.search(expected, told["said"]), told
        assert "root:" not in told["said"]
    assert not Path("/tmp/slipped.py").exists()


@pytest.mark.chaos
def test_what_takes_more_memory_than_there_is_ends_in_words(tmp_path):
    many_texts(tmp_path / "texts.xlsx")

    assert "too much memory" in reading(tmp_path / "texts.xlsx")["said"]
