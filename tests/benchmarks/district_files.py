"""A synthetic district as a site file with GeoJSON layers; reading it gives the same `Site`.

python tests/benchmarks/district_files.py FOLDER --spots 1000 --seed 1
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from skymist.coverage.frames import Origin
from skymist.coverage.site import BlindSpot, Site
from tests.benchmarks.district import district


def _layer(path: Path, shapes: list[Any], rows: list[dict[str, Any]], origin: Origin) -> None:
    """A GeoJSON file; ten thousandths of a millimetre, so that reading gives the same site."""
    points = shapely.get_coordinates(shapes)
    placed = shapely.set_coordinates(
        np.array(shapes, dtype=object), origin.to_geo(points).round(10)
    )
    lines = [
        json.dumps(
            {
                "type": "Feature",
                "properties": row,
                "geometry": shapely.geometry.mapping(shape),
            },
            ensure_ascii=False,
        )
        for shape, row in zip(placed, rows, strict=True)
    ]
    head = '{"type": "FeatureCollection", "features": [\n'
    path.write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


def _spot_row(spot: BlindSpot) -> dict[str, Any]:
    row = {
        "id": spot.id,
        "kind": spot.kind.value,
        "level": spot.level.value,
        "zone": spot.zone_id,
        "radius_m": spot.radius_m,
        "width_m": spot.width_m,
        "elevation_m": spot.elevation_m or None,
    }
    return {key: value for key, value in row.items() if value is not None}


def write_district(site: Site, folder: Path) -> Path:
    """The site as `site.yaml` with its layers beside it; says where."""
    folder.mkdir(parents=True, exist_ok=True)
    layers: dict[str, tuple[list[Any], list[dict[str, Any]]]] = {
        "buildings": (
            [b.footprint for b in site.buildings],
            [{"id": b.id, "height_m": b.height_m} for b in site.buildings],
        ),
        "zones": (
            [zone.area for zone in site.zones],
            [{"id": zone.id, "responsible": zone.responsible} for zone in site.zones],
        ),
        "spots": ([s.shape for s in site.spots], [_spot_row(s) for s in site.spots]),
        "no_spray": (
            [n.area for n in site.no_spray],
            [{"id": n.id, "reason": n.reason} for n in site.no_spray],
        ),
        "sensitive": (
            [r.shape for r in site.receptors],
            [{"id": r.id, "kind": r.kind} for r in site.receptors],
        ),
        "pads": (
            [shapely.Point(p.x, p.y) for p in site.pads],
            [{"id": p.id} for p in site.pads],
        ),
    }
    for role, (shapes, rows) in layers.items():
        _layer(folder / f"{role}.geojson", shapes, rows, site.origin)
    origin = site.origin
    lines = [
        "schema: 1",
        f"name: {site.name}",
        f'attribution: "{site.attribution}"',
        "origin:",
        *(f"  {key}: {getattr(origin, key)}" for key in ("lat_deg", "lon_deg", "amsl_m")),
        "layers:",
        *(f"  {role}: {role}.geojson" for role in layers),
        "fleet:",
        *(f"  - {{id: {d.id}, model: {d.model.id}, pad: {d.pad_id}}}" for d in site.fleet),
    ]
    path = folder / "site.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spots", type=int, default=1000)
    parser.add_argument("--buildings", type=int)
    parser.add_argument("--drones", type=int)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    site = district(
        asked.spots, num_buildings=asked.buildings, num_drones=asked.drones, seed=asked.seed
    )
    print(write_district(site, asked.folder))


if __name__ == "__main__":
    main()
