from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skymist.coverage.site import Policy
from skymist.flight.conductor.conduct import Outcome, Result, StopButton, conduct
from skymist.flight.conductor.crew import AskingCrew, Load
from skymist.flight.conductor.drone_run import DroneReport, StartGate
from skymist.flight.conductor.interrupts import on_interrupt
from skymist.flight.conductor.operation import tap_into
from skymist.flight.conductor.telling import DroneLog, Log, Skipped
from skymist.flight.errors import FlightError
from skymist.flight.recording.record import read_record
from skymist.flight.recording.recorder import Recorder
from skymist.flight.terminal.display import Silent
from skymist.sitl.loops import VirtualLoop, run


def test_the_gate_opens_when_the_last_is_ready_or_out() -> None:
    async def main() -> list[float]:
        loop, gate = asyncio.get_running_loop(), StartGate(3)
        for at_s in (1.0, 5.0, 3.0):
            loop.call_later(at_s, gate.pass_by)
        starts = await asyncio.gather(gate.opened(), gate.opened())
        gate.pass_by()  # one too many changes nothing
        return [*starts, await gate.opened()]

    assert run(main(), loop=VirtualLoop()) == pytest.approx([5.0] * 3, abs=0.001)


def test_the_first_ctrl_c_asks_and_the_second_cancels() -> None:
    pressed: list[bool] = []

    async def main() -> None:
        stop = StopButton()
        with on_interrupt(stop.press):
            os.kill(os.getpid(), signal.SIGINT)
            await stop.pressed()
            pressed.append(stop.is_pressed)
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(5.0)
            pressed.append(False)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert pressed == [True]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_plan_for_which_nothing_is_connected_is_all_skipped(
    tmp_path: Path, small_plan: Callable[[], object]
) -> None:
    async def main() -> Outcome:
        with Recorder(tmp_path, asyncio.get_running_loop().time) as record:
            return await conduct(
                small_plan(),  # type: ignore[arg-type]
                {},
                {},
                crew=AskingCrew(),
                record=record,
                display=Silent(),
                arm=True,
            )

    outcome = run(main(), loop=VirtualLoop())
    assert outcome.result is Result.INCOMPLETE
    assert [one.reason for one in outcome.skipped] == ["drone d1 is not connected"]
    events = read_record(tmp_path).events
    assert [e["event"] for e in events] == ["skipped", "end"]


@pytest.fixture
def small_plan() -> Callable[[], object]:
    """A thing with the parts of a plan that `conduct` asks for, and one sortie."""

    class Sortie:
        id, drone_id, spot_ids = "d1-01", "d1", ("yard",)

    class Site:
        fleet, policy = (), Policy()

    class Plan:
        site, sorties = Site(), (Sortie(),)

    return Plan


def test_an_outcome_adds_its_drones_up() -> None:
    reports = tuple(
        DroneReport(drone_id=d, num_sorties=3, num_flown=n, litres_l=1.5, is_link_lost=n == 1)
        for d, n in (("a", 3), ("b", 1))
    )
    outcome = Outcome(
        result=Result.INCOMPLETE,
        text="",
        drones=reports,
        skipped=(),
        duration_s=1.0,
        is_armed=True,
    )
    assert (outcome.num_sorties, outcome.num_flown, outcome.litres_l) == (6, 4, 3.0)
    assert outcome.is_link_lost


def test_record_and_display_hear_the_same(tmp_path: Path) -> None:
    heard: list[tuple[str, dict[str, object]]] = []

    class Ear(Silent):
        def event(self, name: str, fields: object) -> None:
            heard.append((name, dict(fields)))  # type: ignore[call-overload]

    with Recorder(tmp_path, lambda: 0.0) as record:
        told = DroneLog(Log(record, Ear()), "d1")
        told.service("refill", 3.14159, 120.04)
        told.track(seq=1)
        told.log.skipped(Skipped(spot_id="s", sortie_id="d1-01", reason="why"))
    assert [name for name, _ in heard] == ["service", "skipped"]
    written = [
        {k: v for k, v in e.items() if k not in ("t_s", "event")}
        for e in read_record(tmp_path).of("service", "skipped")
    ]
    assert written == [fields for _, fields in heard]


def test_frames_go_to_the_drone_that_sent_them(tmp_path: Path) -> None:
    with Recorder(tmp_path, lambda: 0.0) as record:
        tap = tap_into(record, {1: "d1", 2: "d2"})
        tap(0.0, bytes([0xFD, 0, 0, 0, 0, 2, 1]))
        tap(0.0, bytes([0xFE, 0, 0, 1, 1]))
        tap(0.0, bytes([0xFD, 0, 0, 0, 0, 255, 190]))
    sizes = {path.name: path.stat().st_size for path in tmp_path.glob("*.tlog")}
    assert sizes == {"d1.tlog": (8 + 5) + (8 + 7), "d2.tlog": (8 + 7) + (8 + 7)}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes as standard input, POSIX only")
def test_the_crew_is_asked_and_the_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)

        async def main() -> int:
            crew, turns = AskingCrew(said.append), 0
            asking = asyncio.gather(
                crew.refill("d1", Load(litres_l=3.0, agent="chlorine")), crew.swap("d2")
            )
            for _ in range(3):
                await asyncio.sleep(0.01)
                turns += 1
            assert len(said) == 1  # one question at a time
            os.write(write_fd, b"\n")
            await asyncio.sleep(0.02)
            os.write(write_fd, b"\n")
            await asking
            os.close(write_fd)
            with pytest.raises(FlightError, match="standard input closed"):
                await crew.swap("d1")
            return turns

        assert asyncio.run(main()) == 3
    assert said[:2] == [
        "d1: add 3.0 L of chlorine, then press Enter",
        "d2: swap the battery, then press Enter",
    ]
