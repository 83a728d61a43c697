"""Which messages a link wants, and when each is due."""

from __future__ import annotations

import math


class Schedule:
    """Which messages a link wants, and when each is due."""

    def __init__(self) -> None:
        self._rows: dict[int, list[float]] = {}
        self.next_s = math.inf

    def interval_s(self, message_id: int) -> float | None:
        """How often a message goes out; None if it does not."""
        row = self._rows.get(message_id)
        return row[0] if row else None

    def set(self, message_id: int, interval_s: float | None, now_s: float) -> None:
        """Send a message every so often from now on, or no more."""
        if interval_s is None:
            self._rows.pop(message_id, None)
        else:
            self._rows[message_id] = [interval_s, now_s]
        self.next_s = min((row[1] for row in self._rows.values()), default=math.inf)

    def clear(self) -> None:
        """Forget all, as a boot does."""
        self._rows.clear()
        self.next_s = math.inf

    def due(self, now_s: float) -> list[int]:
        """Give the messages that are due, and set when they are due next."""
        if now_s < self.next_s:
            return []
        due = []
        soonest = math.inf
        for message_id, row in self._rows.items():
            if row[1] <= now_s:
                due.append(message_id)
                row[1] += row[0]
                if row[1] <= now_s:
                    row[1] = now_s + row[0]
            soonest = min(soonest, row[1])
        self.next_s = soonest
        return due
