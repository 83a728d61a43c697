"""The site file as models: every key with its unit, range and meaning.

One model for each thing, used for what is written inline and for the features of a layer alike.
References between things, geometry and the defaults of a whole site are left to `missions.site`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
)

from skymist.coverage.site import Kind, LevelName, Mode
from skymist.missions.defaults import kind_word, level_word

SCHEMA = 1


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
    name: Text = Field(default="", description="what people call it")
    note: Text = Field(default="", description="anything the crew should know")


class BuildingEntry(Located):
    """A building: its footprint is a polygon."""

    height_m: Number = Field(ge=0, le=1000, description="height above the ground in metres")


class ZoneEntry(Located):
    """A part of the community."""

    responsible: Text = Field(default="", description="the post that answers for it")


class NoSprayEntry(Located):
    """Ground that no spray may reach: a polygon, a point with radius_m, or a line with width_m."""

    reason: Text = Field(default="", description="why: playground, open water, food stall, ...")
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
    """A point where drones start, land and are refilled."""


ENTRIES: dict[str, type[Located]] = {
    "buildings": BuildingEntry,
    "spots": SpotEntry,
    "zones": ZoneEntry,
    "no_spray": NoSprayEntry,
    "sensitive": SensitiveEntry,
    "pads": PadEntry,
}
GEOMETRY_KEYS = ("point", "line", "polygon", "wkt")


def _layer_tag(value: object) -> str:
    return "<path>" if isinstance(value, str) else "<layer>"


def _layers_tag(value: object) -> str:
    return "<list>" if isinstance(value, list) else "<one>"


class LayerSource(Entry):
    """A file with features, and how its properties are to be read."""

    file: str = Field(
        min_length=1,
        max_length=1000,
        description="path, from the site file's folder; .geojson, .json, .kml, .gpkg or .shp",
    )
    layer: str | None = Field(default=None, description="which layer of a file that holds several")
    properties: dict[str, str] = Field(default={}, description="our key: the file's property")
    values: dict[str, dict[str, Any]] = Field(
        default={}, description="our key: {the file's value: our value}"
    )
    defaults: dict[str, Any] = Field(
        default={}, description="our key: value where a feature has none"
    )
    where: dict[str, Any] = Field(
        default={}, description="the file's property: the value, or list of values, to keep"
    )
    crs: str | None = Field(
        default=None, description="such as EPSG:4326, where the file does not say"
    )


_OneLayer = Annotated[
    Annotated[str, Tag("<path>"), Field(min_length=1, max_length=1000)]
    | Annotated[LayerSource, Tag("<layer>")],
    Discriminator(_layer_tag),
]
Sources = Annotated[
    Annotated[list[_OneLayer], Tag("<list>")] | Annotated[_OneLayer, Tag("<one>")],
    Discriminator(_layers_tag),
]


class Layers(Entry):
    """Files to read: for each, a path, a mapping, or a list of these."""

    buildings: Sources = Field(default=[], description="footprints with height_m")
    spots: Sources = Field(default=[], description="blind spots")
    zones: Sources = Field(default=[], description="zones with a responsible post")
    no_spray: Sources = Field(default=[], description="ground that no spray may reach")
    sensitive: Sources = Field(default=[], description="places downwind of which drift matters")
    pads: Sources = Field(default=[], description="where drones start and land")
    streets: Sources = Field(default=[], description="for people to look at; not read")


class OriginEntry(Entry):
    """Where the local frame stands."""

    lat_deg: Number = Field(ge=-90, le=90, description="latitude, degrees")
    lon_deg: Number = Field(ge=-180, le=180, description="longitude, degrees")
    amsl_m: Number = Field(
        default=0.0, ge=-500, le=9000, description="ground above mean sea level, m"
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
    speed_mps: Number | None = Field(default=None, gt=0, le=40, description="speed between spots")
    climb_mps: Number | None = Field(default=None, gt=0, le=20, description="climb rate")
    descent_mps: Number | None = Field(default=None, gt=0, le=20, description="descent rate")
    accel_mps2: Number | None = Field(
        default=None, gt=0, le=20, description="horizontal acceleration"
    )
    agent_kg_per_l: Number | None = Field(
        default=None, gt=0, le=5, description="density of the agent"
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
    pad: Id | None = Field(default=None, description="id of its pad; by default the pads in turn")
    count: Whole = Field(default=1, ge=1, le=100, description="how many of them")
    sysid: Whole | None = Field(
        default=None,
        ge=1,
        le=250,
        description="MAVLink system id of the first; by default the next free",
    )


class AgentEntry(Entry):
    """A working solution; one of a built-in's id changes only what it names."""

    id: Id = Field(description="id that levels and spots refer to")
    name: Text | None = Field(default=None, description="what it is")
    chlorine_mg_per_l: Number | None = Field(
        default=None, ge=0, le=100000, description="available chlorine, mg/L; 0 for none"
    )
    contact_min: Number | None = Field(
        default=None, ge=0, le=1440, description="contact time, minutes"
    )


class LevelEntry(Entry):
    """What differs from the built-in level."""

    dose_ml_per_m2: Number | None = Field(default=None, gt=0, le=1000, description="dose, mL/m2")
    agent: Id | None = Field(default=None, description="id of the agent")
    revisit_days: Number | None = Field(
        default=None, gt=0, le=365, description="days between visits"
    )
    flown: bool | None = Field(default=None, description="whether drones treat it")


class LevelSet(Entry):
    """The four levels in one mode."""

    red: LevelEntry = LevelEntry()
    yellow: LevelEntry = LevelEntry()
    blue: LevelEntry = LevelEntry()
    green: LevelEntry = LevelEntry()


class LevelsEntry(Entry):
    """Levels by mode; vector levels serve broadcast too."""

    surface: LevelSet = LevelSet()
    vector: LevelSet = LevelSet()


class PolicyEntry(Entry):
    """Limits of the whole site; each has a default."""

    mode: ModeWord | None = Field(
        default=None, description="mode of spots whose kind asks for none"
    )
    reason: Text | None = Field(default=None, description="why broadcast is used; required for it")
    ceiling_m: Number | None = Field(
        default=None, gt=0, le=500, description="highest flight above home"
    )
    speed_max_mps: Number | None = Field(default=None, gt=0, le=40, description="largest speed")
    radius_m: Number | None = Field(
        default=None, gt=0, le=20000, description="farthest from the pad"
    )
    wind_max_mps: Number | None = Field(default=None, gt=0, le=20, description="largest wind")
    temperature_min_c: Number | None = Field(
        default=None, ge=-40, le=60, description="coldest air, C"
    )
    temperature_max_c: Number | None = Field(
        default=None, ge=-40, le=60, description="hottest air, C"
    )
    clearance_m: Number | None = Field(
        default=None, ge=0, le=50, description="free space beside the body"
    )
    building_margin_m: Number | None = Field(
        default=None, ge=0, le=50, description="free height over a roof in transit"
    )
    reserve_frac: Number | None = Field(
        default=None, ge=0, le=0.9, description="battery kept, 0 to 0.9"
    )
    refill_s: Number | None = Field(default=None, ge=0, le=7200, description="time of a refill")
    swap_s: Number | None = Field(default=None, ge=0, le=7200, description="time of a battery swap")
    separation_m: Number | None = Field(default=None, ge=0, le=1000, description="drone to drone")


class Head(Entry):
    """What the site is called."""

    schema_version: Literal[1] = Field(alias="schema", description="version of this format: 1")
    name: Annotated[Text, StringConstraints(min_length=1)] = Field(
        description="name of the community"
    )
    attribution: Text = Field(
        default="", description="who owns the map data, printed on every product"
    )


class SiteFile(Head):
    """A site: what is there, what is to be treated, with what, under which rules."""

    origin: OriginEntry | None = Field(
        default=None, description="origin of the local frame; by default the middle of the spots"
    )
    layers: Layers = Layers()
    buildings: list[BuildingEntry] = []
    spots: list[SpotEntry] = []
    zones: list[ZoneEntry] = []
    no_spray: list[NoSprayEntry] = []
    sensitive: list[SensitiveEntry] = []
    pads: list[PadEntry] = []
    fleet: list[DroneEntry] = Field(description="the drones; at least one", min_length=1)
    agents: list[AgentEntry] = []
    levels: LevelsEntry = LevelsEntry()
    policy: PolicyEntry = PolicyEntry()


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the site file, for editors that complete and check YAML."""
    made = SiteFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://skymist.dev/schema/site-1.json",
        **made,
        "title": "Skymist site file",
    }
