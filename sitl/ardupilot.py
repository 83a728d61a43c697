"""ArduPilot's own copter, started as processes: the same shape as `EmbeddedFleet`.

POSIX alone runs it; importing this works anywhere. Simulated time begins when the ground
connects, since the binary waits for its first serial line. Use `ScaledLoop(speedup)`, so that
the ground's seconds are the simulator's; it waits for a simulator that falls behind (`pace`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.coverage.errors import SkymistError
from skymist.sitl.ardupilot_faults import break_ardupilot, mend_ardupilot, require_known
from skymist.sitl.binaries import Found, find_arducopter, own_defaults
from skymist.sitl.crew_line import SERIAL1, SERIAL2, CrewLine
from skymist.sitl.faults import LOW_FENCE_M
from skymist.sitl.leases import Lease, lease
from skymist.sitl.loops import ScaledLoop
from skymist.sitl.pace import VehicleClock
from skymist.sitl.state import Mode
from skymist.sitl.streams import TcpPipe, open_tcp_pipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from skymist.coverage.drones import Drone, DroneModel

log = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
CREW_TIMEOUT_S = 10.0
"""In seconds of the wall clock."""
HOVER_A = 28.7
"""What the simulated frame draws in hover. Measured on SITL 4.7.0-dev: 1,188 mAh in 149 s."""
CEILING = "FENCE_ALT_MAX"
RC_PORT = 5501
"""Where the simulated receiver of instance 0 listens by UDP, 16 pulses; ten on for the next."""
STICKS_US = (1500, 1500, 1000, 1500, 1800, 1000, 1000, 1800, *(1500,) * 8)
"""What the receiver gives where nothing was sent. Source: AP_HAL_SITL, SITL_State_common.cpp."""
SWITCH_US = (1100, 1300)
"""The first and the second place of the mode switch."""
_SWITCH, _THROTTLE = 4, 2
_MAVLINK2 = 2
"""SERIALn_PROTOCOL."""
_DEAF_TO_CTRL_C = ("/bin/sh", "-c", 'trap "" INT; exec "$0" "$@"')
"""Ctrl-C in a terminal is for the ground, which then brings its copters home. What ends the whole
process group still ends the simulator."""
_READY = b"Waiting for connection"


class SimulatorFailed(SkymistError):
    """The simulator did not start, or ended early. `output` is the end of what it printed."""

    def __init__(self, what: str, output: str) -> None:
        self.output = output
        super().__init__(f"{what}; its last words:\n{output}")


class _Instance:
    """One process in a directory of its own."""

    def __init__(
        self, drone: Drone, home: tuple[float, float, float], heading_deg: float, held: Lease
    ) -> None:
        self.drone = drone
        self.home = home
        self.heading_deg = heading_deg
        self.lease = held
        self.directory = Path()
        self.process: asyncio.subprocess.Process | None = None
        self.clock: VehicleClock | None = None
        self.log_file: IO[bytes] | None = None

    @property
    def log_path(self) -> Path:
        """Where it prints to."""
        return self.directory / "arducopter.log"

    def last_words(self, num_lines: int = 15) -> str:
        """Give the end of what it printed."""
        if not self.log_path.is_file():
            return ""
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-num_lines:])


def capacity_mah(model: DroneModel) -> float:
    """The capacity with which the simulated frame flies as long as the model, tank half full.

    The simulated copter is always of one mass: it draws the same current, however full the tank.
    """
    endurance_s = (model.endurance_empty_s + model.endurance_full_s) / 2
    return round(HOVER_A * endurance_s / 3.6)


class ArduPilotFleet:
    """One `arducopter` process for each drone while the `async with` block lasts.

    Parameters
    ----------
    drones : who flies; each has its own system id.
    homes : latitude and longitude in degrees and height above mean sea of each pad.
    speedup : simulated seconds per second, an upper bound.
    headings_deg : where each looks, right from north; north unless given.
    found : the binary and its parameters; searched for when None, at `binary` if that is given.
    logs_dir : where directories of instances go; kept there in any case. Without it they are
        temporary, and kept only when the block ends with an exception.
    params : parameters to begin with, by the names of that binary.

    Raises
    ------
    BinaryMissing
        There is no binary.
    ValueError
        There are not as many homes, or headings, as drones.
    SimulatorFailed
        When the block ends: a process had ended by itself. Other errors are chained to it, since
        whatever was flown then says nothing.
    """

    def __init__(
        self,
        drones: Sequence[Drone],
        *,
        homes: Sequence[tuple[float, float, float]],
        speedup: float = 1.0,
        headings_deg: Sequence[float] | None = None,
        found: Found | None = None,
        binary: Path | None = None,
        logs_dir: Path | None = None,
        params: Mapping[str, float] | None = None,
    ) -> None:
        if len(drones) != len(homes):
            raise ValueError(f"homes must be as many as drones, {len(drones)}, got {len(homes)}")
        headings = tuple(headings_deg) if headings_deg is not None else (0.0,) * len(drones)
        if len(headings) != len(drones):
            what = f"headings_deg must be as many as drones, {len(drones)}, got {len(headings)}"
            raise ValueError(what)
        self._headings = headings
        self._found = found if found is not None else find_arducopter(binary)
        self._binary = self._found.require()
        self._drones = tuple(drones)
        self._homes = tuple(homes)
        self._speedup = speedup
        self._params = dict(params or {})
        self._logs_dir = logs_dir
        self._instances: list[_Instance] = []
        self._pipes: list[TcpPipe] = []
        self._floods: dict[int, asyncio.Task[None]] = {}
        self._ceilings: dict[int, float] = {}
        self._is_second: dict[int, bool] = {}
        self._deaths: list[SimulatorFailed] = []
        self.directory = Path()

    @property
    def addresses(self) -> tuple[str, ...]:
        """How the ground reaches each copter: tcp:127.0.0.1:PORT."""
        return tuple(f"tcp:127.0.0.1:{i.lease.port}" for i in self._instances)

    @property
    def log_paths(self) -> tuple[Path, ...]:
        """What each process prints, the sprayer's litres among it."""
        return tuple(i.log_path for i in self._instances)

    async def open(self, index: int) -> TcpPipe:
        """Give a link to a copter."""
        pipe = await open_tcp_pipe("127.0.0.1", self._instances[index].lease.port)
        self._pipes.append(pipe)
        return pipe

    async def __aenter__(self) -> Self:
        if sys.platform == "win32":
            raise SkymistError("ArduPilot's simulator is started on Linux and macOS alone")
        if self._logs_dir is None:
            self.directory = Path(tempfile.mkdtemp(prefix="skymist-sitl-"))
        else:
            self.directory = self._logs_dir
            self.directory.mkdir(parents=True, exist_ok=True)
        try:
            for drone, home, heading_deg in zip(
                self._drones, self._homes, self._headings, strict=True
            ):
                self._instances.append(_Instance(drone, home, heading_deg, lease()))
            for instance in self._instances:
                await self._start(instance)
            for instance in self._instances:
                await self._wait_ready(instance)
        except BaseException:
            await self._stop_all(keep=True)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop_all(keep=kind is not None or self._logs_dir is not None)
        if kind is not None or self._deaths:
            log.warning("simulator logs kept", extra={"directory": str(self.directory)})
        is_told = kind is not None and (
            issubclass(kind, SimulatorFailed) or not issubclass(kind, Exception)
        )
        if self._deaths and not is_told:
            raise self._deaths[0] from error

    async def ended(self) -> int:
        """Wait until a process ends by itself, and give the index of its drone.

        Raises
        ------
        ValueError
            No process runs.
        """
        waits = {
            asyncio.create_task(instance.process.wait()): index
            for index, instance in enumerate(self._instances)
            if instance.process is not None
        }
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return min(waits[task] for task in done)
        finally:
            for task in waits:
                task.cancel()

    def last_words(self, index: int) -> str:
        """Give the end of what a process printed."""
        return self._instances[index].last_words()

    async def restart(self, index: int) -> None:
        """Switch a copter off and on; what it stored stays. Links must be opened anew."""
        instance = self._instances[index]
        await self._stop(instance)
        await self._start(instance, wipe=False)
        await self._wait_ready(instance)

    async def swap_battery(self, index: int) -> None:
        """Put a full battery into a copter that stands disarmed: its count begins anew."""
        async with self._crew_line(index) as line:
            await line.command(mavlink.MAV_CMD_BATTERY_RESET, 255, 100)

    async def break_vehicle(self, index: int, name: str) -> None:
        """Break a copter in the named way; `reboot` starts its process anew, on its pad.

        Raises
        ------
        FaultUnavailable
            ArduPilot's simulator has no such fault.
        NoAnswer
            The copter did not take it.
        """
        require_known(name)
        match name:
            case "reboot":
                await self.restart(index)
            case "pilot":
                await self.pilot_mode(index, Mode.LOITER)
            case "text-flood":
                if index not in self._floods:
                    self._floods[index] = asyncio.create_task(self._chatter(index))
            case "fence":
                async with self._crew_line(index) as line:
                    self._ceilings.setdefault(index, await line.param(CEILING))
                    await line.set_param(CEILING, LOW_FENCE_M)
            case _:
                async with self._crew_line(index) as line:
                    await break_ardupilot(line, name)

    async def mend_vehicle(self, index: int, name: str) -> None:
        """Undo what `break_vehicle` did; the pilot lands."""
        match name:
            case "pilot":
                await self.pilot_mode(index, Mode.LAND)
            case "text-flood" if index in self._floods:
                self._floods.pop(index).cancel()
            case "fence" if index in self._ceilings:
                async with self._crew_line(index) as line:
                    await line.set_param(CEILING, self._ceilings.pop(index))
            case _:
                async with self._crew_line(index) as line:
                    await mend_ardupilot(line, name)

    async def pilot_mode(self, index: int, mode: int) -> None:
        """The pilot's mode switch and throttle stick: a mode, and half throttle; both stay.

        The simulated receiver takes pulses by UDP. The switch goes from its one end to the other,
        since ArduCopter takes a mode from it when it moves.
        """
        async with self._crew_line(index) as line:
            await line.set_param("FLTMODE1", mode)
            await line.set_param("FLTMODE2", mode)
        self._is_second[index] = not self._is_second.get(index, True)
        switch_us = SWITCH_US[self._is_second[index]]
        self.hold_sticks(index, switch_us=switch_us, throttle_us=1500)

    def hold_sticks(self, index: int, *, throttle_us: int, switch_us: int | None = None) -> None:
        """Where the pilot holds throttle and mode switch from now on; None: where it was."""
        if switch_us is None:
            switch_us = SWITCH_US[self._is_second.get(index, False)]
        pulses = list(STICKS_US)
        pulses[_THROTTLE], pulses[_SWITCH] = throttle_us, switch_us
        place = ("127.0.0.1", RC_PORT + 10 * self._instances[index].lease.instance)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
            radio.sendto(struct.pack("<16H", *pulses), place)

    async def _chatter(self, index: int) -> None:
        async with self._crew_line(index, SERIAL2) as line:
            await line.chatter()

    def _crew_line(self, index: int, serial: int = SERIAL1) -> CrewLine:
        instance = self._instances[index]
        timeout_s = CREW_TIMEOUT_S * max(1.0, self._speedup)
        return CrewLine(instance.lease.port + serial, instance.drone.sysid, timeout_s)

    def _arguments(self, instance: _Instance, defaults: Sequence[Path]) -> list[str]:
        lat_deg, lon_deg, amsl_m = instance.home
        clock = instance.clock
        return [
            "--model",
            "+",
            "--home",
            f"{lat_deg:.8f},{lon_deg:.8f},{amsl_m:.2f},{instance.heading_deg:g}",
            "--speedup",
            f"{self._speedup:g}",
            "--defaults",
            ",".join(str(path) for path in defaults),
            "-I",
            str(instance.lease.instance),
            "--sysid",
            str(instance.drone.sysid),
            *(("--serial5", f"udpclient:127.0.0.1:{clock.port}") if clock else ()),
        ]

    def _write_defaults(self, instance: _Instance) -> list[Path]:
        """Give the parameter files, the binary's own first, the last of them ours."""
        first = self._found.defaults
        if first is None:
            first = instance.directory / "copter.parm"
            first.write_text(own_defaults("copter.parm"), encoding="utf-8")
        ours = instance.directory / "skymist.parm"
        lines = [own_defaults("sprayer.parm")]
        params = {"BATT_CAPACITY": capacity_mah(instance.drone.model), **self._params}
        if instance.clock is not None:
            params["SERIAL5_PROTOCOL"] = _MAVLINK2
        lines += [f"{name} {value:g}" for name, value in params.items()]
        ours.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [first, ours]

    async def _start(self, instance: _Instance, *, wipe: bool = True) -> None:
        instance.directory = self.directory / f"{instance.drone.id}-{instance.lease.instance}"
        instance.directory.mkdir(parents=True, exist_ok=True)
        if wipe:
            # In place of --wipe, which a reboot over MAVLink would apply again.
            (instance.directory / "eeprom.bin").unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        if instance.clock is None and isinstance(loop, ScaledLoop):
            instance.clock = await VehicleClock.start(loop, instance.drone.sysid)
        defaults = self._write_defaults(instance)
        instance.log_file = instance.log_path.open("wb")
        instance.process = await asyncio.create_subprocess_exec(
            *_DEAF_TO_CTRL_C,
            str(self._binary),
            *self._arguments(instance, defaults),
            cwd=instance.directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=instance.log_file,
            stderr=asyncio.subprocess.STDOUT,
        )
        log.info(
            "simulator started",
            extra={"drone": instance.drone.id, "pid": instance.process.pid},
        )

    async def _wait_ready(self, instance: _Instance) -> None:
        """Wait, in seconds of the wall clock, until the process listens."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while _READY not in instance.log_path.read_bytes():
            process = instance.process
            if process is None or process.returncode is not None:
                raise SimulatorFailed("arducopter ended at once", instance.last_words())
            if time.monotonic() > deadline_s:
                what = f"arducopter did not listen within {START_TIMEOUT_S:g} s"
                raise SimulatorFailed(what, instance.last_words())
            await asyncio.sleep(0.05 * max(1.0, self._speedup))

    async def _stop_all(self, *, keep: bool) -> None:
        for flood in self._floods.values():
            flood.cancel()
        for pipe in self._pipes:
            pipe.close()
        for instance in self._instances:
            await self._stop(instance)
            if instance.clock is not None:
                instance.clock.close()
            instance.lease.close()
        self._instances.clear()
        if not keep and not self._deaths:
            shutil.rmtree(self.directory, ignore_errors=True)

    async def _stop(self, instance: _Instance) -> None:
        process = instance.process
        if process is not None and process.returncode is not None:
            self._take_note(instance, process.returncode)
        elif process is not None:
            if instance.clock is not None and instance.clock.stands_still:
                self._blame(instance, "stands still")
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S * max(1.0, self._speedup))
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        instance.process = None
        if instance.clock is not None:
            instance.clock.forget()
        if instance.log_file is not None:
            instance.log_file.close()
            instance.log_file = None

    def _take_note(self, instance: _Instance, code: int) -> None:
        """A process that nobody ended is gone."""
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        self._blame(instance, f"ended by itself, {how}")

    def _blame(self, instance: _Instance, what: str) -> None:
        death = SimulatorFailed(f"arducopter of {instance.drone.id} {what}", instance.last_words())
        log.error(str(death))
        self._deaths.append(death)
