"""The organiser's texts in Chinese; `words` looks them up, English is the key."""

from __future__ import annotations

CHINESE = {
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
    "tank or post": "药箱或责任岗",
    "product": "产品",
    "of product": "产品用量",
    "from the batch": "取自整批",
    "{n} tablets": "{n} 片",
    "water mL": "水 mL",
    "working solution L": "工作液 L",
    "needed": "使用时间",
    "throw away by": "废弃时间",
    "mixed at, by": "配制时间、签名",
    "filled, by": "加注签名",
    "before filling": "加注前",
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
    "{product}: {strength} % available chlorine, {grams} g in each litre of water": (
        "{product}：有效氯 {strength}%，每升水加 {grams} g"
    ),
    "{product}: {strength} mg available chlorine in a tablet, 1 tablet in each {litres} L of "
    "water": ("{product}：每片有效氯 {strength} mg，每 {litres} L 水加 1 片"),
    "{product}: {share} {unit} in one litre of working solution, as its label says": (
        "{product}：每升工作液 {share} {unit}，按标签"
    ),
    "Powder and tablets go into water, never water onto them. Dissolve them wholly, let "
    "the rest settle and pour through a strainer: grains block nozzles.": (
        "粉剂、片剂加入水中，不可将水倒在其上。充分溶解，静置，取上清液过滤后使用：颗粒会堵塞喷头。"
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
    # notices
    "Notice: spraying in zone {zone}": "喷洒告示：片区 {zone}",
    "Notice: spraying outside the zones": "喷洒告示：片区外",
    "version {n}": "第 {n} 版",
    "What changed since version {n}:": "与第 {n} 版相比的变化：",
    "CANCELLED: nothing is sprayed in this zone.": "取消：本片区不再喷洒。",
    "Nothing is sprayed in this zone. Earlier notices no longer hold.": (
        "本片区不喷洒，此前告示作废。"
    ),
    "When": "时间",
    "Where": "地点",
    "With what, and why": "药剂与目的",
    "What to do": "请您配合",
    "How long to wait": "等待时间",
    "What this does not do": "说明",
    "Contact": "联系方式",
    "{date}, {slots}: by drone": "{date} {slots}：无人机",
    "{date}, {slots}: on foot": "{date} {slots}：人工",
    "on foot, time to be agreed: ask the contact below": "人工，时间另定：请咨询下方联系人",
    "Times may shift by some minutes. Nothing is sprayed in rain, or in wind above {wind} m/s; the "
    "work is then put off and a new version of this notice is posted.": (
        "时间可能有几分钟偏差。下雨或风速超过 {wind} 米/秒时不作业，改期后另行张贴新版告示。"
    ),
    "{place}: by drone, {date} {slot}; keep away until {until}": (
        "{place}：无人机，{date} {slot}；{until} 前请勿靠近"
    ),
    "{place}: on foot, {date} {slot}; keep away until {until}": (
        "{place}：人工，{date} {slot}；{until} 前请勿靠近"
    ),
    "{place}: the rest on foot, {date} {slot}; keep away until {until}": (
        "{place}：余下部分人工，{date} {slot}；{until} 前请勿靠近"
    ),
    "{place}: by drone, {date} {slot}; keep away until it is dry": (
        "{place}：无人机，{date} {slot}；干燥前请勿靠近"
    ),
    "{place}: on foot, {date} {slot}; keep away until it is dry": (
        "{place}：人工，{date} {slot}；干燥前请勿靠近"
    ),
    "{place}: the rest on foot, {date} {slot}; keep away until it is dry": (
        "{place}：余下部分人工，{date} {slot}；干燥前请勿靠近"
    ),
    "{place}: on foot, time to be agreed": "{place}：人工，时间另定",
    "{place}: cleaned or treated on foot, {date} {slot}": "{place}：人工清洁或处置，{date} {slot}",
    "Other places of the zone are not to be sprayed.": "片区内其他地点不在喷洒计划内。",
    "{agent}: wets the surfaces of the places above, where refuse and dirt gather.": (
        "{agent}：喷湿上述垃圾污物易积聚处的表面。"
    ),
    "{agent}: for the control of mosquitoes or flies at the places above.": (
        "{agent}：用于上述地点防制蚊或蝇。"
    ),
    "{agent}: fine mist over the area, below the dose that surfaces need. Do not rely on it.": (
        "{agent}：对区域弥雾，剂量低于表面处置要求，不可依赖。"
    ),
    "Reason given for mist: {reason}": "弥雾作业理由：{reason}",
    "Close windows and doors that face these places. Take in laundry, food and toys.": (
        "请关闭面向上述地点的门窗，收回晾晒衣物、食品和玩具。"
    ),
    "Leave these places 10 min before the time given, with your animals. Stay away from under the "
    "drones. Follow sentries.": (
        "请带好宠物，在所列时间前 10 分钟离开上述地点，勿停留在无人机下方，听从现场人员指引。"
    ),
    "Cover wells, fish tanks and bee hives; move cars and bicycles if you can.": (
        "请遮盖水井、鱼池和蜂箱，尽可能移开车辆。"
    ),
    "If you got wet, rinse with plenty of water. If you feel unwell, see a doctor and name the "
    "agent.": ("如被喷到，请用大量清水冲洗；如有不适，请就医并说明药剂名称。"),
    "{agent}: {minutes} min from the end of spraying, and until it is dry and the smell is gone.": (
        "{agent}：喷洒结束后 {minutes} 分钟，且须待干燥、气味散尽。"
    ),
    "{agent}: until it is dry; longer where a sign or the product's label says so.": (
        "{agent}：待干燥后；产品标签或现场标牌要求更久的，以其为准。"
    ),
    "It does not treat air, homes or people, and does not replace cleaning.": (
        "喷洒不处理空气、住宅和人员，也不能代替清洁。"
    ),
    "Of {count} places here drones are to spray {whole} whole and {part} in part; people on foot "
    "do the rest.": (
        "本片区 {count} 处中，计划由无人机全部喷洒 {whole} 处、部分喷洒 {part} 处，其余由人工处置。"
    ),
    "What was really reached stands in the report of the day: ask for it.": (
        "实际处置结果以当日报告为准，可向联系人查询。"
    ),
    "new: {place}": "新增：{place}",
    "no longer: {place}": "取消：{place}",
    "{place}: {field} now {after}, was {before}": "{place}：{field}改为 {after}（原 {before}）",
    "{field} now {after}, was {before}": "{field}改为 {after}（原 {before}）",
    "times of {count} places, see below: now {after}, was {before}": (
        "{count} 处时间调整（见下）：改为 {after}（原 {before}）"
    ),
    "it takes place again": "恢复喷洒",
    "time": "时间",
    "waiting time": "等待时间",
    "by whom": "方式",
    "contact": "联系方式",
    "wind limit": "风速上限",
    "reason": "理由",
    "keep away until": "请勿靠近至",
    "none": "无",
    "{minutes} min": "{minutes} 分钟",
    "Scan to take this notice with you. The code holds its text; no network is needed.": (
        "扫码保存本告示（无需联网）"
    ),
    "Scan for this notice: {link}": "扫码查看本告示：{link}",
    "keep away until {until}": "{until} 前请勿靠近",
    "by drone": "无人机",
    "on foot, the rest": "人工（余下部分）",
    "details of the places": "地点信息有更正",
    "on foot": "人工",
    # cost
    "Cost of {site}, by its {basis}": "{site} 成本（按{basis}）",
    "plan": "计划",
    "record": "飞行记录",
    "rehearsal": "演练记录",
    "drones alone": "仅无人机部分",
    "the same by hand": "同样工作人工完成",
    "with drones": "无人机加人工",
    "all by hand": "全部人工",
    "drones, in use": "无人机（架）",
    "people": "人数",
    "paid days of people": "人日",
    "days": "天数",
    "hours of people": "人时",
    "area, m2": "面积 m²",
    "working solution, L": "工作液 L",
    "product, L": "产品 L",
    "product, kg": "产品 kg",
    "product, tablets": "产品 片",
    "operators": "操作员",
    "helpers": "辅助人员",
    "drones": "无人机",
    "protection": "防护用品",
    "workers on foot": "人工",
    "sprayers": "手动喷雾器",
    "total": "合计",
    "per m2": "每平方米",
    "hours in the field": "作业小时",
    "drones save {money}": "使用无人机节省 {money}",
    "drones cost {money} more": "使用无人机多花 {money}",
    "they save {days} paid days of people": "节省 {days} 人日",
    "they take {days} paid days of people more": "多用 {days} 人日",
    "not counted: product of {agent}, of which none is named": "未计入：{agent} 未指定产品",
    "key": "项目",
    "figure": "数值",
    "unit": "单位",
    "mark": "标记",
    "source": "来源",
    # summaries in the terminal
    "Roster of {site}: {number} duties": "{site} 值班表：{number} 项",
    "spots": "死角",
    "first to last": "起止时间",
    "Notices for {site}": "{site} 告示",
    "version": "版本",
    "what changed": "变化",
    "first version": "首版",
    "nothing": "无变化",
    "Mixing sheet for {site}": "{site} 配药单",
    "for": "用于",
    "L": "L",
    "ready by": "备妥时间",
    "note": "备注",
    "keeps as its label says": "保存时间按标签",
    "throw away by {time}": "{time} 前用完，余液废弃",
    "on foot: {post}": "人工：{post}",
    "rinse the tank first": "先冲洗药箱",
    "{agent}: wanted a product that makes it, found none: name it under organiser: products": (
        "{agent}：未指定配制所用产品：请在 organiser: products 中写明"
    ),
    "{spot}: no hours left for people on foot: agree on a time": (
        "{spot}：人工已无可用时段：请商定时间"
    ),
    "files: {folder}": "文件：{folder}",
}
