"""A drone drops out of an operation: the others fly its rest, and everything gets its dose once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from skymist.flight.commands.rehearse import crew_of, homes_of
from skymist.flight.conductor.conduct import Outcome, Result
from skymist.flight.conductor.operation import Setting, operate
from skymist.flight.mavlink.messages import CopterMode
from skymist.flight.recording.record import read_record
from skymist.flight.reporting.applied import applied_from
from skymist.flight.terminal.display import Silent
from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.pipes import Pipe
from tests.truths import fallen, litres
from tests.yards import six_yards

Tracks = dict[str, NDArray[np.float64]]
Mishap = Callable[[EmbeddedCopter, Pipe], Awaitable[None]]
SETTING = Setting(started_utc=datetime(2026, 6, 1, 12, 0, tzinfo=UTC), sim="embedded")


def flown(folder: Path, mishap: Mishap | None) -> tuple[Outcome, Tracks]:
    """The six yards by three drones, with something happening to d1; and the copters' truth."""
    plan = six_yards()

    async def main() -> tuple[Outcome, Tracks]:
        drones = list(plan.site.fleet)
        async with EmbeddedFleet(drones, homes=homes_of(plan, drones), warm_boot=True) as fleet:
            links = {d.id: fleet.connect(k) for k, d in enumerate(drones)}
            copters = {d.id: fleet.copters[k] for k, d in enumerate(drones)}
            tasks = []
            if mishap is not None:
                tasks.append(asyncio.ensure_future(mishap(copters["d1"], links["d1"])))
            outcome = await operate(
                plan,
                links,
                folder,
                crew=crew_of(plan.site.policy, copters),
                display=Silent(),
                arm=True,
                setting=SETTING,
            )
            for task in tasks:
                assert task.done(), "the mishap of this test never came"
            tracks = {
                drone_id: np.array([(s.t_s, s.x, s.y, s.z, s.flow_lps) for s in copter.truth])
                for drone_id, copter in copters.items()
            }
            return outcome, tracks

    return run(main(), loop=VirtualLoop())


async def until(copter: EmbeddedCopter, pumped_l: float) -> None:
    while copter.pumped_l < pumped_l:
        await asyncio.sleep(0.1)


async def silent(copter: EmbeddedCopter, _: Pipe) -> None:
    """Every byte is lost from the middle of its first sortie on."""
    await until(copter, 2.0)
    copter.faults.link_silent = True


async def drained(copter: EmbeddedCopter, _: Pipe) -> None:
    """Its battery loses most of what it has."""
    await until(copter, 2.0)
    copter.faults.battery_lost_frac = 0.8


async def leaking(copter: EmbeddedCopter, _: Pipe) -> None:
    """Its tank loses all that is in it, and no message shows that."""
    await until(copter, 2.0)
    copter.faults.tank_leak_lps = 1e3


async def falling(copter: EmbeddedCopter, _: Pipe) -> None:
    """A motor stands: it falls onto the spot."""
    await until(copter, 2.0)
    copter.faults.motor_failed = True


async def piloted(copter: EmbeddedCopter, _: Pipe) -> None:
    """Its pilot lands it."""
    await until(copter, 2.0)
    copter.pilot_mode(CopterMode.LAND)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    outcome, tracks = flown(tmp_path_factory.mktemp("u") / "record", None)
    assert outcome.result is Result.DONE
    spots = fallen(six_yards(), tracks).values()
    return sum(spot.dosed_m2() for spot in spots), litres(tracks.values())


@pytest.mark.parametrize(("mishap", "again_l"), [(silent, 0.0), (drained, 0.0), (leaking, 2.1)])
def test_the_others_fly_what_it_leaves(
    mishap: Mishap, again_l: float, undisturbed: tuple[float, float], tmp_path: Path
) -> None:
    """`again_l` is what it sprayed before its tank ran dry, which is proven by nothing."""
    outcome, tracks = flown(tmp_path / "record", mishap)
    record = read_record(tmp_path / "record")
    assert outcome.result is Result.DONE
    assert not outcome.skipped
    assert next(r for r in outcome.drones if r.drone_id == "d1").error
    (told,) = record.of("replan")
    assert told["reason"].startswith("d1 dropped out (")
    taken = {s.drone_id for s in record.plans[1].sorties}
    assert taken
    assert "d1" not in taken
    spots = fallen(six_yards(), tracks).values()
    assert sum(spot.dosed_m2() for spot in spots) >= 0.99 * undisturbed[0]
    unseen_l = 8.0 * 0.083  # until it misses the ground station, and until that is seen
    assert litres(tracks.values()) <= undisturbed[1] + unseen_l + again_l + 0.35
    assert nearest_m(tracks) >= six_yards().site.policy.separation_m
    assert applied_from(record).totals.dosed_frac >= 0.96


def test_who_fell_is_given_up_within_seconds(tmp_path: Path) -> None:
    outcome, tracks = flown(tmp_path / "record", falling)
    record = read_record(tmp_path / "record")
    (told,) = [e for e in record.of("alert") if e["code"] == "fallen"]
    low_s = next(
        e["t_s"] for e in record.of("track") if e["pump_frac"] > 0 and e["above_home_m"] < 1.5
    )
    assert told["severity"] == "error"
    assert 0.0 < told["t_s"] - low_s < 15.0
    (again,) = record.of("replan")
    assert again["t_s"] - told["t_s"] < 15.0
    assert outcome.result is Result.INCOMPLETE
    assert all("which lies there" in one.reason for one in outcome.skipped)
    assert len({one.spot_id for one in outcome.skipped}) == 1  # that over which it fell
    assert tracks["d1"][-1, 3] < 1.0
    assert nearest_m(tracks) >= six_yards().site.policy.separation_m
    missed = [spot.spot.id for spot in applied_from(record).missed]
    assert set(missed) == {one.spot_id for one in outcome.skipped}


def test_where_its_pilot_landed_it_nobody_else_flies(tmp_path: Path) -> None:
    outcome, _ = flown(tmp_path / "record", piloted)
    record = read_record(tmp_path / "record")
    assert outcome.result is Result.INCOMPLETE
    assert not list(record.of("replan"))
    assert outcome.skipped


def nearest_m(tracks: Tracks) -> float:
    """The least distance between two drones of which one is in the air, in truth."""
    pads = {drone.id: drone.pad_id for drone in six_yards().site.fleet}
    places = {pad.id: np.array([pad.x, pad.y, 0.0]) for pad in six_yards().site.pads}
    grid = np.arange(0.0, max(t[-1, 0] for t in tracks.values()), 0.5)
    at = {
        drone_id: np.column_stack([np.interp(grid, t[:, 0], t[:, k]) for k in (1, 2, 3)])
        + places[pads[drone_id]]
        for drone_id, t in tracks.items()
    }
    found = []
    for a, b in combinations(at, 2):
        is_up = (at[a][:, 2] > 0.5) | (at[b][:, 2] > 0.5)
        found.append(float(np.linalg.norm(at[a] - at[b], axis=1)[is_up].min()))
    return min(found)
