"""Plans on disk: `plan.json`, the same bytes for the same plan.

The file carries the site too, so that preview, flight and report need nothing else. Geometry is
GeoJSON in local metres, rounded to the millimetre.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

import cattrs
import shapely
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from skymist.coverage import drift, drones, frames, hours, organising, plan, profile, site
from skymist.coverage.errors import SkymistError
from skymist.missions.errors import FormatError
from skymist.missions.plan_checks import plan_faults

SCHEMA = 1
PLAN_FILE = "plan.json"
FAULTS_MOST = 30
_VALUES = (
    *(frames.Origin, profile.ProfileSpec, drones.Sprayer, drones.DroneModel, drones.Drone),
    *(hours.Hours, hours.Start, site.Closure),
    *(site.BlindSpot, site.Zone, site.Building, site.NoSpray, site.Receptor, site.Pad),
    *(organising.Product, organising.Organiser),
    *(site.Agent, site.Level, site.LevelRule, site.LevelRules, site.Waiver, site.Policy, site.Site),
    *(
        drift.Wind,
        plan.PlanFinding,
        plan.Pass,
        plan.Transit,
        plan.GroundTask,
        plan.Treatment,
        plan.Sortie,
        plan.Plan,
    ),
)
_NAMES = {
    "Start": hours.Start,
    "Wind": drift.Wind,
    "Site": site.Site,
    "Drone": drones.Drone,
    "Origin": frames.Origin,
}


def _rounded(value: float) -> float:
    return round(value, 9) + 0.0


def _read_leg(data: dict[str, Any], _: object) -> plan.Leg:
    if "kind" in data:
        return _converter().structure(data, plan.Pass)
    return _converter().structure(data, plan.Transit)


@lru_cache(maxsize=1)
def _converter() -> cattrs.Converter:
    """Dataclasses to dicts and back; defaults are left out, unknown keys refused."""
    made = cattrs.Converter(forbid_extra_keys=True)
    made.register_unstructure_hook(float, _rounded)
    made.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and issubclass(kind, BaseGeometry),
        lambda data, _: shape(data),
    )
    made.register_unstructure_hook_func(
        lambda kind: isinstance(kind, type) and issubclass(kind, BaseGeometry),
        lambda value: mapping(shapely.set_precision(value, 0.001, mode="pointwise")),
    )
    made.register_structure_hook(plan.Leg, _read_leg)
    for kind in _VALUES:
        hints = get_type_hints(kind, localns=_NAMES)
        for field in fields(kind):
            field.type = hints[field.name]
        made.register_unstructure_hook(
            kind, make_dict_unstructure_fn(kind, made, _cattrs_omit_if_default=True)
        )
        made.register_structure_hook(
            kind, make_dict_structure_fn(kind, made, _cattrs_forbid_extra_keys=True)
        )
    return made


def plan_to_dict(made: plan.Plan) -> dict[str, Any]:
    """The plan as plain JSON values, with its schema version."""
    return {"schema": SCHEMA, **_converter().unstructure(made)}


def plan_from_dict(data: dict[str, Any], source: str = PLAN_FILE) -> plan.Plan:
    """The plan of what `plan_to_dict` gave.

    Raises
    ------
    FormatError
        For another schema, a missing or unknown field, or a value out of range.
    """
    if data.get("schema") != SCHEMA:
        raise FormatError(f"{source}: schema: wanted {SCHEMA}, found {data.get('schema')!r}")
    try:
        body = {key: value for key, value in data.items() if key != "schema"}
        return _converter().structure(body, plan.Plan)
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError) as exc:
        reasons = cattrs.transform_error(exc) if isinstance(exc, cattrs.BaseValidationError) else ()
        raise FormatError(f"{source}: {'; '.join(reasons) or exc}") from exc
    except SkymistError as exc:
        raise FormatError(f"{source}: {exc}") from exc


def file_name_of(name: str) -> str:
    """A file name for an id: letters and digits of any script as they are, the rest encoded.

    Different ids give different names; none leaves its folder or is refused by Windows.
    """
    safe = "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):02x}" for c in name)
    return safe or "%"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def plan_bytes(made: plan.Plan) -> bytes:
    """What stands in `plan.json`."""
    text = json.dumps(plan_to_dict(made), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8") + b"\n"


def write_plan(made: plan.Plan, folder: Path) -> Path:
    """Write `plan.json` into the folder and say where."""
    path = folder / PLAN_FILE
    write_whole(path, plan_bytes(made))
    return path


def _instead(place: Path) -> str:
    """What stands where a plan should: a folder of a site is easily taken for one of a plan."""
    site = place / "site.yaml"
    return f"a site: name its file, {site}" if site.is_file() else "none"


def read_plan(place: Path) -> plan.Plan:
    """Read a plan from its file, or from the folder that holds one.

    Raises
    ------
    FormatError
        Where there is no plan, or it cannot be read.
    """
    path = place / PLAN_FILE if place.is_dir() else place
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise FormatError(
            f"{path}: wanted a plan (skymist plan SITE -o DIR), found {_instead(place)}"
        ) from exc
    except ValueError as exc:
        raise FormatError(f"{path}: wanted JSON, found {exc}") from exc
    if not isinstance(data, dict):
        raise FormatError(f"{path}: wanted a JSON object, found {type(data).__name__}")
    return plan_from_dict(data, str(path))


def read_flyable_plan(place: Path) -> plan.Plan:
    """Read a plan that is to be flown or handed on to be flown, whoever made or edited it.

    Raises
    ------
    FormatError
        As `read_plan`, and for everything that `missions.plan_checks` finds.
    """
    made = read_plan(place)
    faults = plan_faults(made)
    if faults:
        raise FormatError("\n".join(f"{place}: {fault}" for fault in faults[:FAULTS_MOST]))
    return made
