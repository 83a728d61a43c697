"""What a site file says of its rules: named packs, packs of its own beside it, waivers."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from skymist.coverage.errors import PlanError
from skymist.coverage.site import Waiver
from skymist.missions.policies.packs import PLAIN, Pack, own_pack, pack_of, rules_in
from skymist.missions.validation import found_text, near_miss
from skymist.missions.yaml_lines import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from skymist.missions.errors import Fault
    from skymist.missions.site_schema import PolicyEntry, WaiverEntry
    from skymist.missions.yaml_lines import Place

    Tell = Callable[[Place, str, str, str], None]

PACK_FILE = (".yaml", ".yml")


def rule_keys(entry: PolicyEntry, folder: Path, tell: Tell, faults: list[Fault]) -> dict[str, Any]:
    """Packs and waivers as keys of a `Policy`.

    Files are taken from `folder`. `tell` is told of faults in the site file (place, wanted, found,
    hint); those in the text of a pack's own file are added to `faults`.
    """
    names: list[str] = []
    own: list[str] = []
    for number, name in enumerate(entry.pack or ()):
        place: Place = ("policy", "pack", number)
        if not name.lower().endswith(PACK_FILE):
            names += [name] if name != PLAIN else []
            continue
        text = _own_text(folder / name, place, tell, faults)
        own += [text] if text else []
    packs = [pack_of(name) for name in (PLAIN, *names)] + [own_pack(text) for text in own]
    waivers = _waivers(entry.waivers or (), packs, tell)
    return {"packs": tuple(names), "own_packs": tuple(own), "waivers": waivers}


def read_pack(path: Path) -> tuple[Pack | None, tuple[Fault, ...]]:
    """The pack of a file of one's own, or what is wrong with the file.

    Raises
    ------
    PlanError
        Where it is no pack.
    """
    document = read_yaml(path, "a policy pack")
    if document.faults:
        return None, document.faults
    return own_pack(_as_json(document.value)), ()


def _own_text(path: Path, place: Place, tell: Tell, faults: list[Fault]) -> str:
    """The JSON of a pack's own file; empty where it is none, and that is told."""
    document = read_yaml(type(path)(os.path.normpath(path)), "a policy pack")
    if document.faults:
        faults += document.faults
        return ""
    text = _as_json(document.value)
    try:
        own_pack(text)
    except PlanError as exc:
        tell(place, "a policy pack", f"{path.name}: {exc}", "docs/policy.md has its keys")
        return ""
    return text


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _waivers(
    entries: Sequence[WaiverEntry], packs: Sequence[Pack], tell: Tell
) -> tuple[Waiver, ...]:
    """The waivers; told of one of a rule that is not there, or that none may waive."""
    rules = {rule.id: rule for rule in rules_in(packs)}
    for number, one in enumerate(entries):
        place = ("policy", "waivers", number, "rule")
        if one.rule not in rules:
            hint = near_miss(one.rule, rules)
            tell(place, "a rule of the site's policy packs", found_text(one.rule), hint)
        elif not rules[one.rule].is_waivable:
            tell(place, "a rule that can be waived", found_text(one.rule), "")
    return tuple(Waiver(**one.model_dump()) for one in entries)
