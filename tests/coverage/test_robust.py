"""Overlays that GEOS is known to give up on."""

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon, box

from skymist.coverage import robust
from skymist.coverage.cover import EdgePolicy, cover_area
from skymist.coverage.errors import PlanError


def test_many_collinear_strips_are_united() -> None:
    turn = 0.123456789
    cos, sin = np.cos(turn), np.sin(turn)
    strips = []
    for k in range(60):
        corners = [(0, 3.7 * k), (80 + k / 7, 3.7 * k), (80 + k / 7, 3.7 * k + 4), (0, 3.7 * k + 4)]
        strips.append(Polygon([(x * cos - y * sin, x * sin + y * cos) for x, y in corners]))
    whole = robust.union(strips)
    assert whole.is_valid
    assert whole.area == pytest.approx(80 * (59 * 3.7 + 4), rel=0.06)


def test_a_failing_overlay_is_tried_on_coarser_grids() -> None:
    seen = []

    def moody(shape: Polygon, grid_size: float | None = None) -> Polygon:
        seen.append(grid_size)
        if len(seen) < 3:
            raise shapely.errors.GEOSException("Ring edge missing")
        return shape

    assert robust._retried(moody, box(0, 0, 1, 1)).area == 1
    assert seen == [None, *robust.GRIDS_M[1:3]]


def test_an_overlay_that_always_fails_says_so() -> None:
    def broken(*_: object, **__: object) -> None:
        raise shapely.errors.GEOSException("side location conflict")

    with pytest.raises(PlanError, match="side location conflict"):
        robust._retried(broken)


def test_nothing_united_is_empty() -> None:
    assert robust.union([]).is_empty
    assert robust.union([Polygon()]).is_empty


def test_lines_and_points_are_dropped() -> None:
    mixed = shapely.GeometryCollection([box(0, 0, 2, 2), LineString([(5, 5), (6, 6)])])
    assert robust.areal(mixed).equals(box(0, 0, 2, 2))
    assert robust.polygons(mixed, above_m2=5) == ()


def test_an_inset_may_split_or_vanish() -> None:
    waist = Polygon(
        [
            (0, 0),
            (10, 0),
            (10, 4.5),
            (20, 4.5),
            (20, 0),
            (30, 0),
            (30, 10),
            (20, 10),
            (20, 5.5),
            (10, 5.5),
            (10, 10),
            (0, 10),
        ]
    )
    assert isinstance(robust.inset(waist, 1.0), MultiPolygon)
    assert robust.inset(waist, 6.0).is_empty
    assert robust.inset(robust.inset(box(0, 0, 9, 9), 2), -2).equals(box(0, 0, 9, 9))


def test_all_edges_are_given_holes_too() -> None:
    yard = Polygon(box(0, 0, 9, 9).exterior, [box(3, 3, 6, 6).exterior])
    edges = robust.edges_of(MultiPolygon([yard, box(20, 0, 21, 1)]))
    assert edges.shape == (12, 2, 2)
    assert np.hypot(*(edges[:, 1] - edges[:, 0]).T).sum() == pytest.approx(36 + 12 + 4)


def test_a_hole_that_an_overlay_fills_unasked_is_noticed() -> None:
    """Found by chance: GEOS gave the whole hole back as ground that no strip had wetted."""
    r = 37.248046875
    hole = [
        (2.696435656101695, -12.616859724267933),
        (-6.007163713232067, -15.927587781398305),
        (-2.696435656101695, -24.631187150732067),
        (6.007163713232067, -21.320459093601695),
    ]
    rim = [(-6.8423552069938975e-15, -r), (-r, 4.5615701379959325e-15), (2.28e-15, r), (r, 0.0)]
    area = Polygon(rim, [hole])
    plan = cover_area(area, swath_m=1.5, policy=EdgePolicy.CONTAIN)
    assert plan.over_frac < 1e-4
    assert plan.unreached.intersection(Polygon(hole)).area < 1e-3
    assert not robust._lies_in(Polygon(hole), area)
