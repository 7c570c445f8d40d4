"""How long something takes, where a busy machine must not turn a test red."""

from collections.abc import Callable
from time import monotonic


def within[T](seconds: float, do: Callable[[], T], tries: int = 3) -> T:
    """What `do` gives. It fails where none of some tries takes less than so many seconds."""
    took = []
    for _ in range(tries):
        began = monotonic()
        given = do()
        took.append(monotonic() - began)
        if took[-1] < seconds:
            return given
    raise AssertionError(f"it took {', '.join(f'{one:.2f}' for one in took)} s, and may take {seconds} s")
