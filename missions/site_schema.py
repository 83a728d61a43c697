"""The site file as models: every key with its unit, range and meaning; the JSON Schema of it.

What stands on the map is in `missions.entries`. References between things, geometry and the
defaults of a whole site are left to `missions.site`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from skymist.coverage.site import Kind, Objective
from skymist.missions.clock_words import DayGiven, HoursGiven, MomentGiven
from skymist.missions.defaults import kind_words, level_words
from skymist.missions.entries import (
    BuildingEntry,
    ClosureEntry,
    Entry,
    Id,
    ModeWord,
    NoSprayEntry,
    Number,
    PadEntry,
    SensitiveEntry,
    SpotEntry,
    Text,
    Whole,
    ZoneEntry,
)
from skymist.missions.fleet_schema import DroneEntry
from skymist.missions.organiser.schema import OrganiserEntry


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


PackName = Literal["plain", "china-2024", "china-cdc-2025"]


def _pack(value: object) -> object:
    names = get_args(PackName)
    if isinstance(value, str) and (value in names or value.lower().endswith((".yaml", ".yml"))):
        return value
    wanted = f"{', '.join(names)}, or a pack's own file (.yaml)"
    raise PydanticCustomError("pack", "{wanted}", {"wanted": wanted})


_PACK_JSON = {
    "anyOf": [{"enum": list(get_args(PackName))}, {"type": "string", "pattern": "[.]ya?ml$"}]
}
PackGiven = Annotated[str, BeforeValidator(_pack), WithJsonSchema(_PACK_JSON)]
PacksGiven = Annotated[list[PackGiven] | None, BeforeValidator(_as_list)]


def _layer_tag(value: object) -> str:
    return "<path>" if isinstance(value, str) else "<layer>"


def _layers_tag(value: object) -> str:
    return "<list>" if isinstance(value, list) else "<one>"


class LayerSource(Entry):
    """A file with features, and how its properties are to be read."""

    file: str = Field(
        min_length=1,
        max_length=1000,
        description="path, from the site file's folder; .geojson, .json, .kml, .kmz, .gpkg, .shp "
        "or a QGroundControl .plan",
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
    closures: Sources = Field(default=[], description="ground closed to drones in some hours")
    sensitive: Sources = Field(default=[], description="places downwind of which drift matters")
    pads: Sources = Field(default=[], description="where drones start and land")
    streets: Sources = Field(
        default=[], description="lines; skymist inventory suggest looks for dead ends among them"
    )


class OriginEntry(Entry):
    """Where the local frame stands."""

    lat_deg: Number = Field(ge=-90, le=90, description="latitude, degrees")
    lon_deg: Number = Field(ge=-180, le=180, description="longitude, degrees")
    amsl_m: Number = Field(
        default=0.0, ge=-500, le=9000, description="ground above mean sea level, m"
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


class RuleEntry(Entry):
    """From which value of one measure on a spot has which level."""

    days: Whole = Field(ge=1, le=365, description="for how many days a finding counts")
    red: Number | None = Field(default=None, gt=0, description="red from this value on")
    yellow: Number | None = Field(default=None, gt=0, description="yellow from this value on")
    blue: Number | None = Field(default=None, gt=0, description="blue from this value on")


class LevelRulesEntry(Entry):
    """How findings raise levels above those of the spots, and how these come down again."""

    decay_days: Whole = Field(
        default=7, ge=1, le=365, description="quiet days after which a level comes down by a step"
    )
    cases: RuleEntry | None = Field(default=None, description="cases of illness, added up")
    complaints: RuleEntry | None = Field(default=None, description="complaints, added up")
    breteau: RuleEntry | None = Field(default=None, description="Breteau index, the last one")
    flies: RuleEntry | None = Field(default=None, description="fly count, the last one")
    odour: RuleEntry | None = Field(default=None, description="odour count, the last one")
    standing_water: RuleEntry | None = Field(
        default=None, description="places of standing water, the last count"
    )


class WaiverEntry(Entry):
    """A rule of a policy pack that need not hold."""

    rule: Id = Field(description="the rule's name, as `skymist policy show` has it")
    by: Annotated[Text, StringConstraints(min_length=1)] = Field(description="who says so")
    reason: Annotated[Text, StringConstraints(min_length=1)] = Field(description="why")
    until: DayGiven = Field(description="the last day on which it holds, as 2026-12-31")


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
    transit_min_m: Number | None = Field(
        default=None, ge=3, le=500, description="lowest transit with the pump off"
    )
    reserve_frac: Number | None = Field(
        default=None, ge=0, le=0.9, description="battery kept, 0 to 0.9"
    )
    refill_s: Number | None = Field(default=None, ge=0, le=7200, description="time of a refill")
    swap_s: Number | None = Field(default=None, ge=0, le=7200, description="time of a battery swap")
    rinse_s: Number | None = Field(
        default=None, ge=0, le=7200, description="added to a refill with another agent"
    )
    swap_in_refill: bool | None = Field(
        default=None, description="whether batteries are swapped while tanks are filled"
    )
    day_s: Number | None = Field(
        default=None,
        gt=0,
        le=86400,
        description="when all must be down; what does not fit, by level, is left to people",
    )
    by_zone: bool | None = Field(
        default=None, description="whether each zone is flown by one drone"
    )
    restore_parameters: bool | None = Field(
        default=None, description="whether drones get their own parameters back after the flights"
    )
    hours: HoursGiven = Field(
        default=None, description="when drones may be in the air; by default at any time"
    )
    vector_hours: HoursGiven = Field(
        default=None,
        description="when spots in vector or broadcast mode may be sprayed; by default any time",
    )
    days: Whole | None = Field(
        default=None, ge=1, le=31, description="days of 24 h from the start of the plan on"
    )
    objective: Objective | None = Field(
        default=None,
        description="makespan, drone-minutes, or priority (the worst levels first)",
    )
    separation_m: Number | None = Field(default=None, ge=0, le=1000, description="drone to drone")
    pack: PacksGiven = Field(
        default=None,
        description="policy packs beside the plain one: a name, a file of your own, or a list",
    )
    operators: Whole | None = Field(
        default=None, ge=1, le=1000, description="how many people fly drones"
    )
    applied: MomentGiven = Field(
        default=None, description="when the flight was applied for, as 2026-06-30T10:00"
    )
    waivers: list[WaiverEntry] | None = Field(
        default=None, description="rules of the packs that need not hold, by whom, why, until when"
    )


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
    buildings: list[BuildingEntry] = Field(default=[])
    spots: list[SpotEntry] = Field(default=[])
    zones: list[ZoneEntry] = Field(default=[])
    no_spray: list[NoSprayEntry] = Field(default=[])
    closures: list[ClosureEntry] = Field(default=[])
    sensitive: list[SensitiveEntry] = Field(default=[])
    pads: list[PadEntry] = Field(default=[])
    fleet: list[DroneEntry] = Field(description="the drones; at least one", min_length=1)
    agents: list[AgentEntry] = Field(default=[])
    levels: LevelsEntry = LevelsEntry()
    level_rules: LevelRulesEntry = LevelRulesEntry()
    policy: PolicyEntry = PolicyEntry()
    organiser: OrganiserEntry = OrganiserEntry()


_RANGE_WORDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
}


def _in_schema_words(node: Any) -> Any:
    """The same with JSON Schema's words for ranges (pydantic leaves its own on optional ones)."""
    if isinstance(node, list):
        return [_in_schema_words(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        _RANGE_WORDS.get(key, key) if not isinstance(value, dict) else key: _in_schema_words(value)
        for key, value in node.items()
    }


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the site file, for editors that complete and check YAML."""
    made = _in_schema_words(SiteFile.model_json_schema(by_alias=True))
    made["$defs"]["Kind"]["enum"] += [w for w in kind_words() if w not in set(Kind)]
    made["$defs"]["LevelName"]["enum"] += level_words()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://skymist.dev/schema/site-1.json",
        **made,
        "title": "Skymist site file",
    }
