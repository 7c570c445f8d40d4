"""What a message costs, and how many a second reach a sink: `python -m benchmarks.sending [messages]`.

The sink is ours, in a process of its own on the same machine, so the last figures are the sink's as much as
the sender's. No database: the fence always says yes.
"""

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

from campaigns.delivery.channels.letters import Ending, Letter
from campaigns.delivery.channels.smtp import Courier, Server
from campaigns.delivery.mime import Mail, build
from campaigns.messages import mjml, variables
from campaigns.messages.compiling import Compiled, compiled
from tests.campaigns import reminder

PORT = 2598
AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def message() -> Compiled:
    written = reminder.abandoned_cart()
    return compiled(written.subject, mjml.compile_html(written.mjml), written.text, written.preheader)


def person(number: int) -> dict[str, object]:
    data = variables.example()
    data["contact"] = {"first_name": f"Ana {number}", "last_name": "", "email": f"ana{number}@example.com"}
    data["cart"]["lines"] *= 3
    return data


def mail(number: int, ready: Compiled, data: dict[str, object]) -> Mail:
    shown = ready.render(data)
    return Mail(
        public_id=str(UUID(int=number, version=4)),
        to_address=f"ana{number}@example.com",
        to_name=f"Ana {number}",
        from_address="mira@shop.test",
        from_name="Mira Lund",
        subject=shown.subject,
        text=shown.text,
        html=shown.html,
        date=AT,
        list_unsubscribe_url=f"https://m.shop.test/u/{number}",
    )


def each(count: int, act: Callable[[], object]) -> str:
    began = time.perf_counter()
    for _ in range(count):
        act()
    return f"{(time.perf_counter() - began) / count * 1e6:6.0f} µs"


def send(count: int, connections: int, fresh: bool, done: "multiprocessing.Queue[float]") -> None:
    ready, data = message(), person(1)
    one = mail(1, ready, data)

    def feed() -> Iterator[Letter]:
        for number in range(count):
            yield Letter(number, mail(number, ready, data) if fresh else one)

    courier = Courier(Server("127.0.0.1", PORT), connections)
    began = time.perf_counter()
    sent = 0
    for known in courier.run(feed(), lambda waiting: {letter.key for letter in waiting}):
        sent += sum(outcome.ending is Ending.SENT for outcome in known)
    done.put(sent / (time.perf_counter() - began))
    courier.close()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    ready, data = message(), person(1)
    one = mail(1, ready, data)
    print("render, three lines in the cart ", each(500, lambda: ready.render(data)))
    print("build, quoted-printable         ", each(1000, lambda: build(one)))
    print("build, 8 bit                    ", each(1000, lambda: build(one, eightbit=True)))
    sink = subprocess.Popen([sys.executable, "-m", "tests.sink.smtp", "--port", str(PORT)])
    time.sleep(2)
    try:
        for fresh in (False, True):
            for processes, connections in ((1, 1), (1, 8), (2, 8)):
                done: multiprocessing.Queue[float] = multiprocessing.Queue()
                working = [
                    multiprocessing.Process(target=send, args=(count, connections, fresh, done))
                    for _ in range(processes)
                ]
                for process in working:
                    process.start()
                rate = sum(done.get() for _ in working)
                for process in working:
                    process.join()
                what = "rendered each" if fresh else "one rendered "
                print(f"{what}, {processes} process(es), {connections} connection(s): {rate:6.0f} messages/s")
    finally:
        sink.terminate()
        sink.wait()


if __name__ == "__main__":
    main()
