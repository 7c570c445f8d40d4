"""Becomes another program that ends when its parent ends.

    python -m config.embedded.child <parent's process id> <program> <argument> ...

Linux tells the program itself, by a signal. Elsewhere this process stays and watches for both.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(
            sign, signal.SIG_DFL
        )  # one that our starter ignored would be ignored by all its children
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("the parent is gone")
        os.execv(command[0], command)
    watch(parent, command)


def watch(parent: int, command: list[str]) -> None:
    process = subprocess.Popen(command, pass_fds=_inherited())
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while process.poll() is None:
        if os.getppid() != parent:
            process.terminate()
        time.sleep(0.5)
    sys.exit(process.returncode)


def _inherited() -> list[int]:
    return [int(number) for number in os.listdir("/dev/fd") if number.isdigit() and int(number) > 2]


if __name__ == "__main__":
    main()
