"""The words on maps in English and Chinese; English is the key."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """What people read."""

    ENGLISH = "en"
    CHINESE = "zh"


_CHINESE = {
    "spray plan": "喷洒计划",
    "as applied": "实际喷洒",
    "{spots}: {drone} by drone, {part} partly, {crew} by ground crew": (
        "{spots}：无人机处置 {drone} 处，部分处置 {part} 处，人工处置 {crew} 处"
    ),
    "{spots}: {drone} by drone, {crew} by ground crew": (
        "{spots}：无人机处置 {drone} 处，人工处置 {crew} 处"
    ),
    "Map data: {source} · drawn by Skymist": "地图数据：{source} · Skymist 绘制",
    "Drawn by Skymist": "Skymist 绘制",
    "Blind spots": "卫生死角",
    "{level}: {count}, by drone {drone}": "{level}：{count} 处，无人机处置 {drone} 处",
    "red": "红色",
    "yellow": "黄色",
    "blue": "蓝色",
    "green": "绿色",
    "left to the ground crew (hollow)": "留给人工处置（空心）",
    "Flight": "飞行",
    "sprayed pass, flown this way": "喷洒航线及飞行方向",
    "{drone}: {sorties}, {litres} L, {time}": "{drone}：{sorties}，{litres} L，{time}",
    "{drone}: {sorties}, {litres} L": "{drone}：{sorties}，{litres} L",
    "Agents": "药剂",
    "Planned dose, mL/m²": "计划剂量，mL/m²",
    "Applied dose, mL/m²": "实际剂量，mL/m²",
    "wind {wind}": "风 {wind}",
    "Wind": "风",
    "planned for {wind}": "按 {wind} 规划",
    "flown up to {metres} m upwind of where the spray lands": "航线向上风偏移至多 {metres} 米",
    "Evenness": "均匀度",
    "dose varies by {share} at most ({spot})": "剂量变异系数至多 {share}（{spot}）",
    "Places": "场所",
    "building, darker is higher (to 40 m)": "建筑，色深者高（至 40 米）",
    "no spray": "禁喷区",
    "zone": "片区",
    "sensitive to drift: {kinds}": "对飘移敏感：{kinds}",
    "sensitive to drift": "对飘移敏感",
    "childcare": "托育点",
    "clinic": "诊所",
    "college": "学院",
    "hospital": "医院",
    "kindergarten": "幼儿园",
    "playground": "游乐场",
    "pond": "池塘",
    "school": "学校",
    "university": "大学",
    "water": "水体",
    "metres at them: to the spray that adds most drift": "其旁米数：至飘移贡献最大的喷洒处",
    "pad: take-off, landing, refill": "起降点：起飞、降落、加药",
    "Spots by result": "处置结果",
    "treated": "已处置",
    "partial": "部分处置",
    "missed": "未处置",
    "90% or more at the dose": "达标面积 90% 以上",
    "less of it": "不足 90%",
    "none of it": "未达标",
    "{outcome}: {count} ({meaning})": "{outcome}：{count} 处（{meaning}）",
    "not planned by drone: {count}": "不由无人机处置：{count} 处",
    "Flown": "已飞",
    "track of {drone}": "{drone} 航迹",
    "zone {zone}": "片区 {zone}",
    "spot {spot}": "死角 {spot}",
    # the built-in working solutions
    "chlorine disinfectant, 1000 mg/L available chlorine": "含氯消毒剂，有效氯 1000 mg/L",
    "chlorine disinfectant, 500 mg/L available chlorine": "含氯消毒剂，有效氯 500 mg/L",
    "mosquito larvicide (Bti), working solution as its label says": "灭蚊幼剂（Bti），按标签配制",
    "adult mosquito and fly control (pyrethroid), working solution as its label says": (
        "成蚊成蝇控制（拟除虫菊酯），按标签配制"
    ),
    "who answers for what": "责任分布图",
    "{count} zones, {posts} posts": "{count} 个片区，{posts} 个责任岗",
    "by drone {drone}, by ground crew {crew}": "无人机处置 {drone} 处，人工处置 {crew} 处",
    "{letter} {level}: {count}, by drone {drone}": ("{level}：{count} 处，无人机处置 {drone} 处"),
    "Zones by their worst spot": "片区（按最高等级着色）",
    "[{letter}] {level}: {count}": "[{letter}] {level}：{count} 个",
    "Posts": "责任岗",
    "no post named": "未指定责任岗",
    "and {count} more: see the roster": "另有 {count} 个，见值班表",
}
_NOUNS = {
    "spot": "{n} 处死角",
    "sortie": "{n} 架次",
    "drone": "{n} 架无人机",
}


def say(language: Language, text: str, **values: object) -> str:
    """The text in the language, its `{names}` filled in; English where there is no other."""
    found = _CHINESE.get(text, text) if language is Language.CHINESE else text
    return found.format(**values)


def named(language: Language, name: str) -> str:
    """What a thing of ours is called; a name that somebody gave stays as it is."""
    return _CHINESE.get(name, name) if language is Language.CHINESE else name


def has_words(text: str) -> bool:
    """Whether a text stands in every language."""
    return text in _CHINESE


def counted(language: Language, count: int, noun: str) -> str:
    """A number of things."""
    if language is Language.CHINESE:
        return _NOUNS[noun].format(n=f"{count:,}")
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def time_span(language: Language, span_s: float) -> str:
    """Hours and minutes."""
    hours, minutes = divmod(round(span_s / 60), 60)
    if language is Language.CHINESE:
        return f"{hours} 小时 {minutes:02d} 分" if hours else f"{minutes} 分钟"
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
