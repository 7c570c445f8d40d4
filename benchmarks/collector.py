"""ingest_vs_bare, ingest_p99_ms: durable requests a second of the collector, against a bare ASGI application.

`python -m benchmarks.collector [connections] [seconds]`. Needs wrk (Debian: apt install wrk). Both run on the
same server and machine, in turns.
"""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import results
from benchmarks.ground import ground

ROOT = Path(__file__).parent.parent
KEY, ORIGIN = "pk_bench", "http://shop.localhost"
ROUNDS = 3
BARE = "benchmarks.collector:bare"

SCRIPT = """
local count, run = 0, os.time()
local function uuid()
  count = count + 1
  return string.format("%%08x-0000-4000-8000-%%012x", run, count)
end
local headers = {["Content-Type"] = "text/plain;charset=UTF-8", ["Origin"] = "%(origin)s",
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140 Safari/537.36"}
request = function()
  local now = tostring(os.time() * 1000)
  local body = '{"k":"%(key)s","v":"' .. uuid() .. '","b":"' .. uuid() .. '","s":' .. now ..
    ',"e":[{"id":"' .. uuid() .. '","t":"product","at":' .. now ..
    ',"url":"%(origin)s/p/1","p":{"product_id":"p1","name":"Lamp","price":"19.90"}}]}'
  return wrk.format("POST", "/c", headers, body)
end
"""


async def bare(scope: dict, receive, send) -> None:
    """What the server costs alone: the body is read, 204 is answered."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def serving(application: str, environment: Mapping[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    interface = "asginl" if application == BARE else "asgi"
    command = [
        sys.executable,
        "-m",
        "granian",
        "--no-access-log",
        "--log-level",
        "warning",
        "--interface",
        interface,
    ]
    server = subprocess.Popen(
        [*command, "--port", str(port), "--backlog", "2048", application], cwd=ROOT, env=dict(environment)
    )
    try:
        for _ in range(200):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def measure(wrk: str, script: Path, port: int, connections: int, seconds: int) -> tuple[float, float]:
    """Requests a second, and the 99th percentile in milliseconds."""
    command: Sequence[str] = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    told = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/c"], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(told)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", told)
    assert rate and slow
    return float(rate[1]), float(slow[1]) * {"us": 0.001, "ms": 1, "s": 1000}[slow[2]]


def main(connections: int = 64, seconds: int = 5) -> None:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("wrk is needed: apt install wrk")
    with ground() as environment, TemporaryDirectory() as folder:
        from crm.models import ShopSettings
        from tracking.models import InboundEvent

        ShopSettings.objects.update_or_create(pk=1, defaults={"ingest_key": KEY, "allowed_origins": [ORIGIN]})
        script = Path(folder, "post.lua")
        script.write_text(SCRIPT % {"key": KEY, "origin": ORIGIN})
        ours, limit, answered = [], [], 0.0
        environment["REKINDLE_COLLECT_RATE"] = "1000000"
        with serving("config.collect:app", environment) as port, serving(BARE, environment) as bare_port:
            measure(wrk, script, port, connections, 1)
            before = InboundEvent.objects.count()
            for _ in range(ROUNDS):
                limit.append(measure(wrk, script, bare_port, connections, seconds))
                ours.append(measure(wrk, script, port, connections, seconds))
                answered += ours[-1][0] * seconds
        stored = InboundEvent.objects.count() - before
    rate, p99 = (median(column) for column in zip(*ours, strict=True))
    share = median(one / other for (one, _), (other, _) in zip(ours, limit, strict=True))
    results.note("ingest_vs_bare", share, better="higher", floor=0.25, moonshot=0.5, n=stored)
    results.note("ingest_p99_ms", p99, better="lower", floor=25, moonshot=12, n=stored, digits=1)
    rounds = ", ".join(f"{one:.0f} of {other:.0f}" for (one, _), (other, _) in zip(ours, limit, strict=True))
    print(f"{rate:.0f} durable requests/s over {connections} connections; rounds {rounds}")
    print(f"{stored} rows found for about {answered:.0f} requests answered")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
