"""A site as files that `missions.site` reads to the same site: the next task, a copy, a part.

`site.yaml` with what is not on the map, GeoJSON layers with what is. Keys are those of the
entries' models, so a key that is added there and stands in the value by the same name is written.
"""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
import yaml
from shapely.geometry import mapping

from skymist.coverage.errors import MissionError
from skymist.coverage.hours import Hours, hours_text
from skymist.missions import entries, site_schema
from skymist.missions.entries import GEOMETRY_KEYS
from skymist.missions.fleet_schema import ModelEntry, ProfileEntry
from skymist.missions.organiser.schema import (
    KEYS,
    OrganiserEntry,
    ProductEntry,
)
from skymist.missions.plans import write_whole
from skymist.missions.site import POLICY_KEYS, read_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import BaseModel
    from shapely.geometry.base import BaseGeometry

    from skymist.coverage.drones import Drone, DroneModel
    from skymist.coverage.frames import Origin
    from skymist.coverage.organising import Organiser, Product
    from skymist.coverage.site import Level, Pad, Policy, Site

SITE_FILE = "site.yaml"
PLACES = 9
"""Decimals of a degree: a tenth of a millimetre, so that the millimetre comes back."""
_OURS = {"zone": "zone_id", "agent": "agent_id", "revisit_days": "revisit_days"} | {
    "flown": "is_flown"
}
"""Keys of the file that are called otherwise in the value."""
_COMPARED = ("policy", "organiser", "agents", "surface_levels", "vector_levels", "level_rules")
_SHAPES = {"buildings": "footprint", "spots": "shape", "sensitive": "shape"}
_ROLES = {"sensitive": "receptors"}


def require_free(folder: Path) -> None:
    """Refuse a folder that holds a site already.

    Raises
    ------
    MissionError
        It does.
    """
    if (folder / SITE_FILE).exists():
        raise MissionError(
            f"{folder / SITE_FILE}: wanted a folder without a site file, found one: "
            "choose another folder, or move it away"
        )


def write_site(site: Site, folder: Path) -> Path:
    """Write a site's file and layers into a folder; the site file comes last.

    Raises
    ------
    MissionError
        The folder holds a site already, or the files would not say all of it (a rule, a waiver);
        nothing is written then.
    """
    require_free(folder)
    written = site_files(site)
    _require_whole(site, written)
    for name in sorted(written, key=lambda name: name == SITE_FILE):
        write_whole(folder / name, written[name])
    return folder / SITE_FILE


def _require_whole(site: Site, written: dict[str, bytes]) -> None:
    """Read the files, and compare all that is not on the map: no rule may be lost on the way."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, data in written.items():
            (Path(scratch) / name).write_bytes(data)
        again = read_site(Path(scratch) / SITE_FILE)
    for name in _COMPARED:
        if getattr(again, name) != getattr(site, name):
            raise MissionError(f"site {site.name}: {name} cannot be written as a site file")
    if [spot.id for spot in again.spots] != [spot.id for spot in site.spots]:
        raise MissionError(f"site {site.name}: its spots cannot be written as a site file")


def site_files(site: Site) -> dict[str, bytes]:
    """Each file of a site and its bytes; the same site gives the same bytes."""
    layers = {role: list(_features(role, site)) for role in entries.ENTRIES}
    made = {
        f"{role}.geojson": json.dumps(
            {"type": "FeatureCollection", "features": features}, ensure_ascii=False
        ).encode()
        + b"\n"
        for role, features in layers.items()
        if features
    }
    head = {
        "schema": 1,
        "name": site.name,
        "attribution": site.attribution,
        "origin": {
            "lat_deg": site.origin.lat_deg,
            "lon_deg": site.origin.lon_deg,
            "amsl_m": site.origin.amsl_m,
        },
        "layers": {role: f"{role}.geojson" for role, features in layers.items() if features},
        "fleet": [_drone(drone) for drone in site.fleet],
        "agents": [_given(site_schema.AgentEntry, agent) for agent in site.agents],
        "levels": {
            "surface": _levels(site.surface_levels),
            "vector": _levels(site.vector_levels),
        },
        "level_rules": {"decay_days": site.level_rules.decay_days}
        | {str(r.measure): _given(site_schema.RuleEntry, r) for r in site.level_rules.rules},
        "policy": _policy(site.policy),
        "organiser": _organiser(site.organiser),
    }
    text = yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=100)
    packs = {_pack_file(k): text.encode() for k, text in enumerate(site.policy.own_packs)}
    return made | packs | {SITE_FILE: text.encode()}


def _policy(policy: Policy) -> dict[str, Any]:
    """The policy with the packs that it names, its own as files beside, and its waivers."""
    made = _given(site_schema.PolicyEntry, replace(policy, waivers=()), POLICY_KEYS)
    packs = [*policy.packs, *map(_pack_file, range(len(policy.own_packs)))]
    waivers = [asdict(waiver) for waiver in policy.waivers]
    made |= {"pack": packs} if packs else {}
    return made | ({"waivers": waivers} if waivers else {})


def _pack_file(number: int) -> str:
    return f"pack-{number + 1}.yaml"


def _given(
    model: type[BaseModel], value: object, ours: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What a value says for the keys of an entry, as a file says it; without what is empty."""
    made: dict[str, Any] = {}
    for key in model.model_fields:
        if key in GEOMETRY_KEYS:
            continue
        found = getattr(value, (ours or _OURS).get(key, key), None)
        if key == "dose_ml_per_m2":
            dose = getattr(value, "dose_l_per_m2", None)
            found = None if dose is None else round(dose * 1000, 6)
        if found is None or found in ("", ()):
            continue
        made[key] = _plain(found)
    return made


def _plain(value: Any) -> Any:
    """A value as YAML and JSON have it."""
    if isinstance(value, tuple):
        if value and isinstance(value[0], Hours):
            return hours_text(value)
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


def _organiser(organiser: Organiser) -> dict[str, Any]:
    products = [
        _given(ProductEntry, product, {"agents": "agent_ids"}) | _measures(product)
        for product in organiser.products
    ]
    made = _given(OrganiserEntry, replace(organiser, products=(), prices=()))
    made |= {"prices": dict(organiser.prices)} if organiser.prices else {}
    return made | ({"products": products} if products else {})


def _measures(product: Product) -> dict[str, float]:
    """Strength or share, and price, by the keys of the product's form."""
    keys = KEYS[product.form]
    made = {} if product.price is None else {keys.price: product.price}
    if keys.share is not None and product.units_per_l > 0:
        return made | {keys.share: product.units_per_l}
    return made | {keys.strength: round(product.chlorine_mg_per_unit / keys.strength_mg, 9)}


def _levels(levels: Sequence[Level]) -> dict[str, Any]:
    return {
        str(level.name): {
            "dose_ml_per_m2": round(level.dose_l_per_m2 * 1000, 6),
            "agent": level.agent_id,
            "revisit_days": level.revisit_days,
            "flown": level.is_flown,
        }
        for level in levels
    }


def _drone(drone: Drone) -> dict[str, Any]:
    made: dict[str, Any] = {"id": drone.id, "model": _model(drone.model), "sysid": drone.sysid}
    if not drone.is_movable:
        made["pad"] = drone.pad_id.split("/")[0]
    return made


def _model(model: DroneModel) -> dict[str, Any]:
    """A model written out in full; it needs no built-in one."""
    sprayer = model.sprayer
    made = _given(ModelEntry, model) | _given(ModelEntry, sprayer)
    made |= {
        "flow_min_lpm": round(sprayer.flow_min_lps * 60, 7),
        "flow_max_lpm": round(sprayer.flow_max_lps * 60, 7),
        "ardupilot": model.is_ardupilot,
    }
    if sprayer.spread is not None:
        made["profile"] = _given(ProfileEntry, sprayer.spread)
    return made


def _features(role: str, site: Site) -> Iterator[dict[str, Any]]:
    """The GeoJSON features of one layer."""
    if role == "pads":
        yield from _pads(site)
        return
    model = entries.ENTRIES[role]
    for value in getattr(site, _ROLES.get(role, role)):
        if role == "closures" and value.id.startswith("zone "):
            continue
        properties = _given(model, value)
        if role == "zones":
            closed = [c.hours for c in site.closures if c.id == f"zone {value.id}"]
            properties |= {"closed": hours_text(closed[0])} if closed else {}
        yield _feature(getattr(value, _SHAPES.get(role, "area")), properties, site.origin)


def _pads(site: Site) -> Iterator[dict[str, Any]]:
    """Pads; the stands of one pad as one again."""
    groups: dict[str, list[Pad]] = {}
    for pad in site.pads:
        groups.setdefault(pad.group or pad.id, []).append(pad)
    for key, stands in groups.items():
        x = sum(pad.x for pad in stands) / len(stands)
        y = sum(pad.y for pad in stands) / len(stands)
        properties: dict[str, Any] = {"id": key, "capacity": len(stands)}
        if stands[0].num_crews is not None:
            properties["crews"] = stands[0].num_crews
        if len(stands) > 1:
            east, north = stands[-1].x - stands[0].x, stands[-1].y - stands[0].y
            properties["row_deg"] = round(math.degrees(math.atan2(east, north)) % 360, 3)
        yield _feature(shapely.Point(x, y), properties, site.origin)


def _feature(shape: BaseGeometry, properties: dict[str, Any], origin: Origin) -> dict[str, Any]:
    placed = shapely.transform(shape, lambda points: origin.to_geo(points).round(PLACES))
    return {"type": "Feature", "properties": properties, "geometry": mapping(placed)}
