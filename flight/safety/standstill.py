"""Who stands still because of the weather or of another drone, and who comes home.

Too strong a wind turns every pump off at once and pauses the drones where they are; nothing takes
off. Where it does not pass within `BEAR_S` they come home. When it has been good for a while they
go on, and what was left dry is flown anew.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.conductor.halt import GAP
from skymist.flight.safety.gaps import to_hold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skymist.flight.conductor.drone_run import DroneRun
    from skymist.flight.conductor.telling import Log
    from skymist.flight.safety.weather import WindWatch

WEATHER = "weather"
LOOK_S, GAP_LOOK_S = 1.0, 0.5
BEAR_S = 45.0
"""So long drones wait in the air for a gust to pass. Proposal."""


async def mind_weather(runs: Sequence[DroneRun], watch: WindWatch, told: Log) -> None:
    """Watch the wind until cancelled."""
    was, since_s = "", 0.0
    while True:
        for run in runs:
            wind = run.wind
            if wind is not None:
                watch.hear(run.drone.id, wind.speed_mps, wind.at_s)
        reason = watch.judge(now_s())
        if reason and not was:
            since_s = now_s()
            told.event("weather", state="stop", text=f"{reason}: nothing is sprayed")
        if was and not reason:
            told.event("weather", state="go", text="the wind is good again")
        was = reason
        for run in runs:
            _mind(run, reason, is_borne=now_s() - since_s < BEAR_S)
        await asyncio.sleep(LOOK_S)


def _mind(run: DroneRun, reason: str, *, is_borne: bool) -> None:
    if not reason:
        if WEATHER in run.halts:
            run.release(WEATHER)
        return
    if WEATHER not in run.halts:
        run.halt(WEATHER, reason)
    if not is_borne:
        run.wait_at_home(reason)


async def mind_gaps(runs: Sequence[DroneRun], separation_m: float) -> None:
    """Keep drones in the air apart until cancelled; with one drone there is nothing to do."""
    if len(runs) < 2:
        return
    while True:
        movers = {run.drone.id: run.mover for run in runs}
        held = to_hold([mover for mover in movers.values() if mover is not None], separation_m)
        for run in runs:
            because = held.get(run.drone.id)
            if because is not None and GAP not in run.halts:
                run.halt(GAP, f"{because} is in its way")
            elif because is None and GAP in run.halts:
                run.release(GAP)
        await asyncio.sleep(GAP_LOOK_S)
