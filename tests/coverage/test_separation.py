"""Findings name both drones, the place and the time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skymist.coverage.drones import DroneModel, Sprayer
from skymist.coverage.energy import sortie_cost
from skymist.coverage.errors import PlanError
from skymist.coverage.plan import Sortie, Transit
from skymist.coverage.separation import require_apart, too_near

MODEL = DroneModel(
    id="hexa",
    name="hexacopter",
    sprayer=Sprayer(tank_l=16, flow_min_lps=0.025, flow_max_lps=0.083, swath_m=4),
    body_m=2.4,
    dry_kg=20,
    endurance_empty_s=960,
    endurance_full_s=480,
    battery_wh=977,
)
MODELS = {"a": MODEL, "b": MODEL}


def over(drone_id: str, x: float, y: float, start_s: float) -> Sortie:
    """From a pad over the middle of the map and back."""
    out = ((x, y, 3.0), (x, y, 8.0), (0.0, 0.0, 8.0))
    legs = (Transit(path=out, speed_mps=5.0), Transit(path=out[::-1], speed_mps=5.0))
    cost = sortie_cost(legs, MODEL, 1.0)
    return Sortie(
        id=f"{drone_id}-01",
        drone_id=drone_id,
        pad_id=f"p{drone_id}",
        agent_id="water",
        legs=legs,
        litres_l=0.0,
        battery_frac=cost.battery_frac,
        start_s=start_s,
        duration_s=cost.duration_s,
    )


def test_a_meeting_is_named_with_place_and_time() -> None:
    found = too_near([over("a", 60, 0, 0.0), over("b", -60, 0, 0.0)], MODELS, 10.0)
    assert len(found) == 1
    assert set(found[0].drones) == {"a", "b"}
    assert abs(found[0].x) < 5
    assert abs(found[0].above_home_m - 8) < 0.5
    assert 15 < found[0].at_s < 40
    assert "a (a-01) and b (b-01)" in found[0].text


def test_a_plan_that_brings_drones_together_is_refused() -> None:
    with pytest.raises(PlanError, match=r"a \(a-01\) and b \(b-01\)"):
        require_apart([over("a", 60, 0, 0.0), over("b", -60, 0, 1.0)], MODELS, 10.0)


def test_one_after_the_other_is_fine() -> None:
    first = over("a", 60, 0, 0.0)
    after = [first, over("b", -60, 0, first.duration_s + 1)]
    itself = [first, replace(first, id="a-02", start_s=5.0)]
    for sorties in (after, itself):
        assert too_near(sorties, MODELS, 10.0) == []
        require_apart(sorties, MODELS, 10.0)
    meeting = [first, over("b", -60, 0, 0.0)]
    assert too_near(meeting, MODELS, 10.0), "the same two at the same time do meet"
