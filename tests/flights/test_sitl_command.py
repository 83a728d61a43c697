"""`skymist sitl`, as a user starts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Plan
from skymist.flight.commands import sitl
from skymist.flight.recording.record import read_record
from skymist.missions.plans import write_plan
from skymist.sitl.standing import parse_home, row_of
from skymist.sitl.state import Grid

COMMAND = (sys.executable, "-m", "skymist.flight.cli", "sitl")


@contextmanager
def running(*arguments: str, temporary: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, "run", *arguments],
        env=os.environ | ({"TMPDIR": str(temporary)} if temporary else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def connections(process: subprocess.Popen[str], num: int) -> list[dict[str, str]]:
    assert process.stdout is not None
    return [json.loads(process.stdout.readline()) for _ in range(num)]


def hears_mavlink(connection: str) -> bool:
    host, port = connection.removeprefix("tcp:").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.settimeout(30)
        while data := wire.recv(4096):  # a real one greets with text first
            if 0xFD in data or 0xFE in data:
                return True
    return False


def is_deaf_to_ctrl_c(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    (ignored,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(ignored, 16) >> (signal.SIGINT - 1) & 1)


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_two_embedded_fleets_stand_beside_each_other() -> None:
    with running("--drones", "2", "--json") as one, running("--json") as other:
        told = connections(one, 2) + connections(other, 1)
        assert [t["drone"] for t in told] == ["d1", "d2", "d1"]
        assert len({t["connection"] for t in told}) == 3
        assert all(hears_mavlink(t["connection"]) for t in told)
        end(one)
        end(other)


@pytest.mark.ardupilot
def test_real_copters_end_by_their_id_and_leave_nothing(arducopter: Path, tmp_path: Path) -> None:
    arguments = ("--sim", "ardupilot", "--arducopter", str(arducopter), "--json", "--drones", "2")
    with (
        running(*arguments, temporary=tmp_path) as one,
        running(*arguments, temporary=tmp_path) as other,
    ):
        told = connections(one, 2) + connections(other, 2)
        assert len({t["connection"] for t in told}) == 4
        assert len(list(tmp_path.glob("skymist-sitl-*"))) == 2
        assert all(hears_mavlink(t["connection"]) for t in told)
        end(one)
        end(other)
    assert not list(tmp_path.iterdir())


@pytest.mark.ardupilot
def test_a_copter_that_is_killed_ends_the_run_and_its_logs_stay(
    arducopter: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    arguments = ("--sim", "ardupilot", "--arducopter", str(arducopter), "--logs", str(logs))
    with running(*arguments, "--json") as process:
        (told,) = connections(process, 1)
        assert told["connection"].startswith("tcp:127.0.0.1:")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.is_file():
            pytest.skip("no /proc here")
        (child,) = map(int, children.read_text().split())
        assert is_deaf_to_ctrl_c(child)
        assert os.getpgid(child) == os.getpgid(process.pid), "it would outlive its group"
        os.kill(child, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "arducopter of d1 ended" in err
    assert str(logs) in err
    assert list(logs.rglob("arducopter.log"))


def test_a_plans_own_drones_stand_on_their_pads(
    tiny_plan: Callable[..., Plan], tmp_path: Path
) -> None:
    write_plan(tiny_plan(2), tmp_path)
    with running("--plan", str(tmp_path), "--speedup", "4") as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(2)]
        assert [line.split("=")[0] for line in told] == ["--drone d1", "--drone d2"]
        fly = [sys.executable, "-m", "skymist.flight.cli", "fly", str(tmp_path)]
        fly += [word for line in told for word in line.split()]
        fly += ["-o", str(tmp_path / "record"), "--json"]
        flown = subprocess.run(fly, capture_output=True, text=True, timeout=120, check=False)
        end(process)
    assert flown.returncode == 0, flown.stderr
    states = [e["state"] for e in read_record(tmp_path / "record").of("sortie")]
    assert states.count("verified") == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_spoilt_links_lead_to_the_same_copters() -> None:
    with running("--json", "--link-fault", "loss", "--speedup", "5") as process:
        (told,) = connections(process, 1)
        assert hears_mavlink(told["connection"])
        end(process)


def test_a_link_fault_that_is_none_is_named() -> None:
    with pytest.raises(PlanError, match="--link-fault: wanted one of bursts"):
        sitl.run(link_fault="gps-lost")


def test_find_says_where_it_looked(tmp_path: Path) -> None:
    binary = tmp_path / "arducopter"
    runner = CliRunner()
    nothing = runner.invoke(sitl.app, ["find", "--arducopter", str(binary), "--json"])
    assert nothing.exit_code == 1
    assert json.loads(nothing.stdout)["binary"] is None
    assert "skymist sitl install" in nothing.stderr
    binary.write_bytes(b"\0ArduCopter V4.6.3 (abc)\0")
    binary.chmod(0o755)
    some = runner.invoke(sitl.app, ["find", "--arducopter", str(binary), "--json"])
    assert some.exit_code == 0
    told = json.loads(some.stdout)
    assert (told["binary"], told["version"]) == (str(binary), "4.6.3")


def test_a_row_of_pads_goes_to_the_right() -> None:
    first = parse_home("60.17,24.94,10,90")
    stands = row_of(3, first, 10.0)
    grid = Grid(*first.home)
    places = [grid.to_xy(s.lat_deg * 1e7, s.lon_deg * 1e7) for s in stands]
    for i, (x, y) in enumerate(places):
        assert x == pytest.approx(0, abs=0.02)
        assert y == pytest.approx(-10 * i, abs=0.02)


@pytest.mark.parametrize("text", ["", "60,24", "60,24,10", "91,0,0,0", "60,24,10,400", "a,b,c,d"])
def test_homes_that_are_none_are_named(text: str) -> None:
    with pytest.raises(PlanError, match="--home: wanted LAT,LON,ALT,HDG"):
        parse_home(text)
