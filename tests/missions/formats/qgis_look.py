"""Opens every layer of a GeoPackage in QGIS with its default style and draws them: its own answers.

Run by a Python that has qgis (Debian: python3-qgis), never imported: `qgis_look.py FILE PICTURE`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys

from qgis.core import (  # type: ignore[import-not-found]
    QgsApplication,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize  # type: ignore[import-not-found]
from qgis.PyQt.QtGui import QColor  # type: ignore[import-not-found]

path, picture = sys.argv[1:]
app = QgsApplication([], False)
app.initQgis()
found, layers = {}, []
base = sqlite3.connect(path)
for (name,) in base.execute("SELECT table_name FROM gpkg_geometry_columns").fetchall():
    layer = QgsVectorLayer(f"{path}|layername={name}", name, "ogr")
    if not layer.isValid():
        found[name] = None
        continue
    said, has_style = layer.loadDefaultStyle()
    renderer = layer.renderer()
    kind = renderer.type()
    parts = {}
    if kind == "categorizedSymbol":
        parts = {c.value(): c.symbol().color().name() for c in renderer.categories()}
    elif kind == "singleSymbol":
        parts = {"": renderer.symbol().color().name()}
    found[name] = {
        "has_style": has_style,
        "said": said,
        "kind": kind,
        "count": layer.featureCount(),
        "crs": layer.crs().authid(),
        "colours": parts,
    }
    layers.append(layer)
settings, extent = QgsMapSettings(), QgsRectangle()
for layer in layers:
    extent.combineExtentWith(layer.extent())
settings.setLayers(layers)
settings.setExtent(extent)
settings.setDestinationCrs(layers[0].crs())
settings.setOutputSize(QSize(900, 700))
settings.setBackgroundColor(QColor("white"))
job = QgsMapRendererParallelJob(settings)
job.start()
job.waitForFinished()
job.renderedImage().save(picture)
errors = [error.message for error in job.errors()]
print(json.dumps({"layers": found, "errors": errors}), flush=True)
os._exit(0)  # QGIS may fall over its own feet when Python takes it down
