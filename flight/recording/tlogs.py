"""Telemetry logs (.tlog) of a record: the raw MAVLink frames of each drone, its parts as one file.

A tlog is a row of frames, each after 8 bytes: microseconds since 1970, the high byte first.
Source: MAVLink guide, "Telemetry log file format" of ground stations (Mission Planner, pymavlink).
"""

from __future__ import annotations

import heapq
import struct
from typing import TYPE_CHECKING

from skymist.missions.errors import FormatError
from skymist.missions.plans import file_name_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from skymist.flight.recording.record import Record

TIME = struct.Struct(">Q")
FRAMES = {0xFD: 12, 0xFE: 8}
"""First byte of a frame, MAVLink 2 and 1, and the bytes around its payload. Source: MAVLink."""
SIGNED, SIGNATURE = 0x01, 13
"""The flag of a signed MAVLink 2 frame, and what it lengthens the frame by. Source: MAVLink."""


def frames_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each frame's microseconds since 1970, and its bytes; one that is cut at the end is left.

    Raises
    ------
    FormatError
        Where no frame stands and one should.
    """
    place = 0
    while place + TIME.size + 3 <= len(data):
        (at_us,) = TIME.unpack_from(data, place)
        start = place + TIME.size
        if data[start] not in FRAMES:
            raise FormatError(f"byte {start}: wanted a MAVLink frame, found 0x{data[start]:02x}")
        long = FRAMES[data[start]] + data[start + 1]
        if data[start] == 0xFD and data[start + 2] & SIGNED:
            long += SIGNATURE
        if start + long > len(data):
            return
        yield at_us, data[start : start + long]
        place = start + long


def tlogs_of(record: Record) -> dict[str, bytes]:
    """Each drone's log by file name, the parts of an operation that was resumed put together.

    Raises
    ------
    FormatError
        The record has none (`rehearse` keeps them with `--tlog` alone), or one is damaged.
    """
    folder = record.path.parent
    drones = {file_name_of(drone.id) for drone in record.whole_plan().site.fleet}
    parts: dict[str, list[tuple[int, Path]]] = {}
    for path in sorted(folder.glob("*.tlog")):
        name, _, part = path.stem.rpartition(".")
        if path.stem in drones or not (name and part.isdecimal()):
            name, part = path.stem, "1"
        parts.setdefault(name, []).append((int(part), path))
    if not parts:
        raise FormatError(
            f"{folder}: wanted raw frames (.tlog) beside the record, found none: "
            "`rehearse` keeps them with --tlog, `fly` always"
        )
    return {f"{name}.tlog": _joined([p for _, p in sorted(some)]) for name, some in parts.items()}


def _joined(paths: list[Path]) -> bytes:
    """The frames of several files as one, by their times."""
    rows = []
    for path in paths:
        try:
            rows.append(list(frames_of(path.read_bytes())))
        except FormatError as exc:
            raise FormatError(f"{path}: {exc}") from exc
    merged = heapq.merge(*rows, key=lambda row: row[0])
    return b"".join(TIME.pack(at_us) + frame for at_us, frame in merged)
