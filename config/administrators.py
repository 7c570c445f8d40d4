"""The first administrator and the passwords we generate: shown once, kept only as a hash."""

import secrets

from django.contrib.auth import get_user_model

FIRST = "admin"
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else


def generated_password() -> str:
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))


def first_password() -> str:
    """A password to show, or "" when nobody needs one.

    While the only administrator has never logged in, every start shows a new password: the last one may have
    scrolled away unread.
    """
    users = get_user_model().objects
    if not users.exists():
        users.create_superuser(FIRST, password=None)
    first = users.filter(username=FIRST, is_superuser=True, last_login=None).first()
    if first is None or users.exclude(pk=first.pk).exists():
        return ""
    return renew(FIRST)


def renew(username: str) -> str:
    user = get_user_model().objects.get_by_natural_key(username)
    password = generated_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    return password
