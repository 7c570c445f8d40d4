"""The check of a message in a process of its own, with little memory and little time.

The compiler is native code and templates come from outside: what crashes or devours there leaves the web
server as it was. Run before a version is saved; `rendering.problems` is the same check without the walls.
"""

import json
import pickle
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from campaigns.messages.compiling import Kind, Problem, Shapes, problems

_ROOT = Path(__file__).resolve().parents[2]
_MEMORY = 1 << 30
_CPU_SECONDS = 4
_SECONDS = 10


def tried(sources: dict[Kind, str], shapes: Shapes | None = None) -> dict[Kind, list[Problem]]:
    """All problems by kind of source, whatever the sources do to the process that looks at them.

    `shapes` is all a message may speak of, where that is more than the basics: the other process knows no
    database and no facts.
    """
    asked = pickle.dumps((sources, shapes))
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "campaigns.messages.trial"],
            input=asked,
            capture_output=True,
            timeout=_SECONDS,
            cwd=_ROOT,
            check=True,
        )
        found = json.loads(ended.stdout)
    except (subprocess.SubprocessError, ValueError):
        return {kind: [Problem(1, "this takes too much time or memory to look at")] for kind in sources}
    return {kind: [Problem(**one) for one in found[kind]] for kind in sources}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    # Written by `tried`, by nobody else.
    asked, shapes = pickle.load(sys.stdin.buffer)
    found = {kind: [asdict(one) for one in problems(asked[kind], kind, shapes)] for kind in asked}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
