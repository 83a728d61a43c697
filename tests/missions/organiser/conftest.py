"""The built-in example and a plan of it, for the tests of all papers."""

from __future__ import annotations

from pathlib import Path

import pytest

from skymist.coverage.hours import Start
from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.site import Site
from skymist.missions.organiser.duties import dated
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[3] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="session")
def site() -> Site:
    return read_site(DEMO)


@pytest.fixture(scope="session")
def plan(site: Site) -> Plan:
    """Begins at 07:00 on 2026-07-01."""
    return dated(plan_site(site), Start(clock_s=7 * 3600.0, date="2026-07-01"))
