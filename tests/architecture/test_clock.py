"""One clock, asked at the edges; and no dice."""

from tests.architecture import sources

CLOCK = "crm/kernel/clock.py"
FORBIDDEN = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "date.today",
    "datetime.date.today",
    "timezone.now",
    "timezone.localdate",
    "django.utils.timezone.now",
    "time.time",
    "time.time_ns",
}
EDGES = {"admin", "api", "views.py", "tasks.py", "collect", "management"}
# The ticks of all apps begin in one module; who is away today is asked where a page is read.
EDGE_FILES = {"crm/ticking.py", "crm/access/reach.py"}


def found(forbidden):
    """Places that call or hand on one of these names."""
    for path in sources.files(*sources.APPS):
        if sources.name_of(path) != CLOCK:
            for use in sources.read(path).uses:
                if use.name in forbidden:
                    yield path, f"{sources.name_of(path)}:{use.line} uses {use.name}"


def test_only_the_clock_asks_the_time():
    assert [place for _, place in found(FORBIDDEN)] == []


def test_the_time_functions_are_not_smuggled_in_by_their_short_names():
    smuggled = {"time.time", "time.time_ns", "django.utils.timezone.now", "django.utils.timezone.localdate"}
    assert [
        f"{sources.name_of(path)}:{line} imports {module}"
        for path in sources.files(*sources.APPS)
        for line, module in sources.read(path).imports
        if module in smuggled
    ] == []


def test_the_clock_is_asked_at_the_edges_and_handed_on():
    asked = []
    for path in sources.files(*sources.APPS):
        parts = path.relative_to(sources.ROOT).parts
        if parts[0] == "config" or parts[:2] == ("crm", "kernel") or EDGES & set(parts):
            continue
        if sources.name_of(path) in EDGE_FILES:
            continue
        for use in sources.read(path).uses:
            if use.is_asked and use.name in {"clock.now", "now"}:
                asked.append(f"{sources.name_of(path)}:{use.line}")
    assert asked == []


def test_no_column_takes_the_time_by_itself():
    places = [
        f"{sources.name_of(path)}:{line} has {keyword}"
        for path in sources.files(*sources.APPS)
        for line, keyword in sources.read(path).keywords
        if keyword in {"auto_now", "auto_now_add"}
    ]
    assert places == []


def test_nothing_is_left_to_chance_outside_generated_data():
    places = []
    for path in sources.files(*sources.APPS):
        lines = path.read_text().splitlines()
        for line, module in sources.read(path).imports:
            allowed = module in {"random", "random.Random"} and "noqa: TID251" in lines[line - 1]
            if module.split(".")[0] == "random" and not allowed:
                places.append(f"{sources.name_of(path)}:{line}")
    assert places == []
