"""Rules about where things lie: pads, reach, no-spray ground, narrow lanes, receptors, roofs.

Each rule is a generator of findings over a `Site`; `missions.checks` runs them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from skymist.coverage.site import BlindSpot, Kind, Mode, Pad, Site
from skymist.missions.findings import Finding, error, info, named, spots_text, warning

PAD_CLEAR_M = 6.0
"""Least distance of a pad from a wall: half a body of 2.4 m, 1 m of clearance, and room for the
position error of GNSS near walls. [P]"""
OVERLAP_MIN_M2 = 1.0
"""Overlaps below this are drawing error. [P]"""
DOUBLE_FRAC = 0.5
"""From this share of the smaller of two spots on, they are taken for one drawn twice. [P]"""
PARAPET_M = 1.0
"""Height of a parapet where none is surveyed. [P], as in `coverage.scene`."""

_NOT_GROUND = (Kind.FLAT_ROOF, Kind.BIKE_SHED, Kind.ROOFED_MARKET)
_TO_GROUND = "it will be left to the ground crew"


def _tree(shapes: Sequence[BaseGeometry] | NDArray[np.object_]) -> shapely.STRtree:
    return shapely.STRtree(shapes)


def _points(pads: tuple[Pad, ...]) -> NDArray[np.object_]:
    points: NDArray[np.object_] = shapely.points([(pad.x, pad.y) for pad in pads])
    return points


def pads_on_open_ground(site: Site) -> Iterator[Finding]:
    """Pads inside or close to buildings, or on no-spray ground."""
    walls = _tree([b.footprint for b in site.buildings])
    banned = _tree([n.area for n in site.no_spray])
    for pad, point in zip(site.pads, _points(site.pads) if site.pads else (), strict=True):
        rule, mend = "pad-in-building", "move the pad to open ground"
        near = walls.query(point, predicate="dwithin", distance=PAD_CLEAR_M)
        apart = [(point.distance(site.buildings[i].footprint), site.buildings[i].id) for i in near]
        if apart and min(apart)[0] == 0:
            yield error(rule, f"pad {pad.id} lies inside building {min(apart)[1]}", mend, [pad.id])
        elif apart:
            text = f"pad {pad.id} is {min(apart)[0]:.1f} m from building {min(apart)[1]}"
            yield warning("pad-near-building", text, f"keep {PAD_CLEAR_M:.0f} m", [pad.id])
        for i in banned.query(point, predicate="intersects"):
            area = site.no_spray[i]
            text = f"pad {pad.id} lies on no-spray ground {area.id} ({area.reason})"
            yield error("pad-on-no-spray", text, mend, [pad.id])


def pads_apart(site: Site) -> Iterator[Finding]:
    """Pads in use that are closer together than drones may be, and those with too many drones."""
    in_use = {drone.pad_id for drone in site.fleet}
    pads = [pad for pad in site.pads if pad.id in in_use]
    for a, b in combinations(pads, 2):
        apart_m = float(np.hypot(a.x - b.x, a.y - b.y))
        if apart_m < site.policy.separation_m:
            text = f"pads {a.id} and {b.id} are {apart_m:.1f} m apart"
            mend = f"keep policy.separation_m, {site.policy.separation_m:g} m"
            yield error("pads-too-close", text, mend, [a.id, b.id])
    room = {pad.id: pad.capacity or 1 for pad in site.pads}
    for pad_id in sorted(in_use):
        drones = [drone.id for drone in site.fleet if drone.pad_id == pad_id]
        if len(drones) > room.get(pad_id, 1):
            text = (
                f"{len(drones)} drones share pad {pad_id}, which takes {room.get(pad_id, 1)}: "
                f"{named(drones)}"
            )
            mend = "set the pad's capacity for a row of stands, or give each drone its own pad"
            yield error("pad-shared", text, mend, drones)


def spots_in_reach(site: Site) -> Iterator[Finding]:
    """Spots farther than the policy's radius from every pad that has a drone."""
    in_use = {drone.pad_id for drone in site.fleet}
    pads = [(pad.x, pad.y) for pad in site.pads if pad.id in in_use]
    if not pads or not site.spots:
        return
    middles = shapely.get_coordinates([spot.area.centroid for spot in site.spots])
    apart = np.linalg.norm(middles[:, None, :] - np.array(pads)[None, :, :], axis=2).min(axis=1)
    for spot, apart_m in zip(site.spots, apart, strict=True):
        if apart_m > site.policy.radius_m:
            text = (
                f"spot {spot.id} is {apart_m:.0f} m from the nearest pad in use, "
                f"beyond {site.policy.radius_m:.0f} m: {_TO_GROUND}"
            )
            yield warning("spot-out-of-reach", text, "put a pad nearer to it", [spot.id])


def spots_off_no_spray(site: Site) -> Iterator[Finding]:
    """Spots that lie partly or wholly on no-spray ground."""
    banned = _tree([n.area for n in site.no_spray])
    for spot in site.spots:
        area = spot.area
        for i in sorted(banned.query(area, predicate="intersects")):
            ground = site.no_spray[i]
            share_m2 = area.intersection(ground.area).area
            if share_m2 < OVERLAP_MIN_M2:
                continue
            text = (
                f"{share_m2:.0f} of {area.area:.0f} m2 of spot {spot.id} lie on no-spray ground "
                f"{ground.id} ({ground.reason}): not sprayed there"
            )
            yield warning("spot-on-no-spray", text, "redraw one of them", [spot.id, ground.id])


def spots_drawn_once(site: Site) -> Iterator[Finding]:
    """Spots that cover each other: they would get their dose twice."""
    spots = [spot for spot in site.spots if _is_flown(site, spot)]
    areas = np.array([spot.area for spot in spots], dtype=object)
    pairs = _tree(areas).query(areas, predicate="intersects").T
    for i, j in pairs:
        if i >= j or _surface(spots[i]) != _surface(spots[j]):
            continue
        shared_m2 = areas[i].intersection(areas[j]).area
        if shared_m2 > DOUBLE_FRAC * min(areas[i].area, areas[j].area):
            a, b = spots[i].id, spots[j].id
            text = f"spots {a} and {b} share {shared_m2:.0f} m2: treated twice"
            yield warning("spots-overlap", text, "drop one, or redraw them", [a, b])


def spots_under_roofs(site: Site) -> Iterator[Finding]:
    """Spots on the ground of which a part lies under a building."""
    walls = _tree([b.footprint for b in site.buildings])
    for spot in site.spots:
        if spot.kind in _NOT_GROUND or spot.shape.geom_type == "LineString":
            continue
        area = spot.area
        over = [
            site.buildings[i]
            for i in sorted(walls.query(area, predicate="intersects"))
            if site.buildings[i].height_m > spot.elevation_m
        ]
        covered_m2 = sum(area.intersection(b.footprint).area for b in over)
        if covered_m2 >= OVERLAP_MIN_M2:
            text = (
                f"{covered_m2:.0f} of {area.area:.0f} m2 of spot {spot.id} lie under "
                f"{named([b.id for b in over])}: not reached from the air"
            )
            mend = "redraw it, or give it the roof's elevation_m"
            yield info("spot-under-building", text, mend, [spot.id])


def lanes_wide_enough(site: Site) -> Iterator[Finding]:
    """Lanes that are too narrow for every drone of the fleet, and gaps."""
    lanes = [s for s in site.spots if s.shape.geom_type == "LineString" and s.kind is not Kind.GAP]
    gaps = [spot.id for spot in site.spots if spot.kind is Kind.GAP]
    if gaps:
        text = f"gaps that no drone fits: {spots_text(len(gaps))}: {named(gaps)}"
        yield info("gap-by-hand", text, "the ground crew treats them", gaps)
    if not (lanes and site.buildings and site.fleet):
        return
    needs_m = min(drone.model.body_m for drone in site.fleet) + 2 * site.policy.clearance_m
    walls = _tree([b.footprint for b in site.buildings])
    found, apart_m = walls.query_nearest([s.shape for s in lanes], return_distance=True)
    width_m = np.full(len(lanes), np.inf)
    np.minimum.at(width_m, found[0], 2 * apart_m)
    narrow = [spot.id for spot, clear_m in zip(lanes, width_m, strict=True) if clear_m < needs_m]
    if narrow:
        text = (
            f"less than the {needs_m:.1f} m of clear width that the smallest drone needs at "
            f"{spots_text(len(narrow))}: {named(narrow)}"
        )
        mend = "flown above the roofs where spray still reaches, else left to the ground crew"
        yield info("lane-narrow", text, mend, narrow)


_AROUND = (
    "transits go around them; after a failsafe drones come home over those in between, above the "
    "ceiling: `plan` says how high"
)


def roofs_below_ceiling(site: Site) -> Iterator[Finding]:
    """Spots and buildings that the ceiling leaves too little air over."""
    if not site.fleet:
        return
    release_m = min(drone.model.sprayer.release_height_m for drone in site.fleet)
    ceiling_m = site.policy.ceiling_m
    for spot in site.spots:
        needs_m = spot.elevation_m + release_m + PARAPET_M * (spot.kind is Kind.FLAT_ROOF)
        if needs_m > ceiling_m:
            text = (
                f"spot {spot.id} at {spot.elevation_m:g} m is sprayed from {needs_m:g} m, above "
                f"the ceiling of {ceiling_m:g} m: {_TO_GROUND}"
            )
            yield warning(
                "spot-above-ceiling", text, "raise policy.ceiling_m if allowed", [spot.id]
            )
    over_m = ceiling_m - site.policy.building_margin_m
    tall = [b.id for b in site.buildings if b.height_m > over_m]
    if tall:
        text = (
            f"{len(tall)} of {len(site.buildings)} buildings are too tall to fly over under the "
            f"ceiling of {ceiling_m:g} m: {named(tall)}"
        )
        yield info("building-above-ceiling", text, _AROUND, tall)


def heights_known(site: Site) -> Iterator[Finding]:
    """Buildings whose height is given as nothing."""
    flat = [b.id for b in site.buildings if b.height_m <= 0]
    if flat:
        text = f"{len(flat)} buildings have height_m 0: {named(flat)}"
        yield warning("building-without-height", text, "measure or estimate it, rather high", flat)
    if not site.buildings:
        text = "no buildings are given: every transit is taken to be clear"
        yield warning("no-buildings", text, "add a layer of buildings with height_m")


def _surface(spot: BlindSpot) -> tuple[float, bool]:
    """What tells apart spots that lie over one another: their height, and wet or mist."""
    return spot.elevation_m, spot.mode is Mode.SURFACE


def _is_flown(site: Site, spot: BlindSpot) -> bool:
    return site.level_for(spot).is_flown


def zones_cover(site: Site) -> Iterator[Finding]:
    """Spots outside the zone that answers for them, and zones that nobody answers for."""
    areas = {zone.id: zone.area for zone in site.zones}
    if not areas:
        text = "no zones are given: nobody is named for any spot"
        yield info("no-zones", text, "add a layer of zones with 'responsible'")
    for spot in site.spots:
        if spot.zone_id is None:
            if areas:
                text = f"spot {spot.id} lies outside every zone"
                yield warning("spot-outside-zones", text, "name its zone", [spot.id])
        elif spot.zone_id not in areas:
            if areas:
                text = f"spot {spot.id} names zone {spot.zone_id}, which is not there"
                yield error("spot-zone-unknown", text, "name a zone of the site", [spot.id])
        elif not areas[spot.zone_id].intersects(spot.shape):
            text = f"spot {spot.id} names zone {spot.zone_id} but lies outside it"
            yield warning("spot-outside-its-zone", text, "is it the right post?", [spot.id])
    nobody = [zone.id for zone in site.zones if not zone.responsible]
    if nobody:
        text = f"no post answers for zones {named(nobody)}"
        yield warning("zone-without-post", text, "fill in 'responsible'", nobody)


RULES = (
    pads_on_open_ground,
    pads_apart,
    spots_in_reach,
    spots_off_no_spray,
    spots_drawn_once,
    spots_under_roofs,
    lanes_wide_enough,
    roofs_below_ceiling,
    heights_known,
    zones_cover,
)
