"""The record of an operation: an append-only file of JSON lines, and the raw frames beside it.

`DIR/record.jsonl` holds one event a line. Each line has its own checksum (`crc`) and that of the
line before it (`prev`), so that a crash at any byte costs at most the line under way, and a line
that was altered, lost or put in is named. `DIR/<drone>.tlog` holds what the link carried. What is
taken up again later goes on in the same file as a new part; its frames go to `<drone>.2.tlog`.
Writing is `recorder`'s; what the events mean is left to `reporting.report`, `resuming.ledger` and
`conductor.conduct`.

The events and their fields, beside `t_s` (seconds after the start) and `event`:

==========  ======================================================================================
header      schema, started_utc, is_rehearsal, sim, speedup, software, connections,
            plan (as `plan_to_dict`), policy (packs; findings, each with severity, rule, text,
            source; applied, reported: local times, where they were told)
part        number (from 2), started_utc, is_rehearsal, sim, speedup, software, connections: taken
            up again; what follows was written by another run of the program
policy      as the header's, of what is left when it is taken up again
replan      reason, plan (as `plan_to_dict` without its site): who flies what is left; with
            rest_of, a sortie's id, it is the rest of that sortie alone
sortie      sortie_id, drone_id, state (preparing, uploading, verified, armed, flying, landed,
            failed), text
track       drone_id, sortie_id, lat_e7, lon_e7, above_home_m, speed_mps, heading_deg, pump_frac,
            flow_lps, tank_l, battery_frac, seq, mode, in_span (a spot's id or null)
pass        drone_id, sortie_id, spot_id, pass_index, state (started, ended)
pump        drone_id, commanded (false), reason
service     drone_id, kind (fill, refill, swap), litres_l, duration_s
look        drone_id, sortie_id, before_l (in its tank at take-off), reckoned_l (left by pump
            output), found_l (by the crew; null: nobody looked), is_as_reckoned, counts_frac (0 to
            1: share of the sortie's flow that this bears out), text
parameters_before    drone_id, before (by our names, SI units): held before we first wrote them
parameters_restored  drone_id, names: put back
order       verb, target, by, given_s, drone_id (empty for all), result
alert       drone_id, severity (info, warning, error), code, text
link        drone_id, is_up, rate_hz, lost_frac, round_trip_s, rssi, remote_rssi, num_breaks,
            num_refused (frames with a bad signature, or none)
weather     state (stop, go), text
skipped     spot_id, sortie_id, reason
end         outcome (done, incomplete, aborted), text
==========  ======================================================================================
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from skymist.missions.errors import FormatError
from skymist.missions.plans import plan_from_dict, plan_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skymist.coverage.plan import Plan

SCHEMA = 1
RECORD_FILE = "record.jsonl"
BEFORE, RESTORED = "parameters_before", "parameters_restored"
FIRST = "00000000"
"""What stands for the checksum of the line before the first."""
_CRC = re.compile(rb'^(?P<body>\{.*),"crc":"(?P<crc>[0-9a-f]{8})"\}$', re.DOTALL)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

Event = dict[str, Any]


class Line(NamedTuple):
    """One line that holds: its event, its checksum, and that of the line before (None: unsaid)."""

    event: Event
    checksum: str
    before: str | None


def encode_line(event: Event, before: str | None = None) -> bytes:
    """One line of the record, with its checksum and the line end."""
    chained = event if before is None else {**event, "prev": before}
    body = _encode(chained).encode("utf-8")
    return b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body))


def checksum_of(line: bytes) -> str:
    """The checksum of a line that `encode_line` made."""
    return line[-11:-3].decode("ascii")


def decode_line(line: bytes) -> Line | None:
    """What one line without its line end holds; None where the checksum does not hold."""
    found = _CRC.match(line)
    if found is None:
        return None
    body = found["body"] + b"}"
    if zlib.crc32(body) != int(found["crc"], 16):
        return None
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return None
    if not isinstance(event.get("t_s"), int | float):
        return None
    before = event.pop("prev", None)
    return Line(event, found["crc"].decode("ascii"), before)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a record holds. `header` is empty where the file was cut before its first line's end.

    `is_cut` says that the last line has no end (the program or the machine stopped there);
    `faults` names every other line that could not be trusted and was left out, and where lines
    do not follow each other.
    """

    path: Path
    header: Event
    events: tuple[Event, ...]
    is_cut: bool
    faults: tuple[str, ...]
    last_checksum: str = FIRST

    @property
    def is_closed(self) -> bool:
        """Whether the operation came to its own end; parameters may be put back after it."""
        names = (e["event"] for e in reversed(self.events) if e["event"] != RESTORED)
        return next(names, "") == "end"

    @property
    def connections(self) -> dict[str, str]:
        """Where each drone was reached last, by its id; empty for simulated ones."""
        known: dict[str, str] = dict(self.header.get("connections") or {})
        for event in self.of("part"):
            known |= event.get("connections") or {}
        return known

    @property
    def num_parts(self) -> int:
        """How often it was begun or taken up."""
        return 1 + sum(1 for _ in self.of("part"))

    @property
    def last_s(self) -> float:
        """Time of the last event, seconds after the start."""
        return max((float(event["t_s"]) for event in self.events), default=0.0)

    @property
    def started_utc(self) -> datetime:
        """When it began.

        Raises
        ------
        FormatError
            The header does not say.
        """
        try:
            return datetime.fromisoformat(self.header["started_utc"]).astimezone(UTC)
        except (KeyError, TypeError, ValueError) as exc:
            found = self.header.get("started_utc")
            wanted = f"{self.path}: started_utc: wanted a time, found {found!r}"
            raise FormatError(wanted) from exc

    def plan(self) -> Plan:
        """The plan that was to be flown at the start.

        Raises
        ------
        FormatError
            Where the record was cut before it.
        """
        return self.plans[0]

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """That plan, and every later one over what was left of it, in order."""
        if "plan" not in self.header:
            raise FormatError(f"{self.path}: wanted a header with the plan, found none")
        whole = plan_from_dict(self.header["plan"], str(self.path))
        later = []
        for event in self.of("replan"):
            rest = {**event.get("plan", {}), "site": self.header["plan"]["site"]}
            later.append(replace(plan_from_dict(rest, str(self.path)), site=whole.site))
        return (whole, *later)

    def whole_plan(self) -> Plan:
        """The first plan with the sorties of all: what was asked for, and all who flew for it."""
        sorties = {s.id: s for made in self.plans for s in made.sorties}
        return replace(self.plan(), sorties=tuple(sorties.values()))

    def of(self, *names: str) -> Iterator[Event]:
        """The events with these names, in order."""
        return (event for event in self.events if event["event"] in names)


def rest_to_dict(rest: Plan) -> Event:
    """A plan over what is left, as a record holds it: without the site, which the header has."""
    made = plan_to_dict(rest)
    del made["site"]
    return made


def iter_lines(path: Path) -> Iterator[tuple[int, Line | None, bool]]:
    """Line number from 1, what it holds (None where not to be trusted), and whether it has an end.

    A line that holds and lacks its line end alone counts as having none.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            has_end = line.endswith(b"\n")
            yield number, decode_line(line.rstrip(b"\r\n")), has_end


def record_path(place: Path) -> Path:
    """The record's file, from itself or from its folder."""
    return place / RECORD_FILE if place.is_dir() else place


class _Chain:
    """Judges line after line whether it follows the one before, and names what does not."""

    def __init__(self, name: str) -> None:
        self.faults: list[str] = []
        self.last, self._is_chained, self._damaged, self._name = FIRST, True, 0, name

    def damaged(self, number: int) -> None:
        """Take a line that does not hold; what came of it the next one tells."""
        self._tell_damage()
        self._damaged = number

    def follows(self, number: int, line: Line) -> None:
        """Take a line that holds, and see whether it follows the last that did."""
        if line.before is None:
            if number == 1:
                self._is_chained = False
            elif self._is_chained:
                self._tell(number, "says of no line that it comes after it: put in")
            self._tell_damage()
        elif line.before == self.last and self._damaged:
            text = "cut short where the program stopped, left out; it was taken up after it"
            self._tell(self._damaged, text)
            self._damaged = 0
        else:
            is_told = self._tell_damage()
            if line.before != self.last and not is_told:
                self._tell(number, "does not follow the line before it: one is lost or altered")
        self.last = line.checksum

    def end(self) -> tuple[str, ...]:
        """All faults."""
        self._tell_damage()
        return tuple(self.faults)

    def _tell_damage(self) -> bool:
        number, self._damaged = self._damaged, 0
        if number:
            self._tell(number, "line damaged (checksum), left out")
        return bool(number)

    def _tell(self, number: int, text: str) -> None:
        self.faults.append(f"{self._name}:{number}: {text}")


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
    chain = _Chain(path.name)
    is_cut = False
    try:
        for number, line, has_end in iter_lines(path):
            is_cut = not has_end
            if line is None:
                if has_end:
                    chain.damaged(number)
                continue
            chain.follows(number, line)
            if line.event["event"] == "header" and not header:
                header = line.event
            else:
                events.append(line.event)
    except OSError as exc:
        found = "none" if isinstance(exc, FileNotFoundError) else str(exc.strerror)
        raise FormatError(f"{path}: wanted a record ({RECORD_FILE}), found {found}") from exc
    if header and header.get("schema") != SCHEMA:
        raise FormatError(f"{path}: schema: wanted {SCHEMA}, found {header.get('schema')!r}")
    return Record(
        path=path,
        header=header,
        events=tuple(events),
        is_cut=is_cut,
        faults=chain.end(),
        last_checksum=chain.last,
    )
