"""Across-track profiles against the figures of the trade."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage import profile as profiles
from skymist.coverage.errors import PlanError
from skymist.coverage.profile import Pattern, Profile, cv_at_spacing, laid, spacing_for_cv


@pytest.mark.parametrize(
    ("cv", "spacing_over_sigma"), [(0.15, 2.97), (0.25, 3.37), (0.35, 3.76), (0.45, 4.15)]
)
def test_gaussian_spacing_for_a_cv(cv: float, spacing_over_sigma: float) -> None:
    spacing_m = spacing_for_cv(profiles.gaussian(1.3), cv)
    assert spacing_m / 1.3 == pytest.approx(spacing_over_sigma, abs=0.006)


def test_triangle_keeps_25_percent_at_one_and_a_half_of_its_half_base() -> None:
    assert spacing_for_cv(profiles.triangle(2.0), 0.25) == pytest.approx(3.0, abs=1e-3)


def test_triangle_is_even_at_its_half_base() -> None:
    assert cv_at_spacing(profiles.triangle(2.0), 2.0) == pytest.approx(0, abs=1e-12)


def test_level_swath_is_even_edge_to_edge_and_not_when_doubled() -> None:
    level = profiles.uniform(4.0)
    assert cv_at_spacing(level, 4.0) == pytest.approx(0, abs=1e-12)
    assert cv_at_spacing(level, 3.0) == pytest.approx(math.sqrt(2) / 4)
    assert spacing_for_cv(level, 0.0) == pytest.approx(4.0)


def test_trapezoid_is_even_where_its_slopes_meet() -> None:
    assert cv_at_spacing(profiles.trapezoid(2.0, 6.0), 4.0) == pytest.approx(0, abs=1e-12)


def test_lopsided_table_is_worse_there_and_back() -> None:
    table = profiles.measured([-2.0, -1.0, 0.0, 2.5], [0.0, 1.0, 2.0, 0.0])
    back = cv_at_spacing(table, 3.0, Pattern.BACK_AND_FORTH)
    race = cv_at_spacing(table, 3.0, Pattern.RACETRACK)
    assert back > race
    assert cv_at_spacing(table.mirrored(), 3.0, Pattern.RACETRACK) == pytest.approx(race)


@settings(max_examples=40, deadline=None)
@given(
    deposits=st.lists(st.floats(0.1, 5.0), min_size=3, max_size=8),
    spacing_m=st.floats(0.8, 9.0),
    pattern=st.sampled_from(Pattern),
)
def test_cv_is_that_of_fine_sampling(
    deposits: list[float], spacing_m: float, pattern: Pattern
) -> None:
    table = profiles.measured(np.linspace(-2, 3, len(deposits)).tolist(), deposits)
    at = (np.arange(20_000) + 0.5) / 20_000 * 2 * spacing_m
    total = laid(table, spacing_m, at, pattern)
    assert cv_at_spacing(table, spacing_m, pattern) == pytest.approx(
        total.std() / total.mean(), abs=0.01
    )
    assert total.mean() == pytest.approx(1 / spacing_m, rel=0.01)


@settings(max_examples=15, deadline=None)
@given(cv=st.floats(0.02, 0.6), half_base_m=st.floats(0.5, 6.0))
def test_found_spacing_keeps_the_limit_and_a_wider_one_does_not(
    cv: float, half_base_m: float
) -> None:
    shape = profiles.triangle(half_base_m)
    spacing_m = spacing_for_cv(shape, cv)
    assert cv_at_spacing(shape, spacing_m) <= cv + 1e-6
    assert cv_at_spacing(shape, spacing_m * 1.02) > cv


def test_shares_integrate_to_one() -> None:
    for shape in (profiles.gaussian(0.7), profiles.triangle(2), profiles.trapezoid(1, 3)):
        offsets, shares = np.array(shape.offsets_m), np.array(shape.shares_per_m)
        area = float(np.sum(np.diff(offsets) * (shares[1:] + shares[:-1]) / 2))
        assert area == pytest.approx(1)
        assert shape.at(shape.offsets_m[-1] + 0.1) == 0


@pytest.mark.parametrize(
    ("offsets", "shares", "words"),
    [
        ((0.0,), (1.0,), "2 or more"),
        ((0.0, 1.0), (1.0,), "as many shares"),
        ((1.0, 0.0), (1.0, 1.0), "ascend"),
        ((0.0, math.nan), (1.0, 1.0), "finite"),
        ((0.0, 1.0), (1.0, -1.0), "0 or more"),
        ((0.0, 1.0), (0.0, 0.0), "not all be 0"),
    ],
)
def test_bad_tables_are_refused(
    offsets: tuple[float, ...], shares: tuple[float, ...], words: str
) -> None:
    with pytest.raises(PlanError, match=words):
        Profile(offsets_m=offsets, shares_per_m=shares)


def test_bad_arguments_are_refused() -> None:
    level = profiles.uniform(4.0)
    with pytest.raises(PlanError, match="spacing_m"):
        cv_at_spacing(level, math.nan)
    with pytest.raises(PlanError, match="cv_limit"):
        spacing_for_cv(level, 1.0)
    with pytest.raises(PlanError, match="sigma_m"):
        profiles.gaussian(0)
    with pytest.raises(PlanError, match="top_m"):
        profiles.trapezoid(3, 2)
