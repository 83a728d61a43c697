"""YAML with the line of every field, read safely.

Scalars follow YAML 1.2 (as the JSON Schema of an editor does): `yes`, `no`, `12:30` and dates stay
text. Refused as faults: duplicate keys, tags, merge keys, several documents, files and alias
expansions past a limit. The tree is built from events in a loop, so that depth costs no stack.
What the fields mean is left to `missions.site_schema`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from skymist.missions.errors import Fault

Place = tuple[str | int, ...]
"""Where a value stands: keys and list positions from the top."""

SIZE_MAX_BYTES = 4_000_000
NODES_MAX = 400_000
DEPTH_MAX = 40
TEXT_MAX = 60

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,400}\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,40}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INF = re.compile(r"([-+]?)\.(inf|Inf|INF)\Z")
_TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinedYaml:
    """What a YAML file holds, where each value stands, and what is wrong with the file."""

    file: str
    value: Any
    lines: dict[Place, int]
    faults: tuple[Fault, ...]

    def locate(self, place: Place) -> tuple[str, str, int | None]:
        """File, field and line of a place."""
        return self.file, place_text(place), self.line_of(place)

    def fault(self, place: Place, wanted: str, found: str, hint: str = "") -> Fault:
        """A fault of what stands at a place."""
        return Fault(
            file=self.file,
            line=self.line_of(place),
            field=place_text(place),
            wanted=wanted,
            found=found,
            hint=hint,
        )

    def items(self, key: str) -> tuple[list[Any], Fault | None]:
        """The list under a key at the top, empty for none; a fault where something else is."""
        value = self.value.get(key)
        if value is None or isinstance(value, list):
            return value or [], None
        found = f"a {'mapping' if isinstance(value, dict) else 'single value'}"
        return [], self.fault((key,), "a list", found, "start each entry with '- '")

    def line_of(self, place: Place) -> int | None:
        """Line, from 1, of a value, or of the nearest thing around it that is in the file."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return None


def one_line(text: str, limit: int = TEXT_MAX) -> str:
    """A text that can be printed on one line, cut after so many characters."""
    shown = "".join(c if c.isprintable() else "?" for c in text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[:limit]}..."


def place_text(place: Place) -> str:
    """A place for a person to read: `layers.spots[0].file`."""
    text = ""
    for part in place:
        name = f"[{part}]" if isinstance(part, int) else one_line(part)
        text += f".{name}" if text and not isinstance(part, int) else name
    return text or "file"


def scalar_value(text: str) -> object:
    """What a plain scalar means in YAML 1.2's core schema."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.match(text):
        return int(text)
    if _HEX.match(text):
        return int(text, 16)
    if _FLOAT.match(text):
        return float(text)
    if match := _INF.match(text):
        return float(match[1] + "inf")
    return float("nan") if text in {".nan", ".NaN", ".NAN"} else text


@dataclass(slots=True)
class _Open:
    """A mapping or a list that is still being read."""

    value: Any
    place: Place
    anchor: str | None
    nodes_before: int
    key: str | None = None
    skips_value: bool = False


@dataclass(slots=True)
class _Tree:
    """The document as it grows from events; one method for each thing that an event may do."""

    file: str
    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    num_nodes: int = 0
    num_documents: int = 0

    def fault(self, line: int, place: Place, wanted: str, found: str, hint: str = "") -> None:
        self.faults.append(
            Fault(
                file=self.file,
                line=line,
                field=place_text(place),
                wanted=wanted,
                found=found,
                hint=hint,
            )
        )

    def next_place(self) -> Place:
        """Where the next value will stand."""
        if not self.stack:
            return ()
        top = self.stack[-1]
        return (*top.place, len(top.value) if isinstance(top.value, list) else top.key or "")

    def awaits_key(self) -> bool:
        """Whether the next scalar is the key of a mapping."""
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and not self.has_key()

    def has_key(self) -> bool:
        return self.stack[-1].key is not None

    def take_key(self, text: str, line: int) -> None:
        top = self.stack[-1]
        top.key, top.skips_value = text, False
        if text in top.value:
            top.skips_value = True
            place = (*top.place, text)
            first = self.lines.get(place)
            self.fault(line, place, "each key once", f"it again (first in line {first})")
        elif text == "<<":
            top.skips_value = True
            self.fault(line, (*top.place, text), "plain keys", "a merge key", "write the keys out")
        else:
            self.lines.setdefault((*top.place, text), line)

    def put(self, value: Any, line: int) -> None:
        """Hang a finished or just opened value into what is open."""
        place = self.next_place()
        if not self.stack:
            self.value = value
            self.lines[()] = line
            return
        top = self.stack[-1]
        if isinstance(top.value, list):
            self.lines.setdefault(place, line)
            top.value.append(value)
        elif not top.skips_value:
            top.value[top.key] = value
        if not isinstance(value, dict | list):
            top.key = None

    def open(self, value: Any, event: Any, line: int) -> None:
        if self.awaits_key():
            self.fault(line, self.stack[-1].place, "text as a key", "a list or a mapping")
            self.stack[-1].key, self.stack[-1].skips_value = "?", True
        place = self.next_place()
        self.put(value, line)
        self.stack.append(_Open(value, place, event.anchor, self.num_nodes))

    def close(self) -> None:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.value, self.num_nodes - done.nodes_before)
        if self.stack and isinstance(self.stack[-1].value, dict):
            self.stack[-1].key = None

    def alias(self, name: str, line: int) -> None:
        if name not in self.anchors:
            self.fault(line, self.next_place(), "an anchor that is complete above", f"*{name}")
            value: Any = None
        else:
            value, num_nodes = self.anchors[name]
            self.num_nodes += num_nodes
        if self.awaits_key():
            self.take_key(str(value), line)
            return
        self.put(value, line)
        if self.stack:
            self.stack[-1].key = None

    def scalar(self, event: Any, line: int) -> None:
        if self.awaits_key():
            self.take_key(event.value, line)
            return
        plain = event.implicit[0] and event.tag is None
        value = scalar_value(event.value) if plain else event.value
        if event.tag not in (None, "!", _TEXT_TAG):
            self.fault(line, self.next_place(), "plain values", f"the tag {event.tag}")
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        self.put(value, line)

    def document(self, line: int) -> bool:
        """Count a document; false when there is one too many."""
        self.num_documents += 1
        if self.num_documents > 1:
            self.fault(line, (), "one YAML document", "a second one after '---'")
        return self.num_documents == 1

    def within_limits(self, line: int) -> bool:
        self.num_nodes += 1
        if self.num_nodes > NODES_MAX:
            wanted = f"at most {NODES_MAX} values, aliases spelled out"
            self.fault(line, self.next_place(), wanted, "more")
        elif len(self.stack) > DEPTH_MAX:
            wanted = f"at most {DEPTH_MAX} levels of nesting"
            self.fault(line, self.next_place()[:4], wanted, "more")
        else:
            return True
        return False


def _grow(tree: _Tree, events: Iterator[Any]) -> None:
    """Feed the events of a document into the tree, until the end or a limit."""
    for event in events:
        line = event.start_mark.line + 1
        if not tree.within_limits(line):
            return
        match event:
            case yaml.DocumentStartEvent() if not tree.document(line):
                return
            case yaml.ScalarEvent():
                tree.scalar(event, line)
            case yaml.AliasEvent():
                tree.alias(event.anchor or "", line)
            case yaml.MappingStartEvent():
                tree.open({}, event, line)
            case yaml.SequenceStartEvent():
                tree.open([], event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                tree.close()


def _read_text(path: Path, name: str, what: str) -> str | Fault:
    """The text of a file, or why it cannot be had."""
    wanted = f"{what} (YAML, UTF-8)"

    def fault(found: str, *, line: int | None = None, hint: str = "") -> Fault:
        return Fault(file=name, line=line, field="file", wanted=wanted, found=found, hint=hint)

    try:
        if path.is_dir():
            return fault("a folder", hint=f"name the file in it, e.g. {name}/site.yaml")
        size_bytes = path.stat().st_size
        if size_bytes > SIZE_MAX_BYTES:
            hint = f"at most {SIZE_MAX_BYTES // 1_000_000} MB; keep geometry in layers beside it"
            return fault(f"{size_bytes} bytes", hint=hint)
        data = path.read_bytes()
    except (OSError, ValueError) as exc:
        return fault(getattr(exc, "strerror", None) or str(exc))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        return fault(f"the byte 0x{data[exc.start]:02x}", line=line, hint="save it as UTF-8")


def _syntax_fault(exc: yaml.YAMLError, text: str, name: str) -> Fault:
    """What the YAML parser stumbled over, and in which line."""
    mark = getattr(exc, "problem_mark", None)
    position = getattr(exc, "position", None)
    if mark is not None:
        line = mark.line + 1
    else:
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else None
    found = getattr(exc, "problem", None) or getattr(exc, "reason", None) or "something else"
    context = getattr(exc, "context", None)
    found = f"{found} {context}" if context else str(found)
    hint = "indent with spaces; quote texts that hold ': ' or '#'"
    found = found.removeprefix("found ")
    return Fault(file=name, line=line, field="file", wanted="YAML", found=found, hint=hint)


def read_yaml(path: Path, what: str = "a site file") -> LinedYaml:
    """What a YAML file holds, with lines and faults; the value is None where nothing can be had.

    `what` is what people are told that the file should be.
    """
    name = str(path)
    text = _read_text(path, name, what)
    if isinstance(text, Fault):
        return LinedYaml(file=name, value=None, lines={}, faults=(text,))
    tree = _Tree(name)
    try:
        _grow(tree, yaml.parse(text, Loader=_Loader))
    except yaml.YAMLError as exc:
        fault = _syntax_fault(exc, text, name)
        return LinedYaml(file=name, value=None, lines={}, faults=(*tree.faults, fault))
    return LinedYaml(file=name, value=tree.value, lines=tree.lines, faults=tuple(tree.faults))
