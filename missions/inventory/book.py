"""The layer of spots that Skymist writes: a plain GeoJSON of the site, read, changed and written.

What stands in the file beside our keys (other properties, members, order) is kept. Other layers of
spots and those inline are shown and never written.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skymist.missions import geojson
from skymist.missions.entries import SpotEntry
from skymist.missions.errors import Fault, FormatError, SiteFileError
from skymist.missions.features import Feature
from skymist.missions.intake import Intake
from skymist.missions.inventory.states import GEOMETRY, State, changed_keys, state_of
from skymist.missions.site import read_site
from skymist.missions.validation import checked, without_nulls
from skymist.missions.yaml_lines import LinedYaml, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skymist.coverage.site import Site

EMPTY = b'{"type": "FeatureCollection", "features": []}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A spot as it stands in a file; `raw` is the feature of the layer that we write, else None."""

    id: str
    state: State
    file: str
    label: str
    raw: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All spots of a site by id, and the layer at `path` that is written.

    `data` is what the file held (None: it is not there yet), `head` its members but the features,
    `names` our keys and the file's names for them, `defaults` what it gives to features without.
    """

    site_file: Path
    community: str
    path: Path
    data: bytes | None
    head: dict[str, Any]
    items: dict[str, Item]
    names: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)

    def site(self) -> Site:
        """The whole site with these spots, be there none.

        Raises
        ------
        SiteFileError
            With every fault of the site.
        """
        held = {self.path: EMPTY if self.data is None else self.data}
        return read_site(self.site_file, held, needs_spots=False)

    def state(self, spot_id: str) -> State:
        """The state of a spot that we may write.

        Raises
        ------
        FormatError
            Where there is none, or it stands in another file.
        """
        item = self.items.get(spot_id)
        if item is None:
            raise FormatError(f"{self.path}: id: wanted a spot of the site, found {spot_id!r}")
        if item.raw is None:
            text = f"{item.file}: {item.label}: wanted a spot of {self.path.name}"
            raise FormatError(f"{text}, the layer that is written, found one of another file")
        return item.state


def read_book(site_file: Path, contents: Mapping[Path, bytes] | None = None) -> Book:
    """The spots of a site file; `contents` stand for what layers hold.

    Raises
    ------
    SiteFileError
        With every fault of the spots.
    FormatError
        Where the site has no layer of spots that can be written.
    """
    document = read_yaml(site_file)
    if document.faults or not isinstance(document.value, dict):
        fault = document.fault((), "a site file", "another")
        raise SiteFileError(document.faults or (fault,))
    path, source = _layer(document, site_file)
    held = dict(contents or {})
    data = held.get(path, path.read_bytes() if path.is_file() else None)
    held.setdefault(path, EMPTY if data is None else data)
    intake = Intake(
        document=document, folder=site_file.parent, contents=held, roles=frozenset({"spots"})
    )
    features, faults = intake.features(), list(intake.faults)
    read = geojson.read_geojson(path, str(path), held[path])
    items = _items(features, [raw for raw in read.features if isinstance(raw, dict)], path, faults)
    if faults:
        raise SiteFileError(tuple(dict.fromkeys(faults)))
    value = json.loads(held[path].decode("utf-8-sig"))
    head = value if value["type"] == "FeatureCollection" else json.loads(EMPTY)
    return Book(
        site_file=site_file,
        community=str(document.value.get("name") or site_file.stem).strip(),
        path=path,
        data=data,
        head={key: part for key, part in head.items() if key != "features"},
        items=items,
        names=_names_in(features, str(path)) | dict(source.get("properties") or {}),
        defaults=dict(source.get("defaults") or {}),
    )


def rewritten(book: Book, changes: Mapping[str, State | None]) -> bytes:
    """What the layer holds with these spots added, changed or (None) taken out.

    Raises
    ------
    FormatError
        Where the file's own defaults or words would make something else of it.
    """
    features = [
        _feature(item.id, state, item, book.names)
        for item in book.items.values()
        if item.raw is not None and (state := changes.get(item.id, item.state)) is not None
    ]
    features += [
        _feature(spot_id, state, None, book.names)
        for spot_id, state in changes.items()
        if state is not None and spot_id not in book.items
    ]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    head = "".join(
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(part, ensure_ascii=False)}, "
        for key, part in book.head.items()
    )
    data = f'{{{head}"features": [\n{lines}\n]}}\n'.encode()
    again = read_book(book.site_file, {book.path: data})
    for spot_id, wanted in changes.items():
        found = again.items.get(spot_id)
        if (found is None) != (wanted is None):
            raise FormatError(f"{book.path}: {spot_id}: the layer cannot hold this change")
        if found is not None and wanted is not None:
            for key in changed_keys(found.state, wanted):
                text = f"wanted {wanted.get(key)!r}, the layer's defaults make it"
                raise FormatError(f"{book.path}: {spot_id}.{key}: {text} {found.state.get(key)!r}")
    return data


def checked_state(label: str, values: Mapping[str, Any], geometry: Any, file: str) -> State:
    """The state of values from people, under a shape in degrees.

    Raises
    ------
    SiteFileError
        With everything that is wrong in them.
    """
    faults: list[Fault] = []
    entry, is_whole = checked(
        SpotEntry,
        without_nulls(dict(values)),
        lambda place: (file, ".".join((label, *(str(part) for part in place[:1]))), None),
        faults,
    )
    if not is_whole or entry is None:
        raise SiteFileError(tuple(faults))
    return state_of(entry, geometry)


def _layer(document: LinedYaml, site_file: Path) -> tuple[Path, dict[str, Any]]:
    """The first plain GeoJSON of the site's spots, and what the site file says of it."""
    layers = document.value.get("layers")
    given = layers.get("spots") if isinstance(layers, dict) else None
    for source in given if isinstance(given, list) else [given]:
        told = {"file": source} if isinstance(source, str) else source
        if not isinstance(told, dict) or told.get("where") or told.get("crs"):
            continue
        path = Path(os.path.normpath(site_file.parent / str(told.get("file", ""))))
        if path.suffix.lower() in (".geojson", ".json"):
            return path, told
    raise FormatError(
        f"{site_file}: layers.spots: wanted a GeoJSON layer without where: and crs: to keep the "
        "inventory in, found none (name one, such as spots: spots.geojson; the first spot begins "
        "it, and skymist inventory import takes other files in)"
    )


def _names_in(features: list[Feature], file: str) -> dict[str, str]:
    """What a file calls our keys, where that is another word."""
    return next((dict(f.names) for f in features if f.file == file), {})


def _items(
    features: list[Feature], raws: list[dict[str, Any]], path: Path, faults: list[Fault]
) -> dict[str, Item]:
    """All sound spots by id; `raws` are the features of the layer at `path`, in its order."""
    items: dict[str, Item] = {}
    left = iter(raws)
    for feature in features:
        raw = next(left, None) if feature.file == str(path) else None
        item = _item(feature, raw, faults)
        if item is None:
            continue
        if item.id in items:
            first = items[item.id]
            found = f"'{item.id}' again (first: {first.label} of {first.file})"
            faults.append(feature.fault("id", "an id of its own among spots", found))
        items[item.id] = item
    return items


def _item(feature: Feature, raw: dict[str, Any] | None, faults: list[Fault]) -> Item | None:
    entry, is_whole = checked(
        SpotEntry, without_nulls(feature.values), feature.locate, faults, feature.mend
    )
    if not is_whole or entry is None or feature.shape is None:
        return None
    key = entry.id or feature.default_id
    state = state_of(entry, feature.shape)
    return Item(id=key, state=state, file=feature.file, label=feature.label, raw=raw)


def _feature(
    spot_id: str, state: State, item: Item | None, names: Mapping[str, str]
) -> dict[str, Any]:
    """The feature of a state; of one that was there, only what changed, and the id if it lacks."""
    raw = (item.raw if item else None) or {"type": "Feature", "geometry": None}
    properties = {names.get("id", "id"): spot_id, **(raw.get("properties") or {})}
    if properties[names.get("id", "id")] in (None, ""):
        properties[names.get("id", "id")] = spot_id
    geometry = raw["geometry"]
    for key in changed_keys(item.state if item else {}, state):
        if key == GEOMETRY:
            geometry = state[GEOMETRY]
        elif key in state:
            properties[names.get(key, key)] = state[key]
        else:
            properties.pop(names.get(key, key), None)
    return {**raw, "properties": properties, "geometry": geometry}
