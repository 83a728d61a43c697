"""The Chinese of what plans say: why no drone treats a place, or not all of it."""

from __future__ import annotations

from skymist.missions.phrasebook import Phrasebook

PLAN_PHRASES = {
    "too small to spray": "面积过小，无法喷洒",
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
    "no flight of {minutes} min fits its hours ({where}), those of the site and its closures": (
        "{minutes} 分钟的飞行排不进其时段（{where}）、场所时段与封闭时段"
    ),
    "no time: all drones must be down after {minutes} min": (
        "时间不够：所有无人机须在 {minutes} 分钟内降落"
    ),
    "no time: what comes first takes all of its hours of {what}": (
        "时间不够：更优先的任务已占满{what}内其全部时段"
    ),
    "the day": "当天",
    "{number} days": "{number} 天",
    "no way from {start} to {end}: walls above the ceiling on every side": (
        "从 {start} 到 {end} 无路可飞：四面墙体均高于限高"
    ),
    "any time": "随时",
    "{a}-{b} and {c}-{d}": "{a}-{b} 和 {c}-{d}",
    "level red: cleaned by people, no drone unless the site says so": (
        "红色等级：由人工清洁，除非另行规定不用无人机"
    ),
    "level yellow: cleaned by people, no drone unless the site says so": (
        "黄色等级：由人工清洁，除非另行规定不用无人机"
    ),
    "level blue: cleaned by people, no drone unless the site says so": (
        "蓝色等级：由人工清洁，除非另行规定不用无人机"
    ),
    "level green: cleaned by people, no drone unless the site says so": (
        "绿色等级：由人工清洁，除非另行规定不用无人机"
    ),
}
"""`{name}` stands for some text; see `missions.phrasebook`."""
PLAN_BOOK = Phrasebook(PLAN_PHRASES)
