"""Whatever is pressed on whatever rule, no condition is lost, doubled or pushed deeper than rules go."""

from copy import deepcopy

from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.kernel.rules import is_blank, parse, rows
from crm.kernel.rules.tree import DEEPEST, GROUPS
from tests.crm.kernel.rules.cast import named

LEAVES = st.integers(0, 99).map(lambda number: named(f"N{number}"))


def groups(members):
    return st.tuples(st.sampled_from(GROUPS), st.lists(members, max_size=3)).map(lambda group: dict([group]))


TREES = groups(st.recursive(LEAVES, groups, max_leaves=12)).filter(lambda tree: depth_of(tree) <= DEEPEST)


def depth_of(row):
    return 0 if "kind" in row else 1 + max(map(depth_of, next(iter(row.values()))), default=0)


def leaves_of(row):
    if "kind" in row:
        return [row["params"]["name"]]
    return [name for member in next(iter(row.values())) for name in leaves_of(member)]


def places_of(row, path=()):
    if "kind" in row:
        return []
    found = []
    for place, member in enumerate(next(iter(row.values()))):
        found += [[*path, place], *places_of(member, (*path, place))]
    return found


def at(row, path):
    for step in path:
        row = next(iter(row.values()))[step]
    return row


def typed(row, name="rule"):
    """What a browser posts of rows."""
    if "kind" in row:
        return {f"{name}-kind": row["kind"], f"{name}-with-name": row["params"]["name"]}
    op, members = next(iter(row.items()))
    posted = {f"{name}-op": op, f"{name}-count": str(len(members))}
    for place, member in enumerate(members):
        posted |= typed(member, f"{name}-{place}")
    return posted


def posted(fields):
    data = QueryDict(mutable=True)
    data.update(fields)
    return rows.Posted("rule", data, keeps_empty=True)


@settings(max_examples=60)
@given(TREES, st.data())
def test_a_moved_row_is_where_it_was_said_to_be_and_nothing_else_changed(tree, data):
    places = places_of(tree)
    if not places:
        return
    path = data.draw(st.sampled_from(places))
    direction = data.draw(st.sampled_from([rows.UP, rows.DOWN]))
    before, row = deepcopy(tree), deepcopy(at(tree, path))
    place = rows.moved(tree, path, direction)
    assert at(tree, place) == row
    assert sorted(leaves_of(tree)) == sorted(leaves_of(before))
    assert depth_of(tree) <= DEEPEST
    back = rows.DOWN if direction == rows.UP else rows.UP
    if place != path:
        rows.moved(tree, place, back)
        assert tree == before, "pressed the other way it comes back"


@settings(max_examples=60)
@given(TREES, st.data())
def test_a_row_moves_from_one_end_of_the_rule_to_the_other(tree, data):
    places = places_of(tree)
    if not places:
        return
    path = data.draw(st.sampled_from(places))
    row = deepcopy(at(tree, path))
    for _ in range(200):
        path, last = rows.moved(tree, path, rows.DOWN), path
        if path == last:
            break
    assert path == [len(next(iter(tree.values()))) - 1]
    assert at(tree, path) == row


@settings(max_examples=60)
@given(TREES)
def test_what_is_posted_is_the_rule_that_was_shown(tree):
    assert posted(typed(tree)).document == tree
    saved = rows.without_empty(tree)
    assert leaves_of(saved) == leaves_of(tree)
    assert is_blank(saved) or parse(saved)


@settings(max_examples=40)
@given(TREES, st.data())
def test_a_removed_row_takes_only_what_stood_in_it(tree, data):
    places = places_of(tree)
    if not places:
        return
    path = data.draw(st.sampled_from(places))
    name = "-".join(["rule", *map(str, path)])
    left = leaves_of(posted(typed(tree) | {f"{name}-remove": "1"}).document)
    gone = leaves_of(at(tree, path))
    assert sorted(left + gone) == sorted(leaves_of(tree))


@settings(max_examples=40)
@given(TREES, st.data())
def test_what_is_left_out_of_a_count_is_what_cannot_be_read(tree, data):
    every = [path for path in places_of(tree) if "kind" in at(tree, path)]
    broken = data.draw(st.lists(st.sampled_from(every), unique_by=tuple)) if every else []
    for path in broken:
        at(tree, path)["kind"] = "test.gone"
    asked, left_out = rows.readable(rows.without_empty(tree), frozenset())
    assert left_out == len(broken)
    assert len(leaves_of(asked)) == len(every) - len(broken)
