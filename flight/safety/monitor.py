"""What is worth telling the operator: alerts from a vehicle's state, and the tank by integration.

Pure functions; who is told, and what is done about it, is the conductor's matter. An alert holds
as long as its condition does; `rising` gives those that are new.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import shapely
from shapely.geometry import LineString

from skymist.flight.mavlink.telemetry import is_fresh

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.frames import Origin
    from skymist.coverage.plan import Plan, Sortie
    from skymist.flight.mavlink.telemetry import VehicleState

EMPTY_L = 0.02
"""A tank estimated below this is dry: what lines and nozzles hold back [P]."""


class Severity(StrEnum):
    """How much an alert matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to be told; `code` names the condition and stays the same while it holds.

    `is_mended_on_pad` says that the drone may fly on after the usual service.
    """

    severity: Severity
    code: str
    text: str
    must_come_home: bool = False
    is_mended_on_pad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What counts as trouble.

    Below `reserve_frac` the operator is told, below `come_home_frac` the drone is sent home;
    `off_path_m` is across the planned line; ages are in seconds of the loop's clock.
    """

    reserve_frac: float = 0.25
    come_home_frac: float = 0.15
    silent_s: float = 5.0
    gps_age_s: float = 5.0
    off_path_m: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The line over ground that a sortie flies, prepared, in the frame of `origin`."""

    origin: Origin
    line: BaseGeometry


def course_of(plan: Plan, sortie: Sortie) -> Course:
    """The course of a sortie over ground, from its pad and back."""
    points = [point[:2] for leg in sortie.legs for point in leg.path]
    pads = [(pad.x, pad.y) for pad in plan.site.pads if pad.id == sortie.pad_id]
    line = LineString([*pads, *points, *pads]) if len(points) + 2 * len(pads) > 1 else LineString()
    shapely.prepare(line)
    return Course(origin=plan.site.origin, line=line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tank:
    """What is left in a tank by integrating the pump's output; `at_s` is None at rest."""

    litres_l: float
    flow_lps: float = 0.0
    sprayed_l: float = 0.0
    at_s: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the estimate says that nothing more comes out."""
        return self.litres_l <= EMPTY_L


MAX_GAP_S = 2.0
"""Output older than this is not carried on: what was not seen is not counted."""


def drained(tank: Tank, state: VehicleState, flow_max_lps: float) -> Tank:
    """The tank after the last heard pump output: the flow held from one message to the next."""
    pump = state.pump
    if pump is None or (tank.at_s is not None and pump.at_s <= tank.at_s):
        return tank
    elapsed_s = 0.0 if tank.at_s is None else min(pump.at_s - tank.at_s, MAX_GAP_S)
    used_l = min(tank.flow_lps * elapsed_s, tank.litres_l)
    left_l = tank.litres_l - used_l
    flow_lps = pump.frac * flow_max_lps if pump.is_on and left_l > EMPTY_L else 0.0
    return replace(
        tank,
        litres_l=left_l,
        flow_lps=flow_lps,
        sprayed_l=tank.sprayed_l + used_l,
        at_s=pump.at_s,
    )


def alerts_of(
    state: VehicleState, tank: Tank, limits: Limits, now_s: float, *, course: Course | None = None
) -> tuple[Alert, ...]:
    """Everything that is wrong with an armed drone now; a disarmed one has only its link."""
    found: list[Alert] = []
    silent_s = None if state.heard_s is None else now_s - state.heard_s
    if silent_s is not None and silent_s > limits.silent_s:
        text = f"nothing heard for {limits.silent_s:g} s; the mission's own interlock holds"
        found.append(Alert(severity=Severity.ERROR, code="link_silent", text=text))
        return tuple(found)
    if not state.is_armed:
        return ()
    found += _power_alerts(state, limits)
    found += _position_alerts(state, limits, now_s)
    if tank.is_empty and state.pump is not None and state.pump.is_on:
        text = "the tank is empty by our count; the pump runs dry"
        found.append(
            Alert(
                severity=Severity.WARNING,
                code="tank_empty",
                text=text,
                must_come_home=True,
                is_mended_on_pad=True,
            )
        )
    if state.fence is not None and state.fence.is_breached:
        found.append(
            Alert(severity=Severity.ERROR, code="fence", text="the fence has been breached")
        )
    if course is not None and not course.line.is_empty and state.position is not None:
        x, y = state.local(course.origin)
        if not shapely.dwithin(course.line, shapely.points(x, y), limits.off_path_m):
            text = f"more than {limits.off_path_m:g} m off its path"
            found.append(Alert(severity=Severity.WARNING, code="off_path", text=text))
    return tuple(found)


def _power_alerts(state: VehicleState, limits: Limits) -> list[Alert]:
    power = state.power
    if power is None:
        return []
    frac = power.frac
    if power.is_critical or (frac is not None and frac < limits.come_home_frac):
        text = "battery critical" if frac is None else f"battery at {frac:.0%}, comes home"
        return [
            Alert(severity=Severity.ERROR, code="battery_critical", text=text, must_come_home=True)
        ]
    if frac is not None and frac < limits.reserve_frac:
        text = f"battery at {frac:.0%}, below the reserve of {limits.reserve_frac:.0%}"
        return [Alert(severity=Severity.WARNING, code="battery_reserve", text=text)]
    return []


def _position_alerts(state: VehicleState, limits: Limits, now_s: float) -> list[Alert]:
    found = []
    if state.fix is not None and not (
        state.fix.has_fix and is_fresh(state.fix, now_s, limits.gps_age_s)
    ):
        text = f"GPS fix type {state.fix.fix_type}" if not state.fix.has_fix else "GPS silent"
        found.append(Alert(severity=Severity.ERROR, code="gps_lost", text=text))
    if state.estimate is not None and not state.estimate.has_absolute_position:
        text = "the vehicle has no absolute position estimate"
        found.append(Alert(severity=Severity.ERROR, code="ekf", text=text))
    return found


def rising(active: frozenset[str], alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
    """The alerts whose code was not active before."""
    return tuple(alert for alert in alerts if alert.code not in active)
