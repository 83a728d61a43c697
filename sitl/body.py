"""The body of the copter: it moves, pumps and draws power, and the truth is kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymist.coverage.airspeed import wind_w
from skymist.coverage.drift import Wind
from skymist.sitl.guidance import Manoeuvre
from skymist.sitl.items import Command
from skymist.sitl.sprayer import run_pump

if TYPE_CHECKING:
    from skymist.sitl.auto import Auto
    from skymist.sitl.machine import Machine
    from skymist.sitl.truth import Truth


class Body:
    """What happens to one machine while time passes."""

    def __init__(self, machine: Machine, auto: Auto, truth: Truth) -> None:
        self._machine = machine
        self._auto = auto
        self._truth = truth

    def until_condition(self, dt_s: float) -> float | None:
        """Give when within the step a CONDITION_DISTANCE comes true; None if it does not.

        ArduPilot looks 400 times a second; half a metre lies between our steps.
        """
        auto = self._auto
        pending = auto.program.pending
        if pending is None or pending.command != Command.CONDITION_DISTANCE:
            return None
        state = self._machine.state
        speed = math.hypot(state.vx, state.vy)
        left_m = auto.distance_m - pending.p1
        if not 0 < left_m < speed * dt_s:
            return None
        split_s = left_m / speed + 1e-3
        return split_s if split_s < dt_s else None

    def move(self, dt_s: float) -> None:
        """Fly, pump and draw power for `dt_s` seconds, and keep the truth."""
        machine = self._machine
        state, guidance, air = machine.state, machine.guidance, machine.air
        before = (state.x, state.y, state.z)
        if self._opening() != state.pump_frac:
            # A command between two steps: the truth has it at once.
            self._note_flow()
            self._keep_truth(state.now_s, before)
        state.now_s += dt_s
        if guidance.manoeuvre is not Manoeuvre.NONE:
            guidance.advance(dt_s)
            self._drift(dt_s)
        p, v = guidance.position, guidance.velocity
        if air.is_still and not (air.push_x or air.push_y):
            state.x, state.y, state.z = p
        else:
            air.advance(dt_s)
            if not state.is_landed:
                state.x = p.x + air.push_x - air.error_x
                state.y = p.y + air.push_y - air.error_y
            state.z = p.z
        state.vx, state.vy, state.vz = v
        self._pump(dt_s, before)
        machine.battery.draw(
            machine.tank.held_l, state.is_armed, not state.is_landed, dt_s, wind_w=self._wind_w()
        )
        self._keep_truth(state.now_s, (state.x, state.y, state.z))

    def _wind_w(self) -> float:
        """Watts for keeping the velocity of now against the wind of now, gusts and all."""
        machine = self._machine
        if machine.air.wind_mps == 0:
            return 0.0
        state, (east_mps, north_mps) = machine.state, machine.air.wind
        wind = Wind(east_mps=east_mps, north_mps=north_mps)
        return wind_w(state.vx, state.vy, machine.model, wind)

    def _drift(self, dt_s: float) -> None:
        """Let the wind carry a copter that has lost its position."""
        machine = self._machine
        if machine.state.is_ekf_failed and machine.air.wind_mps > 0 and not machine.state.is_landed:
            dx, dy = machine.air.drift(dt_s)
            p = machine.guidance.position
            machine.guidance.position = p._replace(x=p.x + dx, y=p.y + dy)

    def _opening(self) -> float:
        stuck = self._machine.faults.pump_stuck_frac
        return self._machine.sprayer.pump_frac if stuck is None else stuck

    def _note_flow(self) -> None:
        """Bring the state up to what the pump does now."""
        machine = self._machine
        state, tank = machine.state, machine.tank
        state.pump_frac = self._opening()
        state.flow_lps = tank.flow_lps(state.pump_frac)
        state.tank_l, state.pumped_l = tank.held_l, tank.pumped_l

    def _pump(self, dt_s: float, before: tuple[float, float, float]) -> None:
        machine = self._machine
        state, leak_lps = machine.state, machine.faults.tank_leak_lps

        def draw(seconds: float) -> None:
            machine.tank.draw(self._opening(), leak_lps, seconds)

        def switched(at_s: float) -> None:
            share = 1 - (state.now_s - at_s) / dt_s
            now = (state.x, state.y, state.z)
            x, y, z = (a + (b - a) * share for a, b in zip(before, now, strict=True))
            self._note_flow()
            self._keep_truth(at_s, (x, y, z))

        speed = math.hypot(state.vx, state.vy)
        run_pump(machine.sprayer, state.now_s, dt_s, speed, draw, switched)
        self._note_flow()

    def _keep_truth(self, t_s: float, place: tuple[float, float, float]) -> None:
        state, tank = self._machine.state, self._machine.tank
        self._truth.add(
            t_s,
            place,
            state.flow_lps,
            tank.pumped_l,
            tank.held_l,
            state.shown_mode,
            state.is_armed,
        )
