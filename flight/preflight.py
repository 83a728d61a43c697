"""May this vehicle fly this mission: what a careful pilot looks at, in plain words.

Nothing here arms. The vehicle ends in AUTO, since its own pre-arm checks depend on the mode. All
findings are gathered; the flight waits for those that block.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from skymist.coverage.frames import Geo, Origin
from skymist.flight import driver
from skymist.flight.clock import now_s
from skymist.flight.errors import VehicleRefused, VehicleSilent
from skymist.flight.messages import (
    AutopilotVersion,
    Battery,
    CommandResult,
    CopterMode,
    EkfStatus,
    Gps,
    HomePosition,
    Received,
    StatusText,
    SysStatus,
    VehicleCommand,
)
from skymist.flight.readers import MESSAGE_IDS
from skymist.flight.verify import Differences

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.coverage.drones import Drone
    from skymist.flight.channel import Peer
    from skymist.missions.items import Mission

PATIENCE_S = 60.0
"""ArduCopter is ready about 42 s after it was switched on."""

BATTERY_MIN_FRAC = 0.5
HOME_WITHIN_M = 20.0
OLDEST_VERSION = (4, 5)
PUMP_FUNCTION = 22
_REASONS_S = 2.0

M = TypeVar("M", bound=Received)

_ARDUPILOT = 3
_MULTIROTORS = {2: "quad", 13: "hexa", 14: "octo", 15: "tri", 29: "dodeca", 35: "deca"}
_SERVOS = tuple(f"servo{n}_function" for n in range(1, 17))


class Check(StrEnum):
    """What was looked at."""

    LINK = "link"
    FIRMWARE = "firmware"
    GPS = "gps"
    POSITION = "position"
    BATTERY = "battery"
    HOME = "home"
    SPRAYER = "sprayer"
    PARAMETERS = "parameters"
    MISSION = "mission"
    PREARM = "prearm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something not as it should be; what blocks must be mended before the motors are armed."""

    check: Check
    text: str
    is_blocking: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightReport:
    """All findings, and what was read on the way; `differences` None where it was not read."""

    sysid: int
    findings: tuple[Finding, ...]
    differences: Differences | None = None
    parameters: driver.ParameterReport | None = None
    version: AutopilotVersion | None = None
    battery_frac: float | None = None
    waited_s: float = 0.0

    @property
    def is_ready(self) -> bool:
        """True where nothing blocks."""
        return not any(finding.is_blocking for finding in self.findings)

    def summary(self) -> str:
        """A line for each finding."""
        lines = [f"{f.check}: {f.text}" for f in self.findings]
        return "\n".join(lines) or "ready"


async def preflight(
    peer: Peer,
    mission: Mission,
    drone: Drone,
    *,
    patience_s: float = PATIENCE_S,
    battery_min_frac: float = BATTERY_MIN_FRAC,
) -> PreflightReport:
    """Everything that keeps a vehicle from flying a mission that was uploaded to it.

    Waits up to `patience_s` for what comes by itself: GPS, position, pre-arm checks. A vehicle
    that falls silent is a finding; a link that closes raises `LinkLost`.
    """
    began_s = now_s()
    look = _Look(peer, mission, drone, began_s + patience_s, battery_min_frac)
    try:
        await look.at_all()
    except VehicleSilent as error:
        look.note(Check.LINK, str(error))
    return PreflightReport(
        sysid=peer.sysid,
        findings=tuple(look.findings),
        differences=look.differences,
        parameters=look.parameters,
        version=look.version,
        battery_frac=look.battery_frac,
        waited_s=now_s() - began_s,
    )


class _Look:
    """One preflight on its way: what was found so far."""

    def __init__(
        self, peer: Peer, mission: Mission, drone: Drone, until_s: float, battery_min_frac: float
    ) -> None:
        self.peer = peer
        self.mission = mission
        self.drone = drone
        self.until_s = until_s
        self.battery_min_frac = battery_min_frac
        self.findings: list[Finding] = []
        self.differences: Differences | None = None
        self.parameters: driver.ParameterReport | None = None
        self.version: AutopilotVersion | None = None
        self.battery_frac: float | None = None

    def note(self, check: Check, text: str, *, is_blocking: bool = True) -> None:
        """Add a finding."""
        self.findings.append(Finding(check=check, text=text, is_blocking=is_blocking))

    async def at_all(self) -> None:
        """Every check, the cheap and the telling first; a wrong vehicle is not asked further."""
        if not await self.at_firmware():
            return
        await driver.request_streams(self.peer)
        await self.at_sprayer()
        await self.at_parameters()
        await self.at_mission()
        await self.at_position()
        await self.at_battery()
        await self.at_home()
        await self.at_prearm()

    async def at_firmware(self) -> bool:
        """Is it a multirotor with ArduCopter, the one that was meant, on the ground."""
        heartbeat = await driver.wait_heartbeat(self.peer)
        if self.peer.sysid != self.drone.sysid:
            self.note(
                Check.FIRMWARE,
                f"drone {self.drone.id} has system id {self.drone.sysid}, "
                f"the vehicle on this link has {self.peer.sysid}",
            )
            return False
        is_multirotor = heartbeat.vehicle_type in _MULTIROTORS
        if heartbeat.autopilot != _ARDUPILOT or not is_multirotor:
            self.note(
                Check.FIRMWARE,
                f"wanted ArduCopter on a multirotor, found autopilot {heartbeat.autopilot}, "
                f"vehicle type {heartbeat.vehicle_type}",
            )
            return False
        if heartbeat.is_armed:
            self.note(Check.FIRMWARE, "the motors are armed already")
            return False
        self.version = await self.ask(AutopilotVersion)
        if self.version is None:
            self.note(Check.FIRMWARE, "does not tell its version", is_blocking=False)
        elif self.version.version[:2] < OLDEST_VERSION:
            found = ".".join(map(str, self.version.version[:3]))
            self.note(Check.FIRMWARE, f"wanted ArduCopter 4.5 or later, found {found}")
        return True

    async def at_sprayer(self) -> None:
        """Does it know what a sprayer is: the pump off must be accepted."""
        result = await driver.command(self.peer, VehicleCommand.DO_SPRAYER, 0)
        if result.result is CommandResult.UNSUPPORTED:
            self.note(Check.SPRAYER, "this firmware has no sprayer")
        elif not result.is_accepted:
            self.note(Check.SPRAYER, f"turning the pump off was not accepted: {result.reason}")
        found = await driver.read_parameters(self.peer, ("spray_enable", *_SERVOS))
        if found.get("spray_enable") != 1:
            self.note(Check.SPRAYER, f"SPRAY_ENABLE is {_shown(found.get('spray_enable'))}, not 1")
        if PUMP_FUNCTION not in (found.get(name) for name in _SERVOS):
            self.note(Check.SPRAYER, f"no servo output has function {PUMP_FUNCTION}, the pump")

    async def at_parameters(self) -> None:
        """Does it hold the parameters that the mission needs."""
        wanted = self.mission.parameters
        report = self.parameters = await driver.check_parameters(self.peer, wanted)
        for name in report.missing:
            self.note(Check.PARAMETERS, f"{name} is not known to this vehicle")
        for name in report.refused:
            found = _shown(report.after.get(name))
            self.note(Check.PARAMETERS, f"{name}: wanted {wanted[name]:g}, found {found}")

    async def at_mission(self) -> None:
        """Does it hold exactly the compiled mission, fence and rally points (P1)."""
        try:
            self.differences = await driver.verify(self.peer, self.mission)
        except VehicleRefused as error:
            self.note(Check.MISSION, str(error))
            return
        for difference in self.differences.items:
            self.note(Check.MISSION, str(difference))

    async def at_position(self) -> None:
        """Does it know where it is, by GPS and in its own estimate."""
        if not await self.sees(Gps, lambda gps: gps.has_fix):
            self.note(Check.GPS, "no three-dimensional GPS fix")
        if not await self.sees(EkfStatus, lambda ekf: ekf.has_absolute_position):
            self.note(Check.POSITION, "no estimate of its absolute position yet (EKF flag 16)")

    async def at_battery(self) -> None:
        """Is the battery full enough."""
        await self.sees(SysStatus, lambda status: True)
        battery = self.peer.latest(Battery)
        status = self.peer.latest(SysStatus)
        if battery is not None and battery.message.index == 0:
            self.battery_frac = battery.message.remaining_frac
        if self.battery_frac is None and status is not None:
            self.battery_frac = status.message.battery_frac
        if self.battery_frac is None:
            self.note(Check.BATTERY, "does not tell how full its battery is", is_blocking=False)
        elif not self.battery_frac >= self.battery_min_frac:
            self.note(
                Check.BATTERY,
                f"wanted {self.battery_min_frac:.0%} or more, found {self.battery_frac:.0%}",
            )

    async def at_home(self) -> None:
        """Is home set, and near the pad that the mission was made for."""
        home = await self.ask(HomePosition)
        if home is None:
            self.note(Check.HOME, "home is not set")
            return
        pad = self.mission.items[0]
        away_m = _apart_m((home.lat_e7, home.lon_e7), (pad.x_e7, pad.y_e7))
        if not away_m <= HOME_WITHIN_M:
            self.note(
                Check.HOME,
                f"home is {away_m:.0f} m from the pad, wanted {HOME_WITHIN_M:.0f} m or less",
            )

    async def at_prearm(self) -> None:
        """Do its own checks pass in AUTO; if not, have it name the reasons."""
        if any(f.is_blocking and f.check is Check.MISSION for f in self.findings):
            return  # AUTO is no place for a vehicle with another mission
        try:
            await driver.set_mode(self.peer, CopterMode.AUTO)
        except VehicleRefused as error:
            self.note(Check.PREARM, str(error))
            return
        if await self.sees(SysStatus, lambda status: status.is_prearm_good, is_new=True):
            return
        with self.peer.subscribe(StatusText) as texts:
            await driver.command(self.peer, VehicleCommand.RUN_PREARM_CHECKS)
            await asyncio.sleep(_REASONS_S)
            reasons: dict[str, None] = {}
            while (heard := texts.get_nowait()) is not None:
                if heard.message.text.startswith("PreArm: "):
                    reasons[heard.message.text.removeprefix("PreArm: ")] = None
        for reason in reasons or ("its checks do not pass, and it gives no reason",):
            self.note(Check.PREARM, reason)

    async def ask(self, kind: type[M]) -> M | None:
        """One message on request, None where the vehicle has none; three tries."""
        for _ in range(3):
            with self.peer.subscribe(kind) as inbox:
                result = await driver.command(
                    self.peer, VehicleCommand.REQUEST_MESSAGE, MESSAGE_IDS[kind]
                )
                if result.outcome is driver.Outcome.REFUSED:
                    return None
                try:
                    async with asyncio.timeout(1.0):
                        return (await inbox.get()).message
                except TimeoutError:
                    continue
        return None

    async def sees(
        self, kind: type[M], claim: Callable[[M], bool], *, is_new: bool = False
    ) -> bool:
        """Wait, as long as patience lasts but 3 s at least, for a message that claims this."""
        latest = self.peer.latest(kind)
        if (
            not is_new
            and latest is not None
            and now_s() - latest.at_s < 3
            and claim(latest.message)
        ):
            return True
        try:
            timeout_s = max(3.0, self.until_s - now_s())
            await self.peer.wait_for(kind, claim, timeout_s=timeout_s)
        except VehicleSilent:
            return False
        return True


def _apart_m(a_e7: tuple[int, int], b_e7: tuple[int, int]) -> float:
    """Metres between two places given as latitude and longitude."""
    origin = Origin(lat_deg=a_e7[0] / 1e7, lon_deg=a_e7[1] / 1e7)
    there = origin.enu(Geo(lat_deg=b_e7[0] / 1e7, lon_deg=b_e7[1] / 1e7))
    return math.hypot(there.x, there.y)


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:g}"
