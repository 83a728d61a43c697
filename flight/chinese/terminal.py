"""The Chinese of what `skymist report` prints in the terminal; English is the key."""

from __future__ import annotations

TERMINAL_LABELS = {
    "REHEARSAL at {site}": "演练：{site}",
    "Treatment at {site}": "处置：{site}",
    "planned spots": "计划死角",
    "{number}: {counts}": "{number} 处：{counts}",
    "at the dose": "达标",
    "{share} of {area} m2 got 80 % of its dose or more": "{area} m² 中 {share} 达到剂量 80 % 以上",
    "liquid": "药液",
    "{litres} L, {outside} L of it outside the targets": (
        "{litres} L，其中 {outside} L 落在目标之外"
    ),
    "no-spray areas": "禁喷区",
    "{area} m2 sprayed directly": "直接喷湿 {area} m²",
    "in the field": "现场用时",
    "{minutes} min, {sorties} sorties": "{minutes} 分钟，{sorties} 架次",
    "ending": "结束情况",
    "spot": "死角",
    "result": "结果",
    "reason": "原因",
    "Missed, whole or in part": "未处置或部分处置",
    "note: {why}": "注意：{why}",
    "report: {path}": "报告：{path}",
    "missed site: {path}": "未处置死角的场所文件：{path}",
    "missed site: none written, nothing was missed": "未写场所文件：没有遗漏",
}
