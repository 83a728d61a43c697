"""Records made up from a plan, as if it had been flown: for tests of what is reported."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from skymist.coverage.frames import to_e7
from skymist.coverage.plan import Pass
from skymist.flight.recording.record import RECORD_FILE, encode_line
from skymist.missions.plans import plan_to_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from skymist.coverage.plan import Leg, Plan, Sortie

STARTED_UTC = "2026-11-23T06:00:00+00:00"
RATE_HZ = 4.0

Point = tuple[float, float, float]


def write_record(
    folder: Path,
    plan: Plan,
    *,
    is_rehearsal: bool = True,
    skip: Collection[str] = (),
    flow_frac: Callable[[str], float] = lambda spot_id: 1.0,
    shift_m: tuple[float, float] = (0.0, 0.0),
    has_end: bool = True,
    is_dry: Callable[[str, float, float], bool] = lambda spot_id, x, y: False,
    speedup: float = 1.0,
    started_utc: str = STARTED_UTC,
    fallen: Collection[str] = (),
    looks: Iterable[dict[str, Any]] = (),
) -> Path:
    """A record of all sorties flown one after the other, as planned but for what is asked for.

    Over the spots in `fallen` the drone lies on the ground; `looks` are what the crew found.
    """
    events: list[dict[str, Any]] = [
        {
            "t_s": 0.0,
            "event": "header",
            "schema": 1,
            "started_utc": started_utc,
            "is_rehearsal": is_rehearsal,
            "sim": "embedded" if is_rehearsal else None,
            "speedup": None,
            "software": "skymist 0.1.0",
            "plan": plan_to_dict(plan),
        }
    ]
    t_s = 1.0
    for sortie in plan.sorties:
        flight = list(_flight(plan, sortie, t_s, skip, flow_frac, is_dry, shift_m, speedup, fallen))
        events += flight
        t_s = flight[-1]["t_s"] + 1.0
        service = {"drone_id": sortie.drone_id, "kind": "refill", "litres_l": 9, "duration_s": 1}
        events.append({"t_s": t_s, "event": "service", **service})
    for spot_id in skip:
        text = {"spot_id": spot_id, "sortie_id": "s", "reason": "battery low"}
        events.append({"t_s": t_s, "event": "skipped", **text})
    events += [{"t_s": t_s, "event": "look", **look} for look in looks]
    if has_end:
        outcome = "incomplete" if skip else "done"
        events.append({"t_s": t_s, "event": "end", "outcome": outcome, "text": "all landed"})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECORD_FILE
    path.write_bytes(b"".join(encode_line(event) for event in events))
    return path


def _flight(
    plan: Plan,
    sortie: Sortie,
    t_s: float,
    skip: Collection[str],
    flow_frac: Callable[[str], float],
    is_dry: Callable[[str, float, float], bool],
    shift_m: tuple[float, float],
    speedup: float,
    fallen: Collection[str],
) -> Iterator[dict[str, Any]]:
    shared = {"drone_id": sortie.drone_id, "sortie_id": sortie.id}
    yield {"t_s": t_s, "event": "sortie", "state": "flying", "text": "", **shared}
    up_m = 6.0
    for seq, leg in enumerate(sortie.legs, start=1):
        up_m = leg.above_home_m if isinstance(leg, Pass) else up_m
        spot_id = leg.spot_id if isinstance(leg, Pass) else None
        flow_lps = leg.flow_lps * flow_frac(leg.spot_id) if isinstance(leg, Pass) else 0.0
        if spot_id in skip:
            spot_id, flow_lps = None, 0.0
        for x, y, speed_mps in _samples(leg):
            geo = plan.site.origin.geo(x + shift_m[0], y + shift_m[1])
            out_lps = 0.0 if spot_id and is_dry(spot_id, x, y) else flow_lps
            yield {
                "t_s": round(t_s, 3),
                "event": "track",
                **shared,
                "lat_e7": to_e7(geo.lat_deg),
                "lon_e7": to_e7(geo.lon_deg),
                "above_home_m": 0.2 if spot_id in fallen else up_m,
                "speed_mps": speed_mps,
                "heading_deg": 0.0,
                "pump_frac": 1.0 if out_lps else 0.0,
                "flow_lps": out_lps,
                "tank_l": 10.0,
                "battery_frac": 0.8,
                "seq": seq,
                "mode": "AUTO",
                "in_span": spot_id,
            }
            t_s += 1 / RATE_HZ / speedup
    yield {"t_s": round(t_s, 3), "event": "sortie", "state": "landed", "text": "", **shared}


def _samples(leg: Leg) -> Iterator[Point]:
    """Places at the rate of telemetry, and the speed there."""
    if isinstance(leg, Pass) and len(leg.path) == 1:
        for _ in range(math.ceil(leg.hover_s * RATE_HZ) + 1):
            yield (*leg.path[0], 0.0)
        return
    for a, b in pairwise(leg.path):
        count = max(1, math.ceil(math.dist(a[:2], b[:2]) / leg.speed_mps * RATE_HZ))
        for k in range(count + 1):
            f = k / count
            yield a[0] + (b[0] - a[0]) * f, a[1] + (b[1] - a[1]) * f, leg.speed_mps
