"""The synthetic district is what it says, and the benchmarks on it run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from skymist.coverage.site import Kind
from skymist.missions.checks import check_site, is_unsafe
from skymist.missions.site import read_site
from tests.benchmarks import city_bench, scale_bench
from tests.benchmarks.district import SHAPES, district
from tests.benchmarks.district_files import write_district


def test_numbers_are_as_asked() -> None:
    site = district(300, num_buildings=1000, num_drones=7, seed=3)
    assert (len(site.spots), len(site.buildings), len(site.fleet)) == (300, 1000, 7)
    heights = [b.height_m for b in site.buildings]
    assert 4 <= min(heights) < 10 < 40 < max(heights) <= 60
    assert {spot.kind for spot in site.spots} >= set(SHAPES) - {Kind.TRANSFER_STATION}
    assert len({(pad.x, pad.y) for pad in site.pads}) == 7
    with pytest.raises(ValueError, match="num_buildings"):
        district(10, num_buildings=9)


def test_the_same_seed_gives_the_same_district() -> None:
    assert district(50, seed=4) == district(50, seed=4)
    assert district(50, seed=4) != district(50, seed=5)


def test_nothing_stands_in_the_way_of_itself() -> None:
    site = district(400, seed=2)
    footprints = np.array([b.footprint for b in site.buildings], dtype=object)
    assert bool(shapely.is_valid(footprints).all())
    first, second = shapely.STRtree(footprints).query(footprints, predicate="intersects")
    assert first.tolist() == second.tolist(), "buildings overlap"
    tree = shapely.STRtree(footprints)
    on_ground = [spot for spot in site.spots if spot.kind is not Kind.FLAT_ROOF]
    under = [spot.id for spot in on_ground if len(tree.query(spot.shape, "intersects"))]
    assert len(under) < 0.02 * len(on_ground)
    assert not is_unsafe(check_site(site))


def test_what_is_written_is_read_back_to_the_millimetre(tmp_path: Path) -> None:
    site = district(60, seed=9, num_drones=3)
    assert read_site(write_district(site, tmp_path)) == site


@pytest.mark.slow
def test_the_scale_benchmark_runs(tmp_path: Path) -> None:
    one = scale_bench.run(20, tmp_path, seed=1, preview=False, laws=True, limit_s=120)
    assert one is not None
    assert list(one.steps_s) == ["read", "check", "plan", "write"]
    assert one.breaches == []
    assert 50 < one.peak_mb < 2000
    text = scale_bench.report([one], [], 60.0, laws=True)
    assert "| 20 | 100 | 1 |" in text


def test_a_missed_goal_is_called_missed() -> None:
    runs = [
        scale_bench.Run(
            num_spots=n,
            num_buildings=5 * n,
            num_drones=60,
            steps_s={"plan": seconds},
            cpu_s=seconds,
            summary={"sorties": 1, "makespan_min": 1, "by_drone_frac": 1},
        )
        for n, seconds in ((1_000, 5.0), (20_000, 301.0))
    ]
    told = scale_bench.verdict(runs)
    assert "missed: 301 s" in told[0]
    assert "(missed)" in told[1]


def test_the_city_benchmark_tells_other_bytes() -> None:
    runs = [
        city_bench.Run(name=name, wall_s=wall_s, code=0, num_sites=2, digest=digest)
        for name, wall_s, digest in (("a", 10.0, "1"), ("b", 5.0, "1"), ("c", 5.0, "2"))
    ]
    text = city_bench.report(runs, 2, (0.0, 2.0), preview=False)
    assert "| c | 5.0 | 2.00 | 0.0 | 2 | 0 | no |" in text
    assert "met, 2.00" in text
