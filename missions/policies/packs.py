"""Policy packs: rules as data, each with its source and date. The files stand in `data/policies`.

A rule names a measure, which modules `of_site`, `of_plan` and `of_flight` take, and a bound. The
plain pack holds on every site; a rule of a named pack, or of a site's own, stands in for that of
the same id.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from skymist.coverage.errors import PlanError
from skymist.missions.clock_words import hours_of_words
from skymist.missions.findings import Severity
from skymist.missions.policies.rules import MARKS, MEASURES, OF_HOURS, Bound, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skymist.coverage.site import Policy

PLAIN = "plain"
TEXT_MOST = 1000
_TEXTS = ("id", "what", "source", "mark", "mend")
_KEYS = {*_TEXTS, "severity", "date"}
_MAY = {"measure", "unit", "waivable", "most", "least", "within", "hours", "ask"}


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


def pack_from(data: Any) -> Pack:
    """A pack of what its file holds.

    Raises
    ------
    PlanError
        With the rule and the key that are wrong.
    """
    if not isinstance(data, dict):
        raise PlanError(
            f"pack: wanted a mapping with id, title, source, date, rules, found {data!r}"
        )
    name = str(data.get("id") or "")
    for key in ("id", "title", "source", "date", "rules"):
        if not data.get(key):
            raise PlanError(f"pack {name}: {key}: wanted, found nothing")
    for key in ("id", "title", "source"):
        _require_text(f"pack {name}", key, data[key])
    if not isinstance(data["rules"], list):
        raise PlanError(f"pack {name}: rules: wanted a list, found {data['rules']!r}")
    rules = tuple(_rule(name, keys) for keys in data["rules"])
    ids = [rule.id for rule in rules]
    if twice := [rule_id for rule_id in ids if ids.count(rule_id) > 1]:
        raise PlanError(f"pack {name}: {twice[0]}: wanted once, found {ids.count(twice[0])} times")
    day = _day(f"pack {name}", data["date"])
    return Pack(id=name, title=data["title"], source=data["source"], date=day, rules=rules)


def _rule(pack: str, keys: Any) -> Rule:
    if not isinstance(keys, dict):
        raise PlanError(f"pack {pack}: rules: wanted a mapping, found {keys!r}")
    where = f"pack {pack}: {keys.get('id') or 'a rule'}"
    if lacking := sorted(key for key in _KEYS if not keys.get(key)):
        raise PlanError(f"{where}: {lacking[0]}: wanted, found nothing")
    if unknown := sorted(map(str, set(keys) - _KEYS - _MAY)):
        raise PlanError(f"{where}: {unknown[0]}: wanted a known key")
    for key in (*_TEXTS, "measure", "unit"):
        _require_text(where, key, keys.get(key, ""))
    bounds = [bound for bound in Bound if bound.value in keys]
    if len(bounds) != 1 or (bounds[0] is Bound.ASK) == bool(keys.get("measure")):
        raise PlanError(f"{where}: wanted a measure and one of {', '.join(Bound)}")
    measure = keys.get("measure", "")
    if measure and measure not in MEASURES:
        raise PlanError(f"{where}: measure: wanted one of {', '.join(MEASURES)}, found {measure!r}")
    if (measure == OF_HOURS) != (bounds[0] is Bound.HOURS):
        raise PlanError(f"{where}: {bounds[0]}: hours go with {OF_HOURS}, and with it alone")
    if keys["mark"] not in MARKS:
        raise PlanError(f"{where}: mark: wanted one of {', '.join(MARKS)}, found {keys['mark']!r}")
    if keys["severity"] not in tuple(Severity):
        raise PlanError(f"{where}: severity: wanted {', '.join(Severity)}")
    if not isinstance(keys.get("waivable", True), bool):
        raise PlanError(f"{where}: waivable: wanted true or false, found {keys['waivable']!r}")
    return Rule(
        **{key: keys[key] for key in _TEXTS},
        **_limits(where, bounds[0], keys[bounds[0].value]),
        pack=pack,
        bound=bounds[0],
        severity=Severity(keys["severity"]),
        date=_day(where, keys["date"]),
        measure=measure,
        unit=keys.get("unit", ""),
        is_waivable=keys.get("waivable", True),
    )


def _limits(where: str, bound: Bound, given: Any) -> dict[str, Any]:
    """The limits of a bound, as fields of a rule."""
    try:
        match bound:
            case Bound.HOURS:
                return {"hours": hours_of_words(given)}
            case Bound.WITHIN:
                low, high = (_number(one) for one in given)
                if low < high:
                    return {"low": low, "high": high}
                raise ValueError(given)
            case Bound.MOST:
                return {"high": _number(given)}
            case Bound.LEAST:
                return {"low": _number(given)}
    except (TypeError, ValueError) as exc:
        forms = {Bound.WITHIN: "[low, high]", Bound.HOURS: "hours as 07:00-09:00"}
        wanted = forms.get(bound, "a number")
        raise PlanError(f"{where}: {bound}: wanted {wanted}, found {given!r}") from exc
    return {}


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ValueError(given)
    return float(given)


def _require_text(where: str, key: str, given: Any) -> None:
    if not isinstance(given, str) or len(given) > TEXT_MOST:
        raise PlanError(f"{where}: {key}: wanted a text of {TEXT_MOST} characters at most")


def _day(where: str, given: object) -> date:
    try:
        return date.fromisoformat(str(given))
    except ValueError as exc:
        raise PlanError(f"{where}: date: wanted a day as 2024-01-01, found {given!r}") from exc


@lru_cache(maxsize=16)
def own_pack(text: str) -> Pack:
    """A site's own pack, from the JSON that its policy carries.

    Raises
    ------
    PlanError
        As `pack_from`, and for one that takes the name of a built-in pack.
    """
    try:
        made = pack_from(json.loads(text))
    except ValueError as exc:
        raise PlanError(f"pack: wanted JSON, found {exc}") from exc
    if made.id in pack_ids():
        raise PlanError(f"pack {made.id}: id: wanted one that no built-in pack has")
    fixed = {r.id for name in pack_ids() for r in pack_of(name).rules if not r.is_waivable}
    if taken := sorted(fixed & {rule.id for rule in made.rules}):
        raise PlanError(f"pack {made.id}: {taken[0]}: a rule that nothing may stand in for")
    return made


def packs_of(policy: Policy) -> tuple[Pack, ...]:
    """The packs that hold under a policy: the plain one, those named, the site's own."""
    named = (pack_of(name) for name in (PLAIN, *policy.packs))
    return (*named, *(own_pack(text) for text in policy.own_packs))


def rules_of(policy: Policy) -> tuple[Rule, ...]:
    """The rules that hold under a policy; of one id that of the last pack.

    Raises
    ------
    PlanError
        For a pack that is not there.
    """
    return rules_in(packs_of(policy))


def rules_in(packs: Iterable[Pack]) -> tuple[Rule, ...]:
    """The rules of packs; of one id that of the last."""
    return tuple({rule.id: rule for pack in packs for rule in pack.rules}.values())
