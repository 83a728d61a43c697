"""The parts of one copter, handed around together. It holds; others do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skymist.sitl.signing import Signing

if TYPE_CHECKING:
    from skymist.coverage.drones import DroneModel
    from skymist.sitl.air import Air
    from skymist.sitl.battery import Battery
    from skymist.sitl.fences import Fence
    from skymist.sitl.guidance import Guidance
    from skymist.sitl.params import Params
    from skymist.sitl.sprayer import SprayControl, Tank
    from skymist.sitl.state import Grid, State
    from skymist.sitl.stores import MissionStore, PieceStore


@dataclass(slots=True, kw_only=True)
class Faults:
    """What is broken. Set a field to break it, set it back to mend it.

    `pump_stuck_frac` holds the pump's servo at an opening, whatever is commanded; `None` is
    free. `battery_drop_v` takes so much off the voltage, `battery_lost_frac` so much of the
    capacity at once. `link_silent` drops every byte both ways. `texts_per_s` STATUSTEXTs are said.
    """

    gps_lost: bool = False
    rc_lost: bool = False
    motor_failed: bool = False
    link_silent: bool = False
    pump_stuck_frac: float | None = None
    tank_leak_lps: float = 0.0
    battery_drop_v: float = 0.0
    battery_lost_frac: float = 0.0
    wind_mps: float = 0.0
    wind_toward_rad: float = 0.0
    texts_per_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Machine:
    """One copter's parts; `has_files` says whether its board speaks MAVFTP."""

    model: DroneModel
    params: Params
    state: State
    grid: Grid
    guidance: Guidance
    mission: MissionStore
    fence_store: PieceStore
    rally: PieceStore
    fence: Fence
    sprayer: SprayControl
    tank: Tank
    battery: Battery
    air: Air
    has_files: bool = True
    signing: Signing = field(default_factory=Signing)
    faults: Faults = field(default_factory=Faults)
    reached: list[int] = field(default_factory=list)
    has_new_current: bool = False
    has_new_home: bool = False
