"""What a site need not say: drone models, agents, levels, words for kinds and levels.

The values stand in `data/*.yaml`, each with its mark and source; here they become values of the
trade. Flows are turned from litres per minute, doses from mL/m2, once, in this module.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from skymist.coverage.drones import DroneModel, Sprayer
from skymist.coverage.errors import PlanError
from skymist.coverage.profile import CV_PRODUCT_FRAC, ProfileKind, ProfileSpec, spacing_for_cv
from skymist.coverage.site import Agent, Kind, Level, LevelName, Mode

_SPRAYER_KEYS = {
    *("tank_l", "swath_m", "release_height_m"),
    *("cv_limit_frac", "droplet_um", "downwash_mps"),
}
_LPM_KEYS = {"flow_min_lpm": "flow_min_lps", "flow_max_lpm": "flow_max_lps"}
_LEVEL_WORDS = {"红": "red", "黄": "yellow", "蓝": "blue", "绿": "green", "黃": "yellow"} | {
    "紅": "red",
    "藍": "blue",
    "綠": "green",
}
_NEEDED_KEYS = (
    *("id", "tank_l", "flow_min_lpm", "flow_max_lpm", "swath_m", "body_m", "dry_kg"),
    *("endurance_empty_s", "endurance_full_s", "battery_wh"),
)


def lps_from_lpm(flow_lpm: float) -> float:
    """Litres per second of litres per minute, to the digits that `plan.json` keeps."""
    return round(flow_lpm / 60.0, 9)


def l_per_m2_from_ml(dose_ml_per_m2: float) -> float:
    """Litres per square metre of millilitres per square metre."""
    return round(dose_ml_per_m2 / 1000.0, 9)


@lru_cache(maxsize=16)
def packaged(name: str) -> Any:
    """What a data file of the package holds."""
    text = files("skymist.missions").joinpath("data", name).read_text(encoding="utf-8")
    return yaml.safe_load(text)


def model_with(keys: Mapping[str, Any], base: DroneModel | None = None) -> DroneModel:
    """A drone model of a site file's keys, over those of a base where one is given.

    Raises
    ------
    PlanError
        For a key that is missing or a value out of range.
    """
    sprayer: dict[str, Any] = {key: float(keys[key]) for key in _SPRAYER_KEYS if key in keys}
    sprayer |= {ours: lps_from_lpm(keys[key]) for key, ours in _LPM_KEYS.items() if key in keys}
    if "profile" in keys:
        sprayer["spread"] = keys["profile"]
        if "swath_m" not in keys and keys["profile"].kind is not ProfileKind.UNIFORM:
            cv_limit = keys.get("cv_limit_frac", base.sprayer.cv_limit_frac if base else None)
            sprayer["swath_m"] = spacing_m(keys["profile"], cv_limit or CV_PRODUCT_FRAC)
    frame: dict[str, Any] = {
        key: value if key in {"id", "name"} else float(value)
        for key, value in keys.items()
        if key in _frame_keys()
    }
    if "ardupilot" in keys:
        frame["is_ardupilot"] = bool(keys["ardupilot"])
    if base is not None:
        return replace(base, sprayer=replace(base.sprayer, **sprayer), **frame)
    if missing := missing_model_keys(keys):
        raise PlanError(f"{', '.join(missing)} must be given")
    frame.setdefault("name", frame["id"])
    return DroneModel(sprayer=Sprayer(**sprayer), **frame)


def spacing_m(spread: ProfileSpec, cv_limit_frac: float) -> float:
    """The widest spacing of passes that keeps the limit, to the centimetre below."""
    widest_m = spacing_for_cv(spread.over(1.0), cv_limit_frac)
    return math.floor(widest_m * 100 + 1e-6) / 100 or widest_m


def _frame_keys() -> set[str]:
    return {field.name for field in fields(DroneModel)} - {"sprayer", "is_ardupilot"}


def missing_model_keys(keys: Mapping[str, Any]) -> tuple[str, ...]:
    """What a model written out in full still lacks."""
    spread = keys.get("profile")
    tells_swath = spread is not None and spread.kind is not ProfileKind.UNIFORM
    given = set(keys) | ({"swath_m"} if tells_swath else set())
    return tuple(key for key in _NEEDED_KEYS if key not in given)


@lru_cache(maxsize=1)
def drone_models() -> Mapping[str, DroneModel]:
    """The built-in models by id. Source: the marks in `data/drones.yaml`."""
    return {keys["id"]: model_with(keys) for keys in packaged("drones.yaml")}


@lru_cache(maxsize=1)
def default_agents() -> tuple[Agent, ...]:
    """The built-in agents. Source: the marks in `data/agents.yaml`."""
    return tuple(Agent(**keys) for keys in packaged("agents.yaml"))


@lru_cache(maxsize=2)
def default_levels(mode: Mode) -> tuple[Level, ...]:
    """The four levels of surface mode, or those of vector and broadcast mode.

    Source: `data/levels.yaml`.
    """
    rows = packaged("levels.yaml")["surface" if mode is Mode.SURFACE else "vector"]
    return tuple(
        Level(
            name=LevelName(name),
            dose_l_per_m2=l_per_m2_from_ml(keys["dose_ml_per_m2"]),
            agent_id=keys["agent"],
            revisit_days=float(keys["revisit_days"]),
            is_flown=keys.get("flown", True),
        )
        for name, keys in rows.items()
    )


def kind_mode(kind: Kind) -> Mode:
    """The mode that a kind of spot is treated in unless something else is said."""
    return Mode(packaged("kinds.yaml")[kind.value]["mode"])


@lru_cache(maxsize=1)
def kind_words() -> Mapping[str, str]:
    """Every word for a kind, and the kind."""
    rows = packaged("kinds.yaml")
    words = {word: kind for kind, row in rows.items() for word in row["words"]}
    return words | {kind: kind for kind in rows}


def kind_word(value: object) -> object:
    """The kind that a word stands for; anything else as it is."""
    if not isinstance(value, str):
        return value
    word = "_".join(value.strip().lower().replace("-", " ").split())
    return kind_words().get(word, word)


def level_words() -> list[str]:
    """The words for levels beside their English names."""
    return [word + end for word in _LEVEL_WORDS for end in ("", "色")]


def level_word(value: object) -> object:
    """The level that a word stands for (red, Red, 红, 红色); anything else as it is."""
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    return _LEVEL_WORDS.get(word.removesuffix("色"), word)
