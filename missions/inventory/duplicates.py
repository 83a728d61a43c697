"""Spots that may be one and the same place, and what becomes of spots that are merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from skymist.coverage.errors import PlanError
from skymist.coverage.site import RANK, LevelName
from skymist.missions.errors import FormatError
from skymist.missions.inventory.changes import Change
from skymist.missions.inventory.states import GEOMETRY, KEYS, State, geometry_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.site import BlindSpot, Site
    from skymist.missions.inventory.book import Book

WITHIN_M = 5.0
"""Spots of one kind nearer than this may be one. Source: gps.gov, "GPS accuracy": phones are within
4.9 m under open sky."""
OVERLAP_FRAC = 0.5
"""Of the smaller one: from here on spots of any kind at one height may be one. [P]"""
STOREY_M = 2.0
"""Surfaces farther apart in height are never one: a roof and the ground under it. [P]"""
_LISTS = ("photos",)
_TEXTS = ("note", "source")
_LEVEL = ("level", "level_reason", "level_since")
_SIZES = ("radius_m", "width_m")
_OF_THE_SHAPE = (*_SIZES, "elevation_m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Two spots that may be one: how far apart, and how much of the smaller the other covers."""

    first: BlindSpot
    second: BlindSpot
    distance_m: float
    overlap_frac: float


def duplicates(
    site: Site, within_m: float = WITHIN_M, spot_ids: Sequence[str] = ()
) -> tuple[Alike, ...]:
    """Pairs of one kind within a distance, or of any kind that overlap by half, nearest first.

    With `spot_ids`, only pairs that have one of these.
    """
    if not within_m >= 0:
        raise PlanError(f"within_m must be 0 or more, got {within_m}")
    areas = np.array([spot.area for spot in site.spots], dtype=object)
    tree = shapely.STRtree(areas)
    asked = [k for k, s in enumerate(site.spots) if not spot_ids or s.id in spot_ids]
    found, near = tree.query(areas[asked], predicate="dwithin", distance=within_m)
    pairs = {tuple(sorted((asked[i], int(j)))) for i, j in zip(found, near, strict=True)}
    made = [_alike(site.spots[i], site.spots[j]) for i, j in sorted(pairs) if i != j]
    kept = [alike for alike in made if _may_be_one(alike)]
    return tuple(sorted(kept, key=lambda a: (-a.overlap_frac, a.distance_m, a.first.id)))


def merged(
    book: Book, site: Site, spot_ids: Sequence[str], *, takes_union: bool = False
) -> tuple[Change, ...]:
    """The changes that make one spot of several: the first stays, the others go into it.

    It takes the worst level with its reason and date, all photos, notes and sources, and from the
    others what it lacks. Its shape stays, or becomes the ground of all; its height stays.

    Raises
    ------
    FormatError
        For fewer than two spots, one that cannot be written, or one at another height or of
        another mode than the first: it would be sprayed from a wrong height, or with another agent.
    """
    ids = list(dict.fromkeys(spot_ids))
    if len(ids) < 2:
        raise FormatError(f"merge: wanted two spots or more, found {', '.join(ids) or 'none'}")
    states = [book.state(spot_id) for spot_id in ids]
    for spot_id in ids[1:]:
        _require_like(site.spot(ids[0]), site.spot(spot_id))
    after = _together(states)
    if takes_union:
        areas = [site.spot(spot_id).area for spot_id in ids]
        after = {key: value for key, value in after.items() if key not in _SIZES}
        after[GEOMETRY] = geometry_of(_in_degrees(site, shapely.union_all(areas)))
    kept = Change(spot_id=ids[0], what="merge", before=states[0], after=after)
    gone = (
        Change(spot_id=spot_id, what="merge", before=state, after=None, into=ids[0])
        for spot_id, state in zip(ids[1:], states[1:], strict=True)
    )
    return (kept, *gone)


def _require_like(first: BlindSpot, other: BlindSpot) -> None:
    """Refuse what is never one place, or is not sprayed alike."""
    if abs(first.elevation_m - other.elevation_m) > STOREY_M:
        raise FormatError(
            f"merge: {other.id}: wanted a surface within {STOREY_M:g} m of the height of "
            f"{first.id}, {first.elevation_m:g} m, found {other.elevation_m:g} m"
        )
    if first.mode is not other.mode:
        raise FormatError(
            f"merge: {other.id}: wanted mode {first.mode.value}, as {first.id} has it, found "
            f"{other.mode.value}: set one of them first (inventory edit --set mode=...)"
        )


def _together(states: Sequence[State]) -> State:
    """What the first state becomes when it takes in the others."""
    worst = min(states, key=lambda state: RANK[LevelName(state["level"])])
    made: dict[str, Any] = {}
    for key in KEYS:
        held = [state[key] for state in states if key in state]
        if key in _LEVEL:
            held = [worst[key]] if key in worst else []
        elif key in _LISTS:
            held = [list(dict.fromkeys(part for value in held for part in value))] if held else []
        elif key in _TEXTS:
            held = ["; ".join(dict.fromkeys(held))] if held else []
        elif key in _OF_THE_SHAPE:
            held = [states[0][key]] if key in states[0] else []
        if held:
            made[key] = held[0]
    return {**made, GEOMETRY: states[0][GEOMETRY]}


def _alike(first: BlindSpot, second: BlindSpot) -> Alike:
    smaller = min(first.area.area, second.area.area)
    shared = first.area.intersection(second.area).area
    return Alike(
        first=first,
        second=second,
        distance_m=float(first.area.distance(second.area)),
        overlap_frac=shared / smaller if smaller > 0 else 0.0,
    )


def _may_be_one(alike: Alike) -> bool:
    if abs(alike.first.elevation_m - alike.second.elevation_m) > STOREY_M:
        return False
    return alike.first.kind is alike.second.kind or alike.overlap_frac >= OVERLAP_FRAC


def _in_degrees(site: Site, shape: BaseGeometry) -> BaseGeometry:
    made: BaseGeometry = shapely.transform(shape, site.origin.to_geo)
    return made
