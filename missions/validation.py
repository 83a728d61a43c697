"""What pydantic found wrong, as faults: where, what was wanted, what was found, a near miss.

The words are ours, so that every fault reads the same whichever file it stands in.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from skymist.missions.errors import Fault
from skymist.missions.yaml_lines import Place, one_line

Made = TypeVar("Made", bound=BaseModel)
Locate = Callable[[Place], tuple[str, str, int | None]]
"""File, field and line of a place inside the thing that was checked."""

LISTED_MAX = 6
TAGS = ("<id>", "<model>")
"""Branches of a drone's `model` that pydantic puts into the place of an error."""

_WANTED = {
    "greater_than": "above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "a text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "a text without control characters",
    "string_unicode": "a text of valid characters",
    "string_type": "a text",
    "too_short": "at least {min_length}",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "value_error": "a number",
}


def found_text(value: object) -> str:
    """A value as a person may want to see it: short, on one line."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case Mapping():
            return f"a mapping of {len(value)} key{'s' * (len(value) != 1)}"
        case list() | tuple():
            return f"a list of {len(value)}"
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "infinity"
        case int() if abs(value) >= 10**20:
            return "a number of more than 20 digits"
        case str():
            return f"'{one_line(value)}'"
    return one_line(str(value))


def near_miss(word: object, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or some of them where none is near."""
    words = sorted(set(known))
    if not words:
        return ""
    near = difflib.get_close_matches(str(word)[:100], words, n=1, cutoff=0.6)
    if near:
        return f"did you mean {one_line(near[0])}?"
    shown = ", ".join(one_line(word) for word in words[:20])
    return f"known: {shown}" + (", ..." if len(words) > 20 else "")


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Every model that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _keys_of(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def models_at(model: type[BaseModel], place: Place) -> list[type[BaseModel]]:
    """The models that may stand at a place."""
    models = [model]
    for part in place:
        if isinstance(part, int):
            continue
        fields = [keys[part] for m in models if part in (keys := _keys_of(m))]
        models = [found for f in fields for found in _models_in(f.annotation)]
    return models


def _description(model: type[BaseModel], place: Place) -> str:
    """What the models say of the field at a place."""
    for owner in models_at(model, place[:-1]):
        field = _keys_of(owner).get(str(place[-1])) if place else None
        if field is not None and field.description:
            return str(field.description)
    return ""


def _fault(error: ErrorDetails, model: type[BaseModel], locate: Locate) -> Fault:
    place = error_place(error)
    kind, context = error["type"], error.get("ctx", {})
    file, field, line = locate(place)
    found, hint = found_text(error["input"]), ""
    if kind == "missing":
        wanted, found = _description(model, place) or "a value", "nothing"
    elif kind == "extra_forbidden":
        known = {key for m in models_at(model, place[:-1]) for key in _keys_of(m)}
        wanted, found, hint = "a known key", found_text(place[-1]), near_miss(place[-1], known)
    elif kind in {"enum", "literal_error"}:
        wanted = str(context.get("expected", "a known word")).replace("'", "")
        known = set(wanted.replace(" or ", ", ").split(", "))
        near = near_miss(error["input"], known)
        hint = near if near.startswith("did") else ""
        if len(known) > LISTED_MAX:
            wanted, hint = f"a known {place[-1]}" if place else "a known word", near
    else:
        wanted = _WANTED.get(kind, error["msg"]).format(**context)
        if error["input"] is None:
            hint = _description(model, place)
    return Fault(file=file, line=line, field=field, wanted=wanted, found=found, hint=hint)


def error_place(error: ErrorDetails) -> Place:
    """Where an error stands, without the names of a union's branches."""
    where = error["loc"]
    return tuple(
        part
        for before, part in zip((None, *where), where, strict=False)
        if not (before == "model" and part in TAGS)
    )


def faults_of(
    exc: ValidationError, model: type[BaseModel], locate: Locate
) -> list[tuple[Place, str, Fault]]:
    """Each error's place, pydantic's word for it, and the fault."""
    return [
        (error_place(error), error["type"], _fault(error, model, locate))
        for error in exc.errors(include_url=False)
    ]


def without_nulls(value: Any) -> Any:
    """Mappings without the keys that say nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(v) for key, v in value.items() if v is not None}
    return value


def pruned(data: Any, place: Place) -> Any:
    """The mappings without the key at a place (copied along the way)."""
    if not place or not isinstance(data, dict) or place[0] not in data:
        return data
    head, rest = place[0], place[1:]
    if not rest or not isinstance(data[head], dict):
        return {key: value for key, value in data.items() if key != head}
    return data | {head: pruned(data[head], rest)}


def checked(
    model: type[Made],
    data: Any,
    locate: Locate,
    faults: list[Fault],
    mend: Callable[[str], str] | None = None,
    excused: frozenset[str] = frozenset(),
) -> tuple[Made | None, bool]:
    """The model of some data, and whether it is whole.

    Every fault is added to `faults`. Where the data are faulty, the model is made of what is
    left without the faulty keys, so that the rest can be checked too; None where that fails.
    `mend` says how a missing key can be given; the lack of an `excused` one is no fault here.
    """
    try:
        return model.model_validate(data), True
    except ValidationError as exc:
        found = faults_of(exc, model, locate)
    for place, kind, fault in found:
        if kind == "missing" and place and place[0] in excused:
            continue
        is_missing = kind == "missing" and bool(place)
        faults.append(replace(fault, hint=mend(str(place[0]))) if is_missing and mend else fault)
        data = pruned(data, place)
    try:
        return model.model_validate(data), False
    except ValidationError:
        return None, False
