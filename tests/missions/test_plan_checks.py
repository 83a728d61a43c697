"""Plans that must not be flown, by one fault at a time put into one that may."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skymist.coverage.errors import MissionError
from skymist.coverage.planning import plan_site
from skymist.missions.errors import FormatError
from skymist.missions.plan_checks import plan_faults
from skymist.missions.plan_folder import write_plan_folder
from skymist.missions.plans import file_name_of, plan_from_dict, plan_to_dict, read_flyable_plan
from skymist.missions.site import read_site

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"
Spoil = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def good() -> str:
    return json.dumps(plan_to_dict(plan_site(read_site(DEMO))))


def sprayed(plan: dict[str, Any]) -> dict[str, Any]:
    return next(leg for leg in plan["sorties"][0]["legs"] if "kind" in leg)


def first(plan: dict[str, Any]) -> dict[str, Any]:
    return plan["sorties"][0]["legs"][0]  # type: ignore[no-any-return]


SPOILS: dict[str, tuple[Spoil, str]] = {
    "spray below the ground": (lambda p: sprayed(p).update(above_home_m=-5.0), "height"),
    "spray above the ceiling": (lambda p: sprayed(p).update(above_home_m=500.0), "height"),
    "a height that is no number": (lambda p: sprayed(p).update(above_home_m=math.nan), "finite"),
    "a place in another country": (lambda p: first(p)["path"][1].__setitem__(0, 9e5), "within"),
    "a speed beyond the policy": (lambda p: first(p).update(speed_mps=40.0), "speed_mps"),
    "a drone that is not there": (lambda p: p["sorties"][0].update(drone_id="x"), "drone_id"),
    "a pad that is not there": (lambda p: p["sorties"][0].update(pad_id="x"), "pad_id"),
    "a spot that is not there": (lambda p: sprayed(p).update(spot_id="x"), "spot_id"),
    "no legs": (lambda p: p["sorties"][0].update(legs=[]), "transit first"),
    "a pass first": (lambda p: p["sorties"][0]["legs"].pop(0), "transit first"),
    "a gap between legs": (lambda p: p["sorties"][0]["legs"].pop(2), "begins"),
    "one point": (lambda p: first(p).update(path=first(p)["path"][:1]), "two points"),
    "a sortie twice": (lambda p: p["sorties"].append(p["sorties"][0]), "found 2 times"),
    "a leg beyond the radius": (
        lambda p: p["site"]["policy"].update(radius_m=20.0),
        "from its pad",
    ),
    "a tower in the way": (
        lambda p: p["site"]["buildings"].append(
            {"id": "t", "height_m": 25.0, "footprint": tower(sprayed(p)["path"][0])}
        ),
        "building closer",
    ),
}


def tower(place: list[float]) -> dict[str, Any]:
    x, y = place
    corners = [[x - 1, y - 1], [x + 1, y - 1], [x + 1, y + 1], [x - 1, y + 1], [x - 1, y - 1]]
    return {"type": "Polygon", "coordinates": [corners]}


def test_a_plan_of_ours_has_no_fault(good: str) -> None:
    assert plan_faults(plan_from_dict(json.loads(good))) == ()


@pytest.mark.parametrize("name", SPOILS)
def test_a_spoilt_plan_is_neither_flown_nor_written(name: str, good: str, tmp_path: Path) -> None:
    spoil, said = SPOILS[name]
    data = json.loads(good)
    spoil(data)
    (tmp_path / "plan.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(FormatError, match=said):
        read_flyable_plan(tmp_path)
    with pytest.raises(MissionError, match=said):
        write_plan_folder(plan_from_dict(data), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_folder_of_somebody_else_is_left_alone(good: str, tmp_path: Path) -> None:
    (tmp_path / "missions").mkdir()
    thesis = tmp_path / "missions" / "thesis.txt"
    thesis.write_text("years of work", encoding="utf-8")
    with pytest.raises(MissionError, match=r"thesis\.txt"):
        write_plan_folder(plan_from_dict(json.loads(good)), tmp_path)
    assert thesis.read_text(encoding="utf-8") == "years of work"


def test_file_names_stay_in_their_folder_and_apart() -> None:
    ids = (
        "../../evil",
        "a/b",
        "a\\b",
        "a:b",
        "鹭一",
        "鹭二",
        "a b",
        "a%20b",
        "",
        ".",
        "..",
        "A-1_x",
    )
    names = [file_name_of(name) for name in ids]
    assert len(set(names)) == len(ids)
    assert all(not set(name) & set('/\\:*?"<>|. ') for name in names)
    assert "鹭一" in names
    assert "A-1_x" in names
