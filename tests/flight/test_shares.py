"""Planning shared out among processes against all of it in one."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from skymist.coverage.planning import plan_site
from skymist.coverage.tours import at_once
from skymist.coverage.treat import treat_site
from skymist.flight.planning import shares
from skymist.flight.planning.shares import SPOTS_LEAST, shared
from skymist.missions.plans import plan_bytes
from tests.benchmarks.district import district

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyvrp

    from skymist.coverage.site import Site
    from skymist.coverage.tours import Tour


@pytest.fixture(scope="module")
def small() -> Site:
    return district(60, seed=3)


@pytest.fixture(scope="module")
def alone(small: Site) -> bytes:
    """The plan that one process makes."""
    return plan_bytes(plan_site(small))


def test_processes_find_what_one_finds(
    small: Site, alone: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SPOTS_LEAST", 1)
    with shared(small, num_jobs=3) as (treat, route):
        assert plan_bytes(plan_site(small, treat=treat, route=route)) == alone


def test_a_process_that_dies_costs_nothing_but_time(
    small: Site, alone: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SPOTS_LEAST", 1)
    with shared(small, num_jobs=2) as (treat, route):
        made: list[int] = []

        def killed(data: pyvrp.ProblemData, num: int, seed: int) -> Callable[[], list[Tour]]:
            made.append(num)
            if len(made) == 2:
                (pid,) = route.__self__.pool._processes  # type: ignore[attr-defined]
                os.kill(pid, signal.SIGKILL)
            return route(data, num, seed)

        assert plan_bytes(plan_site(small, treat=treat, route=killed)) == alone
    assert len(made) > 2


def test_when_time_is_up_what_waits_is_flown_with_no_search(
    small: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "SPOTS_LEAST", 1)
    with shared(small, lambda: True, num_jobs=2) as (_, route):
        unsearched = plan_site(small, is_over=lambda: True)
        assert plan_bytes(plan_site(small, route=route, is_over=lambda: True)) == plan_bytes(
            unsearched
        )


def test_a_small_site_is_planned_here(small: Site) -> None:
    with shared(small, num_jobs=2) as hands:
        assert hands == (treat_site, at_once)


def test_a_large_site_is_shared_out_where_there_are_cores() -> None:
    site = district(SPOTS_LEAST, seed=3)
    with shared(site, num_jobs=1) as hands:
        assert hands == (treat_site, at_once)
    with shared(site, num_jobs=2) as hands:
        assert hands != (treat_site, at_once)
