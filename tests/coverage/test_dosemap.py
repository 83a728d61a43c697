"""The dose map against brute force, and the laws that it keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from skymist.coverage import profile as profiles
from skymist.coverage.dosemap import DoseMap
from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Pass, PassKind
from skymist.coverage.raster import cells_in
from skymist.coverage.tracks import wetting

Path = tuple[tuple[float, float], ...]
metres = st.floats(-60, 60)


def swath(path: Path, swath_m: float = 4.0, speed_mps: float = 1.0, flow_lps: float = 0.1) -> Pass:
    return Pass(
        spot_id="s",
        kind=PassKind.SWATH,
        path=path,
        above_home_m=3,
        speed_mps=speed_mps,
        flow_lps=flow_lps,
        swath_m=swath_m,
    )


def hover(x: float, y: float, hover_s: float = 10.0) -> Pass:
    return Pass(
        spot_id="s",
        kind=PassKind.HOVER,
        path=((x, y),),
        above_home_m=3,
        speed_mps=1,
        flow_lps=0.1,
        swath_m=4,
        hover_s=hover_s,
    )


def cells_total(dosed: DoseMap) -> float:
    """Litres, by adding up every cell of the map."""
    assert dosed.bounds is not None
    window = dosed.window(dosed.bounds)
    return float(window.dose_l_per_m2.sum(dtype=np.float64)) * dosed.cell_m**2


def flown(path: Path, speed_mps: float, flow_lps: float, rate_hz: float = 4.0) -> NDArray:
    """A track at constant speed along a path, sampled at a rate."""
    line = LineString(path)
    t = np.arange(0, line.length / speed_mps, 1 / rate_hz)
    t = np.append(t, line.length / speed_mps)
    points = shapely.get_coordinates(shapely.line_interpolate_point(line, t * speed_mps))
    return np.column_stack([t, points, np.full(len(t), flow_lps)])


@settings(max_examples=25, deadline=None)
@given(ax=metres, ay=metres, bx=metres, by=metres, swath_m=st.floats(1.5, 8))
def test_strip_is_that_of_brute_force(
    ax: float, ay: float, bx: float, by: float, swath_m: float
) -> None:
    assume(math.dist((ax, ay), (bx, by)) > 1)
    dosed = DoseMap()
    dosed.add_pass(swath(((ax, ay), (bx, by)), swath_m))
    strip = LineString([(ax, ay), (bx, by)]).buffer(swath_m / 2, cap_style="flat")
    window = dosed.window(strip.buffer(2.0).bounds)
    rows, columns = np.indices(window.dose_l_per_m2.shape) + 0.5
    x, y = window.x_min + columns * 0.25, window.y_min + rows * 0.25
    is_clear = shapely.distance(strip.exterior, shapely.points(x, y)) > 1e-6
    wet = window.dose_l_per_m2 > 0
    assert cells_total(dosed) == pytest.approx(dosed.litres_l, rel=1e-4)
    assert np.array_equal(wet[is_clear], shapely.contains_xy(strip, x, y)[is_clear])
    doses = window.dose_l_per_m2[wet]
    assert doses == pytest.approx(dosed.litres_l / (doses.size * 0.0625), rel=1e-4)
    most_off = 0.02 + 0.25 / swath_m + 0.25 / math.dist((ax, ay), (bx, by))
    assert doses.mean() == pytest.approx(0.1 / swath_m, rel=most_off)


@settings(max_examples=25, deadline=None)
@given(points=st.lists(st.tuples(metres, metres), min_size=2, max_size=6, unique=True))
def test_litres_of_any_path_are_kept(points: list[tuple[float, float]]) -> None:
    dosed = DoseMap()
    put_out = swath(tuple(points))
    assume(put_out.length_m > 0.01)
    dosed.add_passes([put_out, hover(*points[0])])
    litres_l = put_out.litres_l + 1.0
    assert dosed.litres_l == pytest.approx(litres_l)
    assert cells_total(dosed) == pytest.approx(litres_l, rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    points=st.lists(st.tuples(metres, metres), min_size=2, max_size=4, unique=True),
    speed_mps=st.floats(0.05, 6),
    seed=st.integers(0, 1000),
)
def test_litres_of_any_track_are_kept(
    points: list[tuple[float, float]], speed_mps: float, seed: int
) -> None:
    path = tuple(points)
    assume(LineString(path).length > 1)
    random = np.random.default_rng(seed)
    track = flown(path, speed_mps, 0.1)[:400]
    track[:, 3] *= random.integers(0, 2, len(track))
    track[:, 1:3] += random.normal(0, 0.03, (len(track), 2))
    dosed = DoseMap()
    assert dosed.add_track(track, 4.0) == 0
    litres_l = float(np.sum(np.diff(track[:, 0]) * (track[1:, 3] + track[:-1, 3]) / 2))
    assume(litres_l > 0)
    assert cells_total(dosed) == pytest.approx(litres_l, rel=1e-4)


def test_track_gives_the_dose_of_the_pass() -> None:
    path: Path = ((0.0, 0.0), (30.0, 17.0))
    strip = LineString(path).buffer(2.0, cap_style="flat")
    planned, tracked = DoseMap(), DoseMap()
    planned.add_pass(swath(path))
    tracked.add_track(flown(path, 1.0, 0.1), 4.0)
    assert planned.share_at(strip, 0.025, 0.99) > 0.995
    assert tracked.share_at(strip, 0.025, 0.99) > 0.995
    assert tracked.litres_outside(strip) < 0.002 * tracked.litres_l


def test_jitter_of_the_position_leaves_no_gaps() -> None:
    random = np.random.default_rng(1)
    track = flown(((0.0, 0.0), (40.0, 11.0)), 0.4, 0.04)
    track[:, 1:3] += random.normal(0, 0.03, (len(track), 2))
    dosed = DoseMap()
    dosed.add_track(track, 4.0)
    inner = LineString([(1.0, 0.275), (39.0, 10.725)]).buffer(1.9, cap_style="flat")
    assert dosed.share_at(inner, 0.025) > 0.99
    assert dosed.cv_in(inner) < 0.12


def test_bend_is_mitred_without_gap_or_overlap() -> None:
    dosed = DoseMap()
    dosed.add_pass(swath(((0.0, 0.0), (20.0, 0.0), (20.0, 20.0))))
    elbow = Polygon([(0, -2), (22, -2), (22, 20), (18, 20), (18, 2), (0, 2)])
    assert dosed.litres_outside(elbow) == pytest.approx(0, abs=1e-6)
    assert dosed.cv_in(elbow) < 0.03


def test_standing_still_falls_on_a_disc() -> None:
    random = np.random.default_rng(2)
    t = np.arange(0, 20, 0.25)
    still = np.column_stack([t, random.normal(5, 0.01, (len(t), 2)), np.full(len(t), 0.05)])
    dosed = DoseMap()
    dosed.add_track(still, 4.0)
    disc = Point(5, 5).buffer(2.0)
    assert dosed.litres_in(disc) == pytest.approx(19.75 * 0.05, rel=0.02)
    assert dosed.share_at(disc, 19.75 * 0.05 / (4 * math.pi)) > 0.95


def test_nothing_is_claimed_where_nobody_saw() -> None:
    track = np.array([[0, 0, 0, 0.1], [1, 1, 0, 0.1], [11, 11, 0, 0.1], [12, 12, 0, 0.1]])
    dosed = DoseMap()
    assert dosed.add_track(track, 4.0) == 10.0
    assert dosed.litres_l == pytest.approx(0.2)
    assert dosed.litres_in(box(2, -2, 10, 2)) == 0


def test_dry_track_and_dry_map() -> None:
    dosed = DoseMap()
    assert dosed.add_track(np.zeros((5, 4)) + np.arange(5)[:, None] * [1, 1, 0, 0], 4.0) == 0
    assert dosed.bounds is None
    assert dosed.share_at(box(0, 0, 5, 5), 0.1) == 0
    assert math.isnan(dosed.cv_in(box(0, 0, 5, 5)))
    assert dosed.litres_outside(box(0, 0, 5, 5)) == 0


def test_two_passes_beside_each_other_are_one_field() -> None:
    dosed = DoseMap()
    for y in (0.0, 4.0, 8.0):
        dosed.add_pass(swath(((-30.0, y), (30.0, y))))
    field = box(-30, -2, 30, 10)
    assert dosed.cv_in(field) < 0.001
    assert dosed.overlap_in(field, 0.025) == 0
    assert dosed.wet_m2(field, 0.02) == pytest.approx(field.area)
    dosed.add_pass(swath(((-30.0, 4.0), (30.0, 4.0))))
    assert dosed.overlap_in(field, 0.025) == pytest.approx(1 / 3, abs=0.01)


def test_profile_lies_across_the_track() -> None:
    dosed = DoseMap(0.125)
    triangle = profiles.triangle(4.0)
    for y in (-8.0, -4.0, 0.0, 4.0, 8.0):
        dosed.add_pass(swath(((-20.0, y), (20.0, y))), triangle)
    assert dosed.cv_in(box(-20, -4, 20, 4)) < 0.01
    alone = DoseMap(0.125)
    alone.add_pass(swath(((-20.0, 0.0), (20.0, 0.0))), triangle)
    middle = alone.dose_in(box(-1, -0.1, 1, 0.1)).mean()
    assert middle == pytest.approx(0.1 / 4.0, rel=0.05)


def test_shift_moves_the_spray() -> None:
    dosed = DoseMap()
    dosed.add_pass(swath(((0.0, 0.0), (10.0, 0.0))), shift_m=(0.0, 20.0))
    assert dosed.litres_in(box(0, 18, 10, 22)) == pytest.approx(1.0)


def test_strip_finer_than_a_cell_keeps_its_litres() -> None:
    dosed = DoseMap()
    dosed.add_pass(swath(((0.0, 0.01), (0.1, 0.01)), swath_m=0.05))
    dosed.add_pass(swath(((0.0, 0.0), (1e-12, 0.0))))
    assert cells_total(dosed) == pytest.approx(dosed.litres_l)


@settings(max_examples=40, deadline=None)
@given(
    angle=st.floats(0, 360),
    x=metres,
    y=metres,
    size=st.floats(0.5, 30),
    hole=st.booleans(),
)
def test_cells_in_a_polygon_are_those_of_shapely(
    angle: float, x: float, y: float, size: float, hole: bool
) -> None:
    shape = Polygon([(0, 0), (size, 0.2), (size * 0.7, size), (size / 2, size / 3), (0, size)])
    if hole:
        shape = shape.difference(box(size * 0.1, size * 0.1, size * 0.3, size * 0.2))
    shape = affinity.translate(affinity.rotate(shape, angle), x, y)
    row0, column0 = math.floor(y / 0.25) - 250, math.floor(x / 0.25) - 250
    got = cells_in(shape, row0, column0, (500, 500), 0.25)
    at_x = (column0 + np.arange(500) + 0.5) * 0.25
    at_y = (row0 + np.arange(500) + 0.5) * 0.25
    want = shapely.contains_xy(shape, *np.meshgrid(at_x, at_y))
    assert np.count_nonzero(got != want) <= 1


def test_parts_and_tiny_polygons() -> None:
    dosed = DoseMap()
    dosed.add_pass(hover(0, 0))
    dosed.add_pass(hover(300, 0))
    both = MultiPolygon([Point(0, 0).buffer(2.2), Point(300, 0).buffer(2.2)])
    assert dosed.litres_in(both) == pytest.approx(2.0)
    tiny = Point(0.03, 0.03).buffer(0.02)
    assert dosed.dose_in(tiny).shape == (1,)
    assert dosed.share_at(tiny, 0.07) == 1.0


def test_window_pools_the_wet_cells() -> None:
    dosed = DoseMap()
    dosed.add_pass(swath(((0.0, 0.0), (20.0, 0.0))))
    window = dosed.window((-10, -10, 30, 10), pool=8)
    assert window.cell_m == 2.0
    assert window.extent == (-10, 30, -10, 10)
    assert window.dose_l_per_m2.max() == pytest.approx(0.025)


@pytest.mark.parametrize("pool", [2, 3, 5, 8])
@pytest.mark.parametrize("bounds", [(-20.2, -19, 9.7, 5), (-7.3, -3.1, 3.9, 8.2), (90, 90, 99, 99)])
def test_a_pooled_window_is_the_mean_of_the_wet_cells_by_brute_force(
    pool: int, bounds: tuple[float, float, float, float]
) -> None:
    dosed = DoseMap()
    assert dosed.window(bounds, pool).dose_l_per_m2.max() == 0
    for y in (-17.3, 0.4, 21.0):
        dosed.add_pass(swath(((-38.0, y), (41.0, y + 3.0))))
    window = dosed.window(bounds, pool)
    step = dosed.cell_m * pool
    for row, column in np.ndindex(window.dose_l_per_m2.shape):
        west, south = window.x_min + column * step, window.y_min + row * step
        cells = dosed.window((west, south, west + step, south + step)).dose_l_per_m2
        assert cells.shape == (pool, pool)
        wet = cells[cells > 0]
        wanted = wet.mean() if wet.size else 0.0
        assert window.dose_l_per_m2[row, column] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.slow
def test_square_kilometre_fits() -> None:
    dosed = DoseMap()
    for y in np.arange(-498.0, 500.0, 4.0):
        dosed.add_pass(swath(((-500.0, y), (500.0, y))))
    assert dosed.num_bytes < 100e6
    assert dosed.share_at(box(-500, -500, 500, 500), 0.025) == 1.0


def test_bad_input_is_refused() -> None:
    with pytest.raises(PlanError, match="cell_m"):
        DoseMap(0)
    with pytest.raises(PlanError, match="order of time"):
        wetting([(1, 0, 0, 1), (0, 0, 0, 1)], 4.0)
    with pytest.raises(PlanError, match="finite"):
        wetting([(0, math.nan, 0, 1)], 4.0)


def test_jump_of_the_position_does_not_exhaust_memory() -> None:
    t = np.arange(0, 500, 0.25)
    track = np.column_stack([t, t * 0.8, t * 0, t * 0 + 0.05])
    track[1000:, 1] += 5000
    dosed = DoseMap()
    dosed.add_track(track, 4.0)
    assert cells_total(dosed) == pytest.approx(499.75 * 0.05, rel=1e-4)


@pytest.mark.parametrize("speed_mps", [0.4, 1.0, 4.0])
def test_repeated_positions_still_make_a_strip(speed_mps: float) -> None:
    track = flown(((0.0, 0.0), (40.0, 11.0)), speed_mps, 0.05)
    track[:, 1:3] = track[np.arange(len(track)) // 4 * 4, 1:3]
    dosed = DoseMap()
    dosed.add_track(track, 4.0)
    strip = LineString([(0, 0), (40, 11)]).buffer(2.0, cap_style="flat")
    assert dosed.litres_outside(strip) < 0.03 * dosed.litres_l
    inner = LineString([(5, 1.375), (35, 9.625)]).buffer(1.9, cap_style="flat")
    assert dosed.share_at(inner, 0.05 / (4 * speed_mps)) > 0.98
