"""What of every pass was given its dose, by pump output along the way flown: the breakpoint.

The item's number says only which pass was meant. What counts is the liquid: between two samples
the mean of their flows is laid along the pass where the drone was; a metre that got its share of
what was planned for it is done. What no samples prove is not done, and what counts of their flow is
`resuming.credit`'s word. No I/O; `ledger_of` reads a record.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.dosemap import DOSED_FRAC
from skymist.coverage.plan import PassKind
from skymist.coverage.replanning import merged
from skymist.coverage.tracks import GAP_S
from skymist.flight.resuming.credit import credit_of
from skymist.flight.safety.interlock import OFF_HEIGHT_M
from skymist.missions.compile import Roofs, compile_sortie
from skymist.missions.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from skymist.coverage.plan import Pass, Plan, Sortie
    from skymist.coverage.replanning import Done, Share
    from skymist.flight.recording.record import Event, Record

BIN_M = 0.25
SMOOTH_M = 1.5
"""Doses are looked at over this length: at 4 Hz a slow drone's steps are shorter than the jitter of
its positions. It puts the breakpoint up to 0.45 m too early, never too late. [P]"""
EDGE_M = 1.5
EDGE_S = 0.25
"""What is left of a pass is flown only where it is longer than `EDGE_M` and what a drone flies in
`EDGE_S`, one period of telemetry. The pump starts up to 0.4 m late, and of the first sample with
flow only half counts. Rehearsals leave up to 1.25 m by this count. [P]"""
SHORT_M = 4.0
"""A pass shorter than this is done as a whole or not at all: a part of it cannot be dosed. [P]"""
HOVER_DONE_FRAC = 0.9
NEAR_M = 1.0
"""A sample belongs to a pass within half its swath, at least this. [P]"""
BACK_M = 0.3
LATE_M = 0.5
"""By so much nearer must a sample be to the next pass than to the one that the item's number names.
Two laps on one line are told apart by their directions. [P]"""
AHEAD = 2
"""By how many passes the item's number may lag behind: it comes once a second, and can be lost."""
LEAST_M = 0.1
SAME_M = 0.06
"""Points of a pass that was cut, turned round or written to a file lie this near to its line."""

Key = tuple[str, int]


class ResumeFrom(StrEnum):
    """Where a pass that was broken off is taken up again."""

    BREAKPOINT = "breakpoint"
    PASS_START = "pass-start"
    NEXT_PASS = "next-pass"


def chosen(done: Done, start: ResumeFrom) -> Done:
    """What counts as done when passes that were broken off are taken up from there."""
    if start is ResumeFrom.BREAKPOINT:
        return done
    whole: tuple[Share, ...] = ((0.0, 1.0),)
    if start is ResumeFrom.NEXT_PASS:
        return {key: whole if shares else shares for key, shares in done.items()}
    return {key: shares if shares == whole else () for key, shares in done.items()}


class _Line:
    """A pass of a treatment, by metres along it; a hover is as long as its point."""

    def __init__(self, whole: Pass) -> None:
        self.whole = whole
        self.is_hover = whole.kind is PassKind.HOVER
        self._steps = [
            (a, b, math.dist(a, b)) for a, b in pairwise(whole.path) if math.dist(a, b) > 1e-9
        ]
        self._begun_m = [0.0, *accumulate(step[2] for step in self._steps)]
        self.length_m = self._begun_m[-1]
        self.near_m = max(NEAR_M, whole.swath_m / 2)
        num = 1 if self.is_hover else max(1, math.ceil(self.length_m / BIN_M))
        self.given_l = np.zeros(num)

    def places(self, x: float, y: float, within_m: float) -> list[float]:
        """Every place along the line that lies this near to a point."""
        found: list[float] = []
        for s, off in self._projections(x, y):
            if off <= within_m and not any(abs(s - other) < SAME_M for other in found):
                found.append(s)
        return found

    def point(self, along_m: float) -> tuple[float, float]:
        """The point so far along the line."""
        for (a, b, long_m), begun_m in zip(self._steps, self._begun_m, strict=False):
            if along_m <= begun_m + long_m:
                share = max(0.0, along_m - begun_m) / long_m
                return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
        return self.whole.path[-1]

    def nearest(self, x: float, y: float, near_s: float) -> tuple[float, float]:
        """The place along the line nearest to a point, and how far off; ties go to `near_s`."""
        s, off = min(self._projections(x, y), key=lambda at: at[1] + 1e-3 * abs(at[0] - near_s))
        return s, off

    def _projections(self, x: float, y: float) -> list[tuple[float, float]]:
        if not self._steps:
            return [(0.0, math.dist((x, y), self.whole.path[0]))]
        found = []
        for (a, b, long_m), begun_m in zip(self._steps, self._begun_m, strict=False):
            ux, uy = (b[0] - a[0]) / long_m, (b[1] - a[1]) / long_m
            along = min(max((x - a[0]) * ux + (y - a[1]) * uy, 0.0), long_m)
            found.append(
                (begun_m + along, math.hypot(a[0] + ux * along - x, a[1] + uy * along - y))
            )
        return found

    def lay(self, litres_l: float, from_m: float, to_m: float) -> None:
        """Put liquid evenly along a stretch."""
        if self.is_hover:
            self.given_l[0] += litres_l
            return
        low, high = min(from_m, to_m), max(from_m, to_m)
        num, size = len(self.given_l), self.length_m / len(self.given_l)
        first, last = min(int(low / size), num - 1), min(int(high / size), num - 1)
        if first == last:
            self.given_l[first] += litres_l
            return
        for k in range(first, last + 1):
            part = min(high, (k + 1) * size) - max(low, k * size)
            self.given_l[k] += litres_l * part / (high - low)

    def shares(self) -> tuple[Share, ...]:
        """Which shares of the pass got their dose, from its start."""
        if self.is_hover:
            frac = float(self.given_l[0]) / (self.whole.flow_lps * self.whole.hover_s)
            frac = 1.0 if frac >= HOVER_DONE_FRAC else frac
            return ((0.0, frac),) if frac > 1 - HOVER_DONE_FRAC else ()
        if not self.given_l.any():
            return ()
        if self.length_m < SHORT_M:
            is_whole = float(self.given_l.sum()) >= DOSED_FRAC * self.whole.litres_l
            return ((0.0, 1.0),) if is_whole else ()
        num, size = len(self.given_l), self.length_m / len(self.given_l)
        reach = min(round(SMOOTH_M / size / 2), num // 4)
        sums = np.concatenate([[0.0], np.cumsum(self.given_l)])
        low = np.maximum(np.arange(num) - reach, 0)
        high = np.minimum(np.arange(num) + reach + 1, num)
        wanted_l = self.whole.flow_lps / self.whole.speed_mps * size * DOSED_FRAC
        is_done = (sums[high] - sums[low]) / (high - low) >= wanted_l
        edges = np.flatnonzero(np.diff(np.concatenate([[False], is_done, [False]]).astype(np.int8)))
        runs = [(float(a) * size, float(b) * size) for a, b in edges.reshape(-1, 2)]
        return tuple((a / self.length_m, b / self.length_m) for a, b in self._without_slivers(runs))

    def _without_slivers(self, runs: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Runs without gaps between and beside them that are too short to be flown."""
        sliver_m = min(EDGE_M + EDGE_S * self.whole.speed_mps, self.length_m / 3)
        made: list[tuple[float, float]] = []
        for low, high in runs:
            low = 0.0 if low <= sliver_m else low
            high = self.length_m if high >= self.length_m - sliver_m else high
            if made and low - made[-1][1] <= sliver_m:
                made[-1] = (made[-1][0], high)
            else:
                made.append((low, high))
        return [(low, high) for low, high in made if high - low > sliver_m]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What a sortie's pass flies of a treatment's pass; from a higher to a lower place: back."""

    key: Key
    from_m: float
    to_m: float

    @property
    def span_m(self) -> tuple[float, float]:
        return min(self.from_m, self.to_m), max(self.from_m, self.to_m)


@dataclass(slots=True, kw_only=True)
class _Flight:
    """One sortie as its samples come."""

    first_seqs: tuple[int, ...]
    pieces: tuple[tuple[_Piece, ...], ...]
    last: tuple[float, float, float, float] | None = None


@dataclass(slots=True)
class _Claims:
    """Which stretches of which passes the sorties of one plan fly."""

    by_key: dict[Key, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def overlap_m(self, piece: _Piece) -> float:
        low, high = piece.span_m
        taken = self.by_key.get(piece.key, ())
        return math.fsum(max(0.0, min(high, b) - max(low, a)) for a, b in taken)

    def add(self, piece: _Piece) -> None:
        insort(self.by_key[piece.key], piece.span_m)


class Ledger:
    """Litres along every pass of a plan's treatments, whoever flew them and by which plan."""

    def __init__(self, plan: Plan) -> None:
        self._site = plan.site
        self._lines: dict[Key, _Line] = {}
        self._by_spot: dict[str, list[Key]] = {}
        for treatment in plan.treatments:
            keys = [(treatment.spot_id, k) for k in range(len(treatment.passes))]
            self._by_spot[treatment.spot_id] = keys
            self._lines |= {key: _Line(p) for key, p in zip(keys, treatment.passes, strict=True)}
        self._roofs: Roofs | None = None
        self._flights: dict[str, _Flight] = {}
        self._expected: dict[str, tuple[Plan, Sortie, tuple[tuple[_Piece, ...], ...]]] = {}
        self.expect(plan)

    def expect(self, plan: Plan) -> None:
        """Know the sorties of a plan over these treatments, or over what is left of them."""
        claims = _Claims()
        for key, shares in self.done().items():
            long_m = self._lines[key].length_m or 1.0
            claims.by_key[key] = [(a * long_m, b * long_m) for a, b in shares]
        for sortie in plan.sorties:
            pieces = tuple(self._pieces(p, claims) for p in sortie.passes)
            self._expected[sortie.id] = plan, sortie, pieces

    def fold(
        self,
        sortie_id: str,
        t_s: float,
        at: tuple[float, float],
        flow_lps: float,
        seq: int,
        above_home_m: float,
    ) -> None:
        """Take a sample of a sortie, in order of time: seconds, local metres, litres per second.

        Of passes over one place it belongs to one at its height.
        """
        flight = self._flights.get(sortie_id) or self._begin(sortie_id)
        if flight is None:
            return
        last, flight.last = flight.last, (t_s, *at, flow_lps)
        if last is None or not 0 < t_s - last[0] <= GAP_S or last[3] + flow_lps <= 0:
            return
        litres_l = (last[3] + flow_lps) / 2 * (t_s - last[0])
        meant = max(0, bisect_right(flight.first_seqs, seq) - 1)
        best: tuple[float, _Line, float, float] | None = None
        for late, pieces in enumerate(flight.pieces[meant : meant + AHEAD + 1]):
            for piece in pieces:
                meant_m = self._lines[piece.key].whole.above_home_m
                if abs(above_home_m - meant_m) > OFF_HEIGHT_M:
                    continue
                found = self._fit(piece, last[1:3], at)
                if found is not None and (best is None or found[0] + LATE_M * late < best[0]):
                    best = (found[0] + LATE_M * late, self._lines[piece.key], *found[1:])
        if best is not None:
            best[1].lay(litres_l, *best[2:])

    def done(self) -> Done:
        """By spot and index of the pass in its treatment: which shares got their dose."""
        return {key: line.shares() for key, line in self._lines.items()}

    def claimed(self, sortie_ids: set[str]) -> Done:
        """The same, as if these sorties were flown to their end."""
        taken = _Claims()
        done = dict(self.done())
        for sortie_id in sortie_ids:
            for pieces in self._expected[sortie_id][2]:
                for piece in pieces:
                    taken.add(piece)
        for key, spans in taken.by_key.items():
            line = self._lines[key]
            long_m = line.length_m or 1.0
            done[key] = merged(
                [
                    *done[key],
                    *((0.0, 1.0) if line.is_hover else (a / long_m, b / long_m) for a, b in spans),
                ]
            )
        return done

    def _begin(self, sortie_id: str) -> _Flight | None:
        expected = self._expected.get(sortie_id)
        if expected is None:
            return None
        plan, sortie, pieces = expected
        self._roofs = self._roofs or Roofs(plan.site)
        mission = compile_sortie(plan, sortie, self._roofs)
        flight = _Flight(first_seqs=tuple(span.first_seq for span in mission.spans), pieces=pieces)
        self._flights[sortie_id] = flight
        return flight

    def _fit(
        self, piece: _Piece, a: tuple[float, ...], b: tuple[float, float]
    ) -> tuple[float, float, float] | None:
        """How far a step from a to b is off a piece, and from where to where it goes along it."""
        line = self._lines[piece.key]
        low, high = piece.span_m
        from_m, off_a = line.nearest(a[0], a[1], (low + high) / 2)
        to_m, off_b = line.nearest(b[0], b[1], from_m)
        off_m = max(off_a, off_b)
        if off_m > line.near_m:
            return None
        if line.is_hover:
            return off_m, 0.0, 0.0
        if min(from_m, to_m) < low - line.near_m or max(from_m, to_m) > high + line.near_m:
            return None
        ahead_m = to_m - from_m if piece.to_m >= piece.from_m else from_m - to_m
        is_jump = abs(ahead_m) > math.dist(a, b) * 1.5 + 0.5
        return None if ahead_m < -BACK_M or is_jump else (off_m, from_m, to_m)

    def _pieces(self, flown: Pass, claims: _Claims) -> tuple[_Piece, ...]:
        """Which parts of which passes this is; of equal ones those that are claimed least.

        Pieces of several passes that lie on one line may be flown as one.
        """
        own = _Line(flown)
        found = [
            part
            for key in self._by_spot.get(flown.spot_id, ())
            for part in _shared(own, self._lines[key], key)
        ]
        made: list[_Piece] = []
        at_m = min((begin for begin, _, _ in found), default=0.0)
        while some := [f for f in found if f[0] <= at_m + LEAST_M and f[1] > at_m + LEAST_M]:
            _, at_m, piece = min(some, key=lambda f: claims.overlap_m(f[2]))
            claims.add(piece)
            made.append(piece)
        return tuple(made)


def _shared(flown: _Line, line: _Line, key: Key) -> list[tuple[float, float, _Piece]]:
    """Where a flown pass lies on a line: from and to along the flown one, and the piece."""
    if flown.is_hover or line.is_hover:
        is_same = flown.is_hover and line.is_hover
        is_near = is_same and math.dist(flown.whole.path[0], line.whole.path[0]) < SAME_M
        return [(0.0, 1.0, _Piece(key=key, from_m=0.0, to_m=1.0))] if is_near else []
    marks = {0.0, flown.length_m}
    for x, y in line.whole.path:
        marks.update(flown.places(x, y, SAME_M))
    found: list[tuple[float, float, _Piece]] = []
    for low, high in pairwise(sorted(marks)):
        middle = flown.point((low + high) / 2)
        along_m, off_m = line.nearest(*middle, 0.0)
        if high - low < LEAST_M or off_m > SAME_M:
            continue
        from_m, _ = line.nearest(*flown.point(low), along_m)
        to_m, _ = line.nearest(*flown.point(high), along_m)
        if abs(abs(to_m - from_m) - (high - low)) > LEAST_M + 0.001 * (high - low):
            continue
        piece = _Piece(key=key, from_m=from_m, to_m=to_m)
        before = found[-1] if found else None
        if before and before[1] == low and abs(before[2].to_m - from_m) < SAME_M:
            piece = _Piece(key=key, from_m=before[2].from_m, to_m=to_m)
            found[-1] = (before[0], high, piece)
        else:
            found.append((low, high, piece))
    return found


def in_time(events: Iterable[Event]) -> list[Event]:
    """Events as written, each sortie's track in order of time: some of it is known only later."""
    given = list(events)
    tracks: dict[object, list[Event]] = defaultdict(list)
    for event in given:
        if event["event"] == "track":
            tracks[event.get("sortie_id")].append(event)
    sorted_: dict[object, Iterator[Event]] = {}
    for sortie_id, mine in tracks.items():
        sorted_[sortie_id] = iter(sorted(mine, key=lambda e: float(e["t_s"])))
    return [next(sorted_[e.get("sortie_id")]) if e["event"] == "track" else e for e in given]


def ledger_of(record: Record) -> Ledger:
    """The ledger of everything that a record holds, over all its parts.

    Raises
    ------
    FormatError
        It holds no plan, or a track that cannot be read.
    """
    whole, *later = record.plans
    ledger, replanned, credit = Ledger(whole), iter(later), credit_of(record)
    events = in_time(record.of("track", "replan"))
    try:
        tracks = [event for event in events if event["event"] == "track"]
        places = np.array([(e["lon_e7"] / 1e7, e["lat_e7"] / 1e7) for e in tracks], dtype=float)
        local = iter(whole.site.origin.to_local(places.reshape(-1, 2)))
        for event in events:
            if event["event"] == "replan":
                ledger.expect(next(replanned))
                continue
            x, y = (float(value) for value in next(local))
            flow_lps, t_s = float(event["flow_lps"]) * credit.frac(event), float(event["t_s"])
            up_m, seq = float(event["above_home_m"]), int(event["seq"])
            if math.isfinite(x + y + t_s + up_m) and 0 <= flow_lps < math.inf:
                ledger.fold(event["sortie_id"], t_s, (x, y), flow_lps, seq, up_m)
    except (KeyError, TypeError, ValueError) as exc:
        raise FormatError(f"{record.path}: an event lacks or garbles {exc}") from exc
    return ledger
