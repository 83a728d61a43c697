"""What can go wrong between us and a vehicle, as one tree.

::

    FlightError              coverage.errors
    ├── LinkLost             the wire: cannot be opened, was closed, is badly named
    ├── VehicleSilent        the wire is there, the vehicle does not answer in time
    ├── VehicleFell          it lies where nothing lands
    ├── VehicleRefused       the vehicle said no to a command, a mode, a parameter
    ├── LeftOut              a sortie may not be flown now; the drone goes on with the next
    │   ├── OutOfHours       ... since its hours are over, or too far off
    │   └── InTheWay         ... since a drone that fell lies too near to its way
    └── UploadRefused        a mission, fence or rally transfer that the vehicle did not accept

What the caller needs to decide is in attributes; the message says it for a person.
"""

from __future__ import annotations

from enum import StrEnum

from skymist.coverage.errors import FlightError


class Holding(StrEnum):
    """What a vehicle holds after a transfer that failed.

    Only after a later upload and a clean `verify` may a vehicle marked `UNKNOWN` fly.
    """

    CLEARED = "cleared"
    VERIFIED = "verified"
    UNKNOWN = "unknown"


class LeftOut(FlightError):
    """A sortie is not to be flown; nothing was started."""


class InTheWay(LeftOut):
    """A drone that fell lies too near to the way of a sortie."""


class OutOfHours(LeftOut):
    """A sortie would spray outside its hours or cross closed ground; nothing was started."""


class VehicleFell(FlightError):
    """It lies armed amid its flight: it fell, or cannot rise; it must be made safe by hand."""


class LinkLost(FlightError):
    """The link cannot be opened or was closed; `connection` names it.

    `holding` is set where it was lost amid a transfer, None elsewhere.
    """

    def __init__(
        self, message: str, *, connection: str = "", holding: Holding | None = None
    ) -> None:
        super().__init__(message)
        self.connection = connection
        self.holding = holding


class VehicleSilent(FlightError):
    """Nothing came for `waited_s` seconds where an answer was due.

    `holding` is set where a transfer fell silent, None elsewhere.
    """

    def __init__(
        self,
        message: str,
        *,
        sysid: int = 0,
        waited_s: float = 0.0,
        holding: Holding | None = None,
    ) -> None:
        super().__init__(message)
        self.sysid = sysid
        self.waited_s = waited_s
        self.holding = holding


class VehicleRefused(FlightError):
    """The vehicle said no; `result` is its own word for it, such as ``DENIED``."""

    def __init__(self, message: str, *, sysid: int = 0, result: str = "") -> None:
        super().__init__(message)
        self.sysid = sysid
        self.result = result


class UploadRefused(FlightError):
    """A transfer ended without the vehicle holding what was sent.

    `kind` is mission, fence or rally; `seq` the item it happened at, -1 where none; `result`
    the name of the MAV_MISSION_RESULT; `holding` what the vehicle is left with.
    """

    def __init__(
        self,
        message: str,
        *,
        sysid: int = 0,
        kind: str = "mission",
        seq: int = -1,
        result: str = "",
        holding: Holding = Holding.UNKNOWN,
    ) -> None:
        super().__init__(message)
        self.sysid = sysid
        self.kind = kind
        self.seq = seq
        self.result = result
        self.holding = holding


__all__ = [
    "FlightError",
    "Holding",
    "LinkLost",
    "UploadRefused",
    "VehicleRefused",
    "VehicleSilent",
]
