"""Options that every test room shares."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("skymist")
    # The package's own plugin brings it, where the installation knows that plugin.
    with contextlib.suppress(ValueError):
        group.addoption(
            "--require-ardupilot",
            action="store_true",
            help="fail, instead of skip, where no arducopter binary is found",
        )
    group.addoption(
        "--require-shared",
        action="store_true",
        help="fail, instead of skip, where the bench and the real sites are not beside the project",
    )
    group.addoption(
        "--require-browser",
        action="store_true",
        help="fail, instead of skip, where no Chromium with its driver is found",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto` with one more than cores: flights of the real ArduCopter wait for the clock."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fly once more where ArduPilot's process ended by itself: that flight says nothing of ours.

    The summary counts it as a rerun; whatever else goes wrong fails at once.
    """
    for item in items:
        if item.get_closest_marker("ardupilot"):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=["SimulatorFailed"]))


@pytest.fixture(scope="session")
def arducopter(request: pytest.FixtureRequest) -> Path:
    """The ArduPilot binary, or a skip that says so."""
    named = os.environ.get("SKYMIST_ARDUCOPTER") or shutil.which("arducopter")
    if named and Path(named).is_file():
        return Path(named)
    message = "no arducopter on PATH or in SKYMIST_ARDUCOPTER: the real flight was not flown"
    if request.config.getoption("--require-ardupilot"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Path:
    """The folder with real sites and the bench, or a skip that says so."""
    if (SHARED / "sites").is_dir():
        return SHARED
    message = f"no {SHARED} here: real sites and bench were not tried"
    if request.config.getoption("--require-shared"):
        pytest.fail(message)
    pytest.skip(message)
