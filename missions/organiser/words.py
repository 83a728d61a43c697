"""What the organiser's papers say, in English and Chinese; English is the key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymist.coverage.hours import DAY_S, clock_text
from skymist.coverage.plan import Reason
from skymist.coverage.words import Language, say
from skymist.missions.defaults import packaged

if TYPE_CHECKING:
    from skymist.coverage.hours import Start
    from skymist.coverage.site import Agent, Kind, Site

_CHINESE = {
    # names of built-in agents
    "chlorine disinfectant, 1000 mg/L available chlorine": "含氯消毒剂，有效氯 1000 mg/L",
    "chlorine disinfectant, 500 mg/L available chlorine": "含氯消毒剂，有效氯 500 mg/L",
    "mosquito larvicide (Bti), working solution as its label says": (
        "灭蚊幼剂（苏云金杆菌以色列亚种 Bti），按标签配制"
    ),
    "adult mosquito and fly control (pyrethroid), working solution as its label says": (
        "灭成蚊、灭蝇剂（拟除虫菊酯类），按标签配制"
    ),
    # roster
    "Roster": "值班表",
    "roster and responsibility map": "值班表与责任分布图",
    "day {n}": "第 {n} 天",
    "date": "日期",
    "zone": "片区",
    "post": "责任岗",
    "slot": "时段",
    "level": "等级",
    "by": "方式",
    "spot": "死角",
    "name": "名称",
    "kind": "类型",
    "agent": "药剂",
    "litres": "用量 L",
    "wait until": "等待至",
    "minutes of work": "用时 分钟",
    "drone and sortie, or why on foot": "架次，或人工原因",
    "done: by whom, when": "完成：签名、时间",
    "drone": "无人机",
    "ground crew": "人工",
    "ground crew, the rest": "人工（余下部分）",
    "to be agreed": "另行商定",
    "outside all zones": "片区外",
    "no post named": "未指定责任岗",
    "zone {zone}, {post}": "片区 {zone}，{post}",
    "Who answers for what": "责任分布",
    "Slots of drones are the plan's. People on foot keep {apart} min clear of the drones in "
    "their zone, and off a spot until its contact time is over.": (
        "无人机时段来自计划。人工时段与本片区无人机作业相隔 {apart} 分钟，"
        "且须等该处药剂作用时间结束。"
    ),
    "Litres on foot are those that the dose of the level asks for.": "人工用量按等级剂量计算。",
    "People on foot: {people} at each post, {hours}.": "人工：每岗 {people} 人，{hours}。",
    "Officer in charge": "负责人",
    "Operator": "操作员",
    "{who}, date": "{who}（签名、日期）",
}
_REASONS = {
    Reason.LEVEL_NOT_FLOWN: "该等级不用无人机，人工清洁或处置",
    Reason.TOO_NARROW: "通道过窄，无人机无法进入",
    Reason.UNDER_BUILDING: "位于建筑或檐下",
    Reason.NO_SPRAY: "紧邻禁喷区",
    Reason.ROOFED: "有顶棚，棚内人工处置",
    Reason.TOO_HIGH: "高于飞行上限",
    Reason.OUT_OF_REACH: "超出航程",
    Reason.NO_ACCESS: "离墙或屋边过近",
    Reason.BEYOND_TANK: "超出药箱容量",
    Reason.BELOW_PUMP: "所需流量低于水泵下限",
    Reason.NO_TIME: "当日时间不足",
    Reason.NO_WINDOW: "允许时段内无法飞行",
}


def tell(language: Language, text: str, **values: object) -> str:
    """The text in the language, its `{names}` filled in; English where there is no other."""
    return _in(language, text).format(**values)


def _in(language: Language, text: str) -> str:
    return _CHINESE.get(text, text) if language is Language.CHINESE else text


def has_text(text: str) -> bool:
    """Whether a text stands in every language."""
    return text in _CHINESE


def heading(text: str) -> str:
    """A text as the head of a column; units stay as they are."""
    return text if text == "m²" else text[:1].upper() + text[1:]


def level_text(language: Language, level: str) -> str:
    """A level with its letter, so that it can be read without its colour."""
    word = say(language, level)
    return word if language is Language.CHINESE else f"{word[0].upper()} {word}"


def kind_text(language: Language, kind: Kind) -> str:
    """A kind of spot as people say it."""
    if language is Language.CHINESE:
        return str(packaged("kinds.yaml")[kind.value]["words"][0])
    return kind.value.replace("_", " ")


def agent_text(language: Language, site: Site, agent_id: str) -> str:
    """What an agent is called."""
    return _in(language, agent_of(site, agent_id).name)


def agent_of(site: Site, agent_id: str) -> Agent:
    """The agent of this id."""
    return next(agent for agent in site.agents if agent.id == agent_id)


def reason_text(language: Language, reason: Reason | None, text: str) -> str:
    """Why something is left to people; `text` is the plan's own, in English."""
    return _REASONS[reason] if language is Language.CHINESE and reason is not None else text


def day_text(language: Language, start: Start, day: int) -> str:
    """A calendar day of a plan: its date, or a number where the plan has none."""
    if start.date:
        return start.at(day * DAY_S - start.clock_s)[:10]
    return tell(language, "day {n}", n=day + 1)


def clock(start: Start, plan_s: float) -> str:
    """A time of a plan by the clock of its day, as 07:05, to the minute before."""
    return clock_text((start.clock_s + plan_s) // 60 * 60 % DAY_S)


def clock_after(start: Start, plan_s: float) -> str:
    """The same to the minute after: nobody comes back too early."""
    return clock(start, math.ceil((start.clock_s + plan_s) / 60) * 60 - start.clock_s)


def slot_text(language: Language, start: Start, from_s: float | None, to_s: float | None) -> str:
    """From when to when, in whole minutes."""
    if from_s is None or to_s is None:
        return tell(language, "to be agreed")
    return f"{clock(start, from_s)}-{clock_after(start, to_s)}"
