"""The program's own files, as the tests of its architecture read them."""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

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


class Use(NamedTuple):
    """A chain of names in a file: `clock.now`, on its line; `is_asked` where it is called with nothing."""

    line: int
    name: str
    is_asked: bool


class Read(NamedTuple):
    """What is asked of a file, read once: to parse the program takes seconds, and ten tests look at it."""

    imports: tuple[tuple[int, str], ...]
    uses: tuple[Use, ...]
    keywords: tuple[tuple[int, str], ...]


@cache
def read(path: Path) -> Read:
    """Every module it imports, also within functions; every chain of names; every keyword argument."""
    imports: list[tuple[int, str]] = []
    uses: list[Use] = []
    keywords: list[tuple[int, str]] = []
    asked: set[ast.AST] = set()
    for node in ast.walk(ast.parse(path.read_text(), filename=name_of(path))):
        match node:
            case ast.Import():
                imports += ((node.lineno, alias.name) for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                imports.append((node.lineno, module))
                imports += ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
            case ast.Call() if not node.args:
                asked.add(node.func)  # the call is walked before what it calls
            case ast.keyword(arg=str(arg)):
                keywords.append((node.value.lineno, arg))
            case ast.Attribute() | ast.Name() if name := _dotted(node):
                uses.append(Use(node.lineno, name, node in asked))
    return Read(tuple(imports), tuple(uses), tuple(keywords))


def _dotted(node: ast.AST) -> str:
    """`datetime.now` of an expression that is a plain chain of names, otherwise nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (inner := _dotted(node.value)):
        return f"{inner}.{node.attr}"
    return ""
