"""Drones that are in the air when an operation is taken up again: watched home, not commanded.

What they hold is compared with the mission that the record's plan compiles to. Where it is that
mission, they are seen home as by the program that launched them, interlock and all; where it is
another, the pump is commanded off and nothing else. Who calls them home is the operator (Ctrl-C),
their battery, or the clock, as in every flight.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from skymist.flight.conductor.conduct import fly_all, listen
from skymist.flight.conductor.drone_run import DroneRun, StartGate
from skymist.flight.conductor.phases import Phase
from skymist.flight.errors import FlightError, VehicleSilent
from skymist.flight.protocols import driver
from skymist.flight.safety.monitor import Alert, Severity, Tank
from skymist.flight.safety.pump import read_pump_servo
from skymist.flight.safety.traffic import Traffic
from skymist.missions.compile import compile_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from skymist.coverage.plan import Plan, Sortie
    from skymist.flight.conductor.conduct import StopButton
    from skymist.flight.conductor.crew import Crew
    from skymist.flight.conductor.sortie_run import SortieRun
    from skymist.flight.conductor.telling import Log
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.recording.record import Record


class HomeRun(DroneRun):
    """One drone that is in the air with the only sortie of its plan."""

    passes_ended: frozenset[int] = frozenset()
    tank_l: float | None = None

    async def _fly_all(self) -> None:
        (sortie,) = self.sorties
        try:
            await self._take_up(sortie)
        except FlightError as exc:
            self._fail(str(exc))
            return
        self._phases.to(Phase.DONE)

    async def _take_up(self, sortie: Sortie) -> None:
        if self.tank_l is not None:
            self._tank = Tank(litres_l=self.tank_l)
        run = self._begun(sortie)
        run.take_up(self.passes_ended)
        self._told.sortie(sortie, "flying", "found in the air, watched home")

        async def work() -> None:
            await driver.request_streams(self._peer)
            self._watch.set_servo(await read_pump_servo(self._peer))
            await self._compare(run)

        await self._see_home(run, work)

    async def _compare(self, run: SortieRun) -> None:
        """Ask what it holds; doubt is told, and then its pump may run nowhere."""
        try:
            differences = await driver.verify(self._peer, run.job.mission)
        except FlightError as exc:
            reason = f"could not be asked what it holds ({exc})"
        else:
            if differences.is_same:
                text = f"holds the mission of {run.job.sortie.id}, as the record has it"
                self._told.alert(Alert(severity=Severity.INFO, code="mission_held", text=text))
                return
            reason = f"holds another mission than the record's, first: {differences.items[0]}"
        run.oversight.distrust()
        text = f"{reason}; its pump is commanded off, and it is left to its own way home"
        self._told.alert(Alert(severity=Severity.ERROR, code="mission_unknown", text=text))


async def watch_home(
    in_air: Iterable[str],
    record: Record,
    peers: Mapping[str, Peer],
    *,
    crew: Crew,
    told: Log,
    stop: StopButton,
) -> None:
    """See these drones down, whose flights the record began.

    Raises
    ------
    FlightError
        One is armed and the record knows of no flight of it, or it was not seen to land.
    """
    runs = []
    for drone_id in in_air:
        plan = plan_in_air(record, drone_id)
        drone = next(d for d in plan.site.fleet if d.id == drone_id)
        run = HomeRun(
            drone,
            peers[drone_id],
            plan,
            compile_plan(plan),
            crew=crew,
            log_=told,
            gate=StartGate(1),
            traffic=Traffic((), plan.site.policy.separation_m),
            arm=True,
        )
        run.passes_ended = frozenset(
            event["pass_index"]
            for event in record.of("pass")
            if event["sortie_id"] == plan.sorties[0].id and event["state"] == "ended"
        )
        tanks = [e["tank_l"] for e in record.of("track") if e["drone_id"] == drone_id]
        run.tank_l = float(tanks[-1]) if tanks else None
        runs.append(run)
    await fly_all(runs, [listen(runs, stop, told)])
    for run in runs:
        if run.phase is not Phase.DONE:
            text = f"{run.drone.id} was not seen to land: {run.report.error}; nothing new is begun"
            raise VehicleSilent(text, sysid=run.drone.sysid)


def plan_in_air(record: Record, drone_id: str) -> Plan:
    """The plan with the one sortie that a drone flew when the record ended."""
    told = [e["sortie_id"] for e in record.of("sortie") if e["drone_id"] == drone_id]
    whole = record.whole_plan()
    flown = [sortie for sortie in whole.sorties if told and sortie.id == told[-1]]
    if not flown:
        raise FlightError(f"{drone_id}: is armed, and the record knows of no flight of it; land it")
    return replace(whole, sorties=tuple(flown))
