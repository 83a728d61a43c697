"""The embedded copter: bytes in, time in, bytes out. No socket, task or clock.

It puts the parts together and carries messages to them; each part has its own module.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.air import Air
from skymist.sitl.battery import Battery
from skymist.sitl.commands import Commander
from skymist.sitl.failsafes import Failsafes
from skymist.sitl.fences import Fence
from skymist.sitl.guidance import Guidance, Manoeuvre
from skymist.sitl.items import ABSOLUTE, Command, Item, MissionType
from skymist.sitl.link import Link
from skymist.sitl.machine import Faults, Machine
from skymist.sitl.modes import Modes
from skymist.sitl.params import Firmware, Params
from skymist.sitl.router import Router
from skymist.sitl.sprayer import SprayControl, Tank, run_pump
from skymist.sitl.state import Grid, Reason, State
from skymist.sitl.stores import FENCE_CAPACITY, RALLY_CAPACITY, MissionStore, PieceStore
from skymist.sitl.telemetry import Reporter
from skymist.sitl.truth import Truth

if TYPE_CHECKING:
    from skymist.coverage.drones import Drone

log = logging.getLogger(__name__)

STEP_S = 0.1
WARM_AGE_S = 35.0
_HEARTBEAT_S = 1.0


class EmbeddedCopter:
    """One drone on its pad at `home`: latitude, longitude in degrees, height above mean sea.

    `age_s` is how long ago it was switched on. `truth` and the ground crew's `refill` and
    `swap_battery` are beside MAVLink; so is `faults`, which breaks things by name.
    """

    def __init__(
        self,
        drone: Drone,
        *,
        home: tuple[float, float, float],
        seed: int = 0,
        age_s: float = 0.0,
        gps_noise_m: float = 0.0,
        firmware: Firmware = Firmware.V4_7,
    ) -> None:
        self.drone = drone
        self._machine = machine = _assemble(drone, home, seed, gps_noise_m, firmware)
        self._modes = Modes(machine)
        self._failsafes = Failsafes(machine, self._modes)
        self._reporter = Reporter(machine, self._modes)
        self._commander = Commander(machine, self._modes, self._reporter, self._boot_later)
        self._router = Router(machine, self._modes, self._failsafes, self._commander)
        self._links: list[Link] = []
        self._num_links = 0
        self._heartbeat_s = 0.0
        self._must_boot = False
        self.truth = Truth(machine.grid)
        machine.state.booted_s = -age_s
        machine.sprayer.reboot(0.0)
        machine.mission.home_item = self._home_item
        machine.mission.may_clear = self._may_clear_mission
        machine.fence_store.on_change = self._fence_changed

    # -- what tests and the ground crew may look at ----------------------------------------

    @property
    def state(self) -> State:
        """The machine now; look, do not write."""
        return self._machine.state

    @property
    def params(self) -> Params:
        """The parameters, by their 4.7 names."""
        return self._machine.params

    @property
    def faults(self) -> Faults:
        """What is broken; set its fields."""
        return self._machine.faults

    @property
    def mission(self) -> tuple[Item, ...]:
        """The stored mission items."""
        return tuple(self._machine.mission.items())

    @property
    def fence(self) -> tuple[Item, ...]:
        """The stored fence items."""
        return tuple(self._machine.fence_store.items())

    @property
    def battery_frac(self) -> float:
        """Energy left in the battery, as it is."""
        return self._machine.battery.left_frac

    @property
    def tank_l(self) -> float:
        """Litres aboard."""
        return self._machine.tank.held_l

    @property
    def pumped_l(self) -> float:
        """Litres that left the nozzles since the start."""
        return self._machine.tank.pumped_l

    def refill(self, litres: float | None = None) -> None:
        """Pour agent into the tank; None fills it up.

        Raises
        ------
        RuntimeError
            The copter is armed or not on the ground.
        """
        self._require_ground("refill")
        self._machine.tank.refill(litres)

    def swap_battery(self) -> None:
        """Put in a full battery; the battery monitor starts anew.

        Raises
        ------
        RuntimeError
            The copter is armed or not on the ground.
        """
        self._require_ground("battery swap")
        self._machine.battery.swap()

    def pilot_mode(self, mode: int) -> bool:
        """Change the mode by the pilot's switch; False where the copter refuses."""
        return self._modes.enter(mode, Reason.PILOT)

    def reboot(self) -> None:
        """Switch off and on, wherever the copter is. What is stored stays."""
        self._boot()

    def _require_ground(self, what: str) -> None:
        state = self._machine.state
        if state.is_armed or not state.is_landed:
            where = "armed" if state.is_landed else "in the air"
            raise RuntimeError(f"{what} must wait until landed and disarmed, copter is {where}")

    # -- links -----------------------------------------------------------------------------

    def add_link(self) -> Link:
        """Give a new link; the copter speaks on it from now on."""
        self._num_links += 1
        link = Link(self._num_links, int(self._machine.params["MAV_SYSID"]))
        self._links.append(link)
        return link

    def remove_link(self, link: Link) -> None:
        """End a link; the copter no longer speaks on it."""
        self._links = [each for each in self._links if each is not link]

    def receive(self, data: bytes, link: Link | None = None) -> None:
        """Take bytes from the ground, on `link` or the first one."""
        if self._machine.faults.link_silent:
            return
        link = link or self._first_link()
        for message in link.codec.unpack(data):
            self._router.receive(message, link)
        if self._must_boot:
            self._boot()
        self._send_texts()

    def outbox(self, link: Link | None = None) -> bytes:
        """Give the bytes that wait for the ground, and forget them."""
        data = (link or self._first_link()).take()
        return b"" if self._machine.faults.link_silent else data

    def _first_link(self) -> Link:
        return self._links[0] if self._links else self.add_link()

    # -- time ------------------------------------------------------------------------------

    def advance_to(self, now_s: float) -> None:
        """Bring the copter to a time, in steps of at most 0.1 s."""
        state = self._machine.state
        while now_s - state.now_s > 1e-6:
            self.step(min(STEP_S, now_s - state.now_s))

    def step(self, dt_s: float) -> None:
        """Live through `dt_s` seconds, at most a few tenths."""
        machine = self._machine
        state = machine.state
        self._modes.update()
        split_s = self._until_condition(dt_s)
        if split_s is not None:
            self._move(split_s)
            self._modes.update()
            dt_s -= split_s
        self._move(dt_s)
        self._failsafes.update()
        self._router.tick()
        self._report()
        if self._must_boot:
            self._boot()
        if state.texts:
            self._send_texts()

    def _until_condition(self, dt_s: float) -> float | None:
        """Give when within the step a CONDITION_DISTANCE comes true; None if it does not.

        ArduPilot looks 400 times a second; half a metre lies between our steps.
        """
        auto = self._modes.auto
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

    def _move(self, dt_s: float) -> None:
        """Fly, pump and draw power for `dt_s` seconds, and keep the truth."""
        machine = self._machine
        state, guidance, air = machine.state, machine.guidance, machine.air
        before = (state.x, state.y, state.z)
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
        machine.battery.draw(machine.tank.held_l, state.is_armed, not state.is_landed, dt_s)
        self._keep_truth(state.now_s, (state.x, state.y, state.z))

    def _drift(self, dt_s: float) -> None:
        """Let the wind carry a copter that has lost its position."""
        machine = self._machine
        if machine.state.is_ekf_failed and machine.air.wind_mps > 0 and not machine.state.is_landed:
            dx, dy = machine.air.drift(dt_s)
            p = machine.guidance.position
            machine.guidance.position = p._replace(x=p.x + dx, y=p.y + dy)

    def _pump(self, dt_s: float, before: tuple[float, float, float]) -> None:
        machine = self._machine
        state, tank, control, faults = machine.state, machine.tank, machine.sprayer, machine.faults
        stuck = faults.pump_stuck_frac

        def draw(seconds: float) -> None:
            opening = control.pump_frac if stuck is None else stuck
            tank.draw(opening, faults.tank_leak_lps, seconds)

        speed = math.hypot(state.vx, state.vy)
        changes = run_pump(control, state.now_s, dt_s, speed, draw)
        if stuck is None:
            for at_s, opening in changes:
                share = 1 - (state.now_s - at_s) / dt_s
                now = (state.x, state.y, state.z)
                x, y, z = (a + (b - a) * share for a, b in zip(before, now, strict=True))
                state.flow_lps = tank.flow_lps(opening)
                self._keep_truth(at_s, (x, y, z))
        state.pump_frac = control.pump_frac if stuck is None else stuck
        state.flow_lps = tank.flow_lps(state.pump_frac)
        state.tank_l, state.pumped_l = tank.held_l, tank.pumped_l

    def _keep_truth(self, t_s: float, place: tuple[float, float, float]) -> None:
        state, tank = self._machine.state, self._machine.tank
        self.truth.add(
            t_s,
            place,
            state.flow_lps,
            tank.pumped_l,
            tank.held_l,
            state.shown_mode,
            state.is_armed,
        )

    # -- telling ---------------------------------------------------------------------------

    def _report(self) -> None:
        machine, reporter = self._machine, self._reporter
        now_s = machine.state.now_s
        if now_s >= self._heartbeat_s:
            self._heartbeat_s = max(self._heartbeat_s + _HEARTBEAT_S, now_s)
            self._tell_all(reporter.heartbeat())
        while machine.reached:
            self._tell_all(mavlink.MAVLink_mission_item_reached_message(machine.reached.pop(0)))
        if machine.has_new_current:
            machine.has_new_current = False
            self._tell_all(reporter.mission_current())
        built: dict[int, Any] = {}
        for link in self._links:
            if link.params is not None:
                link.stream_params(len(machine.params))
            for message_id in link.schedule.due(now_s):
                if message_id not in built:
                    built[message_id] = reporter.builders[message_id]()
                if built[message_id] is not None:
                    link.send(built[message_id])

    def _send_texts(self) -> None:
        texts = self._machine.state.texts
        for severity, text in texts:
            log.debug("statustext", extra={"sysid": self.drone.sysid, "text": text})
            for start in range(0, min(len(text), 100), 50):
                chunk = text[start : start + 50].encode()
                self._tell_all(mavlink.MAVLink_statustext_message(severity, chunk))
        texts.clear()

    def _tell_all(self, message: Any) -> None:
        for link in self._links:
            link.send(message)

    # -- booting and stores ----------------------------------------------------------------

    def _boot_later(self) -> None:
        self._must_boot = True

    def _boot(self) -> None:
        """Start anew: what is stored stays, what was flown falls."""
        machine = self._machine
        state = machine.state
        acks = [link.take() for link in self._links]
        self._must_boot = False
        state.is_armed = state.is_auto_armed = False
        state.booted_s = state.now_s
        state.is_home_locked = False
        machine.sprayer.reboot(state.now_s)
        machine.battery.reset_counter(100.0, machine.params["BATT_CAPACITY"])
        machine.battery.consumed_mah = 0.0
        self._modes.reboot()
        self._failsafes.reboot()
        self._router.reboot()
        if not state.is_landed:
            machine.guidance.fall()
        for link, data in zip(self._links, acks, strict=True):
            link.reboot()
            link.put_back(data)

    def _home_item(self) -> Item:
        machine = self._machine
        x, y, z = machine.state.home
        lat_e7, lon_e7 = machine.grid.to_e7(x, y)
        return Item(
            seq=0,
            command=Command.NAV_WAYPOINT,
            frame=ABSOLUTE,
            lat_e7=lat_e7,
            lon_e7=lon_e7,
            z_m=int((machine.grid.amsl_m + z) * 100) / 100,
        )

    def _may_clear_mission(self) -> bool:
        return not (self._machine.state.is_armed and self._modes.auto.program.is_running)

    def _fence_changed(self) -> None:
        machine = self._machine
        machine.fence.load(machine.fence_store.items())


def _assemble(
    drone: Drone,
    home: tuple[float, float, float],
    seed: int,
    gps_noise_m: float,
    firmware: Firmware,
) -> Machine:
    params, state, grid = Params.of(drone, firmware), State(), Grid(*home)
    state.tank_l = drone.model.sprayer.tank_l
    return Machine(
        model=drone.model,
        params=params,
        state=state,
        grid=grid,
        guidance=Guidance(state, params),
        mission=MissionStore(),
        fence_store=PieceStore(MissionType.FENCE, FENCE_CAPACITY),
        rally=PieceStore(MissionType.RALLY, RALLY_CAPACITY),
        fence=Fence(params, grid),
        sprayer=SprayControl(params),
        tank=Tank(drone.model.sprayer),
        battery=Battery(drone.model),
        air=Air(seed * 1000 + drone.sysid, gps_noise_m),
    )
