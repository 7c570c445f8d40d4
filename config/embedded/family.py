"""Which programs make up the product on one machine, in the order in which they start."""

import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from config.env import Environment

from . import ports
from .children import Child

# Who makes work stops first, who finishes work is waited for, the inbox takes the last message.
STOP_ORDER = ("beat", "web", "collector", "worker", "sample")


def children(environment: Environment, variables: dict[str, str], shop_keys: dict[str, str]) -> list[Child]:
    python = sys.executable
    granian = [
        python,
        "-m",
        "granian",
        "--host",
        "127.0.0.1",
        "--no-access-log",
        "--workers-kill-timeout",
        "5",
    ]
    celery = [python, "-m", "celery", "-A", "config"]
    web, collect = environment.web_port, environment.collect_port
    sample = [environment.shop_port, environment.inbox_port, environment.smtp_port]
    commands: dict[str, tuple[list[str], Callable[[Path], bool]]] = {
        "sample": ([python, "-m", "config.embedded.sample"], _listening(*sample)),
        "web": (
            [
                *granian,
                "--interface",
                "wsgi",
                "--port",
                str(web),
                "--blocking-threads",
                "4",
                "config.wsgi:application",
            ],
            _answering(web, str(urlsplit(environment.admin_url).hostname)),
        ),
        "collector": (
            [*granian, "--interface", "asgi", "--port", str(collect), "config.collect:app"],
            _listening(collect),
        ),
        "worker": (
            [
                *celery,
                "worker",
                "--pool",
                "threads",
                "--concurrency",
                "4",
                "--loglevel",
                "WARNING",
                "--without-gossip",
            ],
            Path.exists,
        ),
        "beat": ([*celery, "beat", "--pidfile=", "--loglevel", "WARNING"], Path.exists),
    }
    if not environment.sample:
        del commands["sample"]
    own = {"sample": shop_keys}
    return [
        Child(name, command, is_ready, environment.places.logs, variables | own.get(name, {}))
        for name, (command, is_ready) in commands.items()
    ]


def _listening(*numbers: int) -> Callable[[Path], bool]:
    return lambda _file: all(ports.listens(number) for number in numbers)


def _answering(port: int, host: str) -> Callable[[Path], bool]:
    question = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers={"Host": host})

    def answers(_file: Path) -> bool:
        try:
            with urllib.request.urlopen(question, timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    return answers
