"""What is kept of a flight, the same way for both copters, and files of it."""

from __future__ import annotations

import asyncio
import json
import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, dropwhile, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from skymist.sitl.truth import Truth
from tests.sitl.conformance.scenarios import HOMEWARD, SPEEDS, Scenario, Strike
from tests.sitl.ground import GRID, Ground

RATE_HZ = 50.0
FULL_LPS = 0.08
"""The test drone's pump at its widest: litres are the integral of the opening told."""
LIFTED_M = 0.5
_OPEN_US, _CLOSED_US, _STILL_US = 1900, 1100, 1000


class Moment(NamedTuple):
    """One position told, with the pump's opening told last."""

    t_s: float
    x: float
    y: float
    z: float
    pump_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One flight: positions from lift-off to disarming, and what was said in their order."""

    moments: tuple[Moment, ...]
    said: tuple[str, ...]

    @property
    def total_s(self) -> float:
        """From lift-off to disarming."""
        return self.moments[-1].t_s - self.moments[0].t_s

    @property
    def litres_l(self) -> float:
        """Sprayed, by the opening told."""
        return sum(a.pump_frac * (b.t_s - a.t_s) for a, b in pairwise(self.moments)) * FULL_LPS

    @property
    def edges(self) -> tuple[Moment, ...]:
        """Where the pump went on and off, in turns."""
        return tuple(b for a, b in pairwise(self.moments) if (a.pump_frac > 0) != (b.pump_frac > 0))

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a file: a tenth of a second, a centimetre, a hundredth."""
        rows = [[round(m.t_s, 2), *(round(v, 2) for v in m[1:])] for m in self.moments]
        return {"said": list(self.said), "moments": rows}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Trace:
        """Out of a file."""
        moments = tuple(Moment(*row) for row in kept["moments"])
        return cls(moments=moments, said=tuple(kept["said"]))

    def thinned(self, step_s: float) -> Trace:
        """With so many seconds between moments, but for those at which the pump changes."""
        kept = [self.moments[0]]
        for before, now in pairwise(self.moments):
            if (before.pump_frac > 0) != (now.pump_frac > 0):
                kept += [m for m in (before, now) if m.t_s > kept[-1].t_s]
            elif now.t_s - kept[-1].t_s >= step_s:
                kept.append(now)
        if kept[-1] is not self.moments[-1]:
            kept.append(self.moments[-1])
        return Trace(moments=tuple(kept), said=self.said)


class Witness:
    """Notes a flight while a ground station hears it."""

    def __init__(self) -> None:
        self._places: list[tuple[float, float, float, float]] = []
        self._openings: list[tuple[float, float]] = []
        self._said: dict[str, list[str]] = {"modes": [], "reached": [], "answers": []}
        self._mode: tuple[int, bool] | None = None
        self._turned_s = math.inf

    def see(self, message: Any) -> None:
        """Take a message."""
        match message.get_type():
            case "SERVO_OUTPUT_RAW":
                opening = (message.servo9_raw - _CLOSED_US) / (_OPEN_US - _CLOSED_US)
                at_s = message.time_usec / 1e6
                self._openings.append((at_s, max(0.0, opening)))
                if message.servo1_raw > _STILL_US:
                    self._turned_s = at_s
            case "GLOBAL_POSITION_INT":
                x, y = GRID.to_xy(message.lat, message.lon)
                at_s = message.time_boot_ms / 1000
                if not self._places or at_s > self._places[-1][0]:
                    self._places.append((at_s, x, y, message.relative_alt / 1000))
            case "HEARTBEAT":
                state = (message.custom_mode, bool(message.base_mode & 128))
                if state != self._mode:
                    self._mode = state
                    said = f"mode {state[0]}{' armed' if state[1] else ''}"
                    self._said["modes"].append(said)
            case "MISSION_ITEM_REACHED":
                self._said["reached"].append(f"reached {message.seq}")
            case "COMMAND_ACK":
                self._said["answers"].append(f"command {message.command}: {message.result}")

    @property
    def said(self) -> tuple[str, ...]:
        """Modes, then items, then answers."""
        return tuple(chain(*self._said.values()))

    def trace(self) -> Trace:
        """What was seen from lift-off until the motors stood; the pump changes when it said so."""
        times = [at_s for at_s, *_ in self._places]
        rows = [(*place, self._opening_at(place[0])) for place in self._places]
        for before, (at_s, opening) in pairwise(self._openings):
            if (before[1] > 0) != (opening > 0) and times[0] < at_s < times[-1]:
                index = bisect_right(times, at_s)
                a, b = self._places[index - 1], self._places[index]
                share = (at_s - a[0]) / (b[0] - a[0])
                between = tuple(p + (q - p) * share for p, q in zip(a[1:], b[1:], strict=True))
                rows.append((at_s, *between, opening))
        rows = sorted(row for row in rows if row[0] <= self._turned_s)
        return Trace(moments=lifted(Moment(*row) for row in rows), said=self.said)

    def _opening_at(self, at_s: float) -> float:
        index = bisect_right(self._openings, (at_s, 2.0)) - 1
        return self._openings[max(0, index)][1]


def lifted(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    """Those from lift-off on."""
    return tuple(dropwhile(lambda moment: moment.z <= LIFTED_M, moments))


def true_moments(truth: Truth) -> tuple[Moment, ...]:
    """What really happened to the embedded copter, to the moment at which it disarmed."""
    flown = list(lifted(Moment(s.t_s, s.x, s.y, s.z, s.flow_lps / FULL_LPS) for s in truth))
    armed_s = max(s.t_s for s in truth if s.is_armed)
    return tuple(m for m in flown if m.t_s <= armed_s)


async def witnessed(scenario: Scenario, ground: Ground, strike: Strike) -> Trace:
    """Fly a scenario to its end."""
    witness = Witness()
    await ground.wait("HEARTBEAT", 60)
    await asyncio.sleep(2)
    for name, value in {**SPEEDS, **HOMEWARD, **scenario.params}.items():
        await ground.set_param(name, value)
    for kind, rows in ((1, scenario.fence), (2, scenario.rally)):
        if rows:
            assert await ground.upload(rows, kind) == 0
    await ground.prepare(scenario.rows)
    for message_id in (33, 36):
        await ground.interval(message_id, RATE_HZ)
    ground.watchers.append(witness.see)
    await ground.start()
    await ground.wait_armed()
    if scenario.story is not None:
        await scenario.story(ground, strike)
    await ground.wait_disarmed(scenario.most_s)
    return witness.trace()


def write_traces(traces: dict[str, Trace], target: Path, version: str) -> None:
    """Keep traces in one file, a line a scenario."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"arducopter": version})]
    for name, trace in traces.items():
        kept = {"scenario": name, **trace.thinned(0.5).to_json()}
        lines.append(json.dumps(kept, separators=(",", ":")))
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_traces(source: Path) -> tuple[dict[str, Trace], str]:
    """Traces by scenario, and the version of the ArduCopter that flew them."""
    head, *lines = source.read_text(encoding="utf-8").splitlines()
    kept = [json.loads(line) for line in lines]
    return {row["scenario"]: Trace.from_json(row) for row in kept}, json.loads(head)["arducopter"]


def away_from_way(moment: Moment, way: tuple[Moment, ...]) -> float:
    """Metres, over the ground, from a place to the nearest of a way."""
    best = math.inf
    for a, b in pairwise(way):
        ex, ey = b.x - a.x, b.y - a.y
        share = ((moment.x - a.x) * ex + (moment.y - a.y) * ey) / max(ex * ex + ey * ey, 1e-12)
        share = min(1.0, max(0.0, share))
        best = min(best, math.hypot(moment.x - a.x - share * ex, moment.y - a.y - share * ey))
    return best
