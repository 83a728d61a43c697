"""A real record cut and damaged anywhere: read without a crash, and every damage named."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skymist.coverage.plan import Plan
from skymist.flight.commands.rehearse import rehearse
from skymist.flight.recording.record import read_record
from skymist.flight.reporting.applied import applied_from
from skymist.flight.reporting.report import write_report
from skymist.missions.errors import FormatError
from skymist.missions.plans import write_plan

CUTS, FLIPS, REPORTS = 1000, 1000, 20


@pytest.fixture(scope="module")
def flown(tiny_plan: Callable[..., Plan], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flown")
    write_plan(tiny_plan(), folder)
    rehearse(folder, output=folder / "record", tlog=True)
    return folder / "record" / "record.jsonl"


def test_cut_anywhere_it_loses_its_torn_line_at_most(flown: Path, tmp_path: Path) -> None:
    whole, rng = flown.read_bytes(), random.Random(1)
    lines = whole.splitlines(keepends=True)
    path = tmp_path / "record.jsonl"
    for size in sorted(rng.sample(range(len(whole)), CUTS)):
        path.write_bytes(whole[:size])
        read = read_record(path)
        num_whole = len(whole[:size].splitlines()) - (whole[size - 1 : size] != b"\n")
        num_read = len(read.events) + bool(read.header)
        assert num_whole <= num_read <= num_whole + 1
        assert read.faults == ()
    assert len(lines) == 1 + len(read_record(flown).events)


def test_flipped_anywhere_the_line_is_named(flown: Path, tmp_path: Path) -> None:
    whole, rng = flown.read_bytes(), random.Random(2)
    path = tmp_path / "record.jsonl"
    for place in rng.sample(range(len(whole)), FLIPS):
        data = bytearray(whole)
        data[place] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(data))
        read = read_record(path)
        number = whole[:place].count(b"\n") + 1
        if place == len(whole) - 1:  # the last line end: nothing of the line itself is lost
            assert read.is_cut
        elif data[place] == ord("\n") and number == whole.count(b"\n"):
            assert read.is_cut or read.faults
        else:
            assert any(f":{number}: " in f or f":{number + 1}: " in f for f in read.faults)


def test_a_cut_record_still_gives_a_report(flown: Path, tmp_path: Path) -> None:
    whole, rng = flown.read_bytes(), random.Random(3)
    path = tmp_path / "record.jsonl"
    header = whole.index(b"\n")
    for size in sorted(rng.sample(range(header, len(whole)), REPORTS)):
        path.write_bytes(whole[:size])
        applied = applied_from(read_record(path))
        assert any("cut short" in note for note in applied.notes)
    path.write_bytes(whole[: header - 2])
    with pytest.raises(FormatError, match="header with the plan"):
        applied_from(read_record(path))


def test_the_same_record_gives_the_same_report_to_the_byte(flown: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(flown, tmp_path / name)
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert files == sorted(p.name for p in (tmp_path / "b").iterdir())
    assert {"report.html", "report.pdf", "report.json", "treatment-record.pdf"} <= set(files)
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_brings_all_drones_home_and_says_so(flown: Path, tmp_path: Path) -> None:
    import resource

    limit = flown.stat().st_size // 2
    done = subprocess.run(
        [
            *(sys.executable, "-m", "skymist.flight.cli", "rehearse", str(flown.parent.parent)),
            *("-o", str(tmp_path / "full")),
        ],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert "aborted" in said
    assert "the record fails" in said
    assert "File too large" in said
    read = read_record(tmp_path / "full")
    assert read.faults == ()
    assert not read.is_closed
