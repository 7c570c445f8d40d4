"""The sample shop's keys: on disk for one account, and what the environment says stands above."""

from pathlib import Path

from config.embedded.sample import keyring

KEYS = {"ingest_key": "pk", "server_key": "sk", "signing_key": "sign"}


def test_keys_are_kept_for_the_owner_alone(tmp_path: Path) -> None:
    keyring.write(tmp_path / "keys", KEYS)
    assert keyring.read(tmp_path / "keys", {}) == KEYS
    assert (tmp_path / "keys" / keyring.FILE).stat().st_mode & 0o077 == 0
    keyring.forget(tmp_path / "keys")
    keyring.forget(tmp_path / "keys")
    assert keyring.read(tmp_path / "keys", {}) == dict.fromkeys(KEYS, "")


def test_the_environment_stands_above_the_file_and_a_broken_file_is_none(tmp_path: Path) -> None:
    keyring.write(tmp_path, KEYS)
    assert keyring.read(tmp_path, {"REKINDLE_SERVER_KEY": "other"})["server_key"] == "other"
    (tmp_path / keyring.FILE).write_text("{")
    assert keyring.read(tmp_path, {})["server_key"] == ""
