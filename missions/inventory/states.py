"""What the inventory says of one spot at one moment, as plain JSON values under our own keys.

Every way in (layer, table, command line) leads to the same state, so that states can be compared,
kept in the ledger and told apart by a short mark.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from skymist.coverage.hours import Hours
from skymist.missions.entries import GEOMETRY_KEYS, SpotEntry
from skymist.missions.ledger.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skymist.missions.entries import Located

State = dict[str, Any]
"""Keys of a spot (but the id), and `geometry` as GeoJSON. What is empty or default is left out."""
GEOMETRY = "geometry"
KEYS = tuple(key for key in SpotEntry.model_fields if key not in (*GEOMETRY_KEYS, "id"))
NUMBERS = ("radius_m", "width_m", "elevation_m", "dose_ml_per_m2")
DECIMALS = 7
"""Of degrees: a centimetre. Source: RFC 7946, section 11.2, names six as enough for most."""
MARK_DIGITS = 12
"""Hex digits of a state's mark: 48 bits tell the states of one spot apart. [D]"""


def state_of(entry: Located, geometry: BaseGeometry) -> State:
    """The state of a checked entry and its shape in degrees."""
    made: State = {}
    for key in KEYS:
        value = _plain(getattr(entry, key))
        if value not in (None, "", []):
            made[key] = value
    return {**made, GEOMETRY: geometry_of(geometry)}


def geometry_of(geometry: BaseGeometry) -> dict[str, Any]:
    """The shape as GeoJSON with as many decimals as are kept."""
    coordinates = shapely.get_coordinates(geometry).round(DECIMALS) + 0.0
    rounded = shapely.set_coordinates(shapely.force_2d(geometry), coordinates)
    made: dict[str, Any] = json.loads(json.dumps(mapping(rounded)))
    return made


def shape_of(state: Mapping[str, Any]) -> BaseGeometry:
    """The shape of a state, in degrees."""
    made: BaseGeometry = shape(state[GEOMETRY])
    return made


def is_same(key: str, one: Any, other: Any) -> bool:
    """Whether two values of a key say the same; rings may begin anywhere and turn either way."""
    if one == other or key != GEOMETRY or one is None or other is None:
        return bool(one == other)
    if one["type"] != other["type"]:
        return False
    first, second = (shapely.normalize(shape(g)) for g in (one, other))
    return bool(shapely.equals_exact(first, second, 0.6 * 10.0**-DECIMALS))


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys in which two states differ, in the order of `KEYS`."""
    return tuple(
        key for key in (*KEYS, GEOMETRY) if not is_same(key, before.get(key), after.get(key))
    )


def mark_of(state: Mapping[str, Any]) -> str:
    """A short mark that is another for another state."""
    return hashlib.sha256(canonical(dict(state)).encode()).hexdigest()[:MARK_DIGITS]


def value_text(key: str, value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return "nothing"
    if key == GEOMETRY:
        made = shape(value)
        middle = made.representative_point()
        num = len(shapely.get_coordinates(made))
        points = "" if num == 1 else f" of {num} points"
        return f"{made.geom_type}{points} at {middle.x:.6f},{middle.y:.6f}"
    return "; ".join(value) if isinstance(value, list) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and value and isinstance(value[0], Hours):
        return ", ".join(hours.text for hours in value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 9)
    return str(value) if isinstance(value, str) else value
