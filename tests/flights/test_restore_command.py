"""`skymist restore`: a flight killed after it set parameters, and the drone as it was before."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import homes_of
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.links import open_link
from skymist.flight.protocols.parameter_setting import read_parameters
from skymist.flight.protocols.restore import left_changed
from skymist.flight.recording.record import BEFORE, RESTORED, SCHEMA, read_record
from skymist.flight.recording.recorder import Recorder
from skymist.missions.plans import plan_to_dict, write_plan
from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, run
from skymist.sitl.params import Firmware
from tests.flights.test_operations import MakePlan
from tests.flights.test_restoring import GENERATIONS, held, restoring
from tests.records import STARTED_UTC

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
Said = tuple[int, str, str]
TIMEOUT_S = 60.0


async def skymist(*words: object) -> Said:
    process = await _started(*words)
    out, err = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    return process.returncode or 0, out.decode(), err.decode()


async def _started(*words: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "skymist.flight.cli", *map(str, words)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def written(plan: Plan, folder: Path, *events: Mapping[str, Any], **header: object) -> Path:
    """A record of a flight that broke off after these events."""
    told = {"is_rehearsal": "sim" in header, "started_utc": STARTED_UTC, **header}
    with Recorder(folder, lambda: 0.0) as record:
        record.write("header", schema=SCHEMA, **told, plan=plan_to_dict(plan))
        for event in events:
            for name, fields in event.items():
                record.write(name, **fields)
    return folder


async def kill_amid(folder: Path, where: str, is_set: Callable[[], bool]) -> None:
    """`skymist fly`, ended by SIGKILL once it has set parameters."""
    drone = ("--drone", f"d1={where}")
    fly = await _started("fly", folder, *drone, "-o", folder / "record")
    async with asyncio.timeout(TIMEOUT_S):
        while not is_set():
            await asyncio.sleep(0.02)
    fly.send_signal(signal.SIGKILL)
    await fly.communicate()
    assert fly.returncode == -signal.SIGKILL


@GENERATIONS
def test_after_a_kill_the_record_puts_everything_back(
    tiny_plan: MakePlan, tmp_path: Path, firmware: Firmware
) -> None:
    plan = tiny_plan()
    write_plan(plan, tmp_path)

    async def main() -> None:
        drones = list(plan.site.fleet)
        homes = homes_of(plan, drones)
        async with EmbeddedFleet(drones, homes=homes, warm_boot=True, firmware=firmware) as fleet:
            before = held(fleet)
            where = f"tcp:127.0.0.1:{await fleet.serve_tcp(0)}"
            params = fleet.copters[0].params
            await kill_amid(tmp_path, where, lambda: params["AUTO_OPTIONS"] == 3)
            changed = {name for name in before if held(fleet)[name] != before[name]}
            assert changed

            code, out, err = await skymist("restore", tmp_path / "record", "--dry-run")
            assert (code, "would be put back" in out) == (0, True), err
            assert {name for name in before if held(fleet)[name] != before[name]} == changed

            code, out, err = await skymist("restore", tmp_path / "record")
            assert code == 0, err
            assert "put back and read back" in out
            assert held(fleet) == before
            record = read_record(tmp_path / "record")
            assert not record.faults
            assert left_changed(record) == {}

            code, out, _ = await skymist("restore", tmp_path / "record", "--json")
            assert (code, json.loads(out)) == (0, {"drones": []})

    run(main(), loop=ScaledLoop(1.0))


def test_where_the_site_asks_for_it_a_resume_puts_them_back_too(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    plan = restoring(tiny_plan())
    write_plan(plan, tmp_path)

    async def main() -> None:
        drones = list(plan.site.fleet)
        async with EmbeddedFleet(drones, homes=homes_of(plan, drones), warm_boot=True) as fleet:
            before = held(fleet)
            where = f"tcp:127.0.0.1:{await fleet.serve_tcp(0)}"
            await kill_amid(tmp_path, where, lambda: fleet.copters[0].params["AUTO_OPTIONS"] == 3)
            assert held(fleet) != before
            code, _, err = await skymist("resume", tmp_path / "record")
            assert code == 0, err
            assert held(fleet) == before
            assert left_changed(read_record(tmp_path / "record")) == {}

    run(main(), loop=ScaledLoop(1.0))


def test_an_armed_drone_keeps_them_and_is_named(tiny_plan: MakePlan, tmp_path: Path) -> None:
    plan = tiny_plan()
    write_plan(plan, tmp_path)

    async def main() -> None:
        drones = list(plan.site.fleet)
        async with EmbeddedFleet(drones, homes=homes_of(plan, drones), warm_boot=True) as fleet:
            where = f"tcp:127.0.0.1:{await fleet.serve_tcp(0)}"
            copter = fleet.copters[0]
            await kill_amid(tmp_path, where, lambda: copter.params["AUTO_OPTIONS"] == 3)
            copter.params.put("DISARM_DELAY", 0)  # it stays armed, however long the program takes
            changed = held(fleet)
            copter.state.is_armed = True
            code, out, _ = await skymist("restore", tmp_path / "record", "--json")
            assert code == 1
            (told,) = json.loads(out)["drones"]
            assert (told["drone_id"], told["is_restored"]) == ("d1", False)
            assert "is armed" in told["reason"]
            assert told["before"]["auto_options"] == 0
            assert held(fleet) == changed
            assert left_changed(read_record(tmp_path / "record"))["d1"] == told["before"]

    run(main(), loop=ScaledLoop(1.0))


def test_nobody_there_exits_3_and_a_rehearsal_2(tiny_plan: MakePlan, tmp_path: Path) -> None:
    left = {BEFORE: {"drone_id": "d1", "before": {"auto_options": 0.0}}}
    real = written(tiny_plan(), tmp_path / "real", left, connections={"d1": "tcp:127.0.0.1:1"})
    sim = written(tiny_plan(), tmp_path / "sim", left, sim="embedded")

    async def main() -> None:
        code, _, err = await skymist("restore", real)
        assert code == 3, err
        code, _, err = await skymist("restore", sim)
        assert (code, "its drones are gone" in err) == (2, True), err
        code, _, err = await skymist("restore", real, "--drone", "d7=tcp:127.0.0.1:1")
        assert (code, "wanted one of d1" in err) == (2, True), err

    run(main(), loop=ScaledLoop(1.0))


def test_what_was_put_back_and_changed_again_is_left_again(
    tiny_plan: MakePlan, tmp_path: Path
) -> None:
    """A second part found what the first had put back, and broke off."""
    record = written(
        tiny_plan(),
        tmp_path / "r",
        {BEFORE: {"drone_id": "d1", "before": {"a": 1.0, "b": 2.0}}},
        {BEFORE: {"drone_id": "d1", "before": {"a": 9.0}}},
        {RESTORED: {"drone_id": "d1", "names": ["a", "b"]}},
        {BEFORE: {"drone_id": "d1", "before": {"a": 3.0}}},
    )
    assert left_changed(read_record(record)) == {"d1": {"a": 3.0}}


@pytest.mark.ardupilot
@pytest.mark.slow
def test_the_same_on_real_arducopter(tiny_plan: MakePlan, tmp_path: Path, arducopter: Path) -> None:
    plan = tiny_plan()
    write_plan(plan, tmp_path)
    names = ("spray_pump_rate_pct_per_mps", "auto_options", "fs_gcs_action")

    async def values(where: str) -> dict[str, float]:
        async with Channel(await open_link(where), sysid=254) as channel:
            return await read_parameters(channel.vehicle(1), names)

    async def main() -> None:
        drones = list(plan.site.fleet)
        async with ArduPilotFleet(
            drones, homes=homes_of(plan, drones), speedup=1.0, binary=arducopter
        ) as fleet:
            before: dict[str, float] = {}
            before |= await values(fleet.addresses[0])
            record = tmp_path / "record" / "record.jsonl"
            await kill_amid(
                tmp_path,
                fleet.addresses[0],
                lambda: record.exists() and b'"uploading"' in record.read_bytes(),
            )
            assert await values(fleet.addresses[0]) != before
            code, _, err = await skymist("restore", tmp_path / "record")
            assert code == 0, err
            assert await values(fleet.addresses[0]) == before

    run(main(), loop=ScaledLoop(1.0))
