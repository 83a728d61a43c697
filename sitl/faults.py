"""Faults by name: of the vehicle, and of the link between it and the ground.

A vehicle's faults are the fields of `machine.Faults`, and `DEEDS`; `break_vehicle` gives them
names for the command line and for tests; `ardupilot_faults` has the same names for the real
one. `FaultyPipe` spoils a link frame by frame. When a fault strikes is the matter of `mishaps`.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from skymist.sitl.machine import Faults
from skymist.sitl.state import Mode

if TYPE_CHECKING:
    from skymist.sitl.copter import EmbeddedCopter
    from skymist.sitl.pipes import BytePipe

_HELD_BACK_S = 0.3
_MAGIC1, _MAGIC2 = 0xFE, 0xFD
_SIGNED = 1
_MISSION_CURRENT, _MISSION_ACK, _FILE_TRANSFER = 42, 47, 110
_ceilings: WeakKeyDictionary[EmbeddedCopter, float] = WeakKeyDictionary()
"""Of copters whose fence was lowered, where it was."""


def _gps(faults: Faults) -> None:
    faults.gps_lost = True


def _rc(faults: Faults) -> None:
    faults.rc_lost = True


def _motor(faults: Faults) -> None:
    faults.motor_failed = True


def _silence(faults: Faults) -> None:
    faults.link_silent = True


def _pump(faults: Faults) -> None:
    faults.pump_stuck_frac = 1.0


def _leak(faults: Faults) -> None:
    faults.tank_leak_lps = 0.05


def _battery(faults: Faults) -> None:
    faults.battery_lost_frac = 0.7


def _dry(faults: Faults) -> None:
    faults.tank_leak_lps = 1e3


def _texts(faults: Faults) -> None:
    faults.texts_per_s = 200.0


def _wind(faults: Faults) -> None:
    faults.wind_mps, faults.wind_toward_rad = 6.0, math.radians(30)


VEHICLE_FAULTS: Mapping[str, Callable[[Faults], None]] = {
    "gps-lost": _gps,
    "rc-lost": _rc,
    "motor-failed": _motor,
    "link-silent": _silence,
    "pump-stuck": _pump,
    "tank-leak": _leak,
    "tank-dry": _dry,
    "text-flood": _texts,
    "battery-drop": _battery,
    "wind": _wind,
}
"""What a fault's name does to a copter's `faults`."""


LOW_FENCE_M = 2.0
"""Below every flight: whoever flies has breached it."""
DEEDS = ("reboot", "fence", "pilot")
"""Faults beside those: things done to a vehicle, by a person or by itself."""


def break_vehicle(copter: EmbeddedCopter, name: str) -> None:
    """Break a copter in the named way.

    `reboot` restarts its autopilot where it is, `fence` lowers its fence's ceiling under it,
    `pilot` is its pilot, who takes it over in LOITER.

    Raises
    ------
    KeyError
        No fault has that name.
    """
    match name:
        case "reboot":
            copter.reboot()
        case "fence":
            _ceilings.setdefault(copter, copter.params["FENCE_ALT_MAX"])
            copter.params.put("FENCE_ALT_MAX", LOW_FENCE_M)
        case "pilot":
            copter.pilot_mode(Mode.LOITER)
        case _:
            VEHICLE_FAULTS[name](copter.faults)


def mend_vehicle(copter: EmbeddedCopter, name: str) -> None:
    """Undo what `break_vehicle` did; the pilot lands.

    A charge or an agent that was lost and a reboot stay as they are, and so does a fence that was
    not lowered.

    Raises
    ------
    KeyError
        No fault has that name.
    """
    match name:
        case "reboot":
            return
        case "fence":
            if (ceiling_m := _ceilings.pop(copter, None)) is not None:
                copter.params.put("FENCE_ALT_MAX", ceiling_m)
            return
        case "pilot":
            copter.pilot_mode(Mode.LAND)
            return
    whole, broken = Faults(), Faults()
    VEHICLE_FAULTS[name](broken)
    for field in fields(Faults):
        if getattr(broken, field.name) != getattr(whole, field.name):
            setattr(copter.faults, field.name, getattr(whole, field.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFaults:
    """What a link does to each frame, each way. Shares are of 0 to 1.

    `reorder` is the share of frames held back by `_HELD_BACK_S`; `rate_bps` is the bandwidth;
    within `(from_s, to_s)` of each of `gaps_s`, counted from the start, nothing passes; nor in
    bursts of `burst_s` on average, `burst_every_s` apart on average; nor do messages of the numbers
    in `without` ever.
    """

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate_bps: float = math.inf
    gaps_s: tuple[tuple[float, float], ...] = ()
    burst_s: float = 0.0
    burst_every_s: float = math.inf
    without: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder", "corrupt"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {share}")
        if not (self.delay_s >= 0 and self.jitter_s >= 0 and self.rate_bps > 0):
            raise ValueError("delay_s and jitter_s must be 0 or more, rate_bps above 0")
        if not (self.burst_s >= 0 and self.burst_every_s > 0):
            raise ValueError("burst_s must be 0 or more, burst_every_s above 0")


LINK_FAULTS: Mapping[str, LinkFaults] = {
    "loss": LinkFaults(loss=0.1),
    "heavy-loss": LinkFaults(loss=0.3),
    "bursts": LinkFaults(burst_s=1.5, burst_every_s=8.0),
    "duplicates": LinkFaults(duplicate=0.2),
    "reordering": LinkFaults(reorder=0.2, delay_s=0.02),
    "corruption": LinkFaults(corrupt=0.1),
    "delay": LinkFaults(delay_s=0.4, jitter_s=0.2),
    "slow": LinkFaults(rate_bps=9_600),
    "telemetry-radio": LinkFaults(delay_s=0.08, loss=0.02, rate_bps=57_600),
    "link-silent": LinkFaults(loss=1.0),
    "no-item-numbers": LinkFaults(without=frozenset((_MISSION_CURRENT,))),
    "no-file-transfer": LinkFaults(without=frozenset((_FILE_TRANSFER,))),
    "no-upload-ack": LinkFaults(without=frozenset((_FILE_TRANSFER, _MISSION_ACK))),
}
"""Spoilt links by name; `link-silent` is a fault of either kind."""


ABOUT: Mapping[str, str] = {
    "gps-lost": "no GPS",
    "rc-lost": "the pilot's transmitter is out of reach",
    "motor-failed": "one motor stands: it falls",
    "link-silent": "nothing passes the link, either way",
    "pump-stuck": "the pump runs, whatever is commanded",
    "tank-leak": "the tank loses 0.05 L/s",
    "tank-dry": "the tank is empty at once",
    "text-flood": "STATUSTEXT without end",
    "battery-drop": "70 % of the battery is gone at once",
    "wind": "6 m/s from west-south-west",
    "reboot": "the autopilot starts anew, where it is",
    "fence": f"the fence's ceiling is at {LOW_FENCE_M:g} m",
    "pilot": "the pilot takes over in LOITER; lands when it is over",
    "loss": "one frame of ten is lost",
    "heavy-loss": "three frames of ten are lost",
    "bursts": "silence for 1.5 s about every 8 s",
    "duplicates": "one frame of five comes twice",
    "reordering": "one frame of five comes 0.3 s late",
    "corruption": "one frame of ten has a wrong bit",
    "delay": "0.4 to 0.6 s each way",
    "slow": "9,600 bit/s",
    "telemetry-radio": "57.6 kbit/s, 80 ms, 2 % loss",
    "no-item-numbers": "MISSION_CURRENT never comes",
    "no-file-transfer": "no MAVFTP: missions go item by item",
    "no-upload-ack": "nor is an upload ever acknowledged",
}
"""What each fault is, in words."""


class _Way:
    """One direction: frames in, frames out when their time comes."""

    def __init__(self, faults: LinkFaults, seed: int, out: Callable[[bytes], None]) -> None:
        self.faults = faults
        self._burst_s = (math.inf, math.inf)
        self._random = random.Random(seed)
        self._out = out
        self._rest = b""
        self._free_s = 0.0
        self._began_s = asyncio.get_running_loop().time()
        self.num_lost = 0

    def put(self, data: bytes) -> None:
        """Take bytes and send on what survives."""
        frames, self._rest = split_frames(self._rest + data)
        for frame in frames:
            self._put_frame(frame)

    def _put_frame(self, frame: bytes) -> None:
        faults, chance = self.faults, self._random.random
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        age_s = now_s - self._began_s
        is_in_gap = any(a <= age_s < b for a, b in faults.gaps_s)
        is_kept_out = bool(faults.without) and _number(frame) in faults.without
        if chance() < faults.loss or is_in_gap or is_kept_out or self._is_in_burst(age_s):
            self.num_lost += 1
            return
        if chance() < faults.corrupt:
            spoilt = bytearray(frame)
            spoilt[self._random.randrange(len(spoilt))] ^= 1 << self._random.randrange(8)
            frame = bytes(spoilt)
        self._free_s = max(self._free_s, now_s) + len(frame) * 10 / faults.rate_bps
        for _ in range(2 if chance() < faults.duplicate else 1):
            wait_s = self._free_s - now_s + faults.delay_s + faults.jitter_s * chance()
            if chance() < faults.reorder:
                wait_s += _HELD_BACK_S
            if wait_s > 0:
                loop.call_later(wait_s, self._out, frame)
            else:
                self._out(frame)

    def _is_in_burst(self, age_s: float) -> bool:
        faults = self.faults
        if faults.burst_every_s == math.inf or faults.burst_s == 0:
            return False
        began_s, ended_s = self._burst_s
        if age_s >= ended_s or began_s == math.inf:
            began_s = age_s + self._random.expovariate(1 / faults.burst_every_s)
            ended_s = began_s + self._random.expovariate(1 / faults.burst_s)
            self._burst_s = (began_s, ended_s)
        return began_s <= age_s < ended_s


class FaultyPipe:
    """A pipe that loses, repeats, delays, swaps and spoils frames both ways, by seed."""

    def __init__(
        self,
        pipe: BytePipe,
        *,
        loss: float = 0.0,
        duplicate: float = 0.0,
        delay: float = 0.0,
        reorder: float = 0.0,
        corrupt: float = 0.0,
        seed: int = 0,
        faults: LinkFaults | None = None,
    ) -> None:
        if faults is None:
            faults = LinkFaults(
                loss=loss, duplicate=duplicate, delay_s=delay, reorder=reorder, corrupt=corrupt
            )
        self._pipe = pipe
        self._buffer = bytearray()
        self._has_data = asyncio.Event()
        self._is_closed = False
        self._up = _Way(faults, 2 * seed, self._pipe.write)
        self._down = _Way(faults, 2 * seed + 1, self._arrive)
        self._task = asyncio.get_running_loop().create_task(self._carry())

    @property
    def num_lost(self) -> int:
        """Frames lost so far, both ways."""
        return self._up.num_lost + self._down.num_lost

    @property
    def faults(self) -> LinkFaults:
        """What the link does to frames; set it to change that from now on."""
        return self._up.faults

    @faults.setter
    def faults(self, faults: LinkFaults) -> None:
        self._up.faults = self._down.faults = faults

    async def read(self) -> bytes:
        """Give the bytes that came, waiting for some; b"" once closed."""
        while not self._buffer and not self._is_closed:
            self._has_data.clear()
            await self._has_data.wait()
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes; after the close they are dropped."""
        if not self._is_closed:
            self._up.put(data)

    def close(self) -> None:
        """End the link."""
        self._end()
        self._pipe.close()
        self._task.cancel()

    async def _carry(self) -> None:
        while data := await self._pipe.read():
            self._down.put(data)
        self._end()

    def _arrive(self, frame: bytes) -> None:
        self._buffer += frame
        self._has_data.set()

    def _end(self) -> None:
        self._is_closed = True
        self._has_data.set()


def _number(frame: bytes) -> int:
    """The number of a frame's message; -1 where it has none."""
    if frame[:1] == bytes([_MAGIC2]) and len(frame) > 9:
        return int.from_bytes(frame[7:10], "little")
    return frame[5] if frame[:1] == bytes([_MAGIC1]) and len(frame) > 5 else -1


def split_frames(data: bytes) -> tuple[list[bytes], bytes]:
    """Give the whole MAVLink frames in some bytes, and the rest; bytes between them are kept."""
    frames = []
    start = 0
    while start < len(data):
        magic = data[start]
        if magic not in (_MAGIC1, _MAGIC2):
            end = start + 1
            while end < len(data) and data[end] not in (_MAGIC1, _MAGIC2):
                end += 1
        elif len(data) < start + 3:
            break
        elif magic == _MAGIC1:
            end = start + data[start + 1] + 8
        else:
            end = start + data[start + 1] + 12 + (13 if data[start + 2] & _SIGNED else 0)
        if end > len(data):
            break
        frames.append(data[start:end])
        start = end
    return frames, data[start:]
