"""Writes one sortie's track into the record: places, outputs, and what was sprayed unseen.

A place that comes after a silence waits for the next word of the pump, so that no old output is
laid where it was not. What `breakpoints` proves of a silence is written between its ends, with the
times it had and `inferred`.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from skymist.coverage.frames import to_e7
from skymist.coverage.tracks import GAP_S
from skymist.flight.safety.interlock import span_at
from skymist.flight.safety.monitor import MAX_GAP_S

if TYPE_CHECKING:
    from skymist.coverage.plan import Pass
    from skymist.flight.conductor.oversight import Job
    from skymist.flight.conductor.telling import DroneLog
    from skymist.flight.mavlink.telemetry import VehicleState
    from skymist.flight.resuming.unseen import Unseen
    from skymist.flight.safety.monitor import Tank

STEP_S = 0.5
"""Between samples that are inferred."""
JUST_S = 0.05
GAPS_MOST = 20


class TrackBook:
    """Tells where the drone is and what it puts out, while it is armed."""

    def __init__(self, told: DroneLog) -> None:
        self._told = told
        self._last_s: float | None = None
        self._held: tuple[float, dict[str, object]] | None = None
        self._gaps: list[tuple[float, float]] = []

    def place(self, job: Job, state: VehicleState, tank: Tank) -> None:
        """Take a place that has just been folded into `state`."""
        place, pump = state.position, state.pump
        if place is None or not state.is_armed:
            return
        self._write_held()
        if self._last_s is not None and place.at_s - self._last_s > GAP_S:
            self._gaps = [*self._gaps[-GAPS_MOST:], (self._last_s, place.at_s)]
        self._last_s = place.at_s
        sample = _sample(job, state, tank)
        if pump is None or place.at_s - pump.at_s <= MAX_GAP_S:
            self._told.track(**sample)
        else:
            self._held = place.at_s, {**sample, "pump_frac": 0.0, "flow_lps": 0.0}

    def pump(self, state: VehicleState, tank: Tank) -> None:
        """Take a pump's output: the place that waited for it is told with it."""
        if self._held is not None and state.pump is not None:
            self._held[1].update(
                pump_frac=round(state.pump.frac, 4), flow_lps=round(tank.flow_lps, 5)
            )
        self._write_held()

    def fill(self, job: Job, unseen: Unseen, *, tank_l: float) -> float:
        """Tell what was sprayed unseen; gives the litres of it that no output has counted."""
        span = job.mission.spans[unseen.index]
        leg = job.sortie.passes[span.pass_index]
        flow_lps = unseen.frac * job.drone.model.sprayer.flow_max_lps
        uncounted_l = 0.0
        for gap_from_s, gap_to_s in self._gaps:
            from_s, to_s = max(gap_from_s, unseen.from_s), min(gap_to_s, unseen.to_s)
            if to_s <= from_s:
                continue
            uncounted_l += flow_lps * max(0.0, to_s - from_s - MAX_GAP_S)
            num = max(1, math.ceil((to_s - from_s) / STEP_S))
            times = [from_s + (to_s - from_s) * k / num for k in range(num + 1)]
            flows = dict.fromkeys(times[1:] if to_s == gap_to_s else times, flow_lps)
            if to_s < gap_to_s:
                flows[min(to_s + JUST_S, gap_to_s)] = 0.0
            for at_s, flow in flows.items():
                self._infer(job, leg, unseen, at_s, flow, tank_l)
        self._gaps.clear()
        return uncounted_l

    def _infer(
        self, job: Job, leg: Pass, unseen: Unseen, at_s: float, flow_lps: float, tank_l: float
    ) -> None:
        share = (at_s - unseen.from_s) / max(1e-9, unseen.to_s - unseen.from_s)
        x, y = _point(leg, unseen.from_m + min(share, 1.0) * (unseen.to_m - unseen.from_m))
        geo = job.plan.site.origin.geo(x, y)
        span = job.mission.spans[unseen.index]
        self._told.track(
            at_s,
            sortie_id=job.sortie.id,
            lat_e7=to_e7(geo.lat_deg),
            lon_e7=to_e7(geo.lon_deg),
            above_home_m=round(leg.above_home_m, 2),
            speed_mps=round(leg.speed_mps, 2),
            heading_deg=None,
            pump_frac=round(unseen.frac, 4) if flow_lps > 0 else 0.0,
            flow_lps=round(flow_lps, 5),
            tank_l=round(tank_l, 3),
            battery_frac=None,
            seq=span.last_seq,
            mode="AUTO",
            in_span=span.spot_id,
            inferred=True,
        )

    def _write_held(self) -> None:
        if self._held is not None:
            at_s, sample = self._held
            self._held = None
            self._told.track(at_s, **sample)


def _point(leg: Pass, along_m: float) -> tuple[float, float]:
    """The place so far along a pass; a hover's own."""
    for a, b in pairwise(leg.path):
        step_m = math.dist(a, b)
        if step_m > 0 and along_m <= step_m:
            share = max(0.0, along_m) / step_m
            return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
        along_m -= step_m
    return leg.path[-1]


def _sample(job: Job, state: VehicleState, tank: Tank) -> dict[str, object]:
    """One place with what the drone put out there."""
    place, pump, power, progress = state.position, state.pump, state.power, state.progress
    assert place is not None
    found = None if progress is None else span_at(job.mission, progress.seq)
    battery_frac = None if power is None else power.frac
    return {
        "sortie_id": job.sortie.id,
        "lat_e7": place.lat_e7,
        "lon_e7": place.lon_e7,
        "above_home_m": round(place.above_home_m, 2),
        "speed_mps": round(place.speed_mps, 2),
        "heading_deg": None if place.heading_deg is None else round(place.heading_deg, 1),
        "pump_frac": 0.0 if pump is None else round(pump.frac, 4),
        "flow_lps": round(tank.flow_lps, 5),
        "tank_l": round(tank.litres_l, 3),
        "battery_frac": None if battery_frac is None else round(battery_frac, 3),
        "seq": 0 if progress is None else progress.seq,
        "mode": state.mode_name,
        "in_span": None if found is None else found[1].spot_id,
    }
