"""The first administrator and the passwords we generate: shown once, kept only as a hash."""

import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import User
from django.db.models import QuerySet

FIRST = "admin"
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else


def generated_password() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))


def ensure_first() -> None:
    """Make the first administrator, who cannot log in yet, where nobody is there at all."""
    users = get_user_model().objects
    if not users.exists():
        users.create_superuser(FIRST, password=None)


def first_password() -> str:
    """A password to show, or "" when nobody needs one.

    While the only one who might log in is an administrator who never has, every start shows a new password:
    the last one may have scrolled away unread.
    """
    ensure_first()
    users = get_user_model().objects
    first = users.filter(username=FIRST, is_superuser=True, last_login=None).first()
    if first is None or _may_log_in().exclude(pk=first.pk).exists():
        return ""
    return renew(FIRST)


def _may_log_in() -> QuerySet[User]:
    """Whoever has a password: the sample's sales people have none."""
    return get_user_model().objects.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)


def renew(username: str) -> str:
    user = get_user_model().objects.get_by_natural_key(username)
    password = generated_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    return password
