"""The dashboard as a program of its own beside the one that flies."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ORDERS_FILE = "dashboard"
"""In the record's folder; what comes from it stands in the record as given by `dashboard`."""
NUM_LINKS = 2
END_S = 5.0
LAST_LOOK_S = 2.0
"""So long the pages may still take the end in, where nobody can say when it is enough."""


@contextmanager
def dashboard_beside(
    folder: Path, orders: Path | None, say: Callable[[str], None]
) -> Iterator[Path]:
    """Show the record while the block runs; at a terminal, until Ctrl-C after it.

    Gives the file that orders come by: `orders`, or a new one in the record's folder. The
    dashboard has a session of its own: the Ctrl-C that calls drones home is not meant for it.
    However this program ends, it ends too: the pipe to its standard input closes then.

    Raises
    ------
    PlanError
        It does not start; nothing has been flown then.
    """
    if orders is None:
        folder.mkdir(parents=True, exist_ok=True)
        orders = folder / ORDERS_FILE
        orders.write_bytes(b"")
    command = [sys.executable, "-m", "skymist.flight.cli", "watch", str(folder)]
    shown = subprocess.Popen(
        [*command, "--orders", str(orders), "--with-parent"],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for _ in range(NUM_LINKS):
            line = shown.stdout.readline() if shown.stdout else ""
            if not line:
                raise PlanError("--dashboard: wanted it to start, found that it ended")
            say(line.rstrip())
        try:
            yield orders
        finally:
            # However it ended: an operation with spots left ends with an exception too.
            if shown.poll() is None:
                _last_look(shown, say)
    finally:
        shown.terminate()
        try:
            shown.wait(END_S)
        except subprocess.TimeoutExpired:
            shown.kill()
            shown.wait()
        for pipe in (shown.stdin, shown.stdout):
            if pipe is not None:
                pipe.close()


def _last_look(shown: subprocess.Popen[str], say: Callable[[str], None]) -> None:
    """Leave the pages up: until Ctrl-C at a terminal, else long enough to take the end in."""
    try:
        if sys.stdin.isatty():
            say("the dashboard stays open; Ctrl-C ends it")
            shown.wait()
        else:
            time.sleep(LAST_LOOK_S)
    except KeyboardInterrupt:
        say("dashboard ended")
