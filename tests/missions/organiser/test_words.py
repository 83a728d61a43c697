"""The organiser's papers in Chinese: every text has its translation, every letter its glyph."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from skymist.coverage import mapmarks
from skymist.coverage.hours import Start
from skymist.coverage.plan import Reason
from skymist.coverage.site import Kind
from skymist.coverage.words import Language
from skymist.missions.defaults import default_agents
from skymist.missions.organiser import words
from skymist.missions.organiser.chinese import CHINESE
from skymist.missions.organiser.roster import HEADS, PDF_HEADS

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "missions" / "organiser"
HELD = {"m²"}


def texts_told() -> set[str]:
    """Every constant that is handed to `tell`, read in the source."""
    found = set()
    for path in (*FOLDER.glob("*.py"), ROOT / "flight" / "commands" / "cost.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tell":
                for part in ast.walk(node.args[1]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        found.add(part.value)
    return found


def test_every_text_stands_in_chinese_and_asks_for_the_same_values() -> None:
    told = texts_told() | {*HEADS, *PDF_HEADS} - HELD
    assert len(told) > 15
    assert not [text for text in told if not words.has_text(text)]
    for english, chinese in CHINESE.items():
        assert set(re.findall(r"\{(\w+)", chinese)) <= set(re.findall(r"\{(\w+)", english)), english


def test_every_letter_has_a_glyph() -> None:
    written = "".join(CHINESE.values()) + "".join(words._REASONS.values())
    for name in ("mixtures.yaml", "protection.yaml", "prices.yaml"):
        written += (ROOT / "missions" / "data" / name).read_text(encoding="utf-8")
    assert not mapmarks.without_glyphs([written])


def test_reasons_kinds_and_built_in_agents_have_chinese() -> None:
    assert set(words._REASONS) == set(Reason)
    for kind in Kind:
        assert re.search(r"[\u4e00-\u9fff]", words.kind_text(Language.CHINESE, kind))
    assert not [agent.name for agent in default_agents() if not words.has_text(agent.name)]


def test_slots_are_never_too_short() -> None:
    start = Start(clock_s=7 * 3600.0, date="2026-07-01")
    assert words.slot_text(Language.ENGLISH, start, 59.0, 61.0) == "07:00-07:02"
    assert words.slot_text(Language.CHINESE, start, None, None) == "另行商定"
    assert words.clock_after(start, 60.0) == "07:01"
    assert words.clock_after(start, 17 * 3600.0 - 1) == "00:00"
    assert words.day_text(Language.ENGLISH, start, 1) == "2026-07-02"
    assert words.day_text(Language.CHINESE, Start(clock_s=0), 1) == "第 2 天"


def test_no_translation_is_left_over() -> None:
    written = set()
    commands = ROOT / "flight" / "commands"
    for path in (
        *FOLDER.glob("*.py"),
        *(commands / f"{name}.py" for name in ("cost", "mix", "notice", "roster")),
        ROOT / "flight" / "reporting" / "costing.py",
        *(ROOT / "missions" / "data").glob("*.yaml"),
    ):
        if path.name != "chinese.py":
            text = path.read_text(encoding="utf-8")
            is_code = path.suffix == ".py"
            nodes = ast.walk(ast.parse(text)) if is_code else ()
            written |= {n.value for n in nodes if isinstance(n, ast.Constant)}
            written |= set(re.findall(r"name: (.+?)\s*$", text, re.M))
    assert not [key for key in CHINESE if key not in written]
