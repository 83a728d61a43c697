"""Copters in a process of their own, and ground programs that can be killed beside them.

Both are forked from the test, with everything imported, and live by one simulated clock. They meet
over TCP; a second connection fills tanks and swaps batteries, as a person on the pad would.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

import numpy as np

from skymist.flight.commands.reaching import open_links
from skymist.flight.commands.rehearse import homes_of
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.recording.record import read_record
from skymist.flight.resuming.resume import Choice, resume
from skymist.flight.terminal.display import Silent
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import run
from tests.lockstep import GuestLoop, HostLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from skymist.coverage.plan import Plan
    from skymist.flight.conductor.crew import Load

_fork = multiprocessing.get_context("fork")
START_S = 30.0
KILLED_S = 120.0


def killer(pid: int, at_s: float, late_s: float) -> Callable[[float], None]:
    """What kills a process once a time has come."""

    def look(now_s: float) -> None:
        nonlocal pid
        if pid and now_s >= at_s:
            if late_s > 0:
                Timer(late_s, os.kill, (pid, signal.SIGKILL)).start()
            else:
                os.kill(pid, signal.SIGKILL)
            pid = 0

    return look


@dataclass(frozen=True)
class Airfield:
    """A process with copters: where each is reached, and where its pads are served."""

    plan: Plan
    clock_port: int
    connections: dict[str, str]
    pads_port: int
    process: BaseProcess

    def truths(self, folder: Path) -> dict[str, NDArray[np.float64]]:
        """By drone, rows of seconds, metres east, north and up of its pad, litres a second.

        Ends the process.
        """
        _asked(self.pads_port, {"do": "truth", "folder": str(folder)})
        self.process.join(START_S)
        return {d: np.load(folder / f"{d}.npy") for d in self.connections}

    def state(self) -> dict[str, Any]:
        """Now, and by drone whether it is armed and the litres that it has pumped."""
        found: dict[str, Any] = _asked(self.pads_port, {"do": "state"})
        return found

    def kill(self, program: BaseProcess, at_s: float, *, late_s: float = 0.0) -> None:
        """Have a ground program killed at a moment of the copters' clock, and wait for that.

        `late_s` of the wall clock later it is amid its work, and not waiting for its time.
        """
        order = {"do": "kill", "pid": program.pid, "at_s": at_s, "late_s": late_s}
        _asked(self.pads_port, order)
        program.join(KILLED_S)

    def tell(self, drone_id: str, **faults: object) -> None:
        """Set faults on a copter."""
        _asked(self.pads_port, {"do": "fault", "drone": drone_id, "faults": faults})


@contextmanager
def airfield(plan: Plan) -> Iterator[Airfield]:
    """Copters on the pads of a plan's drones, as long as the block lasts."""
    ours, theirs = _fork.Pipe()
    process = _fork.Process(target=_airfield, args=(plan, theirs))
    process.start()
    try:
        if not ours.poll(START_S):
            raise TimeoutError(f"no copters within {START_S:g} s")
        ports, pads_port, clock_port = ours.recv()
        connections = {d: f"tcp:127.0.0.1:{port}" for d, port in ports.items()}
        yield Airfield(plan, clock_port, connections, pads_port, process)
    finally:
        process.kill()
        process.join()


def _airfield(plan: Plan, pipe: Any) -> None:
    loop = HostLoop()
    run(_serve(plan, pipe, loop), loop=loop)


async def _serve(plan: Plan, pipe: Any, clock: HostLoop) -> None:
    drones, over = list(plan.site.fleet), asyncio.Event()
    async with EmbeddedFleet(drones, homes=homes_of(plan, drones), warm_boot=True) as fleet:
        copters = {d.id: fleet.copters[k] for k, d in enumerate(drones)}

        def answer(asked: dict[str, Any]) -> dict[str, Any]:
            match asked["do"]:
                case "fill":
                    copter = copters[asked["drone"]]
                    if asked["drain"]:
                        copter.drain()
                    copter.refill(asked["litres"])
                case "swap":
                    copters[asked["drone"]].swap_battery()
                case "fault":
                    for name, value in asked["faults"].items():
                        setattr(copters[asked["drone"]].faults, name, value)
                case "kill":
                    clock.on_time = killer(asked["pid"], asked["at_s"], asked["late_s"])
                case "state":
                    told: dict[str, Any] = {"now_s": clock.time()}
                    return told | {
                        d: {"armed": c.state.is_armed, "pumped_l": c.pumped_l, "tank_l": c.tank_l}
                        for d, c in copters.items()
                    }
                case "truth":
                    for drone_id, copter in copters.items():
                        rows = [(s.t_s, s.x, s.y, s.z, s.flow_lps) for s in copter.truth]
                        np.save(Path(asked["folder"]) / f"{drone_id}.npy", np.array(rows))
                    over.set()
            return {}

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = json.loads(await reader.readline())
            writer.write(json.dumps(answer(asked)).encode() + b"\n")
            await writer.drain()
            writer.close()

        pads = await asyncio.start_server(serve, "127.0.0.1", 0)
        ports = {d.id: await fleet.serve_tcp(k) for k, d in enumerate(drones)}
        pipe.send((ports, pads.sockets[0].getsockname()[1], clock.port))
        await over.wait()
        await asyncio.sleep(5.0)
        pads.close()


def _asked(port: int, question: dict[str, Any]) -> Any:
    async def ask() -> Any:
        return await _ask(port, question)

    return asyncio.run(ask())


async def _ask(port: int, question: dict[str, Any]) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(json.dumps(question).encode() + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    return answer


class PadCrew:
    """Serves the copters of an airfield, in as much time as the policy says."""

    def __init__(self, plan: Plan, port: int) -> None:
        self._policy, self._port = plan.site.policy, port

    async def refill(self, drone_id: str, load: Load) -> None:
        await asyncio.sleep(self._policy.refill_s)
        is_drained = load.into_empty or load.is_level
        asked = {"do": "fill", "drone": drone_id, "litres": load.litres_l, "drain": is_drained}
        await _ask(self._port, asked)

    async def swap(self, drone_id: str) -> None:
        await asyncio.sleep(self._policy.swap_s)
        await _ask(self._port, {"do": "swap", "drone": drone_id})

    async def left(self, drone_id: str, _reckoned_l: float, _tank_l: float) -> float | None:
        return float((await _ask(self._port, {"do": "state"}))[drone_id]["tank_l"])


def ground(
    field: Airfield,
    folder: Path,
    *,
    choice: Choice | None = None,
    without: tuple[str, ...] = (),
    arm: bool = True,
) -> BaseProcess:
    """A started ground program that flies the plan, or, with a choice, takes its record up."""
    process = _fork.Process(target=_ground, args=(field, folder, choice, without, arm))
    process.start()
    return process


def _ground(
    field: Airfield, folder: Path, choice: Choice | None, without: tuple[str, ...], arm: bool
) -> None:
    connections = {d: where for d, where in field.connections.items() if d not in without}
    setting = Setting(
        started_utc=datetime.now(UTC), sim="embedded", has_tlog=False, connections=connections
    )
    crew = PadCrew(field.plan, field.pads_port)

    async def work() -> None:
        links = await open_links(connections, patience_s=60.0)
        both: dict[str, Any] = {"crew": crew, "display": Silent(), "arm": arm, "setting": setting}
        if choice is None:
            await operate(field.plan, links, folder, **both)
        else:
            await resume(read_record(folder), links, choice=choice, **both)

    run(work(), loop=GuestLoop(field.clock_port))


def wait_until(claim: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Wait by the wall clock until a claim holds."""
    until_s = time.monotonic() + timeout_s
    while not claim():
        if time.monotonic() > until_s:
            raise TimeoutError(f"waited {timeout_s:g} s for {what}")
        time.sleep(0.02)
