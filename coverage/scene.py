"""What every spot of a site shares: obstacles, no-spray ground, and the air for one drone model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely
from shapely.geometry.base import BaseGeometry

from skymist.coverage.drift import displacement_m
from skymist.coverage.obstacles import Obstacles
from skymist.coverage.robust import union
from skymist.coverage.site import Kind

if TYPE_CHECKING:
    from skymist.coverage.drift import Wind
    from skymist.coverage.drones import DroneModel
    from skymist.coverage.site import BlindSpot, Site

PARAPET_M = 1.0
"""Height of a flat roof's parapet where none is surveyed. Proposal of this project."""
NO_SPRAY_EDGE_M = 0.75
"""Kept from the edge of no-spray ground: track error and lag. Proposal of this project."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A site as one model of drone meets it, in the wind given (None: still air)."""

    site: Site
    model: DroneModel
    obstacles: Obstacles
    no_spray: shapely.STRtree
    no_spray_areas: tuple[BaseGeometry, ...]
    wind: Wind | None = None

    @staticmethod
    def of(site: Site, model: DroneModel, wind: Wind | None = None) -> Scene:
        """Look a site over once for one model of drone."""
        keep_m = model.body_m / 2 + site.policy.clearance_m
        areas = tuple(n.area for n in site.no_spray)
        return Scene(
            site=site,
            model=model,
            obstacles=Obstacles(
                site.buildings, keep_m=keep_m, margin_m=site.policy.building_margin_m
            ),
            no_spray=shapely.STRtree(areas),
            no_spray_areas=areas,
            wind=wind,
        )

    def forbidden(self, region: BaseGeometry) -> BaseGeometry:
        """No-spray ground near a region, widened by the edge that is kept from it."""
        near = self.no_spray.query(region, predicate="dwithin", distance=NO_SPRAY_EDGE_M)
        return union(self.no_spray_areas[i].buffer(NO_SPRAY_EDGE_M) for i in sorted(near))

    def blown_m(self, fall_m: float) -> tuple[float, float]:
        """How far east and north spray lands that is let go this high over a surface."""
        if self.wind is None:
            return 0.0, 0.0
        sprayer = self.model.sprayer
        droplet_m = sprayer.droplet_um * 1e-6
        east, north = displacement_m(self.wind, fall_m, droplet_m, sprayer.downwash_mps)
        return round(east, 3) + 0.0, round(north, 3) + 0.0


def height_over(spot: BlindSpot, scene: Scene) -> float:
    """Metres above home at which the spot is sprayed from its normal release height."""
    parapet_m = PARAPET_M if spot.kind is Kind.FLAT_ROOF else 0.0
    return spot.elevation_m + parapet_m + scene.model.sprayer.release_height_m
