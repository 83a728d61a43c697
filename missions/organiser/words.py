"""What the organiser's papers say, in English and Chinese; English is the key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymist.coverage.hours import DAY_S, clock_text
from skymist.coverage.organising import Substance
from skymist.coverage.plan import Reason
from skymist.coverage.words import Language, say
from skymist.missions.defaults import packaged

if TYPE_CHECKING:
    from skymist.coverage.hours import Start
    from skymist.coverage.organising import Product
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
    # mixing sheet
    "Mixing sheet": "配药单",
    "Mixed in batches": "分批配制",
    "Tank by tank": "逐箱加注",
    "Personal protection": "个人防护",
    "Never together": "严禁混合",
    "mixed": "配制批次",
    "tank or post": "药箱或责任岗",
    "product": "产品",
    "product mL": "产品 mL",
    "water mL": "水 mL",
    "working solution L": "工作液 L",
    "needed": "使用时间",
    "throw away by": "废弃时间",
    "mixed at, by": "配制时间、签名",
    "filled, by": "加注签名",
    "before filling": "加注前",
    "first {text}": "首次 {text}",
    "as its label says": "按标签配制",
    "no product named": "未指定产品",
    "rinse the tank with clean water": "用清水冲洗药箱",
    "throw away {litres} L, rinse with clean water": "倒掉 {litres} L，用清水冲洗",
    "on foot, {post}": "人工，{post}",
    "Mix when it is needed, not before. What is left is thrown away at the time given, counted "
    "from the first filling; sooner where the label says so. Test the strength with strips.": (
        "现配现用，不提前配制。余液按所列时间废弃（自首次加注起算），标签更短的按标签。"
        "用试纸检测浓度。"
    ),
    "{product}: {strength} % available chlorine, 1 part to {water} parts of water": (
        "{product}：有效氯 {strength}%，1 份产品加 {water} 份水"
    ),
    "{product}: {share} mL in one litre of working solution, as its label says": (
        "{product}：每升工作液 {share} mL，按标签"
    ),
    "{agent}: no product is named. Mix it as the label of yours says, or name it in the site file "
    "under organiser: products.": (
        "{agent}：未指定产品。请按所用产品标签配制，或在场地文件 organiser: products 中写明。"
    ),
    "{pair} make {what}": "{pair} 混合产生{what}",
    "84 bleach (sodium hypochlorite)": "84 消毒液（次氯酸钠）",
    "Officer in charge": "负责人",
    "Operator": "操作员",
    "{who}, date": "{who}（签名、日期）",
}
_SUBSTANCES = {
    Substance.HYPOCHLORITE: ("hypochlorite (bleach)", "次氯酸盐（84 消毒液等）"),
    Substance.ISOCYANURATE: ("chlorinated isocyanurate (tablets)", "氯代异氰尿酸盐（泡腾片等）"),
    Substance.ACID: ("acid (toilet cleaner, vinegar)", "酸（洁厕灵、醋等）"),
    Substance.AMMONIA: ("ammonia (window cleaner)", "氨（含氨清洁剂）"),
    Substance.QUATERNARY: ("quaternary ammonium", "季铵盐"),
    Substance.ALCOHOL: ("alcohol", "酒精"),
    Substance.PEROXIDE: ("hydrogen peroxide", "过氧化氢（双氧水）"),
    Substance.PYRETHROID: ("pyrethroid", "拟除虫菊酯"),
    Substance.ORGANOPHOSPHATE: ("organophosphate", "有机磷"),
    Substance.BTI: ("Bti", "苏云金杆菌（Bti）"),
    Substance.SURFACTANT: ("surfactant", "表面活性剂"),
    Substance.OTHER: ("other", "其他"),
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


def product_text(language: Language, product: Product) -> str:
    """What a product is called."""
    return _in(language, product.name)


def substance_text(language: Language, substance: Substance) -> str:
    """What a substance is called, with where people meet it."""
    return _SUBSTANCES[substance][language is Language.CHINESE]


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
