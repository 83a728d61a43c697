"""The Chinese of what reports say themselves; English is the key."""

from __future__ import annotations

LABELS = {
    # joints
    ": ": "：",
    ", ": "，",
    ". ": "。",
    "{who}, date": "{who}签字，日期",
    "{count} {outcome}": "{outcome} {count} 处",
    # what it is
    "Rehearsal report": "演练报告",
    "Treatment record": "处置记录",
    "Disinfection process record": "消毒过程记录表",
    "after WS/T 774-2021, annex A": "参照 WS/T 774-2021 附录 A",
    "REHEARSAL": "演练",
    "REHEARSAL, as applied": "演练，实际喷洒",
    "REHEARSAL: nothing was sprayed": "演练：未喷洒药剂",
    "Flown on simulated drones.": "由模拟无人机飞行。",
    "Nothing was sprayed; no place was treated.": "未喷洒任何药剂；未处置任何地点。",
    "no place was treated.": "未处置任何地点。",
    "rehearsal on simulated drones": "模拟无人机演练",
    "flight on real drones": "真实无人机飞行",
    # facts
    "{began} to {finished} {zone}": "{began} 至 {finished}（{zone}）",
    "Site": "地点",
    "Place": "消毒地点",
    "Date": "日期",
    "Kind": "性质",
    "Drones": "无人机",
    "none flew": "无",
    "Operator": "操作人",
    "Supervisor": "监督人",
    "Responsible post": "责任岗",
    "Weather": "天气",
    "not told": "未填写",
    "Began": "开始",
    "Ending": "结束情况",
    "Sorties": "架次",
    "{sorties}, with {refills} refills and {swaps} battery swaps": (
        "{sorties} 架次，加药 {refills} 次，换电池 {swaps} 次"
    ),
    "Agents": "药剂",
    "{strength} mg/L available chlorine": "有效氯 {strength} mg/L",
    "none": "无",
    "Doses": "剂量依据",
    "reckoned from pump output along the way flown, not measured by a sensor": (
        "按飞行途中水泵输出推算，非传感器实测"
    ),
    "the crew looked into the tank after {looked} of {landings} landings": (
        "{landings} 次降落中有 {looked} 次查看了药箱"
    ),
    "{off} times it was not as reckoned": "其中 {off} 次与推算不符",
    "Rules": "规则",
    "policy packs {packs}": "规则包 {packs}",
    "{rule}: waived by {by} until {until}: {reason}": (
        "{rule}：由 {by} 豁免，有效期至 {until}：{reason}"
    ),
    "{rule}: the waiver of {by} had ended on {until}, the rule held: {reason}": (
        "{rule}：{by} 的豁免已于 {until} 到期，规则有效：{reason}"
    ),
    "Software": "软件",
    "Map data": "地图数据",
    "as given by the site's owner": "由场所管理方提供",
    "Record": "飞行记录",
    # in short
    "In short": "概要",
    "{share} of the planned {area} m² got 80 % of the dose or more": (
        "计划的 {area} m² 中，{share} 达到要求剂量的 80 % 以上"
    ),
    "of the planned {area} m² at 80 % of its dose or more": (
        "计划面积 {area} m² 中达到剂量 80 % 以上"
    ),
    "spots treated ({share} or more of the target)": "处已处置（目标面积 {share} 以上达标）",
    "in part": "处部分处置",
    "spots with work for the ground crew from the start": "处自计划起即留给人工",
    "put out, {litres} L of it outside the targets": "喷洒总量，其中 {litres} L 落在目标之外",
    "from first take-off to last landing": "首次起飞至末次降落",
    "of no-spray areas wetted ({litres} L)": "禁喷区被喷湿（{litres} L）",
    "{treated} of {spots} planned spots treated, {partial} in part, {missed} missed; "
    "{ground} left to the ground crew by the plan": (
        "计划 {spots} 处：已处置 {treated} 处，部分处置 {partial} 处，未处置 {missed} 处；"
        "另有 {ground} 处按计划由人工处置"
    ),
    "{litres} L put out, {outside} L outside the targets": (
        "喷洒 {litres} L，其中 {outside} L 落在目标之外"
    ),
    "{area} m² of no-spray areas wetted directly ({litres} L)": (
        "禁喷区直接喷湿 {area} m²（{litres} L）"
    ),
    "{share} of {area} m² at 80 % of the dose or more · {litres} L, {outside} L of it outside the "
    "targets": (
        "{area} m² 中 {share} 达到剂量 80 % 以上 · 喷洒 {litres} L，{outside} L 落在目标之外"
    ),
    "Before you rely on this": "使用前须知",
    # productivity
    "Productivity": "作业效率",
    "ground at its dose": "达标面积",
    "liquid put out": "喷洒总量",
    "{minutes} min": "{minutes} 分钟",
    "people at work": "作业人数",
    "ground in an hour": "每小时达标面积",
    "liquid in an hour": "每小时喷洒量",
    "ground by each person in an hour": "每人每小时达标面积",
    "{area} m² per person and hour": "{area} m²/人·小时",
    # the map, what was missed, what must stay dry
    "What was put out, and where": "喷洒位置与剂量",
    "Map of {site}: applied dose in mL/m², spots outlined by result; {treated} treated, {partial} "
    "in part, {missed} missed.": (
        "{site} 地图：实际剂量（mL/m²），各处按结果勾边；已处置 {treated}，部分 {partial}，"
        "未处置 {missed}。"
    ),
    "From recorded position and pump output, 0.25 m cells. The wind is not counted.": (
        "依据记录的位置与水泵输出，网格 0.25 m。未计风的影响。"
    ),
    "What was missed, and why": "未处置及原因",
    "Nothing: every planned spot got its dose on {share} or more of the target.": (
        "无：计划的每一处均有 {share} 以上的目标面积达到剂量。"
    ),
    "Nothing.": "无。",
    "Spot": "死角",
    "Result": "结果",
    "At dose": "达标",
    "Reason": "原因",
    "Areas that must stay dry": "禁喷区",
    "Wetted: {dose} mL/m² or more fell there directly; drift is not counted.": (
        "喷湿：直接落下 {dose} mL/m² 以上；未计飘移。"
    ),
    "Area": "区域",
    "Why": "缘由",
    "Wetted m²": "喷湿 m²",
    "Litres": "升",
    "None of the site's {number} no-spray areas got any spray directly.": (
        "本地 {number} 处禁喷区均未被直接喷到。"
    ),
    # spot by spot
    "Spot by spot": "逐处结果",
    'Doses are means over the target; times are {zone}. "mg/m²" is available chlorine. '
    '"Wait until" ends the agent\'s contact time.': (
        "剂量为目标面积均值；时间为 {zone}。mg/m² 指有效氯。“作用至”为药剂作用时间结束。"
    ),
    "Level": "等级",
    "Post": "责任岗",
    "Target m²": "目标 m²",
    "m²": "m²",
    "L": "L",
    "mg/L": "mg/L",
    "mL/m² given / asked": "mL/m² 实际 / 要求",
    "mg/m² given / asked": "mg/m² 实际 / 要求",
    "Start, end": "开始、结束",
    "Start": "开始",
    "End": "结束",
    "Wait until": "作用至",
    "Drone": "无人机",
    "Label": "说明",
    "No spot was planned for a drone.": "没有计划由无人机处置的死角。",
    "Object": "消毒对象",
    "Zone": "区域",
    "Agent": "消毒剂",
    "Method": "方式",
    "Remarks": "备注",
    "aerial spray": "无人机喷洒",
    "aerial spray, vector control": "无人机喷洒（病媒控制）",
    "mist": "喷雾",
    # the ground crew
    "For the ground crew": "人工处置清单",
    "Left to people on foot by the plan.": "按计划留给人工处置。",
    "Part": "范围",
    "whole": "全部",
    "rest": "其余",
    # how to read it
    "How to read this": "阅读说明",
    "All figures come from the drones' recorded positions and pump output, not from the plan. "
    '"At dose" is the share of a target that got at least 80 % of the dose asked for; a spot '
    "counts as treated from {share} of the target on.": (
        "所有数字来自无人机记录的位置与水泵输出，而非计划。“达标”指目标面积中至少得到要求剂量 "
        "80 % 的比例；达到目标面积的 {share} 即计为已处置。"
    ),
    "Norms for surfaces ask for 100 to 300 mL/m² of 500 to 2000 mg/L available chlorine and 30 to "
    '60 min of contact, after cleaning. Where less was given the table says so: "below the '
    'surface dose" where the dose of the spot\'s level was not reached, "below the surface norm" '
    "where that dose itself is less than 100 mL/m². Vector control is another purpose with far "
    "smaller doses.": (
        "物体表面消毒规范要求清洁后以有效氯 500 至 2000 mg/L 的消毒液 100 至 300 mL/m² 作用 30 至 "
        "60 分钟。不足之处表中注明：“低于表面剂量”指未达到该等级要求的剂量，“低于表面规范”指该剂量"
        "本身低于 100 mL/m²。病媒控制目的不同，剂量小得多。"
    ),
    "This shows what was put out and where. It measures neither contact time nor any effect on "
    "germs or insects, and it does not count the wind.": (
        "本报告说明喷洒了什么、喷在何处；未测量作用时间，也未测量对病菌或昆虫的效果，未计风的影响。"
    ),
    "All figures come from the drones' recorded positions and pump output, not from the plan. "
    "They show what was put out and where; neither contact time nor any effect on germs or "
    "insects was measured, and the wind is not counted.": (
        "所有数字来自无人机记录的位置与水泵输出，而非计划。它们说明喷洒了什么、喷在何处；未测量作用"
        "时间，也未测量对病菌或昆虫的效果，未计风的影响。"
    ),
    "Made by {software} from {record}, SHA-256 {hash}.": (
        "由 {software} 依据 {record} 生成，SHA-256 {hash}。"
    ),
    "To be kept for a year at least. The report with the same hash holds the map.": (
        "至少保存一年。哈希值相同的报告附有地图。"
    ),
    # what may honestly be said of a spot
    "vector control, not a surface dose": "病媒控制，非表面剂量",
    "mist: below the surface dose": "喷雾：低于表面剂量",
    "below the surface dose": "低于表面剂量",
    "dose of its level reached, below the surface norm": "达到等级剂量，低于表面规范",
    "surface dose reached": "达到表面剂量",
    # kinds of spot
    "refuse station": "垃圾屋",
    "refuse point": "垃圾投放点",
    "transfer station": "垃圾转运站",
    "back alley": "背街小巷",
    "gap": "楼间缝隙",
    "flat roof": "天台",
    "septic cover": "化粪池盖",
    "manhole cover": "井盖",
    "open drain": "明沟",
    "bike shed": "自行车棚",
    "roofed market": "农贸市场",
    "green belt": "绿化带",
    "public toilet": "公厕",
    "demolition site": "拆迁工地",
    "building site": "建筑工地",
    "parking yard": "停车场",
    "yard": "院子",
}
"""Words and sentences of the report's own."""
