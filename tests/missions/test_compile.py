"""Compiled missions replayed item by item by an interpreter that shares no code with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.coverage.site import Site
from skymist.missions.compile import compile_sortie
from skymist.missions.items import Command, Item, Mission
from skymist.missions.plans import plan_from_dict, plan_to_dict
from skymist.missions.site import read_site
from tests import checks

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session", params=sorted(checks.NAMED))
def named(request: pytest.FixtureRequest) -> Plan:
    return plan_site(checks.NAMED[request.param]())


def test_named_missions_are_sound(named: Plan) -> None:
    for sortie in named.sorties:
        checks.assert_mission_is_sound(named, sortie, compile_sortie(named, sortie))


def test_named_missions_replay_as_planned(named: Plan) -> None:
    for sortie in named.sorties:
        checks.assert_replays(named, sortie, compile_sortie(named, sortie))


def test_a_plan_read_back_compiles_to_the_same_items(named: Plan) -> None:
    again = plan_from_dict(plan_to_dict(named))
    twice = plan_from_dict(plan_to_dict(again))
    for one, other in zip(again.sorties, twice.sorties, strict=True):
        assert compile_sortie(again, one) == compile_sortie(twice, other)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(site=checks.sites())
def test_any_mission_keeps_every_law(site: Site) -> None:
    plan = plan_site(site)
    for sortie in plan.sorties:
        checks.assert_lawful_mission(plan, sortie, compile_sortie(plan, sortie))


@pytest.mark.parametrize("name", ["helsinki"])
def test_real_missions_keep_every_law(name: str, shared: Path) -> None:
    place = EXAMPLES / name / "site.yaml"
    if not (place.is_file() and (shared / "sites" / name).is_dir()):
        pytest.skip(f"{place} or its layers are not here")
    plan = plan_site(read_site(place))
    for sortie in plan.sorties:
        checks.assert_lawful_mission(plan, sortie, compile_sortie(plan, sortie))


def _items(change: Callable[[list[Item]], list[Item]]) -> Callable[[Mission], Mission]:
    return lambda mission: replace(mission, items=tuple(change(list(mission.items))))


def _without(command: Command, p1: float) -> Callable[[Mission], Mission]:
    """The items that say so put out of action, so that the numbers of the others stay."""
    idle = Item(command=Command.DO_CHANGE_SPEED, p1=9.0, p2=1.0)
    return _items(
        lambda items: [
            idle if item.command is command and item.p1 == p1 else item for item in items
        ]
    )


def _with(name: str, value: float) -> Callable[[Mission], Mission]:
    return lambda mission: replace(mission, parameters={**mission.parameters, name: value})


SPOILT: dict[str, Callable[[Mission], Mission]] = {
    "the pump stays on": _without(Command.DO_SPRAYER, 0.0),
    "the pump stays off": _without(Command.DO_SPRAYER, 1.0),
    "no place to land": _items(
        lambda items: [
            replace(item, x_e7=0, y_e7=0) if item.command is Command.DO_LAND_START else item
            for item in items
        ]
    ),
    "speeds are forgotten": _items(
        lambda items: [
            replace(item, p2=5.0) if item.command is Command.DO_CHANGE_SPEED else item
            for item in items
        ]
    ),
    "spans moved by one pass": lambda mission: replace(
        mission,
        spans=tuple(
            replace(span, first_seq=span.first_seq + 4, last_seq=span.last_seq + 4)
            for span in mission.spans
        ),
    ),
    "a weak pump": lambda mission: _with(
        "spray_pump_rate_pct_per_mps", mission.parameters["spray_pump_rate_pct_per_mps"] / 9
    )(mission),
    "home by the straight way": _with("rtl_altitude_m", 2.0),
    "a radio failure is passed over": _with("fs_gcs_action", 0.0),
    "a narrow fence": lambda mission: replace(
        mission,
        fence=tuple(
            replace(fence, corners_e7=fence.corners_e7[: max(3, len(fence.corners_e7) // 2)])
            for fence in mission.fence
        ),
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_oracles_notice(name: str) -> None:
    plan = plan_site(checks.l_shaped_alley())
    sortie = plan.sorties[0]
    mission = compile_sortie(plan, sortie)
    checks.assert_lawful_mission(plan, sortie, mission)
    with pytest.raises(AssertionError):
        checks.assert_lawful_mission(plan, sortie, SPOILT[name](mission))
