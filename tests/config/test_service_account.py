"""The system account of the local servers: several programs started at once as root agree on one."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.embedded import accounts

USERADD = """#!/bin/sh
number=$(cat {numbers} 2>/dev/null || echo 999)
echo $((number - 1)) > {numbers}
sleep 0.2
echo $number > {account}
"""


def test_two_first_starts_at_once_create_one_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of users that knows no locks, as of some containers: whoever writes last is right."""
    numbers, account = tmp_path / "numbers", tmp_path / "account"
    tool = tmp_path / "useradd"
    tool.write_text(USERADD.format(numbers=numbers, account=account))
    tool.chmod(0o755)

    def look_up() -> SimpleNamespace | None:
        if not account.exists() or not account.read_text():
            return None
        return SimpleNamespace(pw_uid=int(account.read_text()), pw_gid=7)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(accounts, "TOOLS", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(accounts, "SYSTEM_HOME", tmp_path)
    monkeypatch.setattr(accounts, "_look_up", look_up)
    with ThreadPoolExecutor(4) as pool:
        found = {start.result() for start in [pool.submit(accounts.service_account) for _ in range(4)]}
    assert found == {accounts.Account(999, 7)}
    assert numbers.read_text().strip() == "998", "useradd ran more than once"
