"""Who may import whom: crm <- tracking <- campaigns <- config, and nobody a door but urls and other doors."""

import pytest
from importlinter import cli

from tests.architecture import sources

DOORS = {"admin", "api", "views", "tasks", "urls"}


def test_the_import_contracts_hold(monkeypatch, capsys):
    monkeypatch.chdir(sources.ROOT)
    broken = cli.lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert broken == 0, capsys.readouterr().out


@pytest.mark.parametrize("app", ["crm", "tracking", "campaigns"])
def test_nobody_imports_a_door_of_an_app_except_its_other_doors(app):
    wrong = []
    for path in sources.files(*sources.APPS):
        parts = path.relative_to(sources.ROOT).with_suffix("").parts
        if parts[0] == "config" or (parts[0] == app and parts[1] in DOORS | {"apps"}):
            continue
        for line, module in sources.read(path).imports:
            target = module.split(".")
            if target[0] == app and len(target) > 1 and target[1] in DOORS:
                wrong.append(f"{sources.name_of(path)}:{line} imports {module}")
    assert wrong == []


def test_the_kernel_imports_nothing_of_the_product_but_itself():
    wrong = [
        f"{sources.name_of(path)}:{line} imports {module}"
        for path in sources.files("crm/kernel")
        for line, module in sources.read(path).imports
        if module.split(".")[0] in sources.APPS and not module.startswith("crm.kernel")
    ]
    assert [import_ for import_ in wrong if not import_.endswith("imports crm.kernel")] == []


def test_the_theme_is_imported_through_our_own_module_alone():
    wrong = [
        f"{sources.name_of(path)}:{line}"
        for path in sources.files(*sources.APPS)
        for line, module in sources.read(path).imports
        if module.split(".")[0] == "unfold" and sources.name_of(path) != "crm/kernel/backoffice.py"
    ]
    assert wrong == []
