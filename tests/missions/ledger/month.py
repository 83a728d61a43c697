"""A month of a community lived through its ledger, beside a replay that shares no code with it.

Findings come from a seeded stream, some days late; crews treat what is due, miss some of it, leave
some in part, and do not come at all on some days. No flight: reports are made up. The replay goes
through every day with the table of levels as plain numbers and says what should be due.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from skymist.coverage.site import LevelRule, LevelRules, Measure, Mode
from skymist.missions.ledger.due import due
from skymist.missions.ledger.findings import Reported, add_findings, settle_levels
from skymist.missions.ledger.levels import levelled
from skymist.missions.ledger.store import open_ledger
from skymist.missions.ledger.treatments import add_record
from skymist.missions.ledger.verify import verify
from tests.missions.ledger.books import flown

if TYPE_CHECKING:
    from pathlib import Path

    from skymist.coverage.site import Site

EAST = timezone(timedelta(hours=8))
DAY_1 = date(2026, 7, 1)
NAMES = ["red", "yellow", "blue", "green"]
DECAY_DAYS = 3
TABLE = {
    "cases": (5, {"red": 2, "yellow": 1}, "sum"),
    "complaints": (4, {"yellow": 3, "blue": 1}, "sum"),
    "breteau": (6, {"red": 20, "yellow": 10, "blue": 5}, "last"),
}
RULES = LevelRules(
    decay_days=DECAY_DAYS,
    rules=tuple(
        LevelRule(measure=Measure(name), days=days, **least)
        for name, (days, least, _) in TABLE.items()
    ),
)
OUTCOMES = ("treated", "partial", "missed")
Told = list[tuple[int, int, str, float]]
"""Found on a day, entered on a day, measure, value."""


def asked(told: Told, day: int) -> int:
    """The worst level that the table asks for on a day, 3 for none."""
    worst = 3
    for measure, (days, least, how) in TABLE.items():
        some = [(on, v) for on, known, m, v in told if m == measure and known <= day < on + days]
        if not some:
            continue
        value = sum(v for _, v in some) if how == "sum" else sorted(some, key=lambda s: s[0])[-1][1]
        reached = [NAMES.index(name) for name, limit in least.items() if value >= limit]
        worst = min([worst, *reached])
    return worst


def replayed(base: int, told: Told, num_days: int, decay_days: int = DECAY_DAYS) -> list[int]:
    """The level on each day."""
    level, quiet, made = base, 0, []
    for day in range(num_days):
        want = min(base, asked(told, day))
        if want <= level:
            level, quiet = want, 0
        else:
            quiet += 1
            if quiet == decay_days:
                level, quiet = level + 1, 0
        made.append(level)
    return made


def noon(day: int) -> datetime:
    return datetime(2026, 7, 1, 12, tzinfo=EAST) + timedelta(days=day)


@dataclass(slots=True, kw_only=True)
class Month:
    """What happened, and every place where ledger and replay differ, in words."""

    num_days: int
    num_findings: int = 0
    num_due: int = 0
    num_treated: int = 0
    num_raised: int = 0
    num_changes: int = 0
    forgotten: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    mislevelled: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Life:
    """One community: what was found and treated, as the replay knows it."""

    site: Site
    path: Path
    rng: random.Random
    month: Month
    stream: dict[str, Told] = field(default_factory=dict)
    last_day: dict[str, int] = field(default_factory=dict)

    def find(self, day: int) -> None:
        """Enter the findings of a day: of spots, and now and then of a zone."""
        rng, site, reports = self.rng, self.site, []
        zones = [zone.id for zone in site.zones]
        for spot in rng.sample(site.spots, min(12, max(2, len(site.spots) // 6))):
            measure, value = rng.choice(list(TABLE)), rng.choice([1.0, 2.0, 3.0, 12.0, 25.0])
            on = max(0, day - rng.choice([0, 0, 1, 3]))
            zone = rng.choice(zones) if zones and rng.random() < 0.05 else ""
            ids = [s.id for s in site.spots if s.zone_id == zone] if zone else [spot.id]
            for spot_id in ids:
                self.stream.setdefault(spot_id, []).append((on, day, measure, value))
            reports.append(
                Reported(
                    on=DAY_1 + timedelta(days=on),
                    measure=Measure(measure),
                    value=value,
                    spot_id="" if zone else spot.id,
                    zone_id=zone,
                )
            )
        self.month.num_findings += len(reports)
        add_findings(self.path, site, reports, now=noon(day) - timedelta(hours=9), tz=EAST)

    def judge(self, day: int) -> dict[Mode, list[str]]:
        """Hold levels and what is due against the replay; the due spots by mode."""
        site, month, on = self.site, self.month, DAY_1 + timedelta(days=day)
        levels = {
            spot.id: replayed(NAMES.index(spot.level), self.stream.get(spot.id, []), day + 1)[-1]
            for spot in site.spots
        }
        with open_ledger(self.path, reads=site.name) as ledger:
            now, _ = levelled(site, ledger, on, tz=EAST)
            found = due(site, ledger, on, tz=EAST)
        expected = {
            spot.id
            for spot in site.spots
            if day - self.last_day.get(spot.id, -99) >= self._days(spot.mode, levels[spot.id])
        }
        said = {item.spot.id for item in found}
        told = {spot.id: str(spot.level) for spot in now.spots}
        told |= {item.spot.id: str(item.spot.level) for item in found}
        month.forgotten += [f"day {day}: {spot_id}" for spot_id in sorted(expected - said)]
        month.early += [f"day {day}: {spot_id}" for spot_id in sorted(said - expected)]
        month.mislevelled += [
            f"day {day}: {spot_id}: {told[spot_id]}, wanted {NAMES[level]}"
            for spot_id, level in levels.items()
            if told[spot_id] != NAMES[level]
        ]
        month.num_raised += sum(NAMES[levels[spot.id]] != spot.level for spot in site.spots)
        month.num_due += len(found)
        return {mode: [i.spot.id for i in found if i.spot.mode is mode] for mode in Mode}

    def _days(self, mode: Mode, level: int) -> float:
        rows = self.site.surface_levels if mode is Mode.SURFACE else self.site.vector_levels
        return next(row.revisit_days for row in rows if row.name == NAMES[level])

    def treat(self, day: int, mine: dict[Mode, list[str]]) -> None:
        """Treat what is due, but for what is missed or left in part, or a crew that stays away."""
        for mode, ids in mine.items():
            outcomes = {s: self.rng.choices(OUTCOMES, (8, 1, 1))[0] for s in ids}
            if not outcomes or self.rng.random() < 0.1:
                continue
            began = noon(day) - timedelta(hours=4)
            made = flown(began, outcomes, site=self.site.name, mode=str(mode), each_min=1)
            add_record(self.path, made, now=noon(day) + timedelta(hours=6))
            self.last_day |= {s: day for s, o in outcomes.items() if o == "treated"}
            self.month.num_treated += list(outcomes.values()).count("treated")

    def settle(self) -> None:
        """Every change that the ledger keeps is one of the replay, with its reason."""
        settle_levels(self.path, self.site, now=noon(self.month.num_days - 1), tz=EAST)
        bases = {spot.id: NAMES.index(spot.level) for spot in self.site.spots}
        with open_ledger(self.path) as ledger:
            kept = [row.body for row in ledger.rows("WHERE kind = 'level' ORDER BY seq")]
        self.month.num_changes = len(kept)
        for body in kept:
            day, spot_id = (date.fromisoformat(body["on"]) - DAY_1).days, body["spot"]
            want = NAMES[replayed(bases[spot_id], self.stream[spot_id], day + 1)[-1]]
            if body["after"] != want or not body["reason"]:
                self.month.mislevelled.append(f"kept {body}, wanted {want}")


def lived(site: Site, path: Path, *, seed: int, num_days: int = 30) -> Month:
    """Live through so many days with a ledger at a path that is not there yet."""
    month = Month(num_days=num_days)
    life = _Life(
        site=replace(site, level_rules=RULES), path=path, rng=random.Random(seed), month=month
    )
    for day in range(num_days):
        life.find(day)
        life.treat(day, life.judge(day))
    life.settle()
    assert verify(path).broken is None
    return month
