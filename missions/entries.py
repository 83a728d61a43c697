"""Map entries of the site file as models: spots, buildings, zones, and the rest, with their types.

The same models check what is written inline and the features of a layer.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from skymist.coverage.site import Kind, LevelName, Mode
from skymist.missions.clock_words import HoursGiven
from skymist.missions.defaults import kind_word, level_word
from skymist.missions.spot_fields import DayGiven, PhotosGiven


def _not_bool(value: object) -> object:
    """Pass on all but booleans, which would else count as 0 and 1."""
    if isinstance(value, bool):
        raise ValueError("a number")
    return value


def _as_text(value: object) -> object:
    """Whole numbers as text: an id may be written as 7."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Number = Annotated[float, BeforeValidator(_not_bool), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_not_bool)]
Text = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f]*$"),
]
Id = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
KindWord = Annotated[Kind, BeforeValidator(kind_word)]
LevelWord = Annotated[LevelName, BeforeValidator(level_word)]
ModeWord = Annotated[Mode, BeforeValidator(_lower)]

_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}
_PAIRS = {"type": "array", "items": _PAIR}
PointGiven = Annotated[Any, WithJsonSchema(_PAIR)]
LineGiven = Annotated[Any, WithJsonSchema({**_PAIRS, "minItems": 2})]
PolygonGiven = Annotated[
    Any, WithJsonSchema({"anyOf": [_PAIRS, {"type": "array", "items": _PAIRS}]})
]
WktGiven = Annotated[Any, WithJsonSchema({"type": "string"})]


class Entry(BaseModel):
    """Unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Located(Entry):
    """A thing on the map. Inline, exactly one of point, line, polygon, wkt says where."""

    id: Id | None = Field(
        default=None, description="its name in plans and reports; made up when left out"
    )
    point: PointGiven = Field(default=None, description="[longitude, latitude] in degrees")
    line: LineGiven = Field(default=None, description="list of [longitude, latitude]")
    polygon: PolygonGiven = Field(
        default=None,
        description="list of [longitude, latitude], or a list of rings: outer, then holes",
    )
    wkt: WktGiven = Field(default=None, description="well-known text, longitude before latitude")


class SpotEntry(Located):
    """A blind spot."""

    kind: KindWord = Field(description="what it is, e.g. refuse_station")
    level: LevelWord = Field(description="red, yellow, blue or green")
    mode: ModeWord | None = Field(
        default=None, description="surface, vector or broadcast; by default what its kind asks for"
    )
    radius_m: Number | None = Field(
        default=None, gt=0, le=100, description="radius of what a point stands for, in metres"
    )
    width_m: Number | None = Field(
        default=None, gt=0, le=100, description="width of what a line stands for, in metres"
    )
    elevation_m: Number | None = Field(
        default=None, ge=0, le=500, description="height of the surface above the ground, in metres"
    )
    zone: Id | None = Field(
        default=None, description="id of its zone; by default the one that it lies in"
    )
    agent: Id | None = Field(
        default=None, description="id of the agent; by default that of its level"
    )
    dose_ml_per_m2: Number | None = Field(
        default=None, gt=0, le=1000, description="dose in mL/m2; by default that of its level"
    )
    hours: HoursGiven = Field(
        default=(), description="when it may be sprayed, as 07:00-09:00; by default at any time"
    )
    name: Text = Field(default="", description="what people call it")
    note: Text = Field(default="", description="anything the crew should know")
    responsible: Text = Field(
        default="", description="the post that answers for it; by default that of its zone"
    )
    surface: Text = Field(default="", description="what is wetted: concrete, soil, tiles, ...")
    photos: PhotosGiven = Field(
        default=(), description="files in the site's folder, or http(s) addresses"
    )
    level_reason: Text = Field(default="", description="why it has its level")
    level_since: DayGiven = Field(default=None, description="since when, as 2026-07-01")
    source: Text = Field(default="", description="where it is known from: a survey, a map's rule")


class BuildingEntry(Located):
    """A building: its footprint is a polygon."""

    height_m: Number = Field(ge=0, le=1000, description="height above the ground in metres")


class ZoneEntry(Located):
    """A part of the community."""

    responsible: Text = Field(default="", description="the post that answers for it")
    contact: Text = Field(
        default="", description="whom its residents call; by default the site's contact"
    )
    hours: HoursGiven = Field(
        default=(), description="when its spots may be sprayed; by default at any time"
    )
    closed: HoursGiven = Field(default=(), description="when no drone may be over it")


class NoSprayEntry(Located):
    """Ground that no spray may reach: a polygon, a point with radius_m, or a line with width_m."""

    reason: Text = Field(default="", description="why: playground, open water, food stall, ...")
    radius_m: Number | None = Field(
        default=None, gt=0, le=500, description="radius around a point, metres"
    )
    width_m: Number | None = Field(
        default=None, gt=0, le=500, description="width of a line, metres"
    )


class ClosureEntry(Located):
    """Ground that no drone may be over in some hours: a polygon, a point, or a line with width."""

    hours: HoursGiven = Field(description="when no drone may be over it, as 12:00-13:30")
    reason: Text = Field(default="", description="why: school is out, market, procession, ...")
    radius_m: Number | None = Field(
        default=None, gt=0, le=500, description="radius around a point, metres"
    )
    width_m: Number | None = Field(
        default=None, gt=0, le=500, description="width of a line, metres"
    )


class SensitiveEntry(Located):
    """A place downwind of which drift matters."""

    kind: Text = Field(default="", description="school, hospital, pond, ...")


class PadEntry(Located):
    """A point where drones start, land and are refilled; with `capacity`, a row of stands."""

    capacity: Whole | None = Field(
        default=None,
        ge=1,
        le=100,
        description="how many drones it takes, each on a stand of its own; by default 1",
    )
    row_deg: Number | None = Field(
        default=None, ge=0, le=360, description="heading of its row of stands; by default 90, east"
    )
    crews: Whole | None = Field(
        default=None,
        ge=1,
        le=100,
        description="how many drones can be served at the same time; by default all",
    )


ENTRIES: dict[str, type[Located]] = {
    "buildings": BuildingEntry,
    "spots": SpotEntry,
    "zones": ZoneEntry,
    "no_spray": NoSprayEntry,
    "closures": ClosureEntry,
    "sensitive": SensitiveEntry,
    "pads": PadEntry,
}
GEOMETRY_KEYS = ("point", "line", "polygon", "wkt")
