"""The settings hold together: pages answer, policies differ, logs name nobody, keys stay."""

import os
import re
import stat
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from config import env, logs
from config.embedded import keys

PORTS = [f"REKINDLE_{name}_PORT" for name in ("WEB", "COLLECT", "SHOP", "INBOX", "SMTP")]


def test_the_process_says_that_it_is_well() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_the_admin_may_eval_and_other_pages_may_not() -> None:
    admin = Client().get("/admin/login/").headers["Content-Security-Policy"]
    public = Client().get("/healthz").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in admin
    assert "unsafe" not in public
    assert "default-src 'none'" in public


@pytest.mark.django_db
def test_the_database_and_the_cache_are_real(clean_broker: None) -> None:
    from django.contrib.auth.models import User

    User.objects.create_user("ana")
    cache.set("greeting", "hello", 10)
    assert User.objects.filter(username="ana").exists()
    assert cache.get("greeting") == "hello"


def test_logs_mask_addresses_wherever_they_stand() -> None:
    event = {"event": "sent to ana.smith@example.com", "to": ["boris@shop.example.co.uk"], "n": 3}
    assert logs.masked(None, "info", event) == {
        "event": "sent to a***@example.com",
        "to": ["b***@shop.example.co.uk"],
        "n": 3,
    }


def test_logs_mask_the_tokens_of_links() -> None:
    event = {
        "event": "Not Found: /u/2WhvAXKC-B2LdvoFHI53yJ",
        "path": "/restore/abcdefghijkl?x=1",
        "other": "/up/abcdefghijklm",
    }
    assert logs.masked(None, "info", event) == {
        "event": "Not Found: /u/***",
        "path": "/restore/***?x=1",
        "other": "/up/abcdefghijklm",
    }


def test_keys_are_made_once_and_only_we_may_read_them(tmp_path: Path) -> None:
    first = keys.address_keys("", tmp_path / "keys")
    assert keys.address_keys("", tmp_path / "keys") == first
    assert stat.S_IMODE(os.stat(tmp_path / "keys" / "address_keys").st_mode) == 0o600
    assert list(first) == [1] and len(first[1]) == 32


def test_keys_from_the_environment_stand_above_files(tmp_path: Path) -> None:
    assert keys.link_keys("ab" * 32 + "," + "cd" * 32, tmp_path) == [b"\xab" * 32, b"\xcd" * 32]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["abcd", "x" * 64, "1:" + "ab" * 16])
def test_a_short_or_broken_key_is_refused(given: str, tmp_path: Path) -> None:
    with pytest.raises(keys.BadKeys):
        keys.address_keys(given, tmp_path)


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "perhaps")
    monkeypatch.setenv("REKINDLE_WEB_PORT", "70000")
    monkeypatch.setenv("DATABASE_URL", "mysql://localhost/shop")
    with pytest.raises(env.BadEnvironment) as refusal:
        env.read()
    text = str(refusal.value)
    assert "DEBUG" in text and "REKINDLE_WEB_PORT" in text and "DATABASE_URL" in text


def test_with_no_mail_server_named_mail_goes_to_the_built_in_inbox() -> None:
    assert (settings.EMAIL_HOST, settings.EMAIL_PORT) == ("127.0.0.1", 8025)
    assert settings.REKINDLE_SAFE_SINK is True


def test_every_variable_is_explained_in_the_example_and_nothing_else_is() -> None:
    source = (settings.BASE_DIR / "config" / "env.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source)) | {"REKINDLE_ENV_FILE"} | set(PORTS)
    explained = set(
        re.findall(r"^#([A-Z_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE)
    )
    # A provider's own settings are read by their prefix, whatever the provider.
    assert {name for name in explained if not name.startswith("ANYMAIL_")} == read
