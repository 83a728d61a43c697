"""The pytest plugin: fixtures `sitl_vehicle`, `sitl_fleet` and `rehearsal`, and their options.

Loaded by every pytest where Skymist is installed, so nothing of Skymist is imported before a
fixture asks for it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from skymist.sitl.testing.rehearsed import Rehearsed
    from skymist.sitl.testing.vehicle import Vehicle

ARDUPILOT_SPEEDUP = 10.0
_FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose the simulator."""
    group = parser.getgroup("skymist", "Skymist: flight tests on simulated drones")
    group.addoption(
        "--sim",
        choices=("embedded", "ardupilot"),
        default="embedded",
        help="where sitl_vehicle, sitl_fleet and rehearsal fly (embedded)",
    )
    group.addoption(
        "--speedup",
        type=float,
        default=None,
        metavar="N",
        help="simulated seconds per second: embedded as fast as it can, ardupilot 10, unless given",
    )
    group.addoption(
        "--require-ardupilot",
        action="store_true",
        help="fail, instead of skip, where no arducopter binary is found",
    )
    group.addoption(
        "--artefacts",
        type=Path,
        default=Path("skymist-artefacts"),
        metavar="DIR",
        help="where record, frames, logs and plot of failed flights are kept (skymist-artefacts)",
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note a failure, so that the fixtures keep what was flown, and say where."""
    result: Any = yield
    report: pytest.TestReport = result.get_result()
    if report.failed:
        item.stash[_FAILED] = True
        names = set(getattr(item, "fixturenames", ()))
        if names & {"_skymist_folder"}:
            report.sections.append(("skymist", f"kept in {_keep_at(item)}"))


def _keep_at(item: pytest.Item) -> Path:
    name = re.sub(r"[^\w.-]+", "-", item.nodeid).strip("-")
    place: Path = item.config.getoption("--artefacts")
    return (item.config.invocation_params.dir / place / name).resolve()


@pytest.fixture
def _skymist_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder for what is flown; it is copied to the artefacts if the test fails."""
    folder = tmp_path / "skymist"
    folder.mkdir()
    yield folder
    if request.node.stash.get(_FAILED, False):
        target = _keep_at(request.node)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target)


@pytest.fixture
def _skymist_sim(request: pytest.FixtureRequest) -> tuple[str, float | None]:
    """The simulator and its speed; skips, or fails, where there is no binary for it."""
    sim: str = request.config.getoption("--sim")
    speedup: float | None = request.config.getoption("--speedup")
    if speedup is not None and not speedup > 0:
        raise pytest.UsageError(f"--speedup must be above 0, got {speedup}")
    if sim == "ardupilot":
        from skymist.sitl.binaries import find_arducopter

        found = find_arducopter()
        if found.binary is None:
            message = "\n".join(("no arducopter binary: nothing was flown", *found.looked))
            if request.config.getoption("--require-ardupilot"):
                pytest.fail(message, pytrace=False)
            pytest.skip(message)
        return sim, speedup or ARDUPILOT_SPEEDUP
    return sim, speedup


@pytest.fixture
def sitl_fleet(
    request: pytest.FixtureRequest, _skymist_sim: tuple[str, float | None], _skymist_folder: Path
) -> Iterator[Callable[..., tuple[Vehicle, ...]]]:
    """`sitl_fleet(3, home="60.17,24.94,10,0")` or `sitl_fleet(plan="plans/b")`: vehicles.

    They end with the test. See `skymist.sitl.testing.vehicle.Vehicle`.
    """
    from skymist.sitl.testing.world import World

    worlds: list[World] = []

    def make(num: int = 1, **options: Any) -> tuple[Vehicle, ...]:
        if worlds:
            raise pytest.UsageError("sitl_fleet was called twice: ask for all drones at once")
        world = World(_skymist_sim, _skymist_folder, num=num, **options)
        worlds.append(world)
        return world.open()

    try:
        yield make
    finally:
        for world in worlds:
            world.close(keep=request.node.stash.get(_FAILED, False))


@pytest.fixture
def sitl_vehicle(sitl_fleet: Callable[..., tuple[Vehicle, ...]]) -> Vehicle:
    """One simulated drone on its pad, with a ground station that beats."""
    return sitl_fleet()[0]


@pytest.fixture
def rehearsal(
    _skymist_sim: tuple[str, float | None], _skymist_folder: Path
) -> Callable[..., Rehearsed]:
    """`rehearsal("site.yaml", faults=["wind@20"])`: the whole plan flown, and what came of it."""
    from skymist.sitl.testing.rehearsed import rehearse

    num = 0

    def fly(place: str | Path, **options: Any) -> Rehearsed:
        nonlocal num
        num += 1
        folder = _skymist_folder / f"rehearsal-{num}"
        return rehearse(Path(place), folder, *_skymist_sim, **options)

    return fly
