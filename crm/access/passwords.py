"""Is this their password? Asked of somebody who is logged in already, so often in a quarter of an hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.timezone import localtime

from crm.models import PasswordTries

MOST = 5
STRETCH = timedelta(minutes=15)
"""So often an account may be guessed at in such a stretch, over all processes and machines."""

_TAKE = """
    INSERT INTO crm_passwordtries AS kept (user_id, tries, since) VALUES (%(user)s, 1, %(now)s)
    ON CONFLICT (user_id) DO UPDATE SET
        tries = CASE WHEN kept.since <= %(over)s THEN 1 ELSE kept.tries + 1 END,
        since = CASE WHEN kept.since <= %(over)s THEN %(now)s ELSE kept.since END
    RETURNING tries, since
"""


class Wrong(ValueError):
    """Not their password; says what to do."""


class TooOften(Wrong):
    """Nobody looks at the password any more; says until when."""


def check(user: Any, password: str, now: datetime) -> None:
    """Pass where it is the password of this account. Raises Wrong or TooOften, also for the right one.

    A try is counted before the password is looked at: a hundred at once are a hundred. Call it outside of a
    transaction: one that is rolled back would take the count along.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"user": user.pk, "now": now, "over": now - STRETCH})
        tries, since = cursor.fetchone()
    if tries > MOST:
        until = localtime(since + STRETCH)
        raise TooOften(
            f"Too many wrong passwords. Try again after {until:%H:%M}; if you forgot yours, an administrator"
            " gives you a new one."
        )
    if not user.check_password(password):
        left = MOST - tries
        again = f"{left} more {'try' if left == 1 else 'tries'}" if left else "No more tries for a while"
        raise Wrong(f"This is not your password. {again}.")
    PasswordTries.objects.filter(user=user).delete()
