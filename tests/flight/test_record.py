from __future__ import annotations

import errno
import json
import os
import struct
from pathlib import Path

import pytest

from skymist.flight.recording.record import decode_line, encode_line, iter_lines, read_record
from skymist.flight.recording.recorder import Recorder
from skymist.missions.errors import FormatError

STARTED_UTC = "2026-06-01T12:00:00+00:00"
STARTED_S = 1780315200.0


class Clock:
    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


def _write(folder: Path, tracks: int = 20) -> Path:
    clock = Clock()
    with Recorder(folder, clock, epoch_s=1_000_000.0) as record:
        record.write("header", schema=1, started_utc=STARTED_UTC, plan={})
        for number in range(tracks):
            clock.at_s += 0.25
            record.write("track", drone_id="d1", seq=number, mode="AUTO", note="späti, ✓")
        record.write("end", outcome="done", text="")
    return record.path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    read = read_record(_write(tmp_path).parent)
    assert read.header["schema"] == 1
    assert [e["event"] for e in read.events] == ["track"] * 20 + ["end"]
    assert read.events[3]["t_s"] == 1.0
    assert read.events[3]["note"] == "späti, ✓"
    assert (read.is_cut, read.faults, read.is_closed) == (False, (), True)
    assert [e["seq"] for e in read.of("track")] == list(range(20))


def test_a_record_cut_at_any_byte_is_readable_and_loses_at_most_its_last_line(
    tmp_path: Path,
) -> None:
    whole = _write(tmp_path / "whole", tracks=3).read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    path = tmp_path / "cut.jsonl"
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        read = read_record(path)
        num_whole = sum(end <= size for end in ends)
        num_read = len(read.events) + bool(read.header)
        assert num_read - num_whole in (0, 1)  # a line that lacks its line end alone counts
        assert read.faults == ()
        assert read.is_cut == (size not in (0, *ends))


def test_a_flipped_bit_is_found_and_its_line_left_out(tmp_path: Path) -> None:
    path = _write(tmp_path, tracks=4)
    data = bytearray(path.read_bytes())
    second = data.index(b"\n") + 1
    data[second + 30] ^= 1
    path.write_bytes(bytes(data))
    read = read_record(path)
    assert len(list(read.of("track"))) == 3
    assert len(read.faults) == 1
    assert "record.jsonl:2" in read.faults[0]


def test_tracks_reach_the_file_within_a_second_and_other_events_at_once(tmp_path: Path) -> None:
    clock = Clock()
    record = Recorder(tmp_path, clock)
    record.write("header", schema=1)
    assert sum(1 for _ in iter_lines(record.path)) == 1
    clock.at_s += 0.5
    record.write("track", seq=1)
    assert sum(1 for _ in iter_lines(record.path)) == 1
    clock.at_s += 0.5
    record.write("track", seq=2)
    assert sum(1 for _ in iter_lines(record.path)) == 3
    record.close()
    record.close()


def test_a_live_record_hands_each_track_on_at_once(tmp_path: Path) -> None:
    with Recorder(tmp_path, lambda: 5.0, is_live=True) as record:
        for number in range(1, 4):
            record.write("track", drone_id="d1", number=number)
            told = [event["number"] for event in read_record(tmp_path).of("track")]
            assert told == [*range(1, number)] or told == [*range(1, number + 1)]
            assert record.path.read_bytes().count(b"\n") == number


def test_raw_frames_go_into_the_drones_tlog_with_their_time(tmp_path: Path) -> None:
    clock = Clock()
    with Recorder(tmp_path, clock, epoch_s=1_000_000.0) as record:
        clock.at_s += 1.5
        record.raw("d 1/x", b"\xfd\x01\x02")
    data = (tmp_path / "d%201%2fx.tlog").read_bytes()
    assert struct.unpack(">Q", data[:8]) == (1_000_001_500_000,)
    assert data[8:] == b"\xfd\x01\x02"


def test_an_earlier_record_is_never_written_over(tmp_path: Path) -> None:
    _write(tmp_path)
    with pytest.raises(FormatError, match="earlier record"):
        Recorder(tmp_path, Clock())


def test_no_record_and_another_schema_are_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"record\.jsonl"):
        read_record(tmp_path)
    (tmp_path / "record.jsonl").write_bytes(encode_line({"t_s": 0, "event": "header", "schema": 9}))
    with pytest.raises(FormatError, match="schema: wanted 1, found 9"):
        read_record(tmp_path)


def test_a_record_without_its_header_has_no_plan(tmp_path: Path) -> None:
    (tmp_path / "record.jsonl").write_bytes(b'{"t_s":0,"event":"hea')
    read = read_record(tmp_path)
    assert read.is_cut
    with pytest.raises(FormatError, match="header"):
        read.plan()


def test_a_line_that_was_lost_altered_or_put_in_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path, tracks=6)
    lines = path.read_bytes().splitlines(keepends=True)
    altered = {**json.loads(lines[3]), "seq": 99}
    for key in ("crc", "prev"):
        altered.pop(key)
    before = json.loads(lines[2])["crc"]
    for changed, number, num_events in (
        (lines[:3] + lines[4:], 4, 6),
        ([*lines[:3], encode_line(altered, before), *lines[4:]], 5, 7),
        ([*lines[:3], encode_line(altered), *lines[3:]], 4, 8),
        ([*lines[:3], lines[2], *lines[3:]], 4, 8),
        ([*lines[:3], lines[4], lines[3], *lines[5:]], 4, 7),
        (lines[1:], 1, 7),
    ):
        path.write_bytes(b"".join(changed))
        read = read_record(path)
        assert f"record.jsonl:{number}: " in read.faults[0], read.faults
        assert len(read.events) == num_events


def test_a_torn_record_is_taken_up_in_a_new_part_of_the_same_file(tmp_path: Path) -> None:
    whole = _write(tmp_path, tracks=6).read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    path = tmp_path / "record.jsonl"
    for size in range(ends[2], ends[4] + 1):
        path.write_bytes(whole[:size])
        cut, clock = read_record(path), Clock()
        with Recorder(tmp_path, clock, epoch_s=STARTED_S + 60.0, continues=cut) as record:
            record.write("part", number=2)
            clock.at_s += 2.0
            record.write("end", outcome="done")
        read = read_record(path)
        assert read.events[: len(cut.events)] == cut.events
        assert [e["event"] for e in read.events[len(cut.events) :]] == ["part", "end"]
        assert [e["t_s"] for e in read.events[-2:]] == [60.0, 62.0]
        assert read.num_parts == 2
        is_torn = cut.is_cut and not whole[:size].endswith(b"}")
        assert len(read.faults) == is_torn
        assert all("taken up after it" in fault for fault in read.faults)
        assert whole[:size] == path.read_bytes()[:size]  # nothing that stood there was touched


def test_two_programs_never_write_one_record(tmp_path: Path) -> None:
    path = _write(tmp_path)
    read = read_record(path)
    with (
        Recorder(tmp_path, Clock(), epoch_s=STARTED_S, continues=read),
        pytest.raises(FormatError, match="another program writes"),
    ):
        Recorder(tmp_path, Clock(), epoch_s=STARTED_S, continues=read)


def test_what_a_full_disk_does_not_take_is_told_once_kept_and_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    clock, room, write = Clock(), [700], os.write

    def short(fd: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = bytes(data[: room[0]])
        room[0] -= len(taken)
        return write(fd, taken)

    monkeypatch.setattr("skymist.flight.recording.journal.os.write", short)
    with Recorder(tmp_path, clock) as record:
        record.on_failure = told.append
        record.write("header", schema=1)
        for number in range(20):
            record.write("service", drone_id="d1", number=number)
        assert len(told) == 1
        assert "No space left on device" in told[0]
        assert read_record(tmp_path).is_cut
        room[0] = 100_000
    read = read_record(tmp_path)
    assert [e["number"] for e in read.of("service")] == list(range(20))
    assert read.faults == ()


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[1]", b'{"a":1,"crc":"00000000"}', b'{"a":1,"crc":"xyz"}', b"\xff\xfe"]
)
def test_what_has_no_checksum_of_ours_is_not_trusted(line: bytes) -> None:
    assert decode_line(line) is None
