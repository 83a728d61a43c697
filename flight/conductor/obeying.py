"""What each order does to the drones of an operation, and what came of it, for the record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.conductor.halt import OPERATOR
from skymist.flight.conductor.orders import ASK_TWICE, Confirmation, Order, OrderDesk, Verb
from skymist.flight.conductor.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from skymist.coverage.plan import Plan
    from skymist.flight.conductor.drone_run import DroneRun
    from skymist.flight.conductor.telling import Log

ANSWER_S = 15.0
"""How long what an order asks for may take before its record says that it is still asked for."""
_LOOK_S = 0.25


async def obey_all(
    desk: OrderDesk,
    runs: Sequence[DroneRun],
    plan: Plan,
    told: Log,
    *,
    on_wind: Callable[[float], None] | None = None,
) -> None:
    """Take orders off the desk until cancelled; each is carried out beside the others."""
    obeyer = _Obeyer(runs, plan, told, on_wind)
    async with asyncio.TaskGroup() as group:
        while True:
            order = await desk.get()
            group.create_task(obeyer.obey(order), name=f"order {order}")


class _Obeyer:
    def __init__(
        self,
        runs: Sequence[DroneRun],
        plan: Plan,
        told: Log,
        on_wind: Callable[[float], None] | None,
    ) -> None:
        self._runs = {run.drone.id: run for run in runs}
        self._spots = {spot_id for s in plan.sorties for spot_id in s.spot_ids}
        self._told, self._stop, self._on_wind = told, Confirmation(), on_wind

    async def obey(self, order: Order) -> None:
        """Carry one order out, and put it into the record with its result."""
        given_s = self._told.record.elapsed_s
        results = await self._results(order)
        for drone_id, result in results.items():
            self._told.event(
                "order",
                verb=str(order.verb),
                target=order.target,
                by=order.by,
                given_s=round(given_s, 3),
                drone_id=drone_id,
                result=result,
            )

    async def _results(self, order: Order) -> dict[str, str]:
        """What came of it by drone; under an empty id where it is no drone's."""
        match order.verb:
            case Verb.SKIP:
                return self._skip(order.target)
            case Verb.STOP:
                if not self._stop.ask(now_s()):
                    return {"": ASK_TWICE}
            case Verb.WIND:
                if self._on_wind is None:
                    return {"": "refused: nobody watches the wind"}
                self._on_wind(float(order.target))
                return {"": "noted"}
        if order.target and order.target not in self._runs:
            return {"": f"refused: wanted one of {', '.join(self._runs)}"}
        runs = [self._runs[order.target]] if order.target else list(self._runs.values())
        results = await asyncio.gather(*(_tell(run, order) for run in runs))
        return {run.drone.id: result for run, result in zip(runs, results, strict=True)}

    def _skip(self, spot_id: str) -> dict[str, str]:
        if spot_id not in self._spots:
            return {"": f"refused: no sortie of this plan treats {spot_id!r}"}
        found = {d: run.skip_spot(spot_id) for d, run in self._runs.items()}
        told = {drone_id: result for drone_id, result in found.items() if result}
        return told or {"": "refused: it was flown already"}


async def _tell(run: DroneRun, order: Order) -> str:
    if run.phase in (Phase.DONE, Phase.FAILED):
        return "refused: its day is over"
    match order.verb:
        case Verb.PAUSE:
            return await _pause(run, order)
        case Verb.CONTINUE:
            return await _go_on(run)
        case Verb.HOME:
            return run.go_home(f"told to come home by {order.by}")
    run.stop_here()
    return "pump off; holds where it is" if run.phase.is_airborne else "takes off no more"


async def _pause(run: DroneRun, order: Order) -> str:
    phase = run.phase
    if phase in (Phase.RETURNING, Phase.PILOT, Phase.LOST, Phase.HOLDING):
        return f"refused: it is {phase}"
    run.halt(OPERATOR, f"paused by {order.by}")
    if not (phase is Phase.ARMED or phase.is_airborne):
        return "stays on its pad"
    await _until(lambda: run.phase is Phase.PAUSED or OPERATOR not in run.halts)
    return "stands still in the air, pump off" if run.phase is Phase.PAUSED else "asked for"


async def _go_on(run: DroneRun) -> str:
    if run.halts.is_stopped:
        return "refused: everything was stopped; it can come home"
    was = run.phase
    is_released = run.release(OPERATOR)
    if was is Phase.PAUSED:
        if run.halts:
            return f"still held: {run.halts.text}"
        await _until(lambda: run.phase is not Phase.PAUSED)
        return "flies on" if run.phase is not Phase.PAUSED else "asked for"
    if was in (Phase.PILOT, Phase.HOLDING):
        run.go_home("told to go on after its pilot", goes_on=True)
        return "comes home; its rest is flown anew from there"
    if run.tell_on("continue"):
        return "its rest is flown anew"
    return "no longer held" if is_released else "nothing to continue"


async def _until(claim: Callable[[], bool]) -> None:
    deadline_s = now_s() + ANSWER_S
    while not claim() and now_s() < deadline_s:
        await asyncio.sleep(_LOOK_S)
