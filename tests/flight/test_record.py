from __future__ import annotations

import struct
from pathlib import Path

import pytest

from skymist.flight.record import Recorder, decode_line, encode_line, iter_lines, read_record
from skymist.missions.errors import FormatError


class Clock:
    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


def _write(folder: Path, tracks: int = 20) -> Path:
    clock = Clock()
    with Recorder(folder, clock, epoch_s=1_000_000.0) as record:
        record.write("header", schema=1, software="skymist test", plan={})
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


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[1]", b'{"a":1,"crc":"00000000"}', b'{"a":1,"crc":"xyz"}', b"\xff\xfe"]
)
def test_what_has_no_checksum_of_ours_is_not_trusted(line: bytes) -> None:
    assert decode_line(line) is None
