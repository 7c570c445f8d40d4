"""The process that reads: one question on standard input, answers as lines of JSON on standard output."""

from __future__ import annotations

import json
import os
import resource
import sys

from crm.sheets.formats import Unreadable, opening
from crm.sheets.formats.answering import answers

_MEMORY = 256 << 20
_CPU_SECONDS = 50
_CPU_SECONDS_PER_MEGABYTE = 0.5


def main() -> None:
    question = json.load(sys.stdin)
    out = sys.stdout.buffer
    try:
        _confine(question["path"])
        for message in answers(question):
            out.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        out.write(b'{"end": true}\n')
    except Unreadable as unreadable:
        out.write(json.dumps({"unreadable": str(unreadable)}).encode() + b"\n")
    except FileNotFoundError:
        out.write(
            json.dumps({"unreadable": "The file is not there any more. Choose it again."}).encode() + b"\n"
        )
    except (MemoryError, BrokenPipeError):
        os._exit(1)  # Dying without a word says the first, and of the second nobody would hear.
    out.flush()


def _confine(path: str) -> None:
    """A long text may take its time; what a packed workbook takes says nothing about its size."""
    seconds = _CPU_SECONDS
    if not opening.is_packed(path):
        seconds += int(_CPU_SECONDS_PER_MEGABYTE * os.path.getsize(path) / 1_000_000)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
