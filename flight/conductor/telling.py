"""What is told while drones fly: the record and the display hear the same words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s

if TYPE_CHECKING:
    from skymist.coverage.plan import Sortie
    from skymist.flight.recording.recorder import Recorder
    from skymist.flight.safety.monitor import Alert
    from skymist.flight.terminal.display import Display


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A spot of a sortie that was planned and not flown to its end, and why."""

    spot_id: str
    sortie_id: str
    reason: str


class Log:
    """Writes events to the record and shows them."""

    def __init__(self, record: Recorder, display: Display) -> None:
        self.record = record
        self.display = display

    def event(self, name: str, **fields: object) -> None:
        """Record an event and show it."""
        self.record.write(name, **fields)
        self.display.event(name, fields)

    def skipped(self, skipped: Skipped) -> None:
        """Name what was planned and not flown."""
        self.event(
            "skipped",
            spot_id=skipped.spot_id,
            sortie_id=skipped.sortie_id,
            reason=skipped.reason,
        )


class DroneLog:
    """The same for one drone, whose id goes with every event."""

    def __init__(self, log: Log, drone_id: str) -> None:
        self.log = log
        self._drone_id = drone_id

    def event(self, name: str, **fields: object) -> None:
        """Record and show an event of this drone."""
        self.log.event(name, drone_id=self._drone_id, **fields)

    def track(self, at_s: float | None = None, /, **fields: object) -> None:
        """Record where the drone is, or was at a time of the loop's clock."""
        if at_s is not None:
            fields["t_s"] = round(self.log.record.elapsed_s - (now_s() - at_s), 3)
        self.log.record.write("track", drone_id=self._drone_id, **fields)

    def sortie(self, sortie: Sortie, state: str, text: str = "") -> None:
        """Tell how far a sortie is."""
        self.event("sortie", sortie_id=sortie.id, state=state, text=text)

    def alert(self, alert: Alert) -> None:
        """Tell an alert."""
        self.event("alert", severity=str(alert.severity), code=alert.code, text=alert.text)

    def service(self, kind: str, litres_l: float, duration_s: float) -> None:
        """Tell a service that was done on the pad."""
        self.event(
            "service", kind=kind, litres_l=round(litres_l, 3), duration_s=round(duration_s, 1)
        )
