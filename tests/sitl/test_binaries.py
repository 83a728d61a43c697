from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from skymist.sitl import binaries
from skymist.sitl.binaries import (
    SUM_NAME,
    BinaryMissing,
    find_arducopter,
    own_defaults,
    sha256_of,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX's")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it."""
    monkeypatch.delenv(binaries.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def put(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(mode)
    return path


def test_nothing_anywhere_says_where_it_looked(bare: Path) -> None:
    found = find_arducopter()
    assert found.binary is None
    assert [line.split(":")[0] for line in found.looked] == [
        "SKYMIST_ARDUCOPTER",
        "PATH",
        "cache",
        "home",
    ]
    with pytest.raises(BinaryMissing, match="no arducopter binary found"):
        found.require()


def test_the_order_of_places(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = put(bare / "home/ardupilot/build/sitl/bin/arducopter")
    assert find_arducopter().binary == home
    cache = binaries.cache_dir() / "stable-4.6.3" / "arducopter"
    put(cache)
    assert find_arducopter().binary == home  # nobody has checked the one in the cache
    (cache.parent / SUM_NAME).write_text(f"{sha256_of(cache)}  arducopter\n")
    assert find_arducopter().binary == cache
    newer = put(binaries.cache_dir() / "stable-4.10.0" / "arducopter")
    (newer.parent / SUM_NAME).write_text(f"{sha256_of(newer)}  arducopter\n")
    assert find_arducopter().binary == newer
    on_path = put(bare / "bin/arducopter")
    assert find_arducopter().binary == on_path
    named = put(bare / "named")
    monkeypatch.setenv(binaries.VARIABLE, str(named))
    assert find_arducopter().binary == named
    told = put(bare / "told")
    assert find_arducopter(told).binary == told


def test_what_was_told_is_the_only_place_that_counts(bare: Path) -> None:
    put(bare / "bin/arducopter")
    found = find_arducopter(bare / "nowhere")
    assert found.binary is None
    assert found.looked == (f"as told: {bare / 'nowhere'}: nothing there",)


def test_a_file_that_cannot_run_is_named(bare: Path) -> None:
    plain = put(bare / "plain", 0o644)
    if os.access(plain, os.X_OK):
        pytest.skip("this user may run anything")
    assert "not executable" in find_arducopter(plain).looked[0]


def test_defaults_beside_the_binary_in_share_or_in_its_tree(bare: Path) -> None:
    beside = put(bare / "a/bin/arducopter")
    assert find_arducopter(beside).defaults is None
    share = put(bare / "a/share/ardupilot/copter.parm")
    assert find_arducopter(beside).defaults == share
    own = put(bare / "a/bin/copter.parm")
    assert find_arducopter(beside).defaults == own
    built = put(bare / "tree/build/sitl/bin/arducopter")
    parm = put(bare / "tree/Tools/autotest/default_params/copter.parm")
    assert find_arducopter(built).defaults == parm


@pytest.mark.parametrize("name", ["copter.parm", "sprayer.parm"])
def test_our_own_defaults_are_names_and_numbers(name: str) -> None:
    lines = [li for li in own_defaults(name).splitlines() if li and not li.startswith("#")]
    assert lines
    for line in lines:
        parameter, value = line.split()
        assert len(parameter) <= 16
        float(value)
