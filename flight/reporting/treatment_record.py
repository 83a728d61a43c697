"""The disinfection record as a table: a line a spot, with what the usual form asks for.

The columns are those that DOMAIN names for a record kept at least a year (WS/T 774-2021, Annex A
is the usual form): date, start and end, zone, object, area, agent, concentration, volume, method,
contact time, operator, supervisor, result. English and Chinese stand in one head line, so that one
file serves both. What nobody told is left empty to be written in, never made up.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from skymist.flight.terminal.wording import ENGLISH, Wording
from skymist.missions.tables import inert

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = (
    "date 日期",
    "start 开始",
    "end 结束",
    "clock 时区",
    "zone 区域",
    "responsible post 责任岗",
    "object 消毒对象",
    "kind 类型",
    "level 等级",
    "area treated m2 消毒面积",
    "agent 消毒剂",
    "concentration mg/L 有效氯浓度",
    "volume L 用量",
    "dose given mL/m2 实际剂量",
    "dose asked mL/m2 要求剂量",
    "method 方法",
    "contact until 作用至",
    "drone 无人机",
    "operator 操作人",
    "supervisor 监督人",
    "weather 天气",
    "result 结果",
    "remarks 备注",
)
METHOD = {"surface": "aerial spray", "vector": "aerial spray, vector control", "broadcast": "mist"}


def treatment_record_csv(figures: dict[str, Any], wording: Wording = ENGLISH) -> str:
    """The table of a report's figures; times are of the wording's clock, named in a column."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in treatment_rows(figures, wording):
        writer.writerow([inert(row[name]) for name in COLUMNS])
    return out.getvalue()


def treatment_rows(figures: dict[str, Any], wording: Wording = ENGLISH) -> Iterator[dict[str, str]]:
    """A line a spot: each of `COLUMNS` and what stands there, empty where nobody told."""
    agents = {agent["id"]: agent for agent in figures["agents"]}
    people, say = figures.get("people", {}), wording.say
    for spot in figures["spots"]:
        agent = agents.get(spot["agent"], {"name": spot["agent"], "chlorine_mg_per_l": None})
        remarks = [say(spot["label"]), wording.told(spot["reason"])]
        if figures["is_rehearsal"]:
            remarks.insert(0, say("REHEARSAL: nothing was sprayed"))
        strength = agent["chlorine_mg_per_l"]
        cells = (
            wording.day(spot["started_utc"] or figures["started_utc"]),
            wording.clock(spot["started_utc"]),
            wording.clock(spot["ended_utc"]),
            wording.zone,
            spot["zone"] or "",
            spot["post"],
            spot["name"] or spot["id"],
            say(spot["kind"]),
            say(spot["level"]),
            f"{spot['target_m2'] * spot['dosed_frac']:.1f}",
            wording.told(agent["name"]),
            f"{strength:g}" if strength else "",
            f"{spot['litres']:.2f}",
            f"{spot['given_ml_per_m2']:.1f}",
            f"{spot['asked_ml_per_m2']:.1f}",
            say(METHOD.get(spot["mode"], spot["mode"])),
            wording.clock(spot["contact_until_utc"]),
            " ".join(spot["drones"]),
            people.get("Operator", ""),
            people.get("Supervisor", ""),
            people.get("Weather", ""),
            say(spot["outcome"]),
            "; ".join(text for text in remarks if text),
        )
        yield dict(zip(COLUMNS, cells, strict=True))
