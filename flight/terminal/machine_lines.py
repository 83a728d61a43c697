"""What `--json` puts on standard error: one JSON object a line, each with its name as `event`.

The same form as the events of `fly` and `rehearse`, which are data and go to standard output.
"""

from __future__ import annotations

import json
import logging
import sys

FLAG = "--json"


def is_for_machines() -> bool:
    """Whether the command that runs was asked for JSON."""
    return FLAG in sys.argv[1:]


def event_line(event: str, **fields: object) -> str:
    """One event as a line, without its end."""
    return json.dumps({"event": event, **fields}, ensure_ascii=False, default=str)


def say_event(event: str, **fields: object) -> None:
    """Write one event to standard error."""
    print(event_line(event, **fields), file=sys.stderr, flush=True)


class JsonLog(logging.Formatter):
    """Log lines as events: `{"event": "log", "level": "warning", "logger": ..., "text": ...}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, a traceback within its text."""
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        level = record.levelname.lower()
        return event_line("log", level=level, logger=record.name, text=text)
