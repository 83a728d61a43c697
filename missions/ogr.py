"""Tables that GDAL reads (KML, KMZ, GeoPackage, shapefile) as plain rows, through pyogrio.

What the rows mean is left to `missions.layers`.
"""

from __future__ import annotations

import logging
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
from pyogrio import errors

from skymist.coverage.errors import MissionError
from skymist.missions.formats.guarded import Refused, readable
from skymist.missions.validation import found_text
from skymist.missions.yaml_lines import one_line

log = logging.getLogger(__name__)

_REFUSALS = (
    errors.DataSourceError,
    errors.DataLayerError,
    errors.FieldError,
    errors.FeatureError,
    errors.GeometryError,
    ValueError,
    OSError,
)


class Unreadable(MissionError):
    """A file that GDAL does not read; `is_layer` when only the layer's name is at fault."""

    def __init__(self, wanted: str, found: str, hint: str = "", *, is_layer: bool = False) -> None:
        super().__init__(f"wanted {wanted}, found {found}")
        self.wanted, self.found, self.hint, self.is_layer = wanted, found, hint, is_layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Properties and geometry (WKB) of every row, and the CRS that the file names."""

    properties: tuple[dict[str, Any], ...]
    shapes: tuple[bytes | None, ...]
    crs: str | None


def _plain(value: Any) -> Any:
    """A value of a column as plain Python; None for null."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def _layer_of(path: Path, named: str | None) -> str:
    """The layer to read: the one named, or the only one."""
    layers = [str(row[0]) for row in pyogrio.list_layers(path)]
    if named in layers:
        return str(named)
    if named is None and len(layers) == 1:
        return layers[0]
    hint = f"it has {', '.join(layers[:10])}" if layers else "it has none"
    found = "none named" if named is None else found_text(named)
    raise Unreadable("one of the file's layers", found, hint, is_layer=True)


def read_table(path: Path, layer: str | None) -> Table:
    """All rows of a layer.

    Raises
    ------
    Unreadable
        Where `formats.guarded` or GDAL refuses the file, the layer is not there or has no
        geometry.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with readable(path) as plain:
                meta, _, shapes, columns = pyogrio.raw.read(plain, layer=_layer_of(plain, layer))
    except Refused as exc:
        raise Unreadable(exc.wanted, exc.found) from exc
    except _REFUSALS as exc:
        found = one_line(str(exc) or type(exc).__name__, 200)
        raise Unreadable(f"a readable {path.suffix} file", found) from exc
    for warning in caught:
        log.warning("layer read", extra={"file": str(path), "gdal": str(warning.message)})
    if shapes is None:
        raise Unreadable("a layer with geometry", "a table without")
    names = [str(name) for name in meta["fields"]]
    rows = tuple(
        {name: _plain(column[index]) for name, column in zip(names, columns, strict=True)}
        for index in range(len(shapes))
    )
    return Table(properties=rows, shapes=tuple(shapes), crs=meta.get("crs"))
