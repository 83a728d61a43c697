"""Spots shared out among processes against all of them in one."""

import pytest

from skymist.coverage.site import Site
from skymist.coverage.treat import treat_site
from skymist.flight.shares import SPOTS_LEAST, Shares, treat_for
from tests.benchmarks.district import district


@pytest.fixture(scope="module")
def small() -> Site:
    return district(60, seed=3)


def test_processes_find_what_one_finds(small: Site) -> None:
    model = small.fleet[0].model
    assert Shares(3)(small, model, None) == treat_site(small, model)


def test_a_small_site_is_looked_at_here(small: Site) -> None:
    assert treat_for(small, 2) is treat_site


def test_a_large_site_is_shared_out_where_there_are_cores() -> None:
    site = district(SPOTS_LEAST, seed=3)
    assert treat_for(site, 1) is treat_site
    assert treat_for(site, 2) == Shares(2)
