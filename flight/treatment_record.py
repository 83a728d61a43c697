"""The disinfection record as a table: a line a spot, with what the usual form asks for.

The columns are those that DOMAIN names for a record kept at least a year (WS/T 774-2021, Annex A
is the usual form): date, start and end, zone, object, area, agent, concentration, volume, method,
contact time, operator, supervisor, result. English and Chinese stand in one head line, so that one
file serves both. What nobody told is left empty to be written in, never made up.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from skymist.missions.tables import inert

COLUMNS = (
    "date 日期",
    "start 开始",
    "end 结束",
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


def treatment_record_csv(figures: dict[str, Any]) -> str:
    """The table of a report's figures; times are UTC, as the record has them."""
    agents = {agent["id"]: agent for agent in figures["agents"]}
    people = figures.get("people", {})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for spot in figures["spots"]:
        agent = agents.get(spot["agent"], {"name": spot["agent"], "chlorine_mg_per_l": None})
        started, ended = spot["started_utc"] or "", spot["ended_utc"] or ""
        remarks = [spot["label"], spot["reason"]]
        if figures["is_rehearsal"]:
            remarks.insert(0, "REHEARSAL: nothing was sprayed")
        row = (
            (started or figures["started_utc"])[:10],
            started[11:19],
            ended[11:19],
            spot["zone"] or "",
            spot["post"],
            spot["name"] or spot["id"],
            spot["kind"],
            spot["level"],
            f"{spot['target_m2'] * spot['dosed_frac']:.1f}",
            agent["name"],
            "" if not agent["chlorine_mg_per_l"] else f"{agent['chlorine_mg_per_l']:g}",
            f"{spot['litres']:.2f}",
            f"{spot['given_ml_per_m2']:.1f}",
            f"{spot['asked_ml_per_m2']:.1f}",
            METHOD.get(spot["mode"], spot["mode"]),
            (spot["contact_until_utc"] or "")[11:19],
            " ".join(spot["drones"]),
            people.get("Operator", ""),
            people.get("Supervisor", ""),
            people.get("Weather", ""),
            spot["outcome"],
            "; ".join(text for text in remarks if text),
        )
        writer.writerow([inert(str(cell)) for cell in row])
    return out.getvalue()
