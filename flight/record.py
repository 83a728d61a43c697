"""The record of an operation: an append-only file of JSON lines, and the raw frames beside it.

`DIR/record.jsonl` holds one event a line, each with its own checksum, so that a crash at any
byte costs at most the line under way; `DIR/<drone>.tlog` holds what the link carried. What the
events mean is left to `flight.report` and `flight.conduct`.

The events and their fields, beside `t_s` (seconds after the start) and `event`:

==========  ======================================================================================
header      schema, started_utc, is_rehearsal, sim, speedup, software, plan (as `plan_to_dict`)
sortie      sortie_id, drone_id, state (preparing, uploading, verified, armed, flying, landed,
            failed), text
track       drone_id, sortie_id, lat_e7, lon_e7, above_home_m, speed_mps, heading_deg, pump_frac,
            flow_lps, tank_l, battery_frac, seq, mode, in_span (a spot's id or null)
pass        drone_id, sortie_id, spot_id, pass_index, state (started, ended)
pump        drone_id, commanded (false), reason
service     drone_id, kind (fill, refill, swap), litres_l, duration_s
alert       drone_id, severity (info, warning, error), code, text
skipped     spot_id, sortie_id, reason
end         outcome (done, incomplete, aborted), text
==========  ======================================================================================
"""

from __future__ import annotations

import json
import logging
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from skymist.missions.errors import FormatError
from skymist.missions.plans import file_name_of, plan_from_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from skymist.coverage.plan import Plan

log = logging.getLogger(__name__)

SCHEMA = 1
RECORD_FILE = "record.jsonl"
FLUSH_S = 1.0
_CRC = re.compile(rb'^(?P<body>\{.*),"crc":"(?P<crc>[0-9a-f]{8})"\}$', re.DOTALL)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

Event = dict[str, Any]


def encode_line(event: Event) -> bytes:
    """One line of the record, with its checksum and the line end."""
    body = _encode(event).encode("utf-8")
    return b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body))


def decode_line(line: bytes) -> Event | None:
    """The event of one line without its line end; None where the checksum does not hold."""
    found = _CRC.match(line)
    if found is None:
        return None
    body = found["body"] + b"}"
    if zlib.crc32(body) != int(found["crc"], 16):
        return None
    try:
        event = json.loads(body)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


class Recorder:
    """Writes the record of one operation; the only writer of its folder.

    `now_s` gives seconds of the loop's clock. Every event but `track` is flushed at once,
    tracks after at most `FLUSH_S`.
    """

    def __init__(
        self, folder: Path, now_s: Callable[[], float], *, epoch_s: float = 0.0, tlog: bool = True
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / RECORD_FILE
        if self.path.exists() and self.path.stat().st_size:
            raise FormatError(f"{self.path}: wanted a new folder, found an earlier record")
        self._now_s, self._start_s, self._flushed_s = now_s, now_s(), now_s()
        self._epoch_s, self._has_tlog = epoch_s, tlog
        self._file: IO[bytes] = self.path.open("ab")
        self._tlogs: dict[str, IO[bytes]] = {}

    @property
    def elapsed_s(self) -> float:
        """Seconds since the record began, on the loop's clock."""
        return self._now_s() - self._start_s

    def write(self, event: str, **fields: object) -> None:
        """Append one event."""
        if self._file.closed:
            log.warning("event after the end of the record", extra={"event": event})
            return
        now_s = self.elapsed_s
        self._file.write(encode_line({"t_s": round(now_s, 3), "event": event, **fields}))
        if event != "track" or now_s - self._flushed_s >= FLUSH_S:
            self.flush()

    def raw(self, drone_id: str, frame: bytes) -> None:
        """Append a raw MAVLink frame to the drone's tlog."""
        if not self._has_tlog or self._file.closed:
            return
        file = self._tlogs.get(drone_id)
        if file is None:
            file = self.path.with_name(f"{file_name_of(drone_id)}.tlog").open("ab")
            self._tlogs[drone_id] = file
        microseconds = round((self._epoch_s + self.elapsed_s) * 1e6)
        file.write(struct.pack(">Q", microseconds) + frame)

    def flush(self) -> None:
        """Hand everything to the operating system, so that a crash of this program keeps it."""
        if self._file.closed:
            return
        self._flushed_s = self.elapsed_s
        for file in (self._file, *self._tlogs.values()):
            file.flush()

    def close(self) -> None:
        """Close all files; may be called twice."""
        for file in (self._file, *self._tlogs.values()):
            file.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a record holds. `header` is empty where the file was cut before its first line's end.

    `is_cut` says that the last line has no end (the program or the machine stopped there);
    `faults` names every other line that could not be trusted and was left out.
    """

    path: Path
    header: Event
    events: tuple[Event, ...]
    is_cut: bool
    faults: tuple[str, ...]

    @property
    def is_closed(self) -> bool:
        """Whether the operation came to its own end."""
        return bool(self.events) and self.events[-1]["event"] == "end"

    def plan(self) -> Plan:
        """The plan that was flown.

        Raises
        ------
        FormatError
            Where the record was cut before it.
        """
        if "plan" not in self.header:
            raise FormatError(f"{self.path}: wanted a header with the plan, found none")
        return plan_from_dict(self.header["plan"], str(self.path))

    def of(self, *names: str) -> Iterator[Event]:
        """The events with these names, in order."""
        return (event for event in self.events if event["event"] in names)


def iter_lines(path: Path) -> Iterator[tuple[int, Event | None, bool]]:
    """Line number from 1, its event (None where not to be trusted), and whether it has an end."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            has_end = line.endswith(b"\n")
            yield number, decode_line(line.rstrip(b"\r\n")), has_end


def record_path(place: Path) -> Path:
    """The record's file, from itself or from its folder."""
    return place / RECORD_FILE if place.is_dir() else place


def read_record(place: Path) -> Record:
    """Read a record from its file, or from the folder that holds one.

    Raises
    ------
    FormatError
        Where there is none, or its schema is another. Damage is told, not raised.
    """
    path = record_path(place)
    header: Event = {}
    events: list[Event] = []
    faults: list[str] = []
    is_cut = False
    try:
        for number, event, has_end in iter_lines(path):
            is_cut = not has_end
            if event is None or "event" not in event or "t_s" not in event:
                if has_end:
                    faults.append(f"{path.name}:{number}: line damaged (checksum), left out")
            elif event["event"] == "header" and not header:
                header = event
            else:
                events.append(event)
    except OSError as exc:
        raise FormatError(f"{path}: wanted a record ({RECORD_FILE}), found none: {exc}") from exc
    if header and header.get("schema") != SCHEMA:
        raise FormatError(f"{path}: schema: wanted {SCHEMA}, found {header.get('schema')!r}")
    return Record(
        path=path, header=header, events=tuple(events), is_cut=is_cut, faults=tuple(faults)
    )
