"""`python -m config.embedded.sample`: storefront, inbox and SMTP in one process until it is told to end."""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config import env
from config.env import Environment

from .frame import Links
from .inbox import Inbox
from .mailbox import Mailbox, smtp_server
from .shop import Shop
from .web import serve


@dataclass(frozen=True, slots=True)
class Settings:
    bind: str
    shop_port: int
    inbox_port: int
    smtp_port: int
    var: Path
    public_url: str
    links: Links

    @classmethod
    def of(cls, environment: Environment, keys: Mapping[str, str]) -> "Settings":
        """What the product's own environment says; the keys come from whoever starts the shop."""
        return cls(
            bind="127.0.0.1",
            shop_port=environment.shop_port,
            inbox_port=environment.inbox_port,
            smtp_port=environment.smtp_port,
            var=environment.places.home,
            public_url=environment.public_url,
            links=Links(
                shop_url=environment.shop_url,
                collect_url=environment.collect_url,
                inbox_url=environment.inbox_url,
                web_url=environment.admin_url,
                ingest_key=keys.get("REKINDLE_INGEST_KEY", ""),
                server_key=keys.get("REKINDLE_SERVER_KEY", ""),
            ),
        )


class Sample:
    """The three servers together; ports may be 0, and then the system chooses them."""

    def __init__(self, settings: Settings) -> None:
        self.mailbox = Mailbox(settings.var / "mailbox")
        self.shop = Shop(settings.links)
        self.inbox = Inbox(self.mailbox, settings.links.shop_url, settings.public_url)
        hosts = frozenset(urlsplit(url).netloc for url in (settings.links.shop_url, settings.links.inbox_url))
        self.smtp = smtp_server(self.mailbox, settings.bind, settings.smtp_port)
        self.web: list[Any] = []
        try:
            self.web.append(serve(self.shop.site, settings.bind, settings.shop_port, hosts))
            self.web.append(serve(self.inbox.site, settings.bind, settings.inbox_port, hosts))
            self.smtp.start()
        except BaseException:
            self._close()
            raise
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True) for server in self.web
        ]
        for thread in self._threads:
            thread.start()

    @property
    def ports(self) -> tuple[int, int, int]:
        """Shop, inbox and SMTP, as they were bound."""
        return self.web[0].server_address[1], self.web[1].server_address[1], self.smtp.port

    def stop(self) -> None:
        for server in self.web:
            server.shutdown()
        self.smtp.stop()
        self._close()

    def _close(self) -> None:
        for server in self.web:
            server.server_close()


def main() -> int:
    try:
        settings = Settings.of(env.read(), os.environ)
    except env.BadEnvironment as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    try:
        sample = Sample(settings)
    except OSError as error:
        print(f"The sample shop cannot start: {error}", file=sys.stderr, flush=True)
        return 1
    print(f"sample shop on {settings.links.shop_url}, inbox on {settings.links.inbox_url}", flush=True)
    done.wait()
    sample.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
