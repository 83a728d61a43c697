"""Flown tracks out of a record: where each drone was, what its pump gave, what of it counts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.tracks import GAP_S
from skymist.flight.resuming.credit import credit_of
from skymist.missions.errors import FormatError
from skymist.missions.plan_checks import FAR_M

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from skymist.coverage.dosemap import DoseMap
    from skymist.coverage.plan import Plan
    from skymist.flight.recording.record import Event, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Flown:
    """One drone's samples of one sortie, in order of time.

    `track`, shape (n, 4), as `coverage.tracks.Sample`; `spot_ids` names the spot that each sample
    was over on purpose, None on the way; `speed_mps` is what the vehicle said, shape (n,);
    `counts_frac` is the share of each sample's flow that counts as given, shape (n,).
    """

    drone_id: str
    sortie_id: str
    track: NDArray[np.float64]
    spot_ids: tuple[str | None, ...]
    speed_mps: NDArray[np.float64]
    counts_frac: NDArray[np.float64]

    @property
    def given(self) -> NDArray[np.float64]:
        """The track with the flow that counts alone."""
        given = self.track.copy()
        given[:, 3] *= self.counts_frac
        return given


def flights_of(record: Record, plan: Plan) -> list[Flown]:
    """Every flight that the record saw; samples that are no numbers or no place here are left out.

    Raises
    ------
    FormatError
        For a drone that is not in the plan's fleet.
    """
    fleet, credit = {drone.id for drone in plan.site.fleet}, credit_of(record)
    events: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in record.of("track"):
        events[event["drone_id"], event["sortie_id"]].append(event)
    flights = []
    for (drone_id, sortie_id), mine in events.items():
        if drone_id not in fleet:
            raise FormatError(f"{record.path}: track of {drone_id!r}, which is not in the fleet")
        mine.sort(key=lambda event: float(event["t_s"]))
        places = np.array([(e["lon_e7"] / 1e7, e["lat_e7"] / 1e7) for e in mine], dtype=float)
        seconds = np.array([e["t_s"] for e in mine], dtype=float)
        flow = np.array([e["flow_lps"] for e in mine], dtype=float)
        track = np.column_stack([seconds, plan.site.origin.to_local(places), flow])
        near = np.abs(track[:, 1:3]).max(axis=1) < FAR_M
        is_sound = np.isfinite(track).all(axis=1) & (flow >= 0) & near
        flights.append(
            Flown(
                drone_id=drone_id,
                sortie_id=sortie_id,
                track=track[is_sound],
                spot_ids=tuple(
                    e.get("in_span") for e, ok in zip(mine, is_sound, strict=True) if ok
                ),
                speed_mps=np.array([e["speed_mps"] for e in mine], dtype=float)[is_sound],
                counts_frac=np.array([credit.frac(e) for e in mine], dtype=float)[is_sound],
            )
        )
    return flights


def lay(dose: DoseMap, flown: Flown, plan: Plan, *, is_pumped: bool = False) -> float:
    """Put a flight on the map, each run with its spot's swath and planned drift; unproven seconds.

    What counts as given, or with `is_pumped` all that the pump put out, wherever it fell. What the
    wind really did is not recorded: spray lands where the plan took it to land.
    """
    track = flown.track if is_pumped else flown.given
    drone = next(d for d in plan.site.fleet if d.id == flown.drone_id)
    sprayer = drone.model.sprayer
    falls = {
        t.spot_id: (t.passes[0].swath_m, *t.passes[0].drift_m) for t in plan.treatments if t.passes
    }
    own = (sprayer.swath_m, 0.0, 0.0)
    fall = np.array([falls.get(spot_id or "", own) for spot_id in flown.spot_ids])
    if not len(fall):
        return 0.0
    changes = np.flatnonzero(np.any(np.diff(fall, axis=0) != 0, axis=1)) + 1
    unproven_s = 0.0
    for first, last in pairwise([0, *changes.tolist(), len(fall)]):
        swath_m, east, north = (float(value) for value in fall[first])
        landed = track[first : last + 1] + np.array([0.0, east, north, 0.0])
        unproven_s += dose.add_track(landed, swath_m, profile=sprayer.profile)
    return unproven_s


def spray_times(
    flights: Iterable[Flown],
) -> tuple[dict[str, list[float]], dict[str, dict[str, None]]]:
    """First and last second of spray meant for each spot, and the drones that gave it."""
    times: dict[str, list[float]] = {}
    drones: dict[str, dict[str, None]] = defaultdict(dict)
    for flown in flights:
        for (t_s, _, _, flow_lps), spot_id in zip(flown.track, flown.spot_ids, strict=True):
            if spot_id is not None and flow_lps > 0:
                span = times.setdefault(spot_id, [float(t_s), float(t_s)])
                span[0], span[1] = min(span[0], float(t_s)), max(span[1], float(t_s))
                drones[spot_id][flown.drone_id] = None
    return times, drones


def lines_of(flights: Iterable[Flown]) -> dict[str, NDArray[np.float64]]:
    """Positions by drone for drawing, a row of NaN after each flight."""
    parts: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for flown in flights:
        parts[flown.drone_id] += [flown.track[:, 1:3], np.full((1, 2), np.nan)]
    return {drone_id: np.vstack(rows) for drone_id, rows in parts.items()}


def moved_over_told(flights: Iterable[Flown]) -> float | None:
    """Metres that the positions moved over those that the reported speeds make; None for none."""
    moved = told = 0.0
    for flown in flights:
        span_s = np.diff(flown.track[:, 0])
        is_near = span_s <= GAP_S
        moved += float(np.sum(np.hypot(*np.diff(flown.track[:, 1:3], axis=0).T)[is_near]))
        mean = (flown.speed_mps[1:] + flown.speed_mps[:-1]) / 2
        told += float(np.sum((mean * span_s)[is_near]))
    return moved / told if told > 0 else None
