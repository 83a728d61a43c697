"""One thing as read from the site file or a layer: where it stands, what it says, its shape.

The common form of inline entries and of features; values are raw until `missions.site_schema`
has checked them. Shapes are in degrees, longitude first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from skymist.missions.errors import Fault
from skymist.missions.yaml_lines import one_line

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from skymist.missions.yaml_lines import Place

FAULTS_SHOWN = 50


def _no_line(_: str) -> int | None:
    return None


def _no_hint(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """An entry of a role (`spots`, `zones`, ...).

    `values` has our keys; `names` what the file calls them, where that differs. `source` is
    the place of the layer in the site file, the same for all its features. `mend` says how a
    missing key can be given; `excused` are keys whose lack is a fault elsewhere already.
    """

    role: str
    file: str
    source: Place
    label: str
    default_id: str
    values: dict[str, Any]
    shape: BaseGeometry | None
    names: dict[str, str] = field(default_factory=dict)
    line: Callable[[str], int | None] = _no_line
    excused: frozenset[str] = frozenset()
    mend: Callable[[str], str] = _no_hint

    def fault(self, key: str, wanted: str, found: str, hint: str = "") -> Fault:
        """A fault of this thing; `key` is ours, empty for the whole."""
        named = self.names.get(key, key)
        return Fault(
            file=self.file,
            line=self.line(named),
            field=f"{self.label}.{one_line(named)}" if named else self.label,
            wanted=wanted,
            found=found,
            hint=hint or (self.mend(key) if found == "nothing" else ""),
        )

    def with_shape(self, shape: BaseGeometry | None) -> Feature:
        """The same with another shape."""
        # Spelt out: `replace` takes three times as long, for each of a hundred thousand features.
        return Feature(
            role=self.role,
            file=self.file,
            source=self.source,
            label=self.label,
            default_id=self.default_id,
            values=self.values,
            shape=shape,
            names=self.names,
            line=self.line,
            excused=self.excused,
            mend=self.mend,
        )

    def locate(self, place: Place) -> tuple[str, str, int | None]:
        """File, field and line of one of its values, for `validation.checked`."""
        key = str(place[0]) if place else ""
        fault = self.fault(key, "", "")
        return fault.file, fault.field, fault.line


def capped(faults: Sequence[Fault]) -> list[Fault]:
    """The faults in their order, at most 50 of a layer that differ only in the feature."""

    def cause(fault: Fault) -> tuple[str, str, str]:
        return (fault.file, fault.field.rpartition(").")[2], fault.wanted)

    shown: list[Fault] = []
    for _, group in groupby(faults, key=cause):
        alike = list(group)
        shown.extend(alike[:FAULTS_SHOWN])
        if rest := len(alike) - FAULTS_SHOWN:
            shown.extend(_more(alike[-1], rest))
    return shown


def _more(last: Fault, num_more: int) -> Iterable[Fault]:
    if num_more > 0:
        found = f"{num_more} more like the one above"
        yield Fault(file=last.file, field="features", wanted=last.wanted, found=found)
