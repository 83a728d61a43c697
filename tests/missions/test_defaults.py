"""The built-in models, agents, levels and words."""

from __future__ import annotations

from importlib.resources import files

import pytest

from skymist.coverage.errors import PlanError
from skymist.coverage.site import Kind, LevelName, Mode
from skymist.missions.defaults import (
    default_agents,
    default_levels,
    drone_models,
    kind_mode,
    kind_word,
    kind_words,
    level_word,
    model_with,
)


def test_models_are_those_of_the_trade() -> None:
    models = drone_models()
    assert list(models) == ["hexa-10", "hexa-16", "t20-class", "t40-class"]
    assert [m.sprayer.tank_l for m in models.values()] == [10, 16, 20, 40]
    assert [m.is_ardupilot for m in models.values()] == [True, True, False, False]
    assert models["t20-class"].full_kg == pytest.approx(47.5)
    assert models["t40-class"].full_kg == pytest.approx(90)
    assert models["t40-class"].sprayer.flow_max_lps == pytest.approx(0.2)
    for model in models.values():
        assert 1.2 < model.hover_power_w(model.sprayer.tank_l) / model.hover_power_w(0) < 3


def test_levels_ask_for_what_the_domain_says() -> None:
    surface = {level.name: level for level in default_levels(Mode.SURFACE)}
    vector = {level.name: level for level in default_levels(Mode.VECTOR)}
    assert [surface[n].dose_l_per_m2 for n in LevelName][:3] == pytest.approx([0.1, 0.06, 0.03])
    assert all(0.001 <= level.dose_l_per_m2 <= 0.003 for level in vector.values())
    for levels in (surface, vector):
        assert [levels[n].is_flown for n in LevelName] == [True, True, True, False]
    agents = {agent.id: agent for agent in default_agents()}
    assert all(agents[level.agent_id].chlorine_mg_per_l >= 500 for level in surface.values())
    assert all(agents[level.agent_id].chlorine_mg_per_l == 0 for level in vector.values())
    assert default_levels(Mode.BROADCAST) == default_levels(Mode.VECTOR)


def test_every_kind_has_a_mode_and_every_word_one_kind() -> None:
    modes = {kind: kind_mode(kind) for kind in Kind}
    in_vector = {kind for kind, mode in modes.items() if mode is Mode.VECTOR}
    assert in_vector == {Kind.GREEN_BELT, Kind.BUILDING_SITE, Kind.DEMOLITION_SITE}
    assert set(kind_words().values()) == {kind.value for kind in Kind}
    text = files("skymist.missions").joinpath("data/kinds.yaml").read_text(encoding="utf-8")
    words = [w.strip() for row in text.split("words: [")[1:] for w in row.split("]")[0].split(",")]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("refuse_station", "refuse_station"),
        (" Refuse-Station ", "refuse_station"),
        ("背街小巷", "back_alley"),
        ("bicycle parking", "bike_shed"),
        ("palace", "palace"),
        (5, 5),
    ],
)
def test_kind_words(word: object, kind: object) -> None:
    assert kind_word(word) == kind


@pytest.mark.parametrize(
    ("word", "level"),
    [("红", "red"), ("红色", "red"), ("YELLOW", "yellow"), ("蓝", "blue"), ("绿", "green"), (1, 1)],
)
def test_level_words(word: object, level: object) -> None:
    assert level_word(word) == level


def test_data_files_mark_their_sources() -> None:
    text = files("skymist.missions").joinpath("data/drones.yaml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("  ") and not any(k in line for k in ("name:", "ardupilot:")):
            assert "[S]" in line or "[K]" in line, line


def test_a_model_lacks_nothing() -> None:
    with pytest.raises(PlanError, match="swath_m, body_m"):
        model_with({"id": "x", "tank_l": 5, "flow_min_lpm": 1, "flow_max_lpm": 2})
