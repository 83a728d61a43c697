"""GeoJSON text as raw features, with the line of each.

Read without GDAL, so that types stay as written and every fault has its feature and line.
Mapping, shapes and coordinate systems are left to `missions.layers`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skymist.missions.errors import Fault
from skymist.missions.validation import found_text

SIZE_MAX_BYTES = 200_000_000
_SPACE = re.compile(r"[\s,]*")
_CRS84 = re.compile(r"(CRS:?84|EPSG:{1,2}4326)$", re.IGNORECASE)
_JSON = json.JSONDecoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoJson:
    """A file's features as they stand, the CRS where it names another than WGS84, and faults."""

    text: str = ""
    features: tuple[Any, ...] = ()
    crs: str | None = None
    faults: tuple[Fault, ...] = ()


def _failed(name: str, found: str, *, line: int | None = None, hint: str = "") -> GeoJson:
    wanted = "a GeoJSON FeatureCollection"
    fault = Fault(file=name, line=line, field="file", wanted=wanted, found=found, hint=hint)
    return GeoJson(faults=(fault,))


def _declared_crs(value: dict[str, Any]) -> str | None:
    """The CRS of an old-style `crs` member, unless it says WGS84."""
    crs = value.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or _CRS84.search(name):
        return None
    return name[:100]


def read_geojson(path: Path, name: str, contents: bytes | None = None) -> GeoJson:
    """The features of a GeoJSON file; a lone feature or geometry counts as one.

    With `contents`, those stand for the file's own.
    """
    try:
        if contents is None and path.stat().st_size > SIZE_MAX_BYTES:
            return _failed(name, "more than 200 MB", hint="cut out the community")
        data = path.read_bytes() if contents is None else contents
        text = data.decode("utf-8-sig")
    except OSError as exc:
        return _failed(name, exc.strerror or str(exc))
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        return _failed(
            name, f"the byte 0x{data[exc.start]:02x}", line=line, hint="save it as UTF-8"
        )
    try:
        value = json.loads(text)
    except json.JSONDecodeError as exc:
        return _failed(name, f"{exc.msg} (column {exc.colno})", line=exc.lineno)
    except (ValueError, RecursionError) as exc:
        return _failed(name, "deep nesting" if isinstance(exc, RecursionError) else str(exc)[:80])
    if not isinstance(value, dict):
        return _failed(name, found_text(value))
    kind, features = value.get("type"), value.get("features")
    if kind == "FeatureCollection" and isinstance(features, list):
        return GeoJson(text=text, features=tuple(features), crs=_declared_crs(value))
    if kind == "Feature":
        return GeoJson(text=text, features=(value,), crs=_declared_crs(value))
    return _failed(name, f"type {found_text(kind)}", line=1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Keys of the object that opens at `at`, each with the start of its value."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _JSON.raw_decode(text, at)
        at = _skip(text, text.index(":", at) + 1)
        yield key, at
        at = _skip(text, _JSON.raw_decode(text, at)[1])


def feature_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of every feature in the text of a valid FeatureCollection."""
    start = _skip(text, 0)
    at = next((place for key, place in _members(text, start) if key == "features"), None)
    if at is None:
        return [(start, len(text))]
    spans = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _JSON.raw_decode(text, at)[1]
        spans.append((at, end))
        at = _skip(text, end)
    return spans


def line_of(text: str, span: tuple[int, int], key: str = "") -> int:
    """The line, from 1, of a key within a span of the text, or of the span's start."""
    start, end = span
    at = text.find(f'"{key}"', start, end) if key else start
    return text.count("\n", 0, max(at, start)) + 1
