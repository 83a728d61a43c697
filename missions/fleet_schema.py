"""Fleet entries of the site file as models: drones, and drone models written out."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Discriminator, Field, Tag, model_validator

from skymist.coverage.errors import PlanError
from skymist.coverage.profile import ProfileKind, ProfileSpec
from skymist.missions.entries import Entry, Id, Number, Text, Whole


class ProfileEntry(Entry):
    """How the spray of one pass lies across its track; each kind has numbers of its own."""

    kind: ProfileKind = Field(description="uniform, gaussian, triangle, trapezoid or table")
    sigma_m: Number | None = Field(
        default=None, gt=0, le=20, description="gaussian: standard deviation, metres"
    )
    half_base_m: Number | None = Field(
        default=None, gt=0, le=50, description="triangle: from the track to the last drop"
    )
    top_m: Number | None = Field(
        default=None, ge=0, le=100, description="trapezoid: width of the level part"
    )
    base_m: Number | None = Field(
        default=None, gt=0, le=100, description="trapezoid: width of the whole"
    )
    offsets_m: list[Number] = Field(
        default=[], max_length=500, description="table: offsets to the left of the course, rising"
    )
    shares: list[Number] = Field(
        default=[], max_length=500, description="table: what was caught there, in any unit"
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        try:
            self.spec()
        except PlanError as exc:
            raise ValueError(str(exc)) from exc
        return self

    def spec(self) -> ProfileSpec:
        """The profile that it describes."""
        return ProfileSpec(
            kind=self.kind,
            sigma_m=self.sigma_m,
            half_base_m=self.half_base_m,
            top_m=self.top_m,
            base_m=self.base_m,
            offsets_m=tuple(self.offsets_m),
            shares=tuple(self.shares),
        )


class ModelEntry(Entry):
    """A drone model; with based_on, only what differs from a built-in model."""

    based_on: str | None = Field(
        default=None, description="id of the built-in model that it varies"
    )
    id: Id | None = Field(default=None, description="id of the model")
    name: Text | None = Field(default=None, description="what people call it")
    tank_l: Number | None = Field(default=None, gt=0, le=500, description="tank, litres")
    flow_min_lpm: Number | None = Field(
        default=None, gt=0, le=200, description="least steady flow, litres per minute"
    )
    flow_max_lpm: Number | None = Field(
        default=None, gt=0, le=200, description="largest flow, litres per minute"
    )
    swath_m: Number | None = Field(default=None, gt=0, le=50, description="effective swath width")
    release_height_m: Number | None = Field(
        default=None, gt=0, le=20, description="height of the nozzles over the surface"
    )
    body_m: Number | None = Field(
        default=None, gt=0, le=20, description="largest width with propellers"
    )
    dry_kg: Number | None = Field(
        default=None, gt=0, le=500, description="mass with battery, tank empty"
    )
    endurance_empty_s: Number | None = Field(
        default=None, gt=0, le=36000, description="hover, full battery, empty tank, seconds"
    )
    endurance_full_s: Number | None = Field(
        default=None, gt=0, le=36000, description="hover, full battery, full tank, seconds"
    )
    battery_wh: Number | None = Field(
        default=None, gt=0, le=50000, description="energy of the battery"
    )
    speed_mps: Number | None = Field(
        default=None, gt=0, le=40, description="fastest speed while spraying"
    )
    climb_mps: Number | None = Field(default=None, gt=0, le=20, description="climb rate")
    descent_mps: Number | None = Field(default=None, gt=0, le=20, description="descent rate")
    accel_mps2: Number | None = Field(
        default=None, gt=0, le=20, description="horizontal acceleration"
    )
    agent_kg_per_l: Number | None = Field(
        default=None, gt=0, le=5, description="density of the agent"
    )
    profile: ProfileEntry | None = Field(
        default=None, description="how the spray lies across the track; by default level"
    )
    cv_limit_frac: Number | None = Field(
        default=None, gt=0, lt=1, description="most unevenness (std over mean) between passes"
    )
    droplet_um: Number | None = Field(
        default=None, ge=20, le=2000, description="volume median diameter of the droplets"
    )
    downwash_mps: Number | None = Field(
        default=None, ge=0, le=30, description="mean speed of the wake down to the ground"
    )
    ardupilot: bool | None = Field(default=None, description="whether it flies ArduPilot")


def _model_tag(value: object) -> str:
    return "<id>" if isinstance(value, str) else "<model>"


class DroneEntry(Entry):
    """One drone, or several of a kind."""

    model: Annotated[
        Annotated[str, Tag("<id>")] | Annotated[ModelEntry, Tag("<model>")],
        Discriminator(_model_tag),
    ] = Field(description="id of a built-in model (hexa-10, hexa-16, ...) or a model written out")
    id: Id | None = Field(default=None, description="its name; with count, a number is added")
    pad: Id | None = Field(default=None, description="id of its pad; by default the plan chooses")
    count: Whole = Field(default=1, ge=1, le=100, description="how many of them")
    sysid: Whole | None = Field(
        default=None,
        ge=1,
        le=250,
        description="MAVLink system id of the first; by default the next free",
    )
