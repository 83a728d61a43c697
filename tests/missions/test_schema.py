"""The JSON Schema says of the site file what the reader takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from skymist.coverage.site import Kind, LevelName
from skymist.flight.commands.check import as_json, check
from skymist.flight.commands.schema import schema
from skymist.missions.checks import check_site
from skymist.missions.errors import SiteFileError
from skymist.missions.site import read_site
from skymist.missions.site_schema import SiteFile, json_schema

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "missions" / "data" / "demo" / "site.yaml"


def _defined(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json_schema()["$defs"][name]
    return made


def test_schema_requires_and_closes() -> None:
    made = json_schema()
    assert set(made["required"]) == {"schema", "name", "fleet"}
    assert made["additionalProperties"] is False
    assert made["properties"]["schema"]["const"] == 1
    json.dumps(made)


def test_schema_lists_kinds_levels_and_ranges() -> None:
    assert set(_defined("Kind")["enum"]) >= {*(kind.value for kind in Kind), "垃圾屋"}
    assert set(_defined("LevelName")["enum"]) >= {*(level.value for level in LevelName), "红"}
    radius = _defined("SpotEntry")["properties"]["radius_m"]["anyOf"][0]
    assert (radius["exclusiveMinimum"], radius["maximum"]) == (0, 100)


def test_layers_may_be_a_path_a_mapping_or_a_list() -> None:
    spots = json.dumps(_defined("Layers")["properties"]["spots"])
    assert '"type": "array"' in spots
    assert '"type": "string"' in spots
    assert "LayerSource" in spots


def test_every_key_is_described_and_documented() -> None:
    text = (ROOT / "docs" / "site-file.md").read_text(encoding="utf-8")
    for name, model in json_schema()["$defs"].items():
        for key, field in model.get("properties", {}).items():
            if name not in {"LevelsEntry", "LevelSet"}:
                assert field.get("description"), f"{name}.{key}"
            assert re.search(rf"`{key}[`:]", text), f"{name}.{key} is not in docs/site-file.md"
    assert set(SiteFile.model_fields) >= {"layers", "fleet", "policy"}


def test_command_writes_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema(tmp_path / "site.json")
    schema(None)
    text = (tmp_path / "site.json").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text
    assert json.loads(text) == json_schema()


def test_check_prints_every_finding(capsys: pytest.CaptureFixture[str]) -> None:
    check(DEMO)
    findings = check_site(read_site(DEMO))
    out = capsys.readouterr().out
    assert all(f"[{finding.rule}]" in out for finding in findings)
    check(DEMO, json=True)
    body = json.loads(capsys.readouterr().out)
    assert body == json.loads(as_json(DEMO, findings))
    assert not body["is_unsafe"]
    assert sum(body["counts"].values()) == len(findings)


def test_check_exits_1_on_errors_and_lets_faults_pass(tmp_path: Path) -> None:
    text = DEMO.read_text(encoding="utf-8")
    for layer in DEMO.parent.glob("*.geojson"):
        (tmp_path / layer.name).write_bytes(layer.read_bytes())
    path = tmp_path / "site.yaml"
    path.write_text(text.replace("pad: p2}", "pad: p2, sysid: 1}"), encoding="utf-8")
    text = path.read_text(encoding="utf-8").replace("pad: p1}", "pad: p1, sysid: 1}")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(typer.Exit) as caught:
        check(path)
    assert caught.value.exit_code == 1
    with pytest.raises(SiteFileError):
        check(tmp_path / "gone.yaml")
