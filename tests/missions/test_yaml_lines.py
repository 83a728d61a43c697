"""YAML with lines: what scalars mean, where things stand, what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.missions.yaml_lines import LinedYaml, place_text, read_yaml, scalar_value


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load(text: str) -> LinedYaml:
        path = tmp_path / "a.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return read_yaml(path)

    return load


def test_values_have_lines(load: Any) -> None:
    made = load("# a comment\na: 1\nb:\n  - c: x\n    d: [1, 2]\n  - e\n")
    assert made.value == {"a": 1, "b": [{"c": "x", "d": [1, 2]}, "e"]}
    assert made.faults == ()
    assert made.line_of(("a",)) == 2
    assert made.line_of(("b", 0, "d", 1)) == 5
    assert made.line_of(("b", 1)) == 6
    assert made.line_of(("b", 0, "missing")) == 4
    assert made.line_of(("nowhere",)) == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("010", 10),
        ("0x1f", 31),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("1_000", "1_000"),
        ("~", None),
        ("", None),
        ("true", True),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("1.2.3", "1.2.3"),
        ("²", "²"),
        ("٣", "٣"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    assert scalar_value(text) == value
    assert type(scalar_value(text)) is type(value)


def test_quoted_and_tagged_scalars_are_text(load: Any) -> None:
    made = load("a: '1'\nb: \"true\"\nc: !!str 5\nd: ! 6\ne: |\n  1\n")
    assert made.value == {"a": "1", "b": "true", "c": "5", "d": "6", "e": "1\n"}
    assert not made.faults


@pytest.mark.parametrize(
    ("text", "line", "field", "found"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a", "it again (first in line 1)"),
        ("a:\n  b: 1\n  b: 2\n", 3, "a.b", "it again (first in line 2)"),
        ("a: !!python/name:os.system x\n", 1, "a", "the tag tag:yaml.org,2002:python/name"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "c.<<", "a merge key"),
        ("a: *x\n", 1, "a", "*x"),
        ("a: &x [*x]\n", 1, "a[0]", "*x"),
        ("a: 1\n---\nb: 2\n", 2, "file", "a second one after '---'"),
        ("a: [1\nb: 2\n", 2, "file", "expected"),
        ("a:\n\tb: 1\n", 2, "file", "character"),
        ("a: '\n", 2, "file", "unexpected end"),
        ("a: \x00\n", 1, "file", "control characters"),
        ("a: " + "[" * 60 + "]" * 60, 1, "a[0][0][0]", "more"),
        ("? [1]\n: 2\n", 1, "file", "a list or a mapping"),
    ],
)
def test_what_is_refused(load: Any, text: str, line: int, field: str, found: str) -> None:
    fault = load(text).faults[0]
    assert (fault.line, fault.field) == (line, field)
    assert found in fault.found


def test_aliases_are_followed_but_not_into_a_bomb(load: Any) -> None:
    assert load("a: &x [1, 2]\nb: *x\nc: &y 5\nd: *y\n").value["b"] == [1, 2]
    levels = "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
    )
    made = load("a: &a [x, x, x, x, x, x, x, x, x]\n" + levels)
    assert "aliases spelled out" in made.faults[-1].wanted


def test_latin_1_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nname: caf\xe9\n")
    (fault,) = read_yaml(path).faults
    assert (fault.line, fault.found) == (2, "the byte 0xe9")


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read_yaml(path).value == {"a": 1, "b": 2}


def test_places_read_well() -> None:
    assert place_text(("layers", "spots", 0, "file")) == "layers.spots[0].file"
    assert place_text(()) == "file"


PLAIN = st.text(max_size=6).filter(lambda text: isinstance(scalar_value(text), str))
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=TREES)
@settings(max_examples=60, deadline=None)
def test_what_pyyaml_writes_comes_back(
    value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "tree.yaml"
    path.write_text(yaml.safe_dump({"top": value}), encoding="utf-8")
    made = read_yaml(path)
    if "<<" not in str(value):
        assert made.faults == ()
        assert made.value == {"top": value}
