"""The drones, agents and levels of a site: built-in values with what the site file changes.

Takes checked entries; gives values, and a fault for each reference that leads nowhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any

from skymist.coverage.drones import Drone, DroneModel
from skymist.coverage.errors import PlanError
from skymist.coverage.site import Agent, Level, Mode, Pad
from skymist.missions.defaults import (
    default_agents,
    default_levels,
    drone_models,
    l_per_m2_from_ml,
    missing_model_keys,
    model_with,
)
from skymist.missions.errors import Fault
from skymist.missions.fleet_schema import DroneEntry, ModelEntry
from skymist.missions.site_schema import AgentEntry, LevelEntry, LevelSet
from skymist.missions.validation import Locate, found_text, near_miss
from skymist.missions.yaml_lines import Place

SYSID_MAX = 250


@dataclass(slots=True, kw_only=True)
class Store:
    """Makes the values of one site file; `locate` says where things stand in it."""

    locate: Locate
    faults: list[Fault] = field(default_factory=list)

    def _fault(self, place: Place, wanted: str, found: str, hint: str = "") -> None:
        file, where, line = self.locate(place)
        self.faults.append(
            Fault(file=file, line=line, field=where, wanted=wanted, found=found, hint=hint)
        )

    def agents(self, entries: Mapping[int, AgentEntry]) -> tuple[Agent, ...]:
        """The built-in agents with the site's own over and after them."""
        made = {agent.id: agent for agent in default_agents()}
        seen: set[str] = set()
        for index, entry in entries.items():
            if entry.id in seen:
                found = f"{found_text(entry.id)} again"
                self._fault(("agents", index, "id"), "an id of its own", found)
            seen.add(entry.id)
            base = made.get(entry.id, Agent(id=entry.id, name=entry.id))
            made[entry.id] = replace(base, **entry.model_dump(exclude_none=True))
        return tuple(made.values())

    def levels(self, mode: Mode, changes: LevelSet, agent_ids: Sequence[str]) -> tuple[Level, ...]:
        """The built-in levels of a mode with the site's changes."""
        made = []
        for level in default_levels(mode):
            change: LevelEntry = getattr(changes, level.name.value)
            keys: dict[str, Any] = {}
            if change.dose_ml_per_m2 is not None:
                keys["dose_l_per_m2"] = l_per_m2_from_ml(change.dose_ml_per_m2)
            if change.revisit_days is not None:
                keys["revisit_days"] = change.revisit_days
            if change.flown is not None:
                keys["is_flown"] = change.flown
            if change.agent is not None:
                keys["agent_id"] = change.agent
                if change.agent not in agent_ids:
                    place = ("levels", mode.value, level.name.value, "agent")
                    hint = near_miss(change.agent, agent_ids)
                    self._fault(place, "the id of an agent", found_text(change.agent), hint)
            made.append(replace(level, **keys))
        return tuple(made)

    def model(self, entry: DroneEntry, place: Place) -> DroneModel | None:
        """The model of a fleet entry."""
        models, wanted = drone_models(), "a built-in model"
        if isinstance(entry.model, str):
            if entry.model not in models:
                self._fault(place, wanted, found_text(entry.model), near_miss(entry.model, models))
            return models.get(entry.model)
        given: ModelEntry = entry.model
        keys = given.model_dump(exclude_none=True)
        if given.profile is not None:
            keys["profile"] = given.profile.spec()
        base_id = keys.pop("based_on", None)
        if base_id is not None and base_id not in models:
            hint = near_miss(base_id, models)
            self._fault((*place, "based_on"), wanted, found_text(base_id), hint)
            return None
        if base_id is None and (missing := missing_model_keys(keys)):
            hint = "or name a built-in model to start from: based_on: hexa-16"
            self._fault(place, "a whole model", f"no {', '.join(missing)}", hint)
            return None
        if base_id is not None and keys:
            keys.setdefault("id", f"{base_id}-own")
        try:
            return model_with(keys, models[base_id] if base_id else None)
        except PlanError as exc:
            self._fault(place, "a model that can fly", str(exc))
            return None

    def drones(
        self, entries: Mapping[int, DroneEntry], pads: Sequence[Pad], gaps: frozenset[str]
    ) -> tuple[Drone, ...]:
        """The fleet: each entry `count` times, on its pad, or on free pads in turn and movable.

        Of a pad with several stands each drone gets its own, as long as there are some.
        """
        free = self._free_sysids(entries)
        stands: dict[str, list[str]] = defaultdict(list)
        for pad in pads:
            stands[pad.group or pad.id].append(pad.id)
        named = [e.pad for e in entries.values() if e.pad in stands for _ in range(e.count)]
        taken = {
            stands[p][k]
            for p, num in Counter(named).items()
            for k in range(min(num, len(stands[p])))
        }
        pad_ids = list(stands)
        in_turn = cycle(
            [pad.id for pad in pads if pad.id not in taken] or [p.id for p in pads] or [""]
        )
        of_pad = {pad_id: cycle(some) for pad_id, some in stands.items()}
        made: dict[str, Drone] = {}
        models: dict[str, DroneModel] = {}
        for index, entry in entries.items():
            place: Place = ("fleet", index)
            model = self.model(entry, (*place, "model"))
            if entry.pad is not None and entry.pad not in pad_ids and "pads" not in gaps:
                hint = near_miss(entry.pad, pad_ids)
                self._fault((*place, "pad"), "the id of a pad", found_text(entry.pad), hint)
            if entry.sysid is not None and entry.sysid + entry.count - 1 > SYSID_MAX:
                found = f"{entry.count} from {entry.sysid}"
                self._fault((*place, "sysid"), f"ids up to {SYSID_MAX}", found)
                continue
            if model is None:
                continue
            if models.setdefault(model.id, model) != model:
                self._fault((*place, "model"), "another id for another model", model.id)
            for n in range(entry.count):
                drone = Drone(
                    id=self._drone_id(entry, n, len(made)),
                    model=model,
                    pad_id=_stand(entry.pad, of_pad) or next(in_turn),
                    is_movable=entry.pad is None,
                    sysid=entry.sysid + n if entry.sysid else next(free, SYSID_MAX),
                )
                if drone.id in made:
                    self._fault((*place, "id"), "an id of its own", f"{drone.id} again")
                made[drone.id] = drone
        return tuple(made.values())

    @staticmethod
    def _drone_id(entry: DroneEntry, n: int, num_before: int) -> str:
        if entry.id is None:
            return f"drone-{num_before + 1}"
        return entry.id if entry.count == 1 else f"{entry.id}-{n + 1}"

    @staticmethod
    def _free_sysids(entries: Mapping[int, DroneEntry]) -> Iterator[int]:
        taken = {
            entry.sysid + n
            for entry in entries.values()
            if entry.sysid is not None
            for n in range(entry.count)
        }
        return (sysid for sysid in range(1, SYSID_MAX + 1) if sysid not in taken)


def _stand(pad_id: str | None, of_pad: Mapping[str, Iterator[str]]) -> str | None:
    """The next stand of a pad; the pad itself where it is not known, for the fault to name."""
    return next(of_pad[pad_id]) if pad_id is not None and pad_id in of_pad else pad_id
