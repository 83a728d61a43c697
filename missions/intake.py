"""Intake: everything on the map, from the lists of the site file and from its layers.

Gives features with raw values and shapes in degrees; `missions.site` checks the values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skymist.missions.entries import ENTRIES, GEOMETRY_KEYS
from skymist.missions.errors import Fault
from skymist.missions.features import Feature
from skymist.missions.layers import LayerReader, short_name
from skymist.missions.shapes import BadShape, require_usable, shape_of_entry
from skymist.missions.site_schema import Layers, LayerSource
from skymist.missions.validation import checked, found_text, near_miss, without_nulls
from skymist.missions.yaml_lines import LinedYaml, Place, place_text


@dataclass(slots=True, kw_only=True)
class Intake:
    """One reading of the map; `gaps` names the roles of which something was faulty.

    `contents` stand for what GeoJSON files of these paths hold; `roles` alone are read.
    """

    document: LinedYaml
    folder: Path
    contents: Mapping[Path, bytes] = field(default_factory=dict)
    roles: Collection[str] = frozenset(ENTRIES)
    faults: list[Fault] = field(default_factory=list)
    gaps: set[str] = field(default_factory=set)

    def _fault(self, place: Place, wanted: str, found: str, hint: str = "") -> None:
        self.faults.append(self.document.fault(place, wanted, found, hint))

    def features(self) -> list[Feature]:
        """Everything on the map, from the lists of the file and from its layers."""
        features = self.from_layers()
        for role in (role for role in ENTRIES if role in self.roles):
            items, fault = self.document.items(role)
            if fault:
                self.faults.append(fault)
                self.gaps.add(role)
            for index, value in enumerate(items):
                feature = self._inline(role, index, value)
                if feature is not None:
                    features.append(feature)
        return features

    def _inline(self, role: str, index: int, value: Any) -> Feature | None:
        place: Place = (role, index)
        if not isinstance(value, dict):
            self._fault(place, "a mapping", found_text(value))
            self.gaps.add(role)
            return None
        given = [key for key in GEOMETRY_KEYS if value.get(key) is not None]
        label = short_name(value.get("id"))
        feature = Feature(
            role=role,
            file=self.document.file,
            source=(role,),
            label=f"{place_text(place)}({label})" if label else place_text(place),
            default_id=f"{role}-{index + 1:03d}",
            values={k: v for k, v in value.items() if k not in GEOMETRY_KEYS},
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

    def from_layers(self) -> list[Feature]:
        """The features of all layers."""
        layers = self.document.value.get("layers")
        if layers is None:
            return []
        if not isinstance(layers, dict):
            self._fault(("layers",), "a mapping of layers", found_text(layers))
            self.gaps.update(ENTRIES)
            return []
        known = Layers.model_fields
        features = []
        for role, value in layers.items():
            if role not in known:
                self._fault(
                    ("layers", role), "a known layer", found_text(role), near_miss(role, known)
                )
                continue
            if role not in self.roles and role in ENTRIES:
                continue
            sources = value if isinstance(value, list) else [] if value is None else [value]
            for index, source in enumerate(sources):
                place: Place = ("layers", role, index) if value is sources else ("layers", role)
                features.extend(self._layer(role, place, source))
        return features

    def _layer(self, role: str, place: Place, value: Any) -> list[Feature]:
        """The features of one source."""
        is_path = isinstance(value, str)
        data = {"file": value} if is_path else without_nulls(value)

        def locate(at: Place) -> tuple[str, str, int | None]:
            return self.document.locate(at[: len(place)] if is_path else at)

        def under(at: Place) -> tuple[str, str, int | None]:
            return locate((*place, *at))

        source, is_whole = checked(LayerSource, data, under, self.faults)
        if not is_whole:
            self.gaps.add(role)
        if source is None:
            return []
        reader = LayerReader(
            role=role,
            source=source,
            place=place,
            folder=self.folder,
            locate=locate,
            contents=self.contents,
        )
        features = reader.read()
        self.faults.extend(reader.faults)
        if reader.faults:
            self.gaps.add(role)
        return features
