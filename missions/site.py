"""The site file: from YAML and map layers to a checked `Site`, or to every fault at once.

`missions.yaml_lines` reads the text, `layers` the files beside it, `site_schema` checks each
entry, `placing` where things lie, `inventory` and `fleet` make the values. This module leads
through them and never stops at the first fault. Findings about a site that is well-formed but
unwise are left to `missions.checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from skymist.coverage.frames import Origin
from skymist.coverage.site import Mode, Policy, Site
from skymist.missions import site_schema as schema
from skymist.missions.errors import Fault, SiteFileError
from skymist.missions.features import Feature, capped
from skymist.missions.fleet import Store
from skymist.missions.inventory import Inventory, Pair
from skymist.missions.layers import LayerReader
from skymist.missions.placing import middle_of, misplaced, origin_trouble, to_local
from skymist.missions.shapes import BadShape, require_usable, shape_of_entry
from skymist.missions.validation import checked, found_text, near_miss
from skymist.missions.yaml_lines import LinedYaml, Place, place_text, read_yaml

Model = TypeVar("Model", bound=BaseModel)

_HEAD_KEYS = ("schema", "name", "attribution")


def read_site(path: Path) -> Site:
    """The site of a site file.

    Raises
    ------
    SiteFileError
        With all faults of the file and its layers.
    """
    site, faults = _read(Path(path))
    if faults or site is None:
        raise SiteFileError(faults)
    return site


def site_faults(path: Path) -> tuple[Fault, ...]:
    """All faults of a site file and its layers; none where `read_site` gives a site."""
    return _read(Path(path))[1]


def _read(path: Path) -> tuple[Site | None, tuple[Fault, ...]]:
    document = read_yaml(path)
    if not isinstance(document.value, dict):
        if document.faults:
            return None, document.faults
        found = "an empty file" if document.value is None else found_text(document.value)
        hint = "start with 'schema: 1'; skymist demo writes an example"
        fault = Fault(
            file=str(path),
            line=1,
            field="file",
            wanted="a mapping (a site)",
            found=found,
            hint=hint,
        )
        return None, (fault,)
    reader = _SiteReader(document=document, folder=path.parent, faults=list(document.faults))
    site = reader.read()
    return site, _in_order(reader.faults, document.file)


def _in_order(faults: list[Fault], first_file: str) -> tuple[Fault, ...]:
    """Faults of the site file by line, then those of each layer; each fault once."""
    files = {first_file: 0}
    for fault in faults:
        files.setdefault(fault.file, len(files))
    once = list(dict.fromkeys(faults))
    return tuple(capped(sorted(once, key=lambda f: (files[f.file], f.line or 0))))


def _without_nulls(value: Any) -> Any:
    """Mappings without the keys that say nothing."""
    if isinstance(value, dict):
        return {key: _without_nulls(v) for key, v in value.items() if v is not None}
    return value


@dataclass(slots=True, kw_only=True)
class _SiteReader:
    """One reading of one file; `gaps` names the parts of which something was faulty."""

    document: LinedYaml
    folder: Path
    faults: list[Fault]
    gaps: set[str] = field(default_factory=set)

    def locate(self, place: Place) -> tuple[str, str, int | None]:
        return self.document.file, place_text(place), self.document.line_of(place)

    def fault(self, place: Place, wanted: str, found: str, hint: str = "") -> None:
        file, where, line = self.locate(place)
        self.faults.append(
            Fault(file=file, line=line, field=where, wanted=wanted, found=found, hint=hint)
        )

    def read(self) -> Site | None:
        """The site, as far as it can be made."""
        known = {f.alias or name: f for name, f in schema.SiteFile.model_fields.items()}
        for key in self.document.value:
            if key not in known:
                self.fault((key,), "a known key", found_text(key), near_miss(key, known))
        head_data = {k: v for k in _HEAD_KEYS if (v := self.document.value.get(k)) is not None}
        head = checked(schema.Head, head_data, self.locate, self.faults)[0]
        policy = self._policy()
        features = self._features()
        kept, faults = misplaced([f for f in features if f.shape is not None])
        self.faults.extend(faults)
        origin = self._origin(kept)
        local, faults = to_local(kept, origin)
        self.faults.extend(faults)
        pairs = self._pairs(features, local)
        return self._site(head, origin, policy, pairs)

    def _site(
        self,
        head: schema.Head | None,
        origin: Origin,
        policy: Policy,
        pairs: dict[str, list[Pair]],
    ) -> Site | None:
        """Put all values together."""
        store = Store(locate=self.locate, faults=self.faults)
        agents = store.agents(self._list("agents", schema.AgentEntry))
        agent_ids = [agent.id for agent in agents] + self._ids_given("agents")
        levels = self._section("levels", schema.LevelsEntry) or schema.LevelsEntry()
        gaps = frozenset(self.gaps)
        surface = store.levels(Mode.SURFACE, levels.surface, agent_ids)
        vector = store.levels(Mode.VECTOR, levels.vector, agent_ids)
        inventory = Inventory(pairs=pairs, gaps=gaps, faults=self.faults)
        spots = inventory.spots(agent_ids, policy)
        entries = self._list("fleet", schema.DroneEntry)
        gaps = frozenset(self.gaps)
        fleet = store.drones(entries, [pad.id for pad in inventory.pads], gaps)
        self._require_some(pairs, bool(entries))
        if self.faults or head is None:
            return None
        return Site(
            name=head.name,
            attribution=head.attribution,
            origin=origin,
            spots=spots,
            zones=inventory.zones,
            buildings=inventory.buildings,
            no_spray=inventory.no_spray,
            receptors=inventory.receptors,
            pads=inventory.pads,
            fleet=fleet,
            agents=agents,
            surface_levels=surface,
            vector_levels=vector,
            policy=policy,
        )

    def _require_some(self, pairs: Mapping[str, list[Pair]], has_fleet: bool) -> None:
        """Fault what a site cannot be without, unless it is there but faulty."""
        if not pairs.get("spots") and "spots" not in self.gaps:
            hint = "a layer of spots under 'layers:', or a list under 'spots:'"
            self.fault(("spots",), "at least one blind spot", "none", hint)
        if not pairs.get("pads") and "pads" not in self.gaps:
            hint = "open ground 12 m clear of buildings: pads: [{id: p1, point: [lon, lat]}]"
            self.fault(("pads",), "at least one pad", "none", hint)
        if not has_fleet and "fleet" not in self.gaps:
            hint = "fleet: [{model: hexa-16}]"
            self.fault(("fleet",), "at least one drone", "none", hint)

    def _section(self, key: str, model: type[Model]) -> Model | None:
        """A mapping of the file, checked; what is faulty in it is left out."""
        value = _without_nulls(self.document.value.get(key))
        if value is None:
            return None
        made, is_whole = checked(model, value, self._under((key,)), self.faults)
        if not is_whole:
            self.gaps.add(key)
        return made

    def _under(self, above: Place) -> Any:
        return lambda place: self.locate((*above, *place))

    def _list(self, key: str, model: type[Model]) -> dict[int, Model]:
        """The entries of a list by position; the faulty ones are left out."""
        made = {}
        for index, value in self._items(key):
            entry, is_whole = checked(
                model, _without_nulls(value), self._under((key, index)), self.faults
            )
            if not is_whole:
                self.gaps.add(key)
            elif entry is not None:
                made[index] = entry
        return made

    def _ids_given(self, key: str) -> list[str]:
        """The ids in a list, those of faulty entries too: they may be referred to."""
        value = self.document.value.get(key)
        entries = value if isinstance(value, list) else []
        return [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]

    def _items(self, key: str) -> list[tuple[int, Any]]:
        """A list of the file with positions; a fault where there is something else."""
        value = self.document.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault((key,), "a list", found_text(value), "start each entry with '- '")
            self.gaps.add(key)
            return []
        return list(enumerate(value))

    def _policy(self) -> Policy:
        entry = self._section("policy", schema.PolicyEntry) or schema.PolicyEntry()
        policy = Policy(**entry.model_dump(exclude_none=True))
        if not policy.temperature_min_c < policy.temperature_max_c:
            found = f"{policy.temperature_min_c} to {policy.temperature_max_c}"
            place = ("policy", "temperature_min_c")
            self.fault(place, "a minimum below the maximum", found)
        return policy

    def _origin(self, features: list[Feature]) -> Origin:
        """The origin that the file gives, else the middle of the spots, else of everything."""
        spots = [feature for feature in features if feature.role == "spots"] or features
        middle = middle_of(spots) if spots else Origin(lat_deg=0.0, lon_deg=0.0)
        entry = self._section("origin", schema.OriginEntry)
        if entry is None:
            return middle
        origin = Origin(lat_deg=entry.lat_deg, lon_deg=entry.lon_deg, amsl_m=entry.amsl_m)
        if trouble := origin_trouble(origin, features):
            self.fault(("origin",), *trouble)
            return middle
        return origin

    def _features(self) -> list[Feature]:
        """Everything on the map, from the lists of the file and from its layers."""
        features = self._layer_features()
        for role in schema.ENTRIES:
            for index, value in self._items(role):
                feature = self._inline(role, index, value)
                if feature is not None:
                    features.append(feature)
        return features

    def _inline(self, role: str, index: int, value: Any) -> Feature | None:
        place: Place = (role, index)
        if not isinstance(value, dict):
            self.fault(place, "a mapping", found_text(value))
            self.gaps.add(role)
            return None
        given = [key for key in schema.GEOMETRY_KEYS if value.get(key) is not None]
        name = value.get("id")
        feature = Feature(
            role=role,
            file=self.document.file,
            source=(role,),
            label=place_text(place) + (f"({name})" if isinstance(name, str | int) else ""),
            default_id=f"{role}-{index + 1:03d}",
            values={k: v for k, v in value.items() if k not in schema.GEOMETRY_KEYS},
            shape=None,
            names={"geometry": given[0] if len(given) == 1 else ""},
            line=lambda key: self.document.line_of((*place, key)),
        )
        try:
            shape = shape_of_entry(value)
            require_usable(shape, role)
        except BadShape as exc:
            self.faults.append(feature.fault("geometry", exc.wanted, exc.found, exc.hint))
            return feature
        return feature.with_shape(shape)

    def _layer_features(self) -> list[Feature]:
        layers = self.document.value.get("layers")
        if layers is None:
            return []
        if not isinstance(layers, dict):
            self.fault(("layers",), "a mapping of layers", found_text(layers))
            self.gaps.update(schema.ENTRIES)
            return []
        known = schema.Layers.model_fields
        features = []
        for role, value in layers.items():
            if role not in known:
                self.fault(
                    ("layers", role), "a known layer", found_text(role), near_miss(role, known)
                )
                continue
            sources = value if isinstance(value, list) else [] if value is None else [value]
            for index, source in enumerate(sources):
                place: Place = ("layers", role, index) if value is sources else ("layers", role)
                features.extend(self._layer(role, place, source))
        return features

    def _layer(self, role: str, place: Place, value: Any) -> list[Feature]:
        """The features of one source."""
        is_path = isinstance(value, str)
        data = {"file": value} if is_path else _without_nulls(value)

        def locate(at: Place) -> tuple[str, str, int | None]:
            return self.locate(at[: len(place)] if is_path else at)

        def under(at: Place) -> tuple[str, str, int | None]:
            return locate((*place, *at))

        source, is_whole = checked(schema.LayerSource, data, under, self.faults)
        if not is_whole:
            self.gaps.add(role)
        if source is None:
            return []
        reader = LayerReader(
            role=role, source=source, place=place, folder=self.folder, locate=locate
        )
        features = reader.read()
        self.faults.extend(reader.faults)
        if reader.faults:
            self.gaps.add(role)
        return features

    def _pairs(self, features: list[Feature], local: list[Feature]) -> dict[str, list[Pair]]:
        """Each feature whose shape and values are both sound, by role."""
        moved = {(f.file, f.label, f.source): f for f in local}
        pairs: dict[str, list[Pair]] = {}
        for feature in features:
            model = schema.ENTRIES[feature.role]
            values = _without_nulls(feature.values)
            entry, is_whole = checked(
                model, values, feature.locate, self.faults, feature.mend, feature.excused
            )
            here = moved.get((feature.file, feature.label, feature.source))
            if not is_whole or entry is None or here is None:
                self.gaps.add(feature.role)
                continue
            pairs.setdefault(feature.role, []).append((here, entry))
        return pairs
