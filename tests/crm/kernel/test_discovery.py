"""An app that has a module of the right name is heard."""

import sys

from django.apps import AppConfig, apps

from crm.kernel import kinds


def test_modules_are_imported_and_of_packages_every_file(tmp_path, monkeypatch):
    root = tmp_path / "orchard"
    for folder in (root, root / "trees", root / "flows", root / "flows" / "steps"):
        folder.mkdir()
        (folder / "__init__.py").write_text("")
    (root / "leaves.py").write_text("")
    (root / "trees" / "apple.py").write_text("")
    (root / "flows" / "steps" / "wait.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    import orchard

    config = AppConfig("orchard", orchard)
    configs = [*apps.get_app_configs(), config]
    monkeypatch.setattr(apps, "get_app_configs", lambda: configs)
    kinds.autodiscover("leaves", "trees", "flows.steps", "no_such_module")
    wanted = {"orchard.leaves", "orchard.trees.apple", "orchard.flows.steps.wait"}
    try:
        assert wanted <= set(sys.modules)
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "orchard"]:
            del sys.modules[name]
