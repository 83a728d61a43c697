"""One operation from links to a closed record: what `fly` and `rehearse` share.

Opens a channel on every link, writes the header, listens for Ctrl-C, and conducts.
"""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.conductor.conduct import Outcome, StopButton, conduct
from skymist.flight.conductor.interrupts import on_interrupt
from skymist.flight.errors import FlightError
from skymist.flight.mavlink.channel import OUR_SYSID, Channel
from skymist.flight.mavlink.hello import require_all_meant
from skymist.flight.mavlink.wiring import PLAIN, Wiring
from skymist.flight.recording.record import SCHEMA
from skymist.flight.recording.recorder import Recorder
from skymist.missions.compile import compile_plan
from skymist.missions.plans import plan_to_dict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from skymist.coverage.drones import Drone
    from skymist.coverage.plan import Plan
    from skymist.flight.conductor.crew import Crew
    from skymist.flight.conductor.orders import OrderDesk
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.mavlink.links import Link
    from skymist.flight.terminal.display import Display

log = logging.getLogger(__name__)

OTHERS = "other-stations"
_MARKS = {0xFD: 5, 0xFE: 3}
"""First byte of a frame, and where its system id stands: MAVLink 2 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the header says of how it was flown; `sim` is None on real drones.

    `connections` are those of the command line, by drone: what is taken up again begins with them.
    `clock_s` gives the local time of day; a rehearsal has that of its plan. `policy` is what the
    site's policy packs said of it.
    """

    started_utc: datetime
    sim: str | None = None
    speedup: float | None = None
    has_tlog: bool = True
    connections: Mapping[str, str] = field(default_factory=dict)
    clock_s: Callable[[], float] | None = None
    policy: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_rehearsal(self) -> bool:
        """Whether the drones are simulated."""
        return self.sim is not None

    @property
    def is_instant(self) -> bool:
        """Whether simulated time runs as fast as the machine can."""
        return self.sim == "embedded" and self.speedup is None

    def told(self) -> dict[str, object]:
        """The fields of a record's header, or of a later part's."""
        return {
            "started_utc": self.started_utc.isoformat(timespec="seconds"),
            "is_rehearsal": self.is_rehearsal,
            "sim": self.sim,
            "speedup": self.speedup,
            "software": software(),
            "connections": dict(self.connections),
            **({"policy": dict(self.policy)} if self.policy else {}),
        }


def software() -> str:
    """Name and version of this program."""
    try:
        return f"skymist {version('skymist')}"
    except PackageNotFoundError:
        return "skymist"


def write_header(record: Recorder, plan: Plan, setting: Setting) -> None:
    """The record's first line."""
    record.write("header", schema=SCHEMA, **setting.told(), plan=plan_to_dict(plan))


def tap_into(record: Recorder, drones: Mapping[int, str]) -> Callable[[float, bytes], None]:
    """What a channel hands its raw frames to: each drone's own file, ours into all of them.

    What strangers on the port say goes to one file of its own, however many they are.
    """

    def tap(at_s: float, frame: bytes) -> None:
        place = _MARKS.get(frame[0]) if frame else None
        sysid = frame[place] if place is not None and len(frame) > place else -1
        if sysid in drones:
            record.raw(drones[sysid], frame, at_s)
        elif sysid == OUR_SYSID:
            for drone_id in drones.values():
                record.raw(drone_id, frame, at_s)
        else:
            record.raw(OTHERS, frame, at_s)

    return tap


@asynccontextmanager
async def connected(
    links: Mapping[str, Link], fleet: Mapping[str, Drone], record: Recorder, wiring: Wiring
) -> AsyncIterator[dict[str, Peer]]:
    """The vehicle of every drone, over a channel on its link; every frame goes into the record."""
    async with AsyncExitStack() as stack:
        forwards = await stack.enter_async_context(wiring.forwards())
        channels: dict[int, Channel] = {}
        peers: dict[str, Peer] = {}
        for drone_id, link in links.items():
            if id(link) not in channels:
                sharing = {fleet[d].sysid: d for d, other in links.items() if other is link}
                channel = Channel(link, tap=tap_into(record, sharing), forwards=forwards)
                channels[id(link)] = await stack.enter_async_context(channel)
            peers[drone_id] = channels[id(link)].vehicle(fleet[drone_id].sysid)
            if wiring.keys is not None:
                peers[drone_id].seal = wiring.keys.seal(drone_id)
        yield peers


async def operate(
    plan: Plan,
    links: Mapping[str, Link],
    folder: Path,
    *,
    crew: Crew,
    display: Display,
    arm: bool,
    setting: Setting,
    wiring: Wiring = PLAIN,
    desk: OrderDesk | None = None,
    wind_mps: float | None = None,
) -> Outcome:
    """Fly the plan over these links (by drone id; one link may carry several drones).

    `wiring` says how links are signed, forwarded, and waited for when they break.

    Raises
    ------
    FlightError
        The record cannot be written.
    VehicleSilent
        A link carries nothing at all; nothing has been started then.
    VehicleRefused
        A vehicle answers with another system id than the fleet's, or is no ArduCopter.
    MissionError
        A sortie cannot be compiled.
    """
    missions = compile_plan(plan)
    fleet = {drone.id: drone for drone in plan.site.fleet}
    epoch_s = setting.started_utc.timestamp()
    live = not setting.is_instant
    with Recorder(folder, now_s, epoch_s=epoch_s, tlog=setting.has_tlog, is_live=live) as record:
        write_header(record, plan, setting)
        if record.failure:
            raise FlightError(f"nothing was started: {record.failure}")
        async with connected(links, fleet, record, wiring) as peers:
            try:
                await require_all_meant(fleet, peers, display)
            except FlightError as exc:
                record.write("end", outcome="aborted", text=str(exc))
                raise
            stop = StopButton()
            record.on_failure = stop.press
            with on_interrupt(stop.press):
                return await conduct(
                    plan,
                    missions,
                    peers,
                    crew=crew,
                    record=record,
                    display=display,
                    arm=arm,
                    stop=stop,
                    patience_s=wiring.patience_s,
                    desk=desk,
                    wind_mps=wind_mps,
                    clock_s=setting.clock_s,
                    thinks_beside=not setting.is_instant,
                )
