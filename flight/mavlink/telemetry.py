"""What a vehicle has said of itself, each part with its time: `state = fold(state, message, now)`.

Evidence has an age: `is_fresh` is asked before a part is relied on, and what was never heard is
None. No I/O and no clock; monitors and the interlock read the state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from skymist.coverage.frames import Geo
from skymist.flight.mavlink import messages
from skymist.flight.mavlink.messages import CopterMode, EkfFlag, MissionState

if TYPE_CHECKING:
    from skymist.coverage.frames import Origin

AUTO = CopterMode.AUTO
MAX_TEXTS = 20
PUMP_ON_FRAC = 0.02
"""Servo output above this share runs the pump; below is the jitter of the pulse's rounding."""

FENCED_S = 10.0
"""So long what it said of its fence counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something heard at `at_s` of the loop's clock."""

    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Heart(Evidence):
    """From HEARTBEAT. `mode` is None for a number that ArduCopter does not use."""

    mode: CopterMode | None
    custom_mode: int
    is_armed: bool
    system_status: int

    @property
    def mode_name(self) -> str:
        """The mode as ArduPilot names it, or its number."""
        return str(self.custom_mode) if self.mode is None else self.mode.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Evidence):
    """From GLOBAL_POSITION_INT."""

    lat_e7: int
    lon_e7: int
    above_home_m: float
    speed_mps: float
    climb_mps: float
    heading_deg: float | None
    east_mps: float = 0.0
    north_mps: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Evidence):
    """From MISSION_CURRENT; `since_s` is when this item's number was first heard."""

    seq: int
    mission_state: MissionState
    since_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpOutput(Evidence):
    """From SERVO_OUTPUT_RAW; `on_since_s` is when it was first heard running, or inf."""

    frac: float
    pulse_us: int
    on_since_s: float

    @property
    def is_on(self) -> bool:
        """Whether the pump runs."""
        return self.frac > PUMP_ON_FRAC


@dataclass(frozen=True, slots=True, kw_only=True)
class Power(Evidence):
    """From BATTERY_STATUS and SYS_STATUS, the flight battery."""

    frac: float | None
    volts_v: float | None
    is_critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix(Evidence):
    """From GPS_RAW_INT."""

    has_fix: bool
    fix_type: int
    num_satellites: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Evidence):
    """From EKF_STATUS_REPORT."""

    flags: EkfFlag
    has_absolute_position: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks(Evidence):
    """From SYS_STATUS: whether the pre-arm checks of the present mode pass."""

    is_prearm_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wind(Evidence):
    """From WIND."""

    from_deg: float
    speed_mps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence(Evidence):
    """From FENCE_STATUS."""

    is_breached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Evidence):
    """From STATUSTEXT; severity 0 emergency to 7 debug."""

    severity: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpServo:
    """Which servo output drives the pump (from 1), and its pulses at rest and at full."""

    channel: int = 9
    off_us: int = 1100
    full_us: int = 1900

    def frac(self, pulse_us: int) -> float:
        """Share of full output, 0 to 1; no pulse is no output."""
        if pulse_us == 0 or self.full_us == self.off_us:
            return 0.0
        return min(1.0, max(0.0, (pulse_us - self.off_us) / (self.full_us - self.off_us)))


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState:
    """All that is known of one vehicle; every part is None until it was heard."""

    servo: PumpServo = PumpServo()
    heard_s: float | None = None
    heart: Heart | None = None
    position: Place | None = None
    progress: Progress | None = None
    pump: PumpOutput | None = None
    power: Power | None = None
    fix: Fix | None = None
    estimate: Estimate | None = None
    checks: Checks | None = None
    wind: Wind | None = None
    fence: Fence | None = None
    texts: tuple[Text, ...] = ()

    @property
    def is_armed(self) -> bool:
        """Whether it last said that its motors are armed."""
        return self.heart is not None and self.heart.is_armed

    @property
    def mode_name(self) -> str:
        """Its mode, or an empty text before the first heartbeat."""
        return "" if self.heart is None else self.heart.mode_name

    @property
    def is_auto(self) -> bool:
        """Whether it last said that it flies its mission."""
        return self.heart is not None and self.heart.mode is AUTO

    def local(self, origin: Origin) -> tuple[float, float]:
        """Metres east and north of `origin`; NaN before the first position."""
        if self.position is None:
            return math.nan, math.nan
        return _local(origin, self.position.lat_e7, self.position.lon_e7)


@lru_cache(maxsize=256)
def _local(origin: Origin, lat_e7: int, lon_e7: int) -> tuple[float, float]:
    """One conversion for each position, however many ask for it."""
    x, y, _ = origin.enu(Geo(lat_deg=lat_e7 / 1e7, lon_deg=lon_e7 / 1e7))
    return x, y


def is_fresh(evidence: Evidence | None, now_s: float, max_age_s: float) -> bool:
    """Whether something was heard at all, and at most `max_age_s` ago."""
    return evidence is not None and now_s - evidence.at_s <= max_age_s


def fold(state: VehicleState, message: object, now_s: float) -> VehicleState:
    """The state after a message; what says nothing of the vehicle's state changes `heard_s` alone.

    Parameters
    ----------
    state
        What was known.
    message
        A value of `skymist.flight.mavlink.messages`.
    now_s
        When it came, on the loop's clock.
    """
    match message:
        case messages.Position():
            return replace(state, heard_s=now_s, position=_place(message, now_s))
        case messages.ServoOutput():
            return replace(state, heard_s=now_s, pump=_pump(state, message, now_s))
        case messages.Heartbeat():
            return replace(state, heard_s=now_s, heart=_heart(message, now_s))
        case messages.MissionCurrent():
            return replace(state, heard_s=now_s, progress=_progress(state, message, now_s))
        case messages.SysStatus():
            return _fold_sys_status(state, message, now_s)
        case messages.Battery(index=0):
            return replace(state, heard_s=now_s, power=_power(message, now_s))
        case messages.Gps():
            fix = Fix(
                at_s=now_s,
                has_fix=message.has_fix,
                fix_type=message.fix_type,
                num_satellites=message.num_satellites,
            )
            return replace(state, heard_s=now_s, fix=fix)
        case messages.EkfStatus():
            has_position = message.has_absolute_position
            estimate = Estimate(at_s=now_s, flags=message.flags, has_absolute_position=has_position)
            return replace(state, heard_s=now_s, estimate=estimate)
        case messages.Wind():
            wind = Wind(at_s=now_s, from_deg=message.from_deg, speed_mps=message.speed_mps)
            return replace(state, heard_s=now_s, wind=wind)
        case messages.FenceStatus():
            fence = Fence(at_s=now_s, is_breached=message.is_breached)
            return replace(state, heard_s=now_s, fence=fence)
        case messages.StatusText():
            text = Text(at_s=now_s, severity=message.severity, text=message.text)
            return replace(state, heard_s=now_s, texts=(*state.texts, text)[-MAX_TEXTS:])
    return replace(state, heard_s=now_s)


def _place(message: messages.Position, now_s: float) -> Place:
    return Place(
        at_s=now_s,
        lat_e7=message.lat_e7,
        lon_e7=message.lon_e7,
        above_home_m=message.above_home_m,
        speed_mps=math.hypot(message.north_mps, message.east_mps),
        climb_mps=-message.down_mps,
        heading_deg=message.heading_deg,
        east_mps=message.east_mps,
        north_mps=message.north_mps,
    )


def _heart(message: messages.Heartbeat, now_s: float) -> Heart:
    return Heart(
        at_s=now_s,
        mode=message.mode,
        custom_mode=message.custom_mode,
        is_armed=message.is_armed,
        system_status=message.system_status,
    )


def _progress(state: VehicleState, message: messages.MissionCurrent, now_s: float) -> Progress:
    known = state.progress
    is_same = known is not None and known.seq == message.seq
    since_s = known.since_s if is_same and known is not None else now_s
    return Progress(at_s=now_s, seq=message.seq, mission_state=message.state, since_s=since_s)


def _pump(state: VehicleState, message: messages.ServoOutput, now_s: float) -> PumpOutput | None:
    """The pump's output; what was known stays where the message is of other outputs."""
    index = state.servo.channel - 1
    if message.port != 0 or not 0 <= index < len(message.pulse_us):
        return state.pump
    pulse_us = message.pulse_us[index]
    frac = state.servo.frac(pulse_us)
    since_s = math.inf
    if frac > PUMP_ON_FRAC:
        known = state.pump
        since_s = known.on_since_s if known is not None and known.is_on else now_s
    return PumpOutput(at_s=now_s, frac=frac, pulse_us=pulse_us, on_since_s=since_s)


def _power(message: messages.Battery, now_s: float) -> Power:
    return Power(
        at_s=now_s,
        frac=message.remaining_frac,
        volts_v=message.volts_v,
        is_critical=message.is_critical,
    )


def _fold_sys_status(
    state: VehicleState, message: messages.SysStatus, now_s: float
) -> VehicleState:
    """Checks and battery; the share left is kept where this message does not know it."""
    known = state.power
    frac = message.battery_frac
    power = Power(
        at_s=now_s,
        frac=frac if frac is not None else known.frac if known is not None else None,
        volts_v=message.battery_v,
        is_critical=known is not None and known.is_critical,
    )
    checks = Checks(at_s=now_s, is_prearm_good=message.is_prearm_good)
    return replace(state, heard_s=now_s, power=power, checks=checks)


def is_fenced(state: VehicleState, now_s: float) -> bool:
    """Whether it says, freshly, that it has breached its fence."""
    if state.fence is not None and state.fence.is_breached:
        return is_fresh(state.fence, now_s, FENCED_S)
    return any(
        "fence breached" in text.text and is_fresh(text, now_s, FENCED_S) for text in state.texts
    )
