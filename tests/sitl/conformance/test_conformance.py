"""The embedded copter held against the real one: live where it is, by a kept flight where not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sitl.conformance.compare import compare, excesses
from tests.sitl.conformance.flying import fly_ardupilot, fly_embedded
from tests.sitl.conformance.scenarios import SCENARIOS, Scenario
from tests.sitl.conformance.traces import Trace, read_traces

GOLDEN = Path(__file__).parents[2] / "golden" / "arducopter-flights.jsonl"
SPEEDUP, STORY_SPEEDUP = 20.0, 10.0
"""Orders on the way arrive as late as this machine and the link lag, times the speed-up."""

by_name = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)


@pytest.fixture(scope="session")
def kept() -> dict[str, Trace]:
    traces, _ = read_traces(GOLDEN)
    return traces


def test_every_scenario_has_a_kept_flight(kept: dict[str, Trace]) -> None:
    assert set(kept) == {scenario.name for scenario in SCENARIOS}


@by_name
def test_the_embedded_copter_flies_as_the_kept_real_one(
    scenario: Scenario, kept: dict[str, Trace]
) -> None:
    """Renew the kept flights with `python -m tests.sitl.conformance.renew`."""
    assert excesses(compare(fly_embedded(scenario), kept[scenario.name]), scenario) == []


@pytest.mark.ardupilot
@by_name
def test_the_embedded_copter_flies_as_the_real_one(arducopter: Path, scenario: Scenario) -> None:
    ours = fly_embedded(scenario)
    found: list[str] = []
    for _ in range(2):  # a busy machine delays orders on the way: twice in a row is no chance
        speedup = SPEEDUP if scenario.story is None else STORY_SPEEDUP
        theirs = fly_ardupilot(scenario, arducopter, speedup)
        found = excesses(compare(ours, theirs), scenario)
        if not found:
            break
    assert found == []


def test_the_embedded_copter_flies_the_same_twice() -> None:
    first, again = (fly_embedded(SCENARIOS[0]) for _ in range(2))
    assert first == again


def test_what_differs_is_found() -> None:
    """The comparison itself: a way moved aside, a later edge, more litres, other words."""
    ours = fly_embedded(SCENARIOS[0])
    aside = [m._replace(y=m.y + 0.4, pump_frac=m.pump_frac * 1.1) for m in ours.moments]
    late = [m._replace(t_s=m.t_s * 1.06) for m in aside]
    theirs = Trace(moments=tuple(late), said=(*ours.said[:-1], "command 300: 4"))
    found = " ".join(excesses(compare(ours, theirs), SCENARIOS[0]))
    for word in ("time", "litres", "cross-track", "way", "command 300: 0 / command 300: 4"):
        assert word in found
    assert excesses(compare(ours, ours), SCENARIOS[0]) == []
    assert excesses(compare(ours, Trace.from_json(ours.to_json())), SCENARIOS[0]) == []
