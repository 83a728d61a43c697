"""Is what the vehicle holds what was compiled, item by item.

A read-back differs from what was sent in ways that mean nothing: ArduPilot keeps whole centimetres,
some parameters of some commands, and no frame for items without a place. Both sides are brought to
one form and then compared exactly. Source: ArduPilot AP_Mission.cpp (mavlink_int_to_mission_cmd,
mission_cmd_to_mavlink_int), MissionItemProtocol_Fence.cpp, MissionItemProtocol_Rally.cpp.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from skymist.flight.mavlink.messages import MissionKind
from skymist.missions.items import Command, FencePolygon, Frame, Item, Mission

KINDS = (MissionKind.MISSION, MissionKind.FENCE, MissionKind.RALLY)

_PLACED = frozenset(
    {
        Command.NAV_WAYPOINT,
        Command.NAV_LOITER_TIME,
        Command.NAV_LAND,
        Command.NAV_TAKEOFF,
        Command.DO_LAND_START,
        Command.NAV_RALLY_POINT,
        Command.FENCE_POLYGON_INCLUSION,
        Command.FENCE_POLYGON_EXCLUSION,
    }
)
_FENCE = frozenset({Command.FENCE_POLYGON_INCLUSION, Command.FENCE_POLYGON_EXCLUSION})
_INT_FRAMES = {5: 0, 6: 3, 11: 10}  # MAV_FRAME ..._INT mean the same as those without

_Form = dict[str, float | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field of one item that is not as compiled; `seq` -1 for the number of items."""

    kind: MissionKind
    seq: int
    field: str
    wanted: object
    found: object

    def __str__(self) -> str:
        """One line for a person."""
        place = f" item {self.seq}" if self.seq >= 0 else ""
        name = self.kind.name.lower()
        return f"{name}{place}: {self.field}: wanted {self.wanted}, found {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """All differences; none means that the vehicle holds exactly the compiled mission."""

    items: tuple[Difference, ...] = ()

    @property
    def is_same(self) -> bool:
        """True where nothing differs."""
        return not self.items

    def __str__(self) -> str:
        """A line for each."""
        return "\n".join(str(item) for item in self.items) or "no difference"


def list_of(mission: Mission, kind: MissionKind) -> tuple[Item, ...]:
    """The items of one of a mission's lists, as the vehicle is to hold them."""
    match kind:
        case MissionKind.MISSION:
            return mission.items
        case MissionKind.FENCE:
            return fence_items(mission.fence)
        case MissionKind.RALLY:
            return mission.rally
    raise ValueError(f"kind must be MISSION, FENCE or RALLY, got {kind.name}")


def uploaded_frac(mission: Mission, kind: MissionKind, num_done: int) -> float:
    """How much of all lists together the vehicle has, `num_done` items into this one: 0 to 1."""
    lists = {each: len(list_of(mission, each)) for each in KINDS}
    before = sum(lists[each] for each in KINDS[: KINDS.index(kind)])
    return (before + num_done) / max(1, sum(lists.values()))


def fence_items(fence: tuple[FencePolygon, ...]) -> tuple[Item, ...]:
    """A fence as items: one for each corner, with the number of corners in p1."""
    return tuple(
        Item(
            command=Command.FENCE_POLYGON_INCLUSION
            if polygon.is_inclusion
            else Command.FENCE_POLYGON_EXCLUSION,
            frame=Frame.GLOBAL,
            p1=float(len(polygon.corners_e7)),
            x_e7=lat_e7,
            y_e7=lon_e7,
        )
        for polygon in fence
        for lat_e7, lon_e7 in polygon.corners_e7
    )


def compare(kind: MissionKind, wanted: tuple[Item, ...], found: tuple[Item, ...]) -> Differences:
    """Every difference between a list as compiled and as read back; home is passed over."""
    out: list[Difference] = []
    if len(wanted) != len(found):
        out.append(
            Difference(kind=kind, seq=-1, field="count", wanted=len(wanted), found=len(found))
        )
    first = 1 if kind is MissionKind.MISSION else 0
    for seq in range(first, min(len(wanted), len(found))):
        is_uncut = _float32(found[seq].z_m) == _float32(wanted[seq].z_m)
        want, have = _as_kept(wanted[seq], is_sent=True), _as_kept(found[seq], is_sent=is_uncut)
        out += [
            Difference(kind=kind, seq=seq, field=name, wanted=want[name], found=have[name])
            for name in (want if want["command"] == have["command"] else ("command",))
            if want[name] != have[name]
        ]
    return Differences(items=tuple(out))


def join(*parts: Differences) -> Differences:
    """The differences of several lists as one."""
    return Differences(items=tuple(item for part in parts for item in part.items))


def _as_kept(item: Item, *, is_sent: bool) -> _Form:
    """One form for an item sent (a height not cut to centimetres yet) and one read back."""
    form: _Form = {"command": int(item.command), **_params_as_kept(item)}
    if item.command in _FENCE:
        return form | {"x_e7": item.x_e7, "y_e7": item.y_e7}
    if item.command not in _PLACED:
        return form
    frame = _INT_FRAMES.get(int(item.frame), int(item.frame))
    if frame == Frame.MISSION:
        frame = int(Frame.GLOBAL)
    form |= {"frame": frame, "x_e7": item.x_e7, "y_e7": item.y_e7}
    if item.command is Command.NAV_RALLY_POINT:
        return form | {"z_m": int(item.z_m)}
    cm = _float32(_float32(item.z_m) * 100.0)
    return form | {"z_cm": int(cm) if is_sent else round(cm)}


def _params_as_kept(item: Item) -> _Form:
    """The parameters that ArduPilot keeps of each command, as it keeps them."""
    p1, p2, p3, p4 = item.p1, item.p2, item.p3, item.p4
    match item.command:
        case Command.NAV_WAYPOINT | Command.NAV_TAKEOFF | Command.DO_SPRAYER:
            return {"p1": int(p1)}
        case Command.NAV_LOITER_TIME:
            return {"p1": int(p1), "p3": -1 if p3 < 0 else 1, "p4": int(p4 > 0)}
        case Command.NAV_LAND:
            return {"p1": int(p1), "p4": -1 if p4 < 0 else 1}
        case Command.NAV_RETURN_TO_LAUNCH | Command.DO_LAND_START | Command.NAV_RALLY_POINT:
            return {}
        case Command.NAV_DELAY:
            return {"p1": _float32(p1), "p2": int(p2), "p3": int(p3), "p4": int(p4)}
        case Command.CONDITION_DELAY | Command.CONDITION_DISTANCE:
            return {"p1": _float32(p1)}
        case Command.DO_CHANGE_SPEED:
            return {"p1": int(p1), "p2": _float32(p2), "p3": _float32(p3)}
        case Command.FENCE_POLYGON_INCLUSION | Command.FENCE_POLYGON_EXCLUSION:
            return {"p1": int(p1)}
    named = {"p1": p1, "p2": p2, "p3": p3, "p4": p4}
    return {name: _float32(value) for name, value in named.items()}


def _float32(value: float) -> float:
    """The nearest number that a 32-bit float holds; NaN as 0, as ArduPilot takes it."""
    if value != value:
        return 0.0
    return float(struct.unpack("<f", struct.pack("<f", value))[0])
