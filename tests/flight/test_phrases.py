"""No reason, alert or ending of ours stays English in a Chinese view: all that the code can say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from skymist.coverage import mapmarks
from skymist.coverage.site import LevelName
from skymist.flight.chinese.events import EVENT_LABELS
from skymist.flight.chinese.flights import FLIGHT_PHRASES
from skymist.flight.chinese.terminal import TERMINAL_LABELS
from skymist.flight.chinese.vehicles import VEHICLE_PHRASES
from skymist.flight.conductor import obeying
from skymist.flight.conductor.orders import HELP
from skymist.flight.conductor.phases import Phase
from skymist.flight.safety import monitor
from skymist.flight.terminal.display import event_text
from skymist.flight.terminal.wording import BOOK, CHINESE, ENGLISH, OWN
from skymist.missions.phrasebook import NESTED, Phrasebook
from skymist.missions.plan_phrases import PLAN_PHRASES
from tests.flight.said import PLACE, english_left, texts_said

ROOT = Path(__file__).resolve().parents[2]
TABLES = {**PLAN_PHRASES, **FLIGHT_PHRASES, **VEHICLE_PHRASES}
ELSEWHERE = {
    *("city", "cli", "crew", "display", "dronekit_face", "engines", "file_transfer", "forward"),
    *("journal", "keyring", "lawful", "links", "operation", "report", "report_page"),
    *("report_pdf", "restore", "serial_link", "treatment_form", "treatment_record"),
}
"""Modules of `flight` whose words no record holds: of files, and of the terminal."""
APART = ("chinese", "commands", "dashboard")
PLANNING = ("treat", "passes", "sorties", "dayplan", "remainder")
"""Modules of `coverage` that say why a place is left to people on foot."""
OTHERWISE = frozenset(
    {
        # for the person at the terminal, before a flight or where the program ends
        "what is left: \0",
        "if you have seen it down and it flies no more: --without \0",
        "\0: wanted the share that is left in its battery, found none told",
        "nothing was started: \0",
        "the record fails: \0",
        "\0: wanted a new folder, found an earlier record",
        HELP,
        "\nand \0 more",
        "fence breached",
        "rest of \0 m2; \0",
        "\0: started_utc: wanted a time, found \0",
        # what the code alone looks at, or asks another way when it hears it
        "Heard[M] | None",
        "unreadable file: \0",
        "the file changed while it was read",
        "\0: \0 may not follow \0",
        # the link in the live table of the terminal
        "\0 lost",
        "\0 ms",
        "rssi \0/\0",
        # pieces of texts, or texts of choices, which are tested whole below
        " as asked",
        "\0; \0 \0 left",
        "\0: link lost (\0)\0; last seen \0",
        "ahead of",
        "it lies \0 m from its pad, armed in ",
        " It was disarmed",
        " Keep away until its power is cut",
        "\0 lies here",
        " at item \0",
        "to clear its",
        "to show its",
        "level \0: cleaned by people, no drone unless the site says so",
    }
)
WHOLE = (
    "vehicle 1: wanted Heartbeat as asked within 5 s, none came",
    "done: 4 of 4 sorties flown",
    "incomplete: 2 drones hold their first mission; nothing armed without --arm",
    "incomplete: 3 of 4 sorties flown; the operator stopped the operation; 1 spot left",
    "vehicle 1: refused the mission at item 7: DENIED",
    "vehicle 1: refused to clear its fence: DENIED",
    "vehicle 1: refused to show its rally: UNSUPPORTED",
    "heron: it lies 3 m from its pad, armed in LAND: did it fall? It was disarmed",
    "it lies 3 m from its pad, armed in LAND: did it fall? Keep away until its power is cut",
    "its signing clock is 40 s ahead of this machine's",
    *(f"level {level}: cleaned by people, no drone unless the site says so" for level in LevelName),
)
"""Texts as they come out where the code puts them together."""


def said() -> list[tuple[str, str]]:
    files = [
        path
        for path in (ROOT / "flight").rglob("*.py")
        if path.stem not in ELSEWHERE and path.parent.name not in APART
    ]
    files += [ROOT / "coverage" / f"{name}.py" for name in PLANNING]
    return [
        (f"{path.parent.name}/{path.name}:{line}", text)
        for path in files
        for line, text in texts_said(path)
        if text not in OTHERWISE
    ]


def test_all_that_the_code_can_say_stands_in_chinese() -> None:
    texts = said()
    assert len(texts) > 200
    left = {
        f"{where}: {text!r} -> {told!r}"
        for where, text in texts
        if english_left(told := CHINESE.told(text.strip(" ;:,").replace(PLACE, "7")))
    }
    assert not left, "\n".join(sorted(left))


@pytest.mark.parametrize("text", WHOLE)
def test_what_is_put_together_of_pieces_stands_in_chinese(text: str) -> None:
    assert not english_left(CHINESE.told(text).replace("Heartbeat", "").replace("heron", ""))


def test_texts_are_found_in_code_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "m.py"
    file.write_text(
        '"""A docstring here."""\n'
        "def f(a: 'Some | None'):\n"
        '    log.info("a log line")\n'
        '    if a: raise FormatError("bad usage here")\n'
        "    return f\"at {a:.1f} m{' or more' if a else ''}\", 'two words', 'one'\n",
        encoding="utf-8",
    )
    assert sorted(text for _, text in texts_said(file)) == [
        " or more",
        f"at {PLACE} m{PLACE}",
        "two words",
    ]


def test_a_text_that_nobody_translated_would_be_found() -> None:
    assert english_left(CHINESE.told("the drone has turned into a bird")) != []


@pytest.mark.parametrize("table", [TABLES, EVENT_LABELS, TERMINAL_LABELS])
def test_places_are_the_same_in_both_languages(table: dict[str, str]) -> None:
    for english, chinese in table.items():
        places = re.findall(r"\{\w+\}", english)
        assert sorted(places) == sorted(re.findall(r"\{\w+\}", chinese)), english
        assert len(set(places)) == len(places), english


def test_each_phrase_is_taken_for_itself() -> None:
    """No other phrase, with more words of its own, swallows it."""
    for english, chinese in TABLES.items():
        places = dict.fromkeys(re.findall(r"\{(\w+)\}", english))
        values = {name: str(100 + k) for k, name in enumerate(places)}
        assert BOOK.told(english.format(**values)) == chinese.format(**values), english


def test_every_letter_has_a_glyph() -> None:
    texts = [*TABLES.values(), *EVENT_LABELS.values(), *TERMINAL_LABELS.values()]
    assert mapmarks.without_glyphs(texts) == ""
    assert set("".join(TABLES.values())) - {"{", "}"} <= BOOK.letters | set("{}")


def test_what_is_put_together_is_taken_apart() -> None:
    told = CHINESE.told
    assert told(
        "heron: link lost (the other side closed it); in the air the mission's own "
        "interlock holds; last seen AUTO, armed, 12.0 m above home, item 7, 'Mission: 7 Sprayer', "
        "0.4 s ago"
    ) == (
        "heron：链路中断（对方关闭）；空中任务自带的联锁仍有效；"
        "最后所见 AUTO，已解锁，起飞点以上 12.0 m，第 7 项，'Mission: 7 Sprayer'，0.4 秒前"
    )
    assert told("vehicle 3: refused arming: DENIED (PreArm: Battery below minimum)") == (
        "3 号机：拒绝解锁：“DENIED (PreArm: Battery below minimum)”"
    )
    assert told("heron flies no more: heron-02 failed: its fence stopped it") == (
        "heron 停飞：heron-02 失败：被围栏拦停"
    )


def test_names_stay_whatever_they_are_called() -> None:
    """A spot may be called `yard`, a drone `mission`: neither is a word of ours."""
    assert CHINESE.told("yard is to be skipped") == "yard 按指令跳过"
    assert CHINESE.told("drone mission is not connected") == "无人机 mission 未连接"
    assert "yard" in event_text(
        "skipped", {"spot_id": "yard", "sortie_id": "home", "reason": "battery low"}, CHINESE
    )


def test_what_is_not_known_stays_and_stands_in_quotes_within_ours() -> None:
    assert CHINESE.told("EKF3 lane switch 1") == "EKF3 lane switch 1"
    assert CHINESE.told("sent home: a thing unheard of") == "令其返航：“a thing unheard of”"
    assert CHINESE.told("odd {braces} stay") == "odd {braces} stay"
    assert ENGLISH.told("battery low") == "battery low"


def test_a_book_prefers_the_phrase_with_more_words_of_its_own() -> None:
    book = Phrasebook({"{what} left": "剩{what}", "{n} spots left": "剩 {n} 处"})
    assert book.told("3 spots left") == "剩 3 处"
    assert "what" in NESTED


def test_every_word_of_the_log_has_its_chinese() -> None:
    for word in ("pause", "continue", "skip", "home", "stop", "wind"):
        assert word in OWN
    for name in ("INFO", "WARNING", "ERROR", "done", "incomplete", "aborted"):
        assert name in OWN
    assert {severity.upper() for severity in monitor.Severity} <= set(OWN)
    refused = {str(p) for p in (Phase.RETURNING, Phase.PILOT, Phase.LOST, Phase.HOLDING)}
    assert refused <= set(BOOK.exact)
    assert obeying.Verb.PAUSE in OWN
