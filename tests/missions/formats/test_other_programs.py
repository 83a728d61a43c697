"""Exports opened by the programs that people use them in, where those are on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skymist.coverage.plan import PassKind, Plan
from skymist.coverage.planning import plan_site
from skymist.missions.formats.export import exported
from skymist.missions.formats.geopackage import LEVEL_COLOURS
from skymist.missions.site import read_site

HERE = Path(__file__).parent
DEMO = Path(__file__).resolve().parents[3] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_site(read_site(DEMO))


@pytest.fixture(scope="module")
def folder(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("programs")
    for name, data in exported(plan, ("gpkg", "taskdata")):
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_bytes(data)
    return made


@cache
def python_with_qgis() -> str:
    """A Python that has QGIS, such as the system's with Debian's python3-qgis; else none."""
    for python in (sys.executable, "/usr/bin/python3"):
        if shutil.which(python):
            asked = [python, "-c", "import qgis.core"]
            if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
                return python
    return ""


@pytest.mark.slow
def test_qgis_opens_every_layer_with_its_own_style(
    plan: Plan, folder: Path, tmp_path: Path
) -> None:
    python = python_with_qgis()
    if not python:
        pytest.skip("no Python with qgis here (Debian: python3-qgis): QGIS did not open it")
    picture = tmp_path / "map.png"
    words = [python, HERE / "qgis_look.py", folder / "plan.gpkg", picture]
    home = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **home}
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["errors"] == []
    layers = told["layers"]
    assert len(layers) == 10
    for name, layer in layers.items():
        assert layer is not None, name
        assert layer["has_style"], (name, layer["said"])
        assert layer["crs"] == "EPSG:4326", name
    assert layers["spots"]["count"] == len(plan.site.spots)
    assert layers["passes"]["count"] == sum(len(s.passes) for s in plan.sorties)
    for name in ("spots", "targets"):
        assert layers[name]["kind"] == "categorizedSymbol"
        assert layers[name]["colours"] == LEVEL_COLOURS
    with Image.open(picture) as drawn:
        dots = np.asarray(drawn.convert("RGB")).astype(int)
    for level in ("red", "yellow", "blue"):  # edges of spots, in the colour of their level
        wanted = [int(LEVEL_COLOURS[level][k : k + 2], 16) for k in (1, 3, 5)]
        assert (abs(dots - wanted).max(axis=2) < 12).sum() > 20, level


@cache
def node_modules() -> str:
    """The folder of node's modules that holds isoxml: SKYMIST_NODE_MODULES, or node's own."""
    node = shutil.which("node")
    if node is None:
        return ""
    for place in (os.environ.get("SKYMIST_NODE_MODULES", ""), os.environ.get("NODE_PATH", "")):
        env = {**os.environ, "NODE_PATH": place}
        asked = [node, "-e", "require('isoxml')"]
        if subprocess.run(asked, capture_output=True, check=False, env=env).returncode == 0:
            return place or "."
    return ""


def read_by_isoxml(path: Path) -> dict[str, list[object]]:
    modules = node_modules()
    if not modules:
        pytest.skip("no node with isoxml here (npm install isoxml): TASKDATA was not read by it")
    done = subprocess.run(
        ["node", HERE / "isoxml_look.js", path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NODE_PATH": modules},
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_isoxml_js_reads_taskdata_without_a_warning(
    plan: Plan, folder: Path, tmp_path: Path
) -> None:
    path = folder / "TASKDATA" / "TASKDATA.XML"
    told = read_by_isoxml(path)
    assert told["warnings"] == []
    doses = {t.spot_id: round(t.dose_l_per_m2 * 1e8) for t in plan.treatments}
    for values, sortie in zip(told["zones"], plan.sorties, strict=True):
        assert isinstance(values, list)
        assert set(values) == {doses[spot_id] for spot_id in sortie.spot_ids}
    flown = [leg.path for s in plan.sorties for leg in s.passes if leg.kind is not PassKind.HOVER]
    assert len(told["lines"]) == len(flown)
    for line, way in zip(told["lines"], flown, strict=True):
        assert plan.site.origin.to_local(line) == pytest.approx(np.array(way), abs=0.01)
    # It does warn of what is not there.
    broken = path.read_text("utf-8").replace('D="', 'd="')
    (tmp_path / "TASKDATA.XML").write_text(broken, "utf-8")
    assert read_by_isoxml(tmp_path / "TASKDATA.XML")["warnings"] != []
