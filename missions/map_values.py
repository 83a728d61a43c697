"""Checked features as the values of a site: spots, zones, buildings, and the rest of the map.

Shapes are in local metres by now. What refers to something else (a zone, an agent, the building
under a roof) is looked up here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from skymist.coverage.errors import PlanError
from skymist.coverage.site import (
    BlindSpot,
    Building,
    Closure,
    Kind,
    Mode,
    NoSpray,
    Pad,
    Policy,
    Receptor,
    Zone,
)
from skymist.missions.defaults import kind_mode, l_per_m2_from_ml
from skymist.missions.entries import ClosureEntry, NoSprayEntry, PadEntry, SpotEntry
from skymist.missions.errors import Fault
from skymist.missions.features import Feature
from skymist.missions.validation import found_text, near_miss

STAND_LEAST_M = 5.0
"""Stands are no nearer, whatever the separation: two bodies of 2.4 m. [P]"""
STAND_SPARE_M = 0.01
"""For the rounding of coordinates. Numerical."""

Pair = tuple[Feature, Any]
"""A feature with its shape in local metres, and its checked entry (a `Located`)."""


def unique(pairs: Sequence[Pair], faults: list[Fault]) -> list[tuple[str, Feature, Any]]:
    """Each feature with its id; one that is there already is a fault."""
    seen: dict[str, Feature] = {}
    kept = []
    for feature, entry in pairs:
        key = entry.id or feature.default_id
        if key in seen:
            first = seen[key]
            found = f"{found_text(key)} again (first: {first.label} of {first.file})"
            faults.append(feature.fault("id", f"an id of its own among {feature.role}", found))
            continue
        seen[key] = feature
        kept.append((key, feature, entry))
    return kept


def mode_of(entry: SpotEntry, policy: Policy) -> Mode:
    """The spot's own mode, else that of its kind, else that of the site."""
    if entry.mode is not None:
        return entry.mode
    by_kind = kind_mode(entry.kind)
    return by_kind if by_kind is not Mode.SURFACE else policy.mode


def stands(key: str, x: float, y: float, entry: PadEntry, separation_m: float) -> tuple[Pad, ...]:
    """A pad as one stand for each drone that it takes, in a row about its point.

    Crews serve all stands of a pad, so that no two drones ever start, land or are filled on the
    same ground.
    """
    num = entry.capacity or 1
    if num == 1:
        return (Pad(id=key, x=x, y=y, capacity=1, num_crews=entry.crews),)
    heading_rad = math.radians(90.0 if entry.row_deg is None else entry.row_deg)
    step_m = max(separation_m, STAND_LEAST_M) + STAND_SPARE_M
    return tuple(
        Pad(
            id=f"{key}/{k + 1}",
            x=round(x + (k - (num - 1) / 2) * step_m * math.sin(heading_rad), 3),
            y=round(y + (k - (num - 1) / 2) * step_m * math.cos(heading_rad), 3),
            capacity=1,
            num_crews=entry.crews,
            group=key,
        )
        for k in range(num)
    )


@dataclass(slots=True, kw_only=True)
class MapValues:
    """The map as values. `gaps` names roles of which something could not be read.

    Stands of one pad are laid `separation_m` apart.
    """

    pairs: dict[str, list[Pair]]
    gaps: frozenset[str]
    faults: list[Fault]
    separation_m: float = 10.0
    zones: tuple[Zone, ...] = ()
    buildings: tuple[Building, ...] = ()
    no_spray: tuple[NoSpray, ...] = ()
    closures: tuple[Closure, ...] = ()
    receptors: tuple[Receptor, ...] = ()
    pads: tuple[Pad, ...] = ()
    _zone_tree: shapely.STRtree = field(default_factory=lambda: shapely.STRtree([]))
    _building_tree: shapely.STRtree = field(default_factory=lambda: shapely.STRtree([]))

    def __post_init__(self) -> None:
        self.zones = tuple(
            Zone(
                id=key,
                area=feature.shape,
                responsible=entry.responsible,
                contact=entry.contact.strip(),
                hours=entry.hours,
            )
            for key, feature, entry in self._unique("zones")
        )
        self.buildings = tuple(
            Building(id=key, footprint=feature.shape, height_m=entry.height_m)
            for key, feature, entry in self._unique("buildings")
        )
        self.receptors = tuple(
            Receptor(id=key, shape=feature.shape, kind=entry.kind)
            for key, feature, entry in self._unique("sensitive")
        )
        self.pads = tuple(
            pad
            for key, feature, entry in self._unique("pads")
            for pad in stands(key, feature.shape.x, feature.shape.y, entry, self.separation_m)
        )
        self.closures = tuple(self._closures())
        no_spray = (self._no_spray(*row) for row in self._unique("no_spray"))
        self.no_spray = tuple(area for area in no_spray if area is not None)
        self._zone_tree = shapely.STRtree([zone.area for zone in self.zones])
        self._building_tree = shapely.STRtree([b.footprint for b in self.buildings])

    def _unique(self, role: str) -> list[tuple[str, Any, Any]]:
        return unique(self.pairs.get(role, []), self.faults)

    def _no_spray(self, key: str, feature: Feature, entry: NoSprayEntry) -> NoSpray | None:
        area = self._area(feature, entry)
        return None if area is None else NoSpray(id=key, area=area, reason=entry.reason)

    def _area(self, feature: Feature, entry: NoSprayEntry | ClosureEntry) -> BaseGeometry | None:
        """The ground that a point with a radius, a line with a width or a polygon stands for."""
        area: Any = feature.shape
        needs = {"Point": "radius_m", "LineString": "width_m"}.get(area.geom_type)
        if needs:
            size_m = getattr(entry, needs)
            if size_m is None:
                wanted = f"{needs} above 0 for a {area.geom_type}"
                self.faults.append(feature.fault(needs, wanted, "nothing"))
                return None
            cap = "round" if needs == "radius_m" else "flat"
            area = area.buffer(size_m if needs == "radius_m" else size_m / 2, cap_style=cap)
            area = shapely.set_precision(area, 0.001, mode="pointwise")
        made: BaseGeometry = area
        return made

    def _closures(self) -> Iterator[Closure]:
        """What is closed to drones in some hours: ground of its own, and zones."""
        for key, feature, entry in self._unique("closures"):
            area = self._area(feature, entry)
            if area is not None:
                yield Closure(id=key, area=area, hours=entry.hours, reason=entry.reason)
        closed = {
            entry.id or f.default_id: entry.closed for f, entry in self.pairs.get("zones", [])
        }
        for zone in self.zones:
            if closed.get(zone.id):
                yield Closure(id=f"zone {zone.id}", area=zone.area, hours=closed[zone.id])

    def spots(self, agent_ids: Sequence[str], policy: Policy) -> tuple[BlindSpot, ...]:
        """The spots that can be made; the others are faults."""
        rows = self._unique("spots")
        points = shapely.point_on_surface(np.array([f.shape for _, f, _ in rows], dtype=object))
        made = []
        for (key, feature, entry), point in zip(rows, points, strict=True):
            num_faults = len(self.faults)
            zone_id = self._zone_id(feature, entry, point)
            sizes = self._sizes(feature, entry, point)
            self._check_agent(feature, entry, agent_ids)
            if len(self.faults) > num_faults:
                continue
            try:
                made.append(_spot(key, feature, entry, zone_id, sizes, mode_of(entry, policy)))
            except PlanError as exc:
                self.faults.append(feature.fault("", "a spot that can be planned", str(exc)))
        return tuple(made)

    def _zone_id(self, feature: Feature, entry: SpotEntry, point: BaseGeometry) -> str | None:
        """The zone that the spot names, else the one it lies in, else the one it reaches into."""
        ids = [zone.id for zone in self.zones]
        if entry.zone is not None:
            if entry.zone not in ids and "zones" not in self.gaps:
                hint = near_miss(entry.zone, ids)
                self.faults.append(
                    feature.fault("zone", "the id of a zone", found_text(entry.zone), hint)
                )
            return entry.zone
        if not ids or "zones" in self.gaps:
            return None
        inside = sorted(self._zone_tree.query(point, predicate="intersects"))
        if not inside:
            near = sorted(self._zone_tree.query(feature.shape, predicate="intersects"))
            shape: Any = feature.shape
            inside = sorted(near, key=lambda i: -shape.intersection(self.zones[i].area).length)
        if not inside:
            hint = "mend its place, draw the zones wider, or name a zone"
            self.faults.append(
                feature.fault("geometry", "a place inside a zone", "it outside every zone", hint)
            )
            return None
        return ids[int(inside[0])]

    def _sizes(
        self, feature: Feature, entry: SpotEntry, point: BaseGeometry
    ) -> dict[str, float | None]:
        """Radius, width and elevation, as far as the shape and the kind need them."""
        shape: Any = feature.shape
        needs = {"Point": "radius_m", "LineString": "width_m"}.get(shape.geom_type)
        sizes: dict[str, float | None] = {}
        if needs:
            sizes[needs] = getattr(entry, needs)
            if sizes[needs] is None:
                wanted = f"{needs} above 0 for a {shape.geom_type}"
                self.faults.append(feature.fault(needs, wanted, "nothing"))
        sizes["elevation_m"] = entry.elevation_m or 0.0
        if entry.kind is Kind.FLAT_ROOF and entry.elevation_m is None:
            under = self._building_tree.query(point, predicate="intersects")
            if len(under):
                sizes["elevation_m"] = max(self.buildings[i].height_m for i in under)
            elif "buildings" not in self.gaps:
                wanted = "elevation_m, or a building under the roof"
                self.faults.append(feature.fault("elevation_m", wanted, "nothing"))
        return sizes

    def _check_agent(self, feature: Feature, entry: SpotEntry, agent_ids: Sequence[str]) -> None:
        if entry.agent is not None and entry.agent not in agent_ids:
            hint = near_miss(entry.agent, agent_ids)
            fault = feature.fault("agent", "the id of an agent", found_text(entry.agent), hint)
            self.faults.append(fault)


def _spot(
    key: str,
    feature: Feature,
    entry: SpotEntry,
    zone_id: str | None,
    sizes: dict[str, float | None],
    mode: Mode,
) -> BlindSpot:
    dose, shape = entry.dose_ml_per_m2, feature.shape
    if shape is None:
        raise PlanError("a spot needs a shape")
    return BlindSpot(
        id=key,
        kind=entry.kind,
        level=entry.level,
        shape=shape,
        mode=mode,
        radius_m=sizes.get("radius_m"),
        width_m=sizes.get("width_m"),
        elevation_m=sizes["elevation_m"] or 0.0,
        zone_id=zone_id,
        agent_id=entry.agent,
        dose_l_per_m2=None if dose is None else l_per_m2_from_ml(dose),
        name=entry.name,
        note=entry.note,
        hours=entry.hours,
        responsible=entry.responsible,
    )
