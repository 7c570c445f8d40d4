"""One feeder at a time in a process: who is called while another is at work leaves a note, which is read."""

import threading

MOST_RUNS = 3


class Turn:
    """Feeding means claiming. A run that only waits for its last answers has left its turn to the next.

    A note left while the feeder looks for the last time is never lost: it looks once more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._feeder: object = None
        self._noted = False
        self._runs = 0

    def take(self, run: object) -> bool:
        """Begin a run as the feeder, or leave a note with the one who is."""
        with self._lock:
            if self._feeder is not None or self._runs >= MOST_RUNS:
                self._noted = True
                return False
            self._feeder, self._noted = run, False
            self._runs += 1
            return True

    def done_feeding(self, run: object) -> bool:
        """Nothing was found. False when a note asks to look once more."""
        with self._lock:
            if self._feeder is run and self._noted:
                self._noted = False
                return False
        self.stop_feeding(run)
        return True

    def stop_feeding(self, run: object) -> None:
        """The time is up, whatever the notes say."""
        with self._lock:
            if self._feeder is run:
                self._feeder = None

    def end(self, run: object) -> None:
        self.stop_feeding(run)
        with self._lock:
            self._runs -= 1
