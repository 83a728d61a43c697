"""Every text that modules can say, read out of their code: for tests that each has its Chinese."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BAD_USAGE = frozenset(
    {"ValueError", "TypeError", "FormatError", "PlanError", "SiteFileError", "PhaseError"}
)
"""Errors of bad input and of the program, told in English before anything flies."""
PLACE = "\0"
"""Stands in a text where a value is put in."""
_WORD = re.compile(r"[A-Za-z]{2,}")
OF_THE_TRADE = frozenset(
    (
        "mL",
        "mg",
        "Ctrl",
        "MAVLink",
        "ArduCopter",
        "ArduPilot",
        "Skymist",
        "skymist",
        "keys",
        "set",
        "arm",
    )
)
"""Units, programs and what is typed."""


def english_left(text: str) -> list[str]:
    """Words of a text that are neither codes in capitals nor of the trade."""
    return [w for w in _WORD.findall(text) if not w.isupper() and w not in OF_THE_TRADE]


def texts_said(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every literal or f-string with a space between words.

    Docstrings, log lines, annotations, names of tasks and threads, and errors of bad usage are no
    texts for people who fly.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed_over: set[ast.AST] = set()
    for node in ast.walk(tree):
        for part in _unsaid(node):
            passed_over.update(ast.walk(part))
        if isinstance(node, ast.JoinedStr):  # its own pieces; texts within its values count
            passed_over.update(v for v in node.values if isinstance(v, ast.Constant))
            passed_over.update(
                spec
                for value in node.values
                if isinstance(value, ast.FormattedValue) and value.format_spec
                for spec in ast.walk(value.format_spec)
            )
    for node in ast.walk(tree):
        if node not in passed_over:
            text = _text(node)
            if " " in text.strip() and any(letter.isalpha() for letter in text):
                yield node.lineno, text  # type: ignore[attr-defined]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else PLACE for v in node.values)
    return ""


def _unsaid(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node whose texts nobody is told."""
    match node:
        case ast.Expr(value=ast.Constant()):
            yield node
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
            yield node
        case (
            ast.Call(func=ast.Attribute(attr="create_task"))
            | ast.Call(func=ast.Name(id="create_task"))
        ):
            yield from (word.value for word in node.keywords if word.arg == "name")
        case ast.Raise(exc=ast.Call(func=ast.Name(id=name))) if name in BAD_USAGE:
            yield node
        case ast.AnnAssign():
            yield node.annotation
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            if node.returns is not None:
                yield node.returns
            yield from (a.annotation for a in ast.walk(node.args) if getattr(a, "annotation", None))
