"""Small files: a file that grows past five hundred lines holds two things."""

from tests.architecture import sources

MOST = 500


def test_no_file_is_longer_than_five_hundred_lines():
    long = {
        sources.name_of(path): lines
        for path in sources.files(*sources.APPS, "tests", "benchmarks")
        if (lines := len(path.read_text().splitlines())) > MOST
    }
    assert long == {}


def test_no_module_is_a_drawer_for_everything():
    drawers = {"services.py", "utils.py", "helpers.py", "common.py", "signals.py"}
    found = [
        sources.name_of(path)
        for path in sources.files("crm", "tracking", "campaigns")
        if path.name in drawers
    ]
    assert found == []
