"""The environment, typed: every variable the product knows, read in one place, refused in clear words.

Imports neither Django nor any app: the supervisor and the local servers read it, too.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import environs

from config.embedded import places


class BadEnvironment(Exception):
    """One or more variables that cannot be understood, all of them named."""


@dataclass(frozen=True)
class Environment:
    """What the environment says; empty strings mean *not given*."""

    places: places.Places
    database_url: str
    broker_url: str
    db_role: str
    debug: bool
    secret_key: str
    address_keys: str
    link_keys: str
    allowed_hosts: list[str]
    behind_proxy: bool
    log_level: str
    web_port: int
    collect_port: int
    shop_port: int
    inbox_port: int
    smtp_port: int
    admin_url: str
    public_url: str
    collect_url: str
    shop_url: str
    inbox_url: str
    email_url: str
    email_backend: str
    anymail: dict[str, str]
    safe_sink: bool
    from_address: str
    sample: bool
    grace_seconds: int
    collect_rate: int
    lease_seconds: int
    sending_seconds: int
    segment_seconds: float
    conversations: int
    backoff_seconds: list[int]

    @property
    def cache_url(self) -> str:
        """The broker's server keeps the cache, too; Django and Celery spell a unix socket differently."""
        if not self.broker_url:
            return f"unix://{self.places.valkey_socket}?db=1"
        return self.broker_url.replace("redis+socket://", "unix://", 1).replace("?virtual_host=", "?db=", 1)

    @property
    def ports(self) -> dict[str, int]:
        """Those that `make run` listens on."""
        always = {"REKINDLE_WEB_PORT": self.web_port, "REKINDLE_COLLECT_PORT": self.collect_port}
        if not self.sample:
            return always
        return always | {
            "REKINDLE_SHOP_PORT": self.shop_port,
            "REKINDLE_INBOX_PORT": self.inbox_port,
            "REKINDLE_SMTP_PORT": self.smtp_port,
        }


def read() -> Environment:
    """Variables of the process stand above those of the `.env` file; REKINDLE_ENV_FILE names another file."""
    env = environs.Env(eager=False)
    file = os.environ.get("REKINDLE_ENV_FILE", str(places.CLONE / ".env"))
    if file and os.path.isfile(file):
        env.read_env(file, recurse=False)

    positive = environs.validate.Range(min=1, error="must be at least 1")
    port = environs.validate.Range(min=1, max=65535, error="must be a port between 1 and 65535")
    url = environs.validate.Regexp(
        r"^$|^https?://[^/\s]+$", error="must look like https://host, with no path"
    )
    postgres = environs.validate.Regexp(
        r"^$|^(postgres|postgresql)://", error="must begin with postgresql://"
    )

    ports = {
        name: env.int(f"REKINDLE_{name.upper()}_PORT", default, validate=port)
        for name, default in (
            ("web", 8000),
            ("collect", 8001),
            ("shop", 8002),
            ("inbox", 8003),
            ("smtp", 8025),
        )
    }
    email_url = env.str("EMAIL_URL", "")
    email_backend = env.str("EMAIL_BACKEND", "")
    given = Environment(
        places=places.chosen(env.str("REKINDLE_VAR", "")),
        database_url=env.str("DATABASE_URL", "", validate=postgres),
        broker_url=env.str("BROKER_URL", ""),
        db_role=env.str("REKINDLE_DB_ROLE", ""),
        debug=env.bool("DEBUG", False),
        secret_key=env.str("SECRET_KEY", ""),
        address_keys=env.str("REKINDLE_ADDRESS_KEYS", ""),
        link_keys=env.str("REKINDLE_LINK_KEYS", ""),
        allowed_hosts=env.list("ALLOWED_HOSTS", []),
        behind_proxy=env.bool("REKINDLE_BEHIND_PROXY", False),
        log_level=env.str("REKINDLE_LOG_LEVEL", "INFO").upper(),
        web_port=ports["web"],
        collect_port=ports["collect"],
        shop_port=ports["shop"],
        inbox_port=ports["inbox"],
        smtp_port=ports["smtp"],
        admin_url=env.str("REKINDLE_ADMIN_URL", f"http://admin.localhost:{ports['web']}", validate=url),
        public_url=env.str("REKINDLE_PUBLIC_URL", f"http://m.localhost:{ports['web']}", validate=url),
        collect_url=env.str("REKINDLE_COLLECT_URL", f"http://t.localhost:{ports['collect']}", validate=url),
        shop_url=env.str("REKINDLE_SHOP_URL", f"http://shop.localhost:{ports['shop']}", validate=url),
        inbox_url=env.str("REKINDLE_INBOX_URL", f"http://inbox.localhost:{ports['inbox']}", validate=url),
        # With no mail server named, mail goes into the built-in inbox: safe for invented people.
        email_url=email_url or f"smtp://127.0.0.1:{ports['smtp']}",
        email_backend=email_backend,
        anymail={
            name.removeprefix("ANYMAIL_"): value
            for name, value in os.environ.items()
            if name.startswith("ANYMAIL_")
        },
        safe_sink=env.bool("REKINDLE_SAFE_SINK", not (email_url or email_backend)),
        from_address=env.str("REKINDLE_FROM_ADDRESS", "Rekindle <rekindle@localhost>"),
        sample=env.bool("REKINDLE_SAMPLE", True),
        grace_seconds=env.int("REKINDLE_GRACE_SECONDS", 20, validate=positive),
        collect_rate=env.int("REKINDLE_COLLECT_RATE", 50, validate=positive),
        lease_seconds=env.int("REKINDLE_LEASE_SECONDS", 120, validate=positive),
        sending_seconds=env.int("REKINDLE_SENDING_SECONDS", 900, validate=positive),
        segment_seconds=env.float("REKINDLE_SEGMENT_SECONDS", 15.0, validate=positive),
        conversations=env.int("REKINDLE_CONVERSATIONS", 8, validate=positive),
        backoff_seconds=env.list("REKINDLE_BACKOFF_SECONDS", [60, 300, 900, 3600], subcast=int),
    )
    try:
        env.seal()
    except environs.EnvValidationError as error:
        reasons_by_name = dict(error.error_messages) if isinstance(error.error_messages, Mapping) else {}
        lines = (f"  {name}: {' '.join(reasons)}" for name, reasons in reasons_by_name.items())
        raise BadEnvironment("The environment cannot be used:\n" + "\n".join(lines)) from error
    return given
