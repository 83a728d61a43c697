"""A proposal: a place that a rule found, the figures it was found by, and a short name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import shapely
from shapely.geometry import LineString

from skymist.coverage.site import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry

NAME_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A place that may be a blind spot; its shape in local metres.

    `rule` found it, `source` is what the rule looked at, `figures` the numbers with units in their
    names. A line carries `width_m`, a point `radius_m`.
    """

    rule: str
    kind: Kind
    shape: BaseGeometry
    source: str
    figures: Mapping[str, float] = field(default_factory=dict)
    width_m: float | None = None
    radius_m: float | None = None

    @property
    def area(self) -> BaseGeometry:
        """The ground it stands for."""
        if self.radius_m is not None:
            return self.shape.buffer(self.radius_m)
        if self.width_m is not None:
            return self.shape.buffer(self.width_m / 2, cap_style="flat")
        return self.shape

    def text(self) -> str:
        """Rule, figures and source as a person reads them."""
        told = ", ".join(f"{key} {value:g}" for key, value in self.figures.items())
        return (
            f"rule {self.rule}: {told} ({self.source})"
            if told
            else (f"rule {self.rule} ({self.source})")
        )

    def name(self, lon_lat_deg: tuple[float, float]) -> str:
        """A name that is the same for the same place on Earth, whatever else is proposed."""
        place = ",".join(f"{degrees:.5f}" for degrees in lon_lat_deg)
        digest = hashlib.sha256(f"{self.rule}@{place}".encode()).hexdigest()
        return f"{self.rule}-{digest[:NAME_DIGITS]}"


def middle_of(shape: BaseGeometry) -> tuple[float, float]:
    """A place on the shape that stands for it: half way along a line."""
    if isinstance(shape, LineString):
        point = shapely.line_interpolate_point(shape, 0.5, normalized=True)
    else:
        point = shapely.point_on_surface(shape)
    return float(point.x), float(point.y)
