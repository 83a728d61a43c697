"""The embedded copter: bytes in, time in, bytes out. No socket, task or clock.

It puts the parts together and carries messages to them; each part has its own module.
"""

from __future__ import annotations

import logging
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.air import Air
from skymist.sitl.announcements import Announcer
from skymist.sitl.arming import ORIGIN_S
from skymist.sitl.battery import Battery
from skymist.sitl.body import Body
from skymist.sitl.commands import Commander
from skymist.sitl.failsafes import Failsafes
from skymist.sitl.fences import Fence
from skymist.sitl.guidance import Guidance
from skymist.sitl.items import ABSOLUTE, Command, Item, MissionType
from skymist.sitl.link import Link
from skymist.sitl.machine import Faults, Machine
from skymist.sitl.modes import Modes
from skymist.sitl.params import Firmware, Params
from skymist.sitl.router import Router
from skymist.sitl.sprayer import SprayControl, Tank
from skymist.sitl.state import Grid, Reason, Severity, State
from skymist.sitl.stores import FENCE_CAPACITY, RALLY_CAPACITY, MissionStore, PieceStore
from skymist.sitl.telemetry import EPOCH_S, Reporter
from skymist.sitl.truth import Truth

if TYPE_CHECKING:
    from skymist.coverage.drones import Drone

log = logging.getLogger(__name__)

STEP_S = 0.1
WARM_AGE_S = 35.0
_HEARTBEAT, _HEARTBEAT_S = 0, 1.0


class EmbeddedCopter:
    """One drone on its pad at `home`: latitude, longitude in degrees, height above mean sea.

    `age_s` is how long ago it was switched on; `has_files` False is a board without MAVFTP.
    `truth` and the ground crew's `refill` and `swap_battery` are beside MAVLink; so is `faults`,
    which breaks things by name.
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
        has_files: bool = True,
    ) -> None:
        self.drone = drone
        self._machine = machine = _assemble(drone, home, seed, gps_noise_m, firmware)
        machine.has_files = has_files
        self._modes = Modes(machine)
        self._failsafes = Failsafes(machine, self._modes)
        self._reporter = Reporter(machine, self._modes)
        self._commander = Commander(machine, self._modes, self._reporter, self._boot_later)
        self._router = Router(machine, self._modes, self._failsafes, self._commander)
        self._announcer = Announcer(machine, self._modes.estimator)
        self._links: list[Link] = []
        self._num_links = 0
        self._heartbeat_s = 0.0
        self._must_boot = False
        self.truth = Truth(machine.grid)
        self._body = Body(machine, self._modes.auto, self.truth)
        machine.state.booted_s = -age_s
        machine.sprayer.reboot(0.0)
        self._announcer.reboot()
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
    def rally(self) -> tuple[Item, ...]:
        """The stored rally points."""
        return tuple(self._machine.rally.items())

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

    def drain(self) -> None:
        """Empty the tank on the ground, as before another agent.

        Raises
        ------
        RuntimeError
            The copter is armed or not on the ground.
        """
        self._require_ground("drain")
        self._machine.tank.held_l = 0.0

    def swap_battery(self) -> None:
        """Put in a full battery; the battery monitor starts anew.

        Raises
        ------
        RuntimeError
            The copter is armed or not on the ground.
        """
        self._require_ground("battery swap")
        self._machine.battery.swap()

    def pilot_mode(self, mode: int, *, throttle_frac: float = 0.5) -> bool:
        """Change the mode by the pilot's switch; False where the copter refuses.

        The throttle stick stays where it is put here. Before that it is down, as on SITL: a
        copter that the ground puts into LOITER then sinks, and drops in STABILIZE.
        """
        self._machine.state.throttle_frac = throttle_frac
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
        link = Link(self._num_links, int(self._machine.params["MAV_SYSID"]), self._machine.signing)
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
        self._router.answer_files()
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
        split_s = self._body.until_condition(dt_s)
        if split_s is not None:
            self._body.move(split_s)
            self._modes.update()
            dt_s -= split_s
        self._body.move(dt_s)
        self._failsafes.update()
        if state.now_s >= self._announcer.next_s:
            self._announcer.update()
        self._router.tick()
        for _ in range(round(machine.faults.texts_per_s * dt_s)):
            state.say(Severity.INFO, "chatter, of which there is no end")
        self._report()
        if self._must_boot:
            self._boot()
        if state.texts:
            self._send_texts()

    # -- telling ---------------------------------------------------------------------------

    def _report(self) -> None:
        machine, reporter = self._machine, self._reporter
        now_s = machine.state.now_s
        if now_s >= self._heartbeat_s:
            self._heartbeat_s = max(self._heartbeat_s + _HEARTBEAT_S, now_s)
            machine.signing.tick(EPOCH_S + now_s, now_s)
            beat = reporter.heartbeat()
            for link in self._links:
                if link.schedule.interval_s(_HEARTBEAT) is None:  # else it goes by its schedule
                    link.send(beat)
        reached, machine.reached = machine.reached, []
        for seq, following in zip_longest(reached, reached[1:]):
            # Told a pass later, an item that is done at once takes the place of the one before.
            if following != seq + 1:
                self._tell_all(mavlink.MAVLink_mission_item_reached_message(seq))
        if machine.has_new_current:
            machine.has_new_current = False
            self._tell_all(reporter.mission_current())
        if machine.has_new_home:
            machine.has_new_home = False
            self._tell_all(reporter.origin())
            self._tell_all(reporter.home_position())
            self._router.tell_counts()
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
        self._announcer.reboot()
        machine.signing.reboot()
        if not state.is_landed:
            machine.guidance.fall()
        for link, data in zip(self._links, acks, strict=True):
            link.reboot()
            link.put_back(data)

    def _home_item(self) -> Item:
        machine = self._machine
        if machine.state.age_s < ORIGIN_S:
            return Item(seq=0, command=Command.NAV_WAYPOINT, frame=ABSOLUTE)
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
