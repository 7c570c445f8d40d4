"""The program's doors, as those outside knock at them in a replay."""

from __future__ import annotations

import json
import threading
from http.client import HTTPConnection, RemoteDisconnected
from typing import Any

from config.simulate.replay import Doors, Refused
from config.simulate.servers import LOCALHOST

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MOST = 500


class Outside:
    """Browsers, mailboxes and the shop's server, each request by itself; raises Refused."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self._local = threading.local()

    def collect(self, body: dict[str, Any]) -> None:
        """What a browser tells of."""
        door = getattr(self._local, "door", None)
        if door is None:
            door = self._local.door = HTTPConnection(LOCALHOST, self.doors.collect_port, timeout=60)
        request = "/c", json.dumps(body), {"Content-Type": "text/plain"}
        try:
            self._ask(door, 204, "POST", *request)
        except (RemoteDisconnected, ConnectionError):
            # Browsers keep their conversation; one that was left idle the server has ended.
            door.close()
            self._ask(door, 204, "POST", *request)

    def follow(self, path: str) -> str:
        """Open a link of a letter; returns where it leads."""
        return self._once(self.doors.collect_port, 302, "GET", path, None, {})

    def stop(self, path: str) -> None:
        """The one click by which people stop a kind of message."""
        self._once(self.doors.web_port, 200, "POST", path, "List-Unsubscribe=One-Click", FORM)

    def serve(self, what: str, bodies: list[Any]) -> int:
        """What the shop's server tells of, so many at once. Returns how many requests that took."""
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.doors.server_key}",
        }
        parts = [bodies[first : first + MOST] for first in range(0, len(bodies), MOST)]
        for part in parts:
            said = json.dumps({what: part})
            self._once(self.doors.web_port, 200, "POST", f"/api/v1/{what}", said, headers)
        return len(parts)

    def _once(
        self, port: int, status: int, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> str:
        door = HTTPConnection(LOCALHOST, port, timeout=60)
        try:
            return self._ask(door, status, method, path, body, headers)
        finally:
            door.close()

    def _ask(
        self,
        door: HTTPConnection,
        status: int,
        method: str,
        path: str,
        body: str | None,
        headers: dict[str, str],
    ) -> str:
        door.request(method, path, body, headers | {"X-Rekindle-Replay": self.doors.server_key})
        answer = door.getresponse()
        words = answer.read()
        # The collector's 200 tells of events that were refused: a replay must lose nothing.
        if answer.status != status:
            raise Refused(f"{path} answered {answer.status}: {words[:2000].decode(errors='replace')}")
        return answer.headers.get("Location", "")
