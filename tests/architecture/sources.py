"""The program's own files, as the tests of its architecture read them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("crm", "tracking", "campaigns", "config")
LAYERS = {"crm": 0, "tracking": 1, "campaigns": 2, "config": 3}


@cache
def files(*folders: str) -> tuple[Path, ...]:
    """Python files below these folders of the repository, migrations left out."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(sorted(path for path in found if "migrations" not in path.relative_to(ROOT).parts))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=name_of(path))


def dotted(node: ast.AST) -> str:
    """`datetime.now` of an expression that is a plain chain of names, otherwise nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (inner := dotted(node.value)):
        return f"{inner}.{node.attr}"
    return ""


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every module a file imports, also within functions, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
