"""The installation's secrets: from the environment when given, else made once and kept as files for us alone.

They belong into every backup: without the address keys no suppression list can be matched any more.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


class BadKeys(Exception):
    """A key in the environment or in a key file that cannot be read."""


def secret_key(given: str, folder: Path) -> str:
    return given or _kept(folder / "secret_key", lambda: secrets.token_urlsafe(50))


def address_keys(given: str, folder: Path) -> dict[int, bytes]:
    """Keys of the address hash by id: `1:<hex>,2:<hex>`. The highest id hashes new addresses."""
    text = given or _kept(folder / "address_keys", lambda: f"1:{secrets.token_hex(32)}")
    keys = {}
    for part in text.split(","):
        number, colon, value = part.strip().partition(":")
        if not (colon and number.isdigit()):
            raise BadKeys("REKINDLE_ADDRESS_KEYS is a list like 1:<hex>,2:<hex>")
        keys[int(number)] = _bytes("REKINDLE_ADDRESS_KEYS", value)
    return keys


def link_keys(given: str, folder: Path) -> list[bytes]:
    """The ring for signed links: `<hex>,<hex>`. The first signs, all of them verify."""
    text = given or _kept(folder / "link_keys", lambda: secrets.token_hex(32))
    return [_bytes("REKINDLE_LINK_KEYS", part.strip()) for part in text.split(",")]


def _bytes(name: str, text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError as error:
        raise BadKeys(f"{name} holds a key that is not hexadecimal") from error
    if len(value) < 32:
        raise BadKeys(f"{name} holds a key shorter than 32 bytes (64 hexadecimal digits)")
    return value


def _kept(path: Path, make: Callable[[], str]) -> str:
    """Read the file; make it when missing. Of several processes that start at once, one file wins for all."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
