"""Policy packs: rules as data, each with its source and date. The files stand in `data/policies`.

A rule names a measure, which modules `of_site`, `of_plan` and `of_flight` take, and a bound. The
plain pack holds on every site; a rule of a named pack stands in for that of the same id.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from skymist.coverage.errors import PlanError
from skymist.coverage.hours import DAY_S, Hours, hours_text, merged
from skymist.missions.clock_words import hours_of_words
from skymist.missions.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skymist.coverage.hours import Spans
    from skymist.coverage.site import Policy

PLAIN = "plain"
MARKS = {
    "S": "read in a public source",
    "K": "general knowledge, confirm locally",
    "D": "computed from sources",
    "P": "our proposal",
}
CLOCK_S = 1.0
"""Of hours, for the rounding of files, as in `missions.plan_checks`."""
_NEAR = 1e-9
_KEYS = {"id", "what", "severity", "source", "date", "mark", "mend"}
_MAY = {"measure", "unit", "waivable", "most", "least", "within", "hours", "ask"}


class Bound(StrEnum):
    """How a value is held to a limit; a rule with ASK has none and is a thing to see to."""

    MOST = "most"
    LEAST = "least"
    WITHIN = "within"
    HOURS = "hours"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a pack. `low` and `high` are its limits, infinite where it has none.

    `measure` is empty for one that is asked for only. `unit` is what the limit is given in.
    """

    id: str
    pack: str
    what: str
    bound: Bound
    severity: Severity
    source: str
    date: date
    mark: str
    mend: str
    measure: str = ""
    low: float = -math.inf
    high: float = math.inf
    hours: tuple[Hours, ...] = ()
    unit: str = ""
    is_waivable: bool = True

    @property
    def limit(self) -> str:
        """The limit in words; empty for what is asked for only."""
        match self.bound:
            case Bound.MOST:
                return f"at most {self.high:g} {self.unit}".strip()
            case Bound.LEAST:
                return f"at least {self.low:g} {self.unit}".strip()
            case Bound.WITHIN:
                return f"{self.low:g} to {self.high:g} {self.unit}".strip()
            case Bound.HOURS:
                return hours_text(self.hours)
        return ""

    def breaks(self, value: float | Spans | None) -> bool:
        """Whether a value is beyond the limit. None, what was not given, is; NaN too.

        Hours are spans of seconds after midnight.
        """
        if value is None:
            return True
        if isinstance(value, tuple):
            given = [
                (h.start_s + k * DAY_S - CLOCK_S, h.end_s + k * DAY_S + CLOCK_S)
                for h in self.hours
                for k in (-1, 0, 1)
            ]
            free = merged(given)
            return not all(any(a <= begin and end <= b for a, b in free) for begin, end in value)
        return not self.low - _NEAR <= value <= self.high + _NEAR

    def excess(self, value: float | Spans | None) -> float:
        """By how much a value is beyond the limit, to name the worst of several."""
        if value is None:
            return math.inf
        if isinstance(value, tuple):
            return max((end - begin for begin, end in value), default=0.0)
        return max(self.low - value, value - self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Rules that belong together, with the text that they come from."""

    id: str
    title: str
    source: str
    date: date
    rules: tuple[Rule, ...]


def pack_ids() -> tuple[str, ...]:
    """The packs that come with the program, the plain one first."""
    folder = files("skymist.missions") / "data" / "policies"
    found = sorted(
        one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml")
    )
    return (PLAIN, *(name for name in found if name != PLAIN))


@lru_cache(maxsize=16)
def pack_of(name: str) -> Pack:
    """A pack by its id.

    Raises
    ------
    PlanError
        Where there is none, or its file is not as docs/policy.md says.
    """
    if name not in pack_ids():
        raise PlanError(f"pack: wanted one of {', '.join(pack_ids())}, found {name!r}")
    text = (files("skymist.missions") / "data" / "policies" / f"{name}.yaml").read_text("utf-8")
    return pack_from(yaml.safe_load(text))


def pack_from(data: dict[str, Any]) -> Pack:
    """A pack of what its file holds.

    Raises
    ------
    PlanError
        With the rule and the key that are wrong.
    """
    name = str(data.get("id") or "")
    for key in ("id", "title", "source", "date", "rules"):
        if not data.get(key):
            raise PlanError(f"pack {name}: {key}: wanted, found nothing")
    rules = tuple(_rule(name, keys) for keys in data["rules"])
    ids = [rule.id for rule in rules]
    if twice := [rule_id for rule_id in ids if ids.count(rule_id) > 1]:
        raise PlanError(f"pack {name}: {twice[0]}: wanted once, found {ids.count(twice[0])} times")
    day = _day(f"pack {name}", data["date"])
    return Pack(id=name, title=data["title"], source=data["source"], date=day, rules=rules)


def _rule(pack: str, keys: dict[str, Any]) -> Rule:
    where = f"pack {pack}: {keys.get('id') or 'a rule'}"
    if lacking := sorted(key for key in _KEYS if not keys.get(key)):
        raise PlanError(f"{where}: {lacking[0]}: wanted, found nothing")
    if unknown := sorted(set(keys) - _KEYS - _MAY):
        raise PlanError(f"{where}: {unknown[0]}: wanted a known key")
    bounds = [bound for bound in Bound if bound.value in keys]
    if len(bounds) != 1 or (bounds[0] is Bound.ASK) == bool(keys.get("measure")):
        raise PlanError(f"{where}: wanted a measure and one of {', '.join(Bound)}")
    if keys["mark"] not in MARKS:
        raise PlanError(f"{where}: mark: wanted one of {', '.join(MARKS)}, found {keys['mark']!r}")
    (bound,) = bounds
    given = keys[bound.value]
    low, high = -math.inf, math.inf
    if bound is Bound.WITHIN:
        low, high = map(float, given)
    elif bound is Bound.MOST:
        high = float(given)
    elif bound is Bound.LEAST:
        low = float(given)
    try:
        severity = Severity(keys["severity"])
    except ValueError as exc:
        raise PlanError(f"{where}: severity: wanted {', '.join(Severity)}") from exc
    return Rule(
        **{key: keys[key] for key in ("id", "what", "source", "mark", "mend")},
        pack=pack,
        bound=bound,
        severity=severity,
        date=_day(where, keys["date"]),
        measure=keys.get("measure", ""),
        low=low,
        high=high,
        hours=hours_of_words(given) if bound is Bound.HOURS else (),
        unit=keys.get("unit", ""),
        is_waivable=keys.get("waivable", True),
    )


def _day(where: str, given: object) -> date:
    try:
        return date.fromisoformat(str(given))
    except ValueError as exc:
        raise PlanError(f"{where}: date: wanted a day as 2024-01-01, found {given!r}") from exc


def rules_of(policy: Policy) -> tuple[Rule, ...]:
    """The rules that hold under a policy: the plain ones, and those of the packs that it names."""
    return rules_in(policy.packs)


def rules_in(packs: Iterable[str]) -> tuple[Rule, ...]:
    """The plain rules and those of these packs; of one id the last stands.

    Raises
    ------
    PlanError
        For a pack that is not there.
    """
    held = {rule.id: rule for rule in pack_of(PLAIN).rules}
    for name in packs:
        held |= {rule.id: rule for rule in pack_of(name).rules}
    return tuple(held.values())
