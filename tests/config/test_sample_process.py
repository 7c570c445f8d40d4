"""The sample shop as the process the supervisor starts."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests import ports, servers

CLONE = Path(__file__).parents[2]


def start(tmp_path: Path, given: list[int]) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "REKINDLE_VAR": str(tmp_path),
        "REKINDLE_ENV_FILE": os.devnull,
        "REKINDLE_SHOP_PORT": str(given[0]),
        "REKINDLE_INBOX_PORT": str(given[1]),
        "REKINDLE_SMTP_PORT": str(given[2]),
    }
    return subprocess.Popen(
        servers.bound([sys.executable, "-m", "config.embedded.sample"]),
        cwd=CLONE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until_it_answers(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            return
        except OSError:
            assert time.monotonic() < end, "the sample shop did not start"
            time.sleep(0.05)


def test_one_process_serves_all_three_and_a_term_signal_ends_it(tmp_path: Path) -> None:
    given = ports.free(3)
    process = start(tmp_path, given)
    try:
        for port in given[:2]:
            wait_until_it_answers(port)
        with socket.create_connection(("127.0.0.1", given[2]), timeout=60) as smtp:
            assert smtp.recv(100).startswith(b"220 ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_port_in_use_is_an_error_in_words(tmp_path: Path) -> None:
    given = ports.free(3)
    with socket.create_server(("127.0.0.1", given[1])):
        process = start(tmp_path, given)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "cannot start" in output
    assert "Traceback" not in output


def test_the_shop_runs_without_django(tmp_path: Path) -> None:
    code = "import sys, config.embedded.sample.__main__; print('django' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=CLONE, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
