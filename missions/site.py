"""The site file: from YAML and map layers to a checked `Site`, or to every fault at once.

`missions.yaml_lines` reads the text, `layers` the files beside it, `site_schema` checks each
entry, `placing` where things lie, `map_values` and `fleet` make the values. This module leads
through them and never stops at the first fault. Findings about a site that is well-formed but
unwise are left to `missions.checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from skymist.coverage.errors import PlanError
from skymist.coverage.frames import Origin
from skymist.coverage.organising import Organiser, Product
from skymist.coverage.site import LevelRule, LevelRules, Measure, Mode, Policy, Site
from skymist.missions import site_schema as schema
from skymist.missions.entries import ENTRIES
from skymist.missions.errors import Fault, SiteFileError
from skymist.missions.features import Feature, capped
from skymist.missions.fleet import Store
from skymist.missions.fleet_schema import DroneEntry
from skymist.missions.intake import Intake
from skymist.missions.map_values import MapValues, Pair
from skymist.missions.organiser.prices import price_keys
from skymist.missions.organiser.schema import OrganiserEntry, organiser_of, product_of
from skymist.missions.placing import middle_of, misplaced, origin_trouble, to_local
from skymist.missions.validation import Locate, checked, found_text, near_miss, without_nulls
from skymist.missions.yaml_lines import LinedYaml, Place, read_yaml

Model = TypeVar("Model", bound=BaseModel)

_HEAD_KEYS = ("schema", "name", "attribution")
POLICY_KEYS = {
    "swap_in_refill": "is_swap_in_refill",
    "by_zone": "is_by_zone",
    "days": "num_days",
    "restore_parameters": "restores_parameters",
}
"""The file's words where the policy's own say more."""


def read_site(
    path: Path, contents: Mapping[Path, bytes] | None = None, *, needs_spots: bool = True
) -> Site:
    """The site of a site file; `contents` stand for what GeoJSON layers of these paths hold.

    Without spots there is nothing to plan; who only looks at the map need not have any.

    Raises
    ------
    SiteFileError
        With all faults of the file and its layers.
    """
    site, faults = _read(Path(path), contents or {}, needs_spots)
    if faults or site is None:
        raise SiteFileError(faults)
    return site


def site_faults(path: Path) -> tuple[Fault, ...]:
    """All faults of a site file and its layers; none where `read_site` gives a site."""
    return _read(Path(path), {}, True)[1]


def _read(
    path: Path, contents: Mapping[Path, bytes], needs_spots: bool
) -> tuple[Site | None, tuple[Fault, ...]]:
    document = read_yaml(path)
    if not isinstance(document.value, dict):
        if document.faults:
            return None, document.faults
        found = "an empty file" if document.value is None else found_text(document.value)
        hint = "start with 'schema: 1' and 'name: ...'; docs/site-file.md has examples"
        fault = Fault(
            file=str(path),
            line=1,
            field="file",
            wanted="a mapping (a site)",
            found=found,
            hint=hint,
        )
        return None, (fault,)
    reader = _SiteReader(
        document=document,
        folder=path.parent,
        faults=list(document.faults),
        contents=contents,
        needs_spots=needs_spots,
    )
    site = reader.read()
    return site, _in_order(reader.faults, document.file)


def _in_order(faults: list[Fault], first_file: str) -> tuple[Fault, ...]:
    """Faults of the site file by line, then those of each layer; each fault once."""
    files = {first_file: 0}
    for fault in faults:
        files.setdefault(fault.file, len(files))
    once = list(dict.fromkeys(faults))
    return tuple(capped(sorted(once, key=lambda f: (files[f.file], f.line or 0))))


@dataclass(slots=True, kw_only=True)
class _SiteReader:
    """One reading of one file; `gaps` names the parts of which something was faulty."""

    document: LinedYaml
    folder: Path
    faults: list[Fault]
    contents: Mapping[Path, bytes]
    needs_spots: bool
    gaps: set[str] = field(default_factory=set)

    def fault(self, place: Place, wanted: str, found: str, hint: str = "") -> None:
        self.faults.append(self.document.fault(place, wanted, found, hint))

    def read(self) -> Site | None:
        """The site, as far as it can be made."""
        known = {f.alias or name: f for name, f in schema.SiteFile.model_fields.items()}
        for key in self.document.value:
            if key not in known:
                self.fault((key,), "a known key", found_text(key), near_miss(key, known))
        head_data = {k: v for k in _HEAD_KEYS if (v := self.document.value.get(k)) is not None}
        head = checked(schema.Head, head_data, self.document.locate, self.faults)[0]
        policy = self._policy()
        intake = Intake(document=self.document, folder=self.folder, contents=self.contents)
        features = intake.features()
        self.faults.extend(intake.faults)
        self.gaps |= intake.gaps
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
        store = Store(locate=self.document.locate, faults=self.faults)
        agents = store.agents(self._list("agents", schema.AgentEntry))
        agent_ids = [agent.id for agent in agents] + self._ids_given("agents")
        levels = self._section("levels", schema.LevelsEntry) or schema.LevelsEntry()
        gaps = frozenset(self.gaps)
        surface = store.levels(Mode.SURFACE, levels.surface, agent_ids)
        vector = store.levels(Mode.VECTOR, levels.vector, agent_ids)
        level_rules = self._level_rules()
        organiser = self._organiser(agent_ids)
        things = MapValues(
            pairs=pairs, gaps=gaps, faults=self.faults, separation_m=policy.separation_m
        )
        spots = things.spots(agent_ids, policy)
        entries = self._list("fleet", DroneEntry)
        gaps = frozenset(self.gaps)
        fleet = store.drones(entries, things.pads, gaps)
        self._require_some(pairs, bool(entries))
        if self.faults or head is None:
            return None
        return Site(
            name=head.name,
            attribution=head.attribution,
            origin=origin,
            spots=spots,
            zones=things.zones,
            buildings=things.buildings,
            no_spray=things.no_spray,
            closures=things.closures,
            receptors=things.receptors,
            pads=things.pads,
            fleet=fleet,
            agents=agents,
            surface_levels=surface,
            vector_levels=vector,
            policy=policy,
            level_rules=level_rules,
            organiser=organiser,
        )

    def _level_rules(self) -> LevelRules:
        entry = self._section("level_rules", schema.LevelRulesEntry) or schema.LevelRulesEntry()
        made = []
        for measure in Measure:
            given = getattr(entry, measure.value)
            if given is None:
                continue
            try:
                made.append(LevelRule(measure=measure, **given.model_dump()))
            except PlanError as exc:
                wanted = "red, yellow or blue from a value, the worse level from the higher one"
                self.fault(("level_rules", measure.value), wanted, str(exc))
        return LevelRules(decay_days=entry.decay_days, rules=tuple(made))

    def _organiser(self, agent_ids: list[str]) -> Organiser:
        entry = self._section("organiser", OrganiserEntry) or OrganiserEntry()
        products: list[Product] = []
        for index, one in enumerate(entry.products):
            place: Place = ("organiser", "products", index)
            if one.id in {product.id for product in products}:
                self.fault((*place, "id"), "an id of its own", f"{found_text(one.id)} again")
            for agent in one.agents:
                if agent not in agent_ids:
                    hint = near_miss(agent, agent_ids)
                    self.fault((*place, "agents"), "ids of agents", found_text(agent), hint)
            try:
                products.append(product_of(one))
            except PlanError as exc:
                self.fault(place, *str(exc).split(", found ", 1))
        for key in entry.prices:
            if key not in price_keys():
                place = ("organiser", "prices", key)
                hint = near_miss(key, price_keys())
                self.fault(place, "a key of prices.yaml", found_text(key), hint)
        return organiser_of(entry, tuple(products))

    def _require_some(self, pairs: Mapping[str, list[Pair]], has_fleet: bool) -> None:
        """Fault what a site cannot be without, unless it is there but faulty."""
        if self.needs_spots and not pairs.get("spots") and "spots" not in self.gaps:
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
        value = without_nulls(self.document.value.get(key))
        if value is None:
            return None
        made, is_whole = checked(model, value, self._under((key,)), self.faults)
        if not is_whole:
            self.gaps.add(key)
        return made

    def _under(self, above: Place) -> Locate:
        return lambda place: self.document.locate((*above, *place))

    def _list(self, key: str, model: type[Model]) -> dict[int, Model]:
        """The entries of a list by position; the faulty ones are left out."""
        made = {}
        for index, value in enumerate(self._items(key)):
            entry, is_whole = checked(
                model, without_nulls(value), self._under((key, index)), self.faults
            )
            if not is_whole:
                self.gaps.add(key)
            elif entry is not None:
                made[index] = entry
        return made

    def _ids_given(self, key: str) -> list[str]:
        """The ids in a list, those of faulty entries too: they may be referred to."""
        entries = self.document.items(key)[0]
        return [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]

    def _items(self, key: str) -> list[Any]:
        items, fault = self.document.items(key)
        if fault:
            self.faults.append(fault)
            self.gaps.add(key)
        return items

    def _policy(self) -> Policy:
        entry = self._section("policy", schema.PolicyEntry) or schema.PolicyEntry()
        keys = entry.model_dump(exclude_none=True, exclude={"pack", "waivers"})
        keys |= {k: getattr(entry, k) for k in ("hours", "vector_hours") if k in keys}
        for given, ours in POLICY_KEYS.items():
            if given in keys:
                keys[ours] = keys.pop(given)
        if entry.pack or entry.waivers:
            from skymist.missions.policies.in_site import rule_keys

            keys |= rule_keys(entry, self.folder, self.fault, self.faults)
        policy = Policy(**keys)
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

    def _pairs(self, features: list[Feature], local: list[Feature]) -> dict[str, list[Pair]]:
        """Each feature whose shape and values are both sound, by role."""
        moved = {(f.file, f.label, f.source): f for f in local}
        pairs: dict[str, list[Pair]] = {}
        for feature in features:
            model = ENTRIES[feature.role]
            values = without_nulls(feature.values)
            entry, is_whole = checked(
                model, values, feature.locate, self.faults, feature.mend, feature.excused
            )
            here = moved.get((feature.file, feature.label, feature.source))
            if not is_whole or entry is None or here is None:
                self.gaps.add(feature.role)
                continue
            pairs.setdefault(feature.role, []).append((here, entry))
        return pairs
