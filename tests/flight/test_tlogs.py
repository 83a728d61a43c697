"""Telemetry logs of a record: read by pymavlink's own tools, frame by frame what was heard."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.coverage.planning import plan_site
from skymist.flight.recording.record import encode_line, read_record
from skymist.flight.recording.tlogs import frames_of, tlogs_of
from skymist.missions.errors import FormatError
from skymist.missions.plans import plan_to_dict
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"
SKYMIST = [sys.executable, "-m", "skymist.flight.cli"]
BEGAN_US = 1_795_000_000_000_000


def beat(seq: int, *, sign: bool = False, v1: bool = False) -> bytes:
    """A heartbeat as pymavlink packs it."""
    link = m.MAVLink(None, srcSystem=1)
    link.seq = seq % 256
    if sign:
        link.signing.sign_outgoing, link.signing.secret_key = True, bytes(32)
    packed = m.MAVLink_heartbeat_message(2, 3, 209, seq % 2**16, 4, 3).pack(link, force_mavlink1=v1)
    return bytes(packed)


def logged(*frames: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack(">Q", at_us) + frame for at_us, frame in frames)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    plan = plan_site(read_site(DEMO))
    header = {"t_s": 0.0, "event": "header", "schema": 1, "plan": plan_to_dict(plan)}
    header["started_utc"] = "2026-11-23T06:00:00+00:00"
    (tmp_path / "record.jsonl").write_bytes(encode_line(header))
    return tmp_path


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=8), st.integers(0, 40))
def test_whole_frames_come_back_and_a_torn_end_is_left(
    kinds: list[tuple[bool, bool]], cut: int
) -> None:
    frames = [
        (BEGAN_US + k, beat(k, sign=sign and not v1, v1=v1)) for k, (sign, v1) in enumerate(kinds)
    ]
    assert list(frames_of(logged(*frames))) == frames
    torn = logged(*frames)[: max(0, len(logged(*frames)) - cut)]
    kept = list(frames_of(torn))
    assert kept == frames[: len(kept)]
    assert len(frames) - len(kept) <= 2


def test_what_is_no_log_is_named_with_its_place() -> None:
    with pytest.raises(FormatError, match=r"byte 8: .*0x00"):
        list(frames_of(bytes(40)))


def test_parts_are_one_log_in_order_and_a_name_with_a_number_stays(record: Path) -> None:
    rows = [(BEGAN_US + 1000 * k, beat(k)) for k in range(9)]
    (record / "heron.tlog").write_bytes(logged(*rows[0:6:2]))
    (record / "heron.2.tlog").write_bytes(logged(*rows[1:6:2]))
    (record / "heron.10.tlog").write_bytes(logged(*rows[6:]))
    (record / "other-stations.tlog").write_bytes(logged(rows[0]))
    found = tlogs_of(read_record(record))
    assert set(found) == {"heron.tlog", "other-stations.tlog"}
    assert list(frames_of(found["heron.tlog"])) == rows


def test_a_record_without_frames_says_how_to_keep_them(record: Path) -> None:
    with pytest.raises(FormatError, match="--tlog"):
        tlogs_of(read_record(record))


def skymist(*words: object) -> subprocess.CompletedProcess[str]:
    command = [*SKYMIST, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_a_rehearsals_log_is_read_by_mavlogdump(tmp_path: Path) -> None:
    """Every position that the record has of a drone stands in its log, to the last digit."""
    flown = tmp_path / "record"
    told = skymist("rehearse", DEMO, "-o", flown, "--tlog", "--drones", 1)
    assert told.returncode == 0, told.stderr
    told = skymist("export", flown, "-o", tmp_path / "out", "--format", "tlog,kml")
    assert told.returncode == 0, told.stderr
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"heron.tlog", "plan.kml"}
    log = tmp_path / "out" / "heron.tlog"
    dump = shutil.which("mavlogdump.py", path=str(Path(sys.executable).parent))
    assert dump is not None, "pymavlink brings mavlogdump.py"
    words = [sys.executable, dump, "--types", "GLOBAL_POSITION_INT", "--format", "json", str(log)]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    heard = {(d["lat"], d["lon"]) for d in (json.loads(line)["data"] for line in lines)}
    tracks = list(read_record(flown).of("track"))
    assert len(tracks) > 500
    assert {(e["lat_e7"], e["lon_e7"]) for e in tracks} <= heard
    with closing(mavutil.mavlink_connection(str(log))) as reader:
        beats = [reader.recv_match(type="HEARTBEAT") for _ in range(20)]
    assert {beat.get_srcSystem() for beat in beats} == {1, 255}, "the drone's and our own"
    began = read_record(flown).started_utc.timestamp()
    assert beats[0]._timestamp == pytest.approx(began, abs=5.0)


def test_a_plan_has_no_telemetry(tmp_path: Path) -> None:
    told = skymist("plan", DEMO, "-o", tmp_path / "p", "--no-preview")
    assert told.returncode == 0
    told = skymist("export", tmp_path / "p", "-o", tmp_path / "out", "--format", "tlog")
    assert told.returncode == 2
    assert "wanted a record" in told.stderr
    assert not (tmp_path / "out").exists()
