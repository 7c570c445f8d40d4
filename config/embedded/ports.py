"""Are our ports free, and if not, who has them? Asked first: our web server would share a port silently."""

import socket
import time

import psutil


def check(ports: dict[str, int], patience: float = 3.0) -> list[str]:
    """Sentences about ports that cannot be used; waits a little for processes that are just ending."""
    deadline = time.monotonic() + patience
    while taken := {name: port for name, port in ports.items() if is_taken(port)}:
        if time.monotonic() > deadline or any(_owner(port) is None for port in taken.values()):
            break
        time.sleep(0.2)
    sentences = [_sentence(name, port) for name, port in taken.items()]
    doubled = {port for port in ports.values() if list(ports.values()).count(port) > 1}
    return sentences + [f"Port {port} is asked for by two of {', '.join(ports)}." for port in sorted(doubled)]


def is_taken(port: int) -> bool:
    """By anybody, on any address: a browser tries ::1 before 127.0.0.1 for names that end in .localhost."""
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(("::1", port))
            return True
        except OSError:
            pass
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _sentence(name: str, port: int) -> str:
    owner = _owner(port)
    who = f" by process {owner.pid} ({_title(owner)})" if owner else " by another program"
    free = next((other for other in range(port + 10, port + 500) if not is_taken(other)), port + 10)
    return f"Port {port} is in use{who}. Stop it, or choose another port: {name}={free} make run"


def _owner(port: int) -> psutil.Process | None:
    """None when the system does not tell us: other people's processes are not ours to see."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return psutil.Process(connection.pid)
    except psutil.Error:
        pass
    return None


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:80] or process.name()
    except psutil.Error:
        return "it does not show its name"
