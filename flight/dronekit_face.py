"""A `dronekit.Vehicle` for a user's own script, fed by our link; it looks, and commands nothing.

DroneKit takes silence for success: its upload counts an item as held when it was asked for, its
arming and modes read no acknowledgement. So whatever it would send is refused, by name, where it is
asked for. Its listeners run in a thread of their own, since a script's callback may take its time
and the loop that minds the pumps may not wait. Needs the extra ``skymist[dronekit]``.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from skymist.coverage.errors import SkymistError
from skymist.flight.errors import VehicleRefused
from skymist.flight.mavlink.codec import decode, silent_connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.flight.mavlink.channel import Peer

log = logging.getLogger(__name__)

MAX_WAITING = 2048
"""Frames kept for a script that is slow: 2 min of one drone; then the newest are dropped."""
LOOK_S = 0.05
WARN_S = 5.0
READY = ["gps_0", "armed", "mode"]
"""What `wait_ready(True)` waits for: that of DroneKit's list which our link carries."""
REFUSED = (
    "DroneKit's face of a vehicle is for looking, never used for upload, arming or modes: it takes "
    "silence for success. Command it through skymist.flight"
)


def as_dronekit(peer: Peer) -> Any:
    """A `dronekit.Vehicle` of a vehicle on one of our channels; call it in the running loop.

    Attributes and listeners work as in DroneKit, from what our link carries: no attitude, and of
    the parameters those that were heard. ``close()`` ends it; the link stays.

    Raises
    ------
    SkymistError
        DroneKit is not installed.
    VehicleRefused
        Later, from whatever in DroneKit sends something: modes, arming, uploads, parameters.
    """
    try:
        import dronekit
    except ImportError as error:
        raise SkymistError(
            "wanted the package dronekit2 for as_dronekit: pip install skymist[dronekit]"
        ) from error
    feed: Any = _Feed(peer)
    vehicle: Any = dronekit.Vehicle(feed)
    vehicle._default_ready_attrs = list(READY)
    vehicle._ready_attrs.add("parameters")
    vehicle._heartbeat_error, vehicle._heartbeat_warning = 0, WARN_S
    vehicle._heartbeat_lastreceived = time.monotonic()
    vehicle._heartbeat_started = True
    feed.start()
    return vehicle


class _Feed:
    """What DroneKit calls its handler: hands frames on to listeners, and sends nothing."""

    def __init__(self, peer: Peer) -> None:
        self.master = silent_connection(_refuse)
        self.target_system = peer.sysid
        self.num_dropped = 0
        self._alive = True
        self._listeners: list[Callable[..., Any]] = []
        self._loops: list[Callable[..., Any]] = []
        self._frames: queue.Queue[bytes] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="dronekit listeners", daemon=True)
        self._remove = peer.listen_raw(self._take)

    def forward_message(self, listener: Callable[..., Any]) -> None:
        """Call `listener(self, message)` for each message (DroneKit calls this)."""
        self._listeners.append(listener)

    def forward_loop(self, listener: Callable[..., Any]) -> None:
        """Call `listener(self)` again and again (DroneKit calls this)."""
        self._loops.append(listener)

    def fix_targets(self, message: Any) -> None:
        """Leave a message as it is: none is sent (DroneKit calls this)."""

    def start(self) -> None:
        """Begin to call listeners."""
        self._thread.start()

    def close(self) -> None:
        """End it; our link stays open."""
        self._remove()
        self._alive = False
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _take(self, frame: bytes) -> None:
        """Take a frame, in the loop."""
        try:
            self._frames.put_nowait(frame)
        except queue.Full:
            self.num_dropped += 1

    def _run(self) -> None:
        """Call the listeners, in the thread."""
        looked_s = 0.0
        while self._alive:
            if time.monotonic() - looked_s >= LOOK_S:
                looked_s = time.monotonic()
                for listener in self._loops:
                    with suppress(VehicleRefused):  # DroneKit's own heartbeat: ours goes out
                        listener(self)
            try:
                frame = self._frames.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            self._hand_on(frame)

    def _hand_on(self, frame: bytes) -> None:
        message = decode(self.master.mav, frame)
        if message is None:
            return
        self.master.post_message(message)
        for listener in self._listeners:
            try:
                listener(self, message)
            except Exception:  # a script's own fault: told, and the next is called
                log.exception("a DroneKit listener failed")


def _refuse(_: bytes) -> None:
    raise VehicleRefused(REFUSED, result="REFUSED")
