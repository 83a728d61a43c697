"""May this vehicle fly this mission: what a careful pilot looks at, in plain words.

Nothing here arms. The vehicle ends in AUTO, since its own pre-arm checks depend on the mode. All
findings are gathered; the flight waits for those that block.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from skymist.flight.clock import now_s
from skymist.flight.errors import VehicleRefused, VehicleSilent
from skymist.flight.mavlink.hello import not_meant
from skymist.flight.mavlink.messages import (
    AutopilotVersion,
    Battery,
    CommandResult,
    EkfStatus,
    Gps,
    HomePosition,
    Position,
    Received,
    SysStatus,
    VehicleCommand,
)
from skymist.flight.protocols import driver
from skymist.flight.protocols.verify import Differences
from skymist.flight.safety.pump import PUMP_FUNCTION, SERVO_FUNCTIONS, pump_channel
from skymist.flight.safety.readiness import apart_m, off_pad, unready_in_auto

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.coverage.drones import Drone
    from skymist.flight.mavlink.channel import Peer
    from skymist.missions.items import Mission

PATIENCE_S = 60.0
"""ArduCopter is ready about 42 s after it was switched on."""

BATTERY_MIN_FRAC = 0.5
HOME_WITHIN_M = 20.0
OLDEST_VERSION = (4, 5)
LOW_SHARE = 0.75
"""A lithium cell is full at 4.2 V and empty at 3.3 V under load: a threshold below this share of
the present voltage does not protect the pack that is mounted. Proposal."""
CONTINUES = {0: "radio", 1: "ground station"}
"""FS_OPTIONS bits that let a mission in AUTO go on. Source: ArduCopter, FailsafeOption."""

M = TypeVar("M", bound=Received)


class Check(StrEnum):
    """What was looked at."""

    LINK = "link"
    FIRMWARE = "firmware"
    GPS = "gps"
    POSITION = "position"
    BATTERY = "battery"
    FAILSAFES = "failsafes"
    PAD = "pad"
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
    transfers: driver.Transfers | None = None,
) -> PreflightReport:
    """Everything that keeps a vehicle from flying a mission that was uploaded to it.

    Waits up to `patience_s` for what comes by itself: GPS, position, pre-arm checks. A vehicle
    that falls silent is a finding; a link that closes raises `LinkLost`. `transfers` are those of
    the upload: a fingerprint of what they verified spares reading it back again.
    """
    began_s = now_s()
    look = _Look(peer, mission, drone, began_s + patience_s, battery_min_frac)
    if transfers is not None:
        look.transfers = transfers
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
        self.transfers = driver.Transfers(peer)
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
        await self.at_failsafes()
        await self.at_home()
        await self.at_pad()
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
        if wrong := not_meant(self.peer):
            self.note(Check.FIRMWARE, wrong)
            return False
        if heartbeat.is_armed:
            self.note(Check.FIRMWARE, "the motors are armed already")
            return False
        self.version = await driver.ask(self.peer, AutopilotVersion)
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
        found = await driver.read_parameters(self.peer, ("spray_enable", *SERVO_FUNCTIONS))
        if found.get("spray_enable") != 1:
            self.note(Check.SPRAYER, f"SPRAY_ENABLE is {_shown(found.get('spray_enable'))}, not 1")
        if pump_channel(found) is None:
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
            self.differences = await self.transfers.recheck(self.mission)
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

    async def at_failsafes(self) -> None:
        """Would its battery bring it home, and its other failsafes too."""
        names = ("battery_low_mah", "battery_low_v", "fs_options")
        found = await driver.read_parameters(self.peer, names)
        low_mah, low_v = found.get("battery_low_mah", 0.0), found.get("battery_low_v", 0.0)
        status = self.peer.latest(SysStatus)
        volts_v = None if status is None else status.message.battery_v
        if not low_mah > 0 and not low_v > 0:
            text = "its battery failsafe never fires: BATT_LOW_MAH and BATT_LOW_VOLT are 0"
            self.note(Check.FAILSAFES, text)
        elif not low_mah > 0 and volts_v is not None and low_v < LOW_SHARE * volts_v:
            text = (
                f"its battery failsafe fires too late: BATT_LOW_VOLT {low_v:g} V on a battery "
                f"of {volts_v:.1f} V, wanted {LOW_SHARE * volts_v:.1f} V or more, or BATT_LOW_MAH"
            )
            self.note(Check.FAILSAFES, text)
        options = int(found.get("fs_options", 0.0))
        for bit, lost in CONTINUES.items():
            if options >> bit & 1:
                text = f"FS_OPTIONS bit {bit}: the mission goes on without its {lost}"
                self.note(Check.FAILSAFES, text, is_blocking=False)

    async def at_pad(self) -> None:
        """Does the drone itself stand on the pad that the mission was made for."""
        await self.sees(Position, lambda place: (place.lat_e7, place.lon_e7) != (0, 0))
        if reason := off_pad(self.peer, self.mission):
            self.note(Check.PAD, reason)

    async def at_home(self) -> None:
        """Is home set, and near the pad that the mission was made for."""
        home = await driver.ask(self.peer, HomePosition)
        # One that has just started, or was restarted unseen, sets it with its first fix.
        while home is None and now_s() < self.until_s:
            await asyncio.sleep(1.0)
            home = await driver.ask(self.peer, HomePosition)
        if home is None:
            self.note(Check.HOME, "home is not set")
            return
        pad = self.mission.items[0]
        away_m = apart_m((home.lat_e7, home.lon_e7), (pad.x_e7, pad.y_e7))
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
            patience_s = max(3.0, self.until_s - now_s())
            for reason in await unready_in_auto(self.peer, patience_s):
                self.note(Check.PREARM, reason)
            if off := await driver.checks_left_out(self.peer):
                text = f"its own checks before arming are switched off: {off}"
                self.note(Check.PREARM, text, is_blocking=False)
        except VehicleRefused as error:
            self.note(Check.PREARM, str(error))

    async def sees(self, kind: type[M], claim: Callable[[M], bool]) -> bool:
        """Wait, as long as patience lasts but 3 s at least, for a message that claims this."""
        latest = self.peer.latest(kind)
        if latest is not None and now_s() - latest.at_s < 3 and claim(latest.message):
            return True
        try:
            timeout_s = max(3.0, self.until_s - now_s())
            await self.peer.wait_for(kind, claim, timeout_s=timeout_s)
        except VehicleSilent:
            return False
        return True


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:g}"
