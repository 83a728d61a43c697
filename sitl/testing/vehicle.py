"""One simulated drone as a flight test sees it: plain calls, waits in simulated seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from skymist.coverage.errors import SkymistError
from skymist.missions.items import Item
from skymist.sitl.state import Mode
from skymist.sitl.testing.station import Row, Station

if TYPE_CHECKING:
    from skymist.coverage.drones import Drone
    from skymist.sitl.copter import EmbeddedCopter
    from skymist.sitl.truth import Truth

T = TypeVar("T")
Strike = Callable[[str, bool], Awaitable[None]]
_ARMED = 128
READY_S, COMMAND_S = 120.0, 10.0


class WaitFailed(SkymistError, AssertionError):
    """What was waited for did not come. The message says what, how long, and how things stand."""


class Vehicle:
    """A drone on its pad, with a ground station that beats as long as the test runs.

    `sitl_vehicle` gives one. Every `wait_` takes simulated seconds and fails by name. `truth` and
    `litres_l` are the embedded copter's own, apart from anything that MAVLink tells.
    """

    def __init__(
        self,
        drone: Drone,
        station: Station,
        run: Callable[[Coroutine[Any, Any, Any]], Any],
        strike: Strike,
        copter: EmbeddedCopter | None,
    ) -> None:
        self.id = drone.id
        self.drone = drone
        self.station = station
        self._run = run
        self._strike = strike
        self._copter = copter

    # -- how it stands ---------------------------------------------------------------------

    @property
    def mode(self) -> str:
        """The flight mode's name, by the last heartbeat."""
        beat = self.station.last.get("HEARTBEAT")
        if beat is None:
            return "unknown"
        known = {mode.value: mode.name for mode in Mode}
        return known.get(beat.custom_mode, str(beat.custom_mode))

    @property
    def is_armed(self) -> bool:
        """Whether the motors turn, by the last heartbeat."""
        beat = self.station.last.get("HEARTBEAT")
        return beat is not None and bool(beat.base_mode & _ARMED)

    @property
    def item(self) -> int:
        """The mission item flown."""
        current = self.station.last.get("MISSION_CURRENT")
        return current.seq if current is not None else 0

    @property
    def above_home_m(self) -> float:
        """Height above home, by telemetry."""
        place = self.station.last.get("GLOBAL_POSITION_INT")
        return place.relative_alt / 1000 if place is not None else 0.0

    @property
    def texts(self) -> tuple[str, ...]:
        """What it said in words."""
        return tuple(self.station.texts)

    @property
    def truth(self) -> Truth:
        """What really happened. Embedded copters alone know it.

        Raises
        ------
        AttributeError
            This is a real ArduCopter.
        """
        return self._embedded("truth").truth

    @property
    def litres_l(self) -> float:
        """Litres that left the nozzles, by the truth."""
        return self._embedded("litres_l").pumped_l

    @property
    def copter(self) -> EmbeddedCopter:
        """The embedded copter itself."""
        return self._embedded("copter")

    def _embedded(self, what: str) -> EmbeddedCopter:
        if self._copter is None:
            raise AttributeError(f"{what}: a real ArduCopter does not tell; use --sim embedded")
        return self._copter

    # -- what the test does ----------------------------------------------------------------

    def upload(self, items: Sequence[Item | Row], mission_type: int = 0) -> None:
        """Upload a mission (0, item 0 is home), fence (1) or rally points (2); seen accepted."""
        rows = [_row(item) for item in items]
        result = self._run(self.station.upload(rows, mission_type))
        if result != 0:
            raise WaitFailed(f"{self.id}: upload was answered with result {result}")

    def fly(self, items: Sequence[Item | Row], **params: float) -> None:
        """Upload a mission, set parameters by the firmware's names, arm and start it."""
        self._named(self._fly([_row(item) for item in items], params), "armed in its mission")

    async def _fly(self, rows: list[Row], params: dict[str, float]) -> None:
        station = self.station
        await station.watch()
        for name, value in {"AUTO_OPTIONS": 3.0, **params}.items():
            await station.set_param(name, value)
        if (result := await station.upload(rows)) != 0:
            raise WaitFailed(f"{self.id}: upload was answered with result {result}")
        await self._must("mode AUTO", station.command(176, 1, Mode.AUTO))
        async with asyncio.timeout(READY_S):
            await station.wait_ready()
        await self._must("mode AUTO", station.command(176, 1, Mode.AUTO))
        await self._must("arming", station.command(400, 1))
        await self._must("MISSION_START", station.command(300))
        # From here on "disarmed" means that it has flown.
        await station.wait_armed()

    async def _must(self, what: str, command: Awaitable[int]) -> None:
        if (result := await command) != 0:
            words = "; ".join(self.station.texts[-4:])
            raise WaitFailed(f"{self.id}: {what} was answered with result {result}: {words}")

    def command(self, number: int, *params: float) -> int:
        """Give a command; its MAV_RESULT."""
        result: int = self._named(self.station.command(number, *params), f"answer to {number}")
        return result

    def set_param(self, name: str, value: float) -> float:
        """Set a parameter by the firmware's name; what came back."""
        back: float = self._named(self.station.set_param(name, value), f"answer of {name}")
        return back

    def break_down(self, name: str) -> None:
        """Break it by a fault's name: gps-lost, rc-lost, motor-failed, wind, reboot, ..."""
        self._run(self._strike(name, True))  # type: ignore[arg-type]

    def mend(self, name: str) -> None:
        """Undo a fault."""
        self._run(self._strike(name, False))  # type: ignore[arg-type]

    def fall_silent(self, is_silent: bool = True) -> None:
        """Stop the ground station's heartbeats, or begin them again."""
        self.station.beats = not is_silent

    # -- waits -----------------------------------------------------------------------------

    def sleep(self, seconds: float) -> None:
        """Let simulated seconds pass."""
        self._run(asyncio.sleep(seconds))

    def wait(self, claim: Callable[[Vehicle], bool], what: str, timeout_s: float) -> None:
        """Wait until a claim about this vehicle holds.

        Raises
        ------
        WaitFailed
            It did not within `timeout_s` simulated seconds.
        """

        async def come() -> None:
            async with asyncio.timeout(timeout_s):
                while not claim(self):
                    await self.station.wait(lambda _: True, timeout_s)

        self._named(come(), what, timeout_s)

    def wait_mode(self, name: str, timeout_s: float = 60.0) -> None:
        """Wait for a mode by its name, such as LAND."""
        if name not in Mode.__members__:
            raise ValueError(f"mode: wanted one of {', '.join(Mode.__members__)}, found {name!r}")
        self.wait(lambda v: v.mode == name, f"mode {name}", timeout_s)

    def wait_item(self, seq: int, timeout_s: float = 300.0) -> None:
        """Wait until a mission item, or one behind it, is flown."""
        self.wait(lambda v: v.item >= seq, f"item {seq}", timeout_s)

    def wait_above(self, above_home_m: float, timeout_s: float = 120.0) -> None:
        """Wait until it is higher than that."""
        what = f"above {above_home_m:g} m"
        self.wait(lambda v: v.above_home_m > above_home_m, what, timeout_s)

    def wait_landed(self, timeout_s: float = 600.0) -> None:
        """Wait until it flew and stands disarmed."""
        self.wait(lambda v: not v.is_armed, "landed and disarmed", timeout_s)

    def _named(self, work: Coroutine[Any, Any, T], what: str, timeout_s: float = COMMAND_S) -> T:
        try:
            done: T = self._run(work)
        except TimeoutError:
            raise WaitFailed(
                f"{self.id}: wanted {what} within {timeout_s:g} simulated s, found mode "
                f"{self.mode}, {'armed' if self.is_armed else 'disarmed'}, item {self.item}, "
                f"{self.above_home_m:.1f} m above home; it said last: "
                f"{'; '.join(self.station.texts[-3:]) or 'nothing'}"
            ) from None
        return done


def _row(item: Item | Row) -> Row:
    if isinstance(item, Row):
        return item
    params = (item.p1, item.p2, item.p3, item.p4)
    return Row(item.command, item.frame, params, item.x_e7, item.y_e7, item.z_m)


def plot(vehicle: Vehicle, target: Path) -> None:
    """Draw the way that telemetry told, and where the pump ran."""
    from matplotlib.figure import Figure

    from skymist.sitl.state import Grid

    figure = Figure(figsize=(8, 8))
    axes = figure.add_subplot()
    grid: Grid | None = None
    is_wet = False
    ways: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for message in vehicle.station.heard:
        if message.get_type() == "SERVO_OUTPUT_RAW":
            is_wet = message.servo9_raw > 1100
        elif message.get_type() == "GLOBAL_POSITION_INT" and (message.lat or message.lon):
            grid = grid or Grid(message.lat * 1e-7, message.lon * 1e-7, 0.0)
            ways[False].append(grid.to_xy(message.lat, message.lon))
            if is_wet:
                ways[True].append(ways[False][-1])
    axes.plot(*zip(*ways[False], strict=True) if ways[False] else ([], []), color="0.6", lw=1)
    wet = ways[True]
    axes.plot([x for x, _ in wet], [y for _, y in wet], ".", color="tab:blue", label="pump on")
    axes.set_aspect("equal")
    axes.set_xlabel("m east of where it was heard first")
    axes.set_ylabel("m north")
    axes.set_title(f"{vehicle.id}: mode {vehicle.mode}, item {vehicle.item}")
    axes.legend()
    figure.savefig(target)
