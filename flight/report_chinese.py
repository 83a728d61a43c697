"""The Chinese of reports: what they say themselves, and what records and plans say in them."""

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

TOLD = {
    # how it ended
    "done: {what}": "完成：{what}",
    "incomplete: {what}": "未完成：{what}",
    "aborted: {what}": "中止：{what}",
    "{what}; the operator stopped the operation": "{what}；操作人中止作业",
    "{what}; 1 spot left": "{what}；剩余 1 处",
    "{what}; {number} spots left": "{what}；剩余 {number} 处",
    "{what}; nobody looked into the tank after 1 landing": "{what}；1 次降落后无人查看药箱",
    "{what}; nobody looked into the tank after {number} landings": (
        "{what}；{number} 次降落后无人查看药箱"
    ),
    "{number} of {all} sorties flown": "计划 {all} 架次，已飞 {number} 架次",
    "{number} drones hold their first mission; nothing armed without --arm": (
        "{number} 架无人机已载入首个任务；未加 --arm，未解锁"
    ),
    "all landed": "全部降落",
    "stopped at once": "立即停止",
    "cut short: the record has no end": "中断：记录没有结尾",
    "cut short: the record's last part has no end": "中断：记录最后一段没有结尾",
    # before you rely on this
    "The operation was taken up again once.": "作业曾接续一次。",
    "The operation was taken up again {number} times.": "作业曾 {number} 次接续。",
    "The record was cut short: what happened after its last line is not known.": (
        "记录中断：最后一行之后的情况不明。"
    ),
    "For {seconds} s the pump was on and no position was recorded; that spray is credited to no "
    "spot.": "有 {seconds} 秒水泵开启而无位置记录；该部分喷洒不计入任何一处。",
    "{litres} L of what the pumps put out count as given nowhere: sprayed off the height of every "
    "pass, or in sorties that a look into the tank does not bear out.": (
        "水泵喷出的 {litres} L 不计入任何一处：喷洒高度不在任何航段高度，"
        "或该架次与药箱查看结果不符。"
    ),
    "The plan was laid for wind of {wind}: spray is drawn as far downwind of the drone as that "
    "wind carries it.": "计划按风 {wind} 编制：喷洒落点按该风向下风方向绘制。",
    "Positions moved {ratio} times as far as the reported speeds say: clock and vehicle disagree "
    "(a simulator that lags, or faulty speeds); doses are as unsure.": (
        "位置移动距离为上报速度所示的 {ratio} 倍：时钟与无人机不一致（模拟器滞后或速度有误）；"
        "剂量同样不确定。"
    ),
    "{place}: line damaged (checksum), left out": "{place}：该行损坏（校验和），已略去",
    "{place}: does not follow the line before it: one is lost or altered": (
        "{place}：与前一行不衔接：有行丢失或被改动"
    ),
    # why a spot was missed
    "no spray on it is recorded": "没有喷到此处的记录",
    "{share} of it got the dose": "其 {share} 达到剂量",
    "told to skip it": "按指令跳过",
    "told to come home by {who}": "{who} 令其返航",
    "everything was stopped": "全部停止",
    "the operator stopped the operation": "操作人中止作业",
    "battery low": "电量低",
    "it never took off": "未曾起飞",
    "its fence stopped it": "被围栏拦停",
    "not back after {seconds} s": "{seconds} 秒后仍未返回",
    "sprayed in part: the pump was seen off": "部分喷洒：水泵曾停",
    "its tank was found empty where {litres} L should be left: nothing that it sprayed is "
    "proven": "药箱应剩 {litres} L 而实为空：其喷洒均无法证实",
    "{found} L were found in its tank where {litres} L should be left: {share} of what was "
    "reckoned came out": "药箱应剩 {litres} L 而实剩 {found} L：仅喷出推算量的 {share}",
    "it landed in {mode} before the end of its mission": "任务未完即以 {mode} 模式降落",
    "{drone} flies no more: {why}": "{drone} 停飞：{why}",
    "drone {drone} is not connected": "无人机 {drone} 未连接",
    "{sortie} failed: {why}": "{sortie} 失败：{why}",
    # why people on foot do it
    "too small to spray": "面积过小，无法喷洒",
    "level {level}: cleaned by people, no drone unless the site says so": (
        "{level}等级：由人工清洁，除非另行规定不用无人机"
    ),
    "a gap between buildings: no drone fits, treat it on foot": (
        "楼间缝隙：无人机无法进入，人工处置"
    ),
    "needs {height} m above home, the ceiling is {ceiling} m": (
        "需飞至起飞点以上 {height} m，限高 {ceiling} m"
    ),
    "{far} m from the nearest pad, the policy allows {most} m": (
        "距最近起降点 {far} m，规定至多 {most} m"
    ),
    "under a roof: sprayed around from the air, inside on foot (no live electrics)": (
        "有顶棚：四周由无人机喷洒，内部人工处置（避开带电设备）"
    ),
    "the roof's edge: {width} m kept dry, so that nothing runs down": (
        "天台边缘：留 {width} m 不喷，以免流下"
    ),
    "{area} m2 lie under a building or its eaves": "{area} m² 位于建筑或屋檐下",
    "{area} m2 lie on no-spray ground or at its edge: clean by hand": (
        "{area} m² 位于禁喷区内或边缘：人工清洁"
    ),
    "{area} m2 lie closer to a wall than the drone may fly ({keep} m from its centre)": (
        "{area} m² 离墙过近，无人机不得飞入（中心距墙 {keep} m）"
    ),
    "{area} m2 cannot be sprayed without wetting no-spray ground beside them": (
        "{area} m² 一喷即会弄湿旁边的禁喷区"
    ),
    "{area} m2 in corners that no pass fits": "{area} m² 位于航线覆盖不到的角落",
    "no room for a drone {width} m wide with {free} m on each side, and from above the roofs "
    "({height} m) the spray does not reach": (
        "宽 {width} m 的无人机两侧各留 {free} m 后无法通过，从屋顶以上（{height} m）喷洒又够不到"
    ),
    "asks for {dose} mL/m2, the least this drone gives is {least} mL/m2": (
        "要求 {dose} mL/m²，此机最小剂量为 {least} mL/m²"
    ),
    "too far from the pad for this drone's battery and tank": "离起降点过远，电池与药箱不足",
    "no flight of {minutes} min fits its hours ({hours}), those of the site and its closures": (
        "{minutes} 分钟的飞行排不进其时段（{hours}）、场所时段与封闭时段"
    ),
    "no time: all drones must be down after {minutes} min": (
        "时间不够：所有无人机须在 {minutes} 分钟内降落"
    ),
    "no time: what comes first takes all of its hours of {days}": (
        "时间不够：更优先的任务已占满 {days} 内其全部时段"
    ),
    "the day": "当天",
    "{number} days": "{number} 天",
    "no way from {start} to {end}: walls above the ceiling on every side": (
        "从 {start} 到 {end} 无路可飞：四面墙体均高于限高"
    ),
    # working solutions
    "chlorine disinfectant, {strength} mg/L available chlorine": (
        "含氯消毒剂，有效氯 {strength} mg/L"
    ),
}
"""What records, plans and the built-in agents say, by its wording; `{name}` is any text."""
