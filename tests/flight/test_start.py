"""Small commands start soon: what they import is watched, so that it cannot grow unseen."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skymist.flight.commands import COMMANDS
from skymist.missions.ledger.treatments import add_by_hand
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"
RUN = """
import json, sys
from skymist.flight.cli import main
sys.argv = ["skymist", *sys.argv[1:]]
try:
    main()
except SystemExit as stopped:
    assert not stopped.code, stopped.code
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
ALWAYS_HEAVY = {
    *("matplotlib", "scipy", "pymavlink", "pyvrp", "fontTools", "fpdf", "jinja2", "zhplot"),
    *("serial", "aiohttp", "cattrs", "pyogrio"),
}
GEOMETRY = {"numpy", "shapely", "pyproj", "yaml"}
PLANNING = {"skymist.coverage.cover", "skymist.coverage.planning", "skymist.missions.plans"}


def modules_of(*words: object) -> set[str]:
    """All modules that are loaded when a command has run."""
    command = [sys.executable, "-c", RUN, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, site = tmp_path_factory.mktemp("start") / "d.ledger", read_site(DEMO)
    ended = datetime.now(UTC) - timedelta(days=1)
    add_by_hand(path, site, [site.spots[0].id], ended=ended, by="Wu")
    return path


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--version"], ALWAYS_HEAVY | GEOMETRY | PLANNING),
        (["due", DEMO, "--ledger", "LEDGER"], ALWAYS_HEAVY | PLANNING),
        (["due", DEMO, "--ledger", "LEDGER", "--json"], ALWAYS_HEAVY | PLANNING),
        (["ledger", "list", "LEDGER"], ALWAYS_HEAVY | GEOMETRY | PLANNING),
        (["ledger", "verify", "LEDGER"], ALWAYS_HEAVY | GEOMETRY | PLANNING),
        (["check", DEMO], ALWAYS_HEAVY | {"skymist.coverage.planning"}),
    ],
)
def test_small_commands_import_no_more_than_they_need(
    words: list[object], unwanted: set[str], ledger: Path
) -> None:
    loaded = modules_of(*(ledger if word == "LEDGER" else word for word in words))
    assert loaded & unwanted == set()


def test_a_command_loads_no_other_command() -> None:
    loaded = modules_of("schema")
    prefix = "skymist.flight.commands."
    assert {name.removeprefix(prefix) for name in loaded if name.startswith(prefix)} == {"schema"}


def test_a_word_beside_a_command_is_told_which() -> None:
    command = [sys.executable, "-m", "skymist.flight.cli", "duf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "due" in done.stderr
    assert "due" in COMMANDS
