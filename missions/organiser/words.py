"""What the organiser's papers say, in English and Chinese; English is the key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymist.coverage.hours import DAY_S, clock_text
from skymist.coverage.organising import Substance
from skymist.coverage.plan import Reason
from skymist.coverage.words import Language, say
from skymist.missions.defaults import packaged
from skymist.missions.organiser.chinese import CHINESE

if TYPE_CHECKING:
    from skymist.coverage.hours import Start
    from skymist.coverage.organising import Product
    from skymist.coverage.site import Agent, Kind, Site

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
    return said(language, text).format(**values)


def said(language: Language, text: str) -> str:
    """The text in the language as it stands, braces and all: for names."""
    return CHINESE.get(text, text) if language is Language.CHINESE else text


def has_text(text: str) -> bool:
    """Whether a text stands in every language."""
    return text in CHINESE


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
    return said(language, agent_of(site, agent_id).name)


def product_text(language: Language, product: Product) -> str:
    """What a product is called."""
    return said(language, product.name)


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
