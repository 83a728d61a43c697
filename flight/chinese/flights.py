"""The Chinese of what records say of an operation: alerts, reasons, orders, endings, notes."""

from __future__ import annotations

FLIGHT_PHRASES = {
    # how it ended
    "done": "完成",
    "incomplete": "未完成",
    "aborted": "中止",
    "the operator stopped the operation": "操作人中止作业",
    "1 spot left": "剩余 1 处",
    "{number} spots left": "剩余 {number} 处",
    "nobody looked into the tank after {what}": "{what}后无人查看药箱",
    "1 landing": "1 次降落",
    "{number} landings": "{number} 次降落",
    "the crew looks into its tank": "人员查看药箱",
    "{number} of {all} sorties flown": "计划 {all} 架次，已飞 {number} 架次",
    "1 drone holds its first mission; nothing armed without --arm": (
        "1 架无人机已载入首个任务；未加 --arm，未解锁"
    ),
    "{what} first mission": "{what}首个任务",
    "1 drone holds its": "1 架无人机已载入",
    "{number} drones hold their": "{number} 架无人机已载入",
    "nothing armed without --arm": "未加 --arm，未解锁",
    "all landed": "全部降落",
    "stopped at once": "立即停止",
    "nothing is left to be flown": "没有剩余需要飞行",
    "cut short": "中断",
    "the record has no end": "记录没有结尾",
    "the record's last part has no end": "记录最后一段没有结尾",
    "every drone in the air is called home with its pump off, and waited for. Ctrl-C again leaves "
    "them at once: nobody watches them then": (
        "空中的无人机全部关泵返航，并等候其降落。再按 Ctrl-C 立即退出：此后无人看管"
    ),
    # before you rely on this
    "The operation was taken up again {what}.": "作业曾接续{what}。",
    "once": "一次",
    "{number} times": " {number} 次",
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
    "The plan was laid for wind of {what}: spray is drawn as far downwind of the drone as that "
    "wind carries it.": "计划按{what}编制：喷洒落点按该风向下风方向绘制。",
    "{speed} m/s from {degrees}°": " {degrees}° 来风 {speed} m/s ",
    "Positions moved {ratio} times as far as the reported speeds say: clock and vehicle disagree "
    "(a simulator that lags, or faulty speeds); doses are as unsure.": (
        "位置移动距离为上报速度所示的 {ratio} 倍：时钟与无人机不一致（模拟器滞后或速度有误）；"
        "剂量同样不确定。"
    ),
    "line damaged (checksum), left out": "该行损坏（校验和），已略去",
    "does not follow the line before it: one is lost or altered": (
        "与前一行不衔接：有行丢失或被改动"
    ),
    "{place}: does not follow the line before it: one is lost or altered": (
        "{place}：与前一行不衔接：有行丢失或被改动"
    ),
    "says of no line that it comes after it": "未注明接在哪一行之后",
    "put in": "系后加",
    "cut short where the program stopped, left out": "程序停止处中断，已略去",
    "it was taken up after it": "其后已接续",
    # why a spot was missed
    "no spray on it is recorded": "没有喷到此处的记录",
    "{share} of it got the dose": "其 {share} 达到剂量",
    "nobody looked into the tank": "无人查看药箱",
    "{litres} L are left by reckoning": "推算剩余 {litres} L",
    "its tank was found empty {where}": "药箱为空，{where}",
    "nothing that it sprayed is proven": "其喷洒均无法证实",
    "{litres} L were found in its tank {where}": "药箱实剩 {litres} L，{where}",
    "where {litres} L should be left": "应剩 {litres} L",
    "{share} of what was reckoned came out": "仅喷出推算量的 {share}",
    "it leaks, gives more than its model says, or sprayed unseen": (
        "可能泄漏、流量高于型号值，或有未见的喷洒"
    ),
    "told to skip it": "按指令跳过",
    "{spot} is to be skipped": "{spot} 按指令跳过",
    "told to come home by {who}": "{who} 令其返航",
    "everything was stopped": "全部停止",
    "battery low": "电量低",
    "it never took off": "未曾起飞",
    "its fence stopped it": "被围栏拦停",
    "not back after {seconds} s": "{seconds} 秒后仍未返回",
    "sprayed in part: the pump was seen off": "部分喷洒：水泵曾停",
    "it landed in {mode} before the end of its mission": "任务未完即以 {mode} 模式降落",
    "taken over in {mode}": "由飞手以 {mode} 模式接管",
    "{drone} flies no more: {why}": "{drone} 停飞：{why}",
    "drone {drone} is not connected": "无人机 {drone} 未连接",
    "{sortie} failed: {why}": "{sortie} 失败：{why}",
    "sortie failed": "架次失败",
    "{sortie}: no landing seen in {seconds} s": "{sortie}：{seconds} 秒内未见降落",
    "its mission was changed in the air: {what}": "空中任务被改动：{what}",
    "pump commanded off: {why}": "已令关泵：{why}",
    "link lost": "链路中断",
    "a fault in Skymist: {said}": "Skymist 程序故障：{said}",
    "held on the ground for {seconds} s: {why}": "在地面被扣留 {seconds} 秒：{why}",
    "nobody is left to tell it to go on": "已无人令其继续",
    # what of a spot is in the next task
    "the rest, {left} of {all} m2": "剩余部分，{all} m² 中的 {left} m²",
    "whole: {why}": "整处：{why}",
    "nothing of it got its dose": "没有一处达到剂量",
    "the record is not sure of where the spray fell": "记录不能确定喷洒落点",
    "its edge says where spray may fall": "其边缘决定可喷范围",
    "it is treated from one place": "由一点处置",
    "nearly all of it is left": "几乎全部剩余",
    "what is left lies scattered": "剩余部分零散",
    # where it fell
    "it crashed {metres} m from its pad ({said})": "坠落于离起降点 {metres} m 处（{said}）",
    "it came down {metres} m from its pad": "落在离起降点 {metres} m 处",
    "it lies {metres} m from its pad, armed in {mode}": (
        "停在离起降点 {metres} m 处，{mode} 模式未上锁"
    ),
    "did it fall?": "是否坠落？",
    "did it fall? It was disarmed": "是否坠落？已上锁",
    "did it fall? Keep away until its power is cut": "是否坠落？断电前勿靠近",
    "within {metres} m of {drone}, which lies there": "距坠地的 {drone} 不到 {metres} m",
    "{sortie} would come within {metres} m of {drone}, which lies there": (
        "{sortie} 将飞近坠地的 {drone}，不到 {metres} m"
    ),
    # others fly the rest
    "{drone} flies what {sortie} left: {names}": "{drone} 补飞 {sortie} 剩余部分：{names}",
    "{drone} drops out ({why}): its rest is planned over {names}": (
        "{drone} 退出（{why}）：剩余部分改由 {names} 承担"
    ),
    "{drone} dropped out ({why}); flown by others: {names}": (
        "{drone} 退出（{why}）；由其他飞：{names}"
    ),
    "nobody is left to fly it": "已无无人机可飞",
    "nobody else can fly it": "没有其他无人机能飞",
    "its rest could not be given to others: {why}": "剩余部分无法交给其他无人机：{why}",
    "its rest could not be planned": "剩余部分无法规划",
    "taken up again from the breakpoint: {what}": "自中断点接续：{what}",
    "taken up again from the pass-start: {what}": "自中断航线起点接续：{what}",
    "taken up again from the next-pass: {what}": "自下一条航线接续：{what}",
    "taken up again from the {where}: {what}": "自{where}接续：{what}",
    "{litres} of {all} L over {what} in {sorties} sorties, {broken} passes in part": (
        "{all} L 中剩 {litres} L，{what}，{sorties} 架次，{broken} 条航线只完成一部分"
    ),
    "1 spot": "1 处",
    "{number} spots": "{number} 处",
    "in the air, watched home first: {names}": "仍在空中，先看护返航：{names}",
    # its sorties
    "{number} items": "{number} 项",
    "holds exactly the {number} items": "机上任务与 {number} 项完全一致",
    "not armed (no --arm)": "未解锁（未加 --arm）",
    "found in the air, watched home": "发现仍在空中，看护返航",
    "{litres} L sprayed": "喷洒 {litres} L",
    "waits to take off: {why}": "等待起飞：{why}",
    "waits for its link": "等待链路",
    "waits to be told: c {own} flies the rest, h {same} leaves it": (
        "等待指令：c {own} 飞完剩余，h {same} 放弃剩余"
    ),
    "has flown all; stands by for the others": "已飞完；待命支援",
    "{drone} stands on the same pad": "{drone} 停在同一起降点",
    "{drone} is in the air and not on its plan": "{drone} 在空中且偏离计划",
    "{drone} is in its way": "{drone} 挡在航路上",
    "it would come nearer than {metres} m to {drone}": "与 {drone} 的距离将小于 {metres} m",
    "{sortie}: waited {seconds} s to take off: {why}": "{sortie}：等待起飞 {seconds} 秒：{why}",
    "for its hours, {where}": "等待其允许时段：{where}",
    "at {clock} {sortie} would be outside its hours, not within two days ({where})": (
        "{clock} 时 {sortie} 不在允许时段内，两天内均不可（{where}）"
    ),
    "at {clock} {sortie} would be outside its hours, not before {then} ({where})": (
        "{clock} 时 {sortie} 不在允许时段内，最早 {then}（{where}）"
    ),
    "at {clock} {sortie} would be outside its hours, {again} ({where})": (
        "{clock} 时 {sortie} 不在允许时段内，{again}（{where}）"
    ),
    "not within two days": "两天内均不可",
    "not before {then}": "最早 {then}",
    "hours of the site or a closure": "场所时段或封闭时段",
    # alerts
    "nothing heard for {seconds} s; the mission's own interlock holds": (
        "{seconds} 秒没有消息；任务自带的联锁仍有效"
    ),
    "the tank is empty by our count; the pump runs dry": "按计量药箱已空；水泵空转",
    "the fence has been breached": "已越出围栏",
    "more than {metres} m off its path": "偏离航线超过 {metres} m",
    "battery critical": "电量告急",
    "battery at {share}, comes home": "电量 {share}，返航",
    "battery at {share}, below the reserve of {reserve}": "电量 {share}，低于保留量 {reserve}",
    "GPS fix type {number}": "GPS 定位类型 {number}",
    "GPS silent": "GPS 无数据",
    "the vehicle has no absolute position estimate": "无人机没有绝对位置估计",
    "heard again": "恢复联络",
    "the pump still runs {seconds} s after it was commanded off": "令关泵 {seconds} 秒后水泵仍在转",
    "at {found} m where {wanted} m are planned; did it fall?": (
        "高度 {found} m，计划为 {wanted} m；是否坠落？"
    ),
    "contact lost ({why}); waited for up to {seconds} s": (
        "失去联络（{why}）；至多等待 {seconds} 秒"
    ),
    "{drone}: contact lost and not back in time: {why}": "{drone}：失去联络且未及时恢复：{why}",
    "{drone}: contact was lost since the last checks; not armed": (
        "{drone}：上次检查后曾失去联络；未解锁"
    ),
    "{drone}: link lost ({why})": "{drone}：链路中断（{why}）",
    "in the air the mission's own interlock holds": "空中任务自带的联锁仍有效",
    "last seen nothing": "此前没有消息",
    "last seen {where}": "最后所见 {where}",
    "armed": "已解锁",
    "disarmed": "未解锁",
    "{metres} m above home": "起飞点以上 {metres} m",
    "item {number}": "第 {number} 项",
    "{seconds} s ago": "{seconds} 秒前",
    "pump off, stands still in the air: {why}": "泵已关，空中悬停：{why}",
    "does not stand still yet ({why}), asked again": "尚未悬停（{why}），再次下令",
    "flies on; what its pause left dry is flown anew": "继续飞行；暂停时漏喷处将补飞",
    "does not fly on, what it holds is not known: {why}": "不继续飞行，机上任务不明：{why}",
    "sent home: {why}": "令其返航：{why}",
    "the order to come home: {what}": "返航指令：{what}",
    "acknowledged": "已接受",
    "refused": "被拒绝",
    "unknown": "不明",
    "DO_SPRAYER 0 after the landing: {what}": "降落后关泵指令 DO_SPRAYER 0：{what}",
    "mode BRAKE: it holds where it is, pump off": "BRAKE 模式：原地悬停，泵已关",
    "mode {mode} by the pilot or a failsafe: not fought, pump off": (
        "飞手或失控保护切至 {mode} 模式：不干预，泵已关"
    ),
    "stopped amid the upload: the vehicle's mission was cleared": "上传中断：机上任务已清除",
    "stopped amid the upload: what the vehicle holds is unknown, it must not fly": (
        "上传中断：机上任务不明，不得飞行"
    ),
    "parameters not put back, the record has their values: {why}": (
        "参数未恢复，原值在记录中：{why}"
    ),
    "{drone}: parameters not put back, the record has their values: {why}": (
        "{drone}：参数未恢复，原值在记录中：{why}"
    ),
    "it did not answer in time": "未及时应答",
    "not taken: {names}": "未接受：{names}",
    "the vehicle has no parameter for {name}": "机上没有参数 {name}",
    "set on the vehicle: {names}": "已在机上设置：{names}",
    "frames with its system id refused: {what}; is the key the same?": (
        "已拒绝使用其系统号的帧：{what}；密钥是否一致？"
    ),
    "{number} unsigned": "{number} 未签名",
    "{number} wrongly signed": "{number} 签名错误",
    "{number} repeated or too old": "{number} 重复或过旧",
    "its signing clock is {seconds} s ahead of this machine's": ("其签名时钟比本机快 {seconds} 秒"),
    "its signing clock is {seconds} s behind this machine's": "其签名时钟比本机慢 {seconds} 秒",
    "its signing clock is {seconds} s {way} this machine's": (
        "其签名时钟与本机相差 {seconds} 秒（{way}）"
    ),
    # taken up again
    "{why}; its pump is commanded off, and it is left to its own way home": (
        "{why}；已令关泵，任其自行返航"
    ),
    "holds another mission than the record's, first: {what}": "机上任务与记录不符，首处：{what}",
    "could not be asked what it holds ({why})": "无法查询机上任务（{why}）",
    "holds the mission of {sortie}, as the record has it": "机上任务即记录中的 {sortie}",
    "{drone} was not seen to land: {why}; nothing new is begun": (
        "{drone} 未见降落：{why}；不再开始新架次"
    ),
    "{drone}: is armed, and the record knows of no flight of it; land it": (
        "{drone}：已解锁，而记录中没有其飞行；请使其降落"
    ),
    # the interlock
    "the pump runs on a disarmed drone": "未解锁而水泵在转",
    "no heartbeat for {seconds} s": "{seconds} 秒没有心跳",
    "mode {mode} instead of AUTO": "模式为 {mode} 而非 AUTO",
    "no position for {seconds} s": "{seconds} 秒没有位置",
    "no pump output for {seconds} s": "{seconds} 秒没有水泵输出",
    "the pump runs outside every spot, no item's number for {seconds} s": (
        "水泵在所有死角之外运转，{seconds} 秒没有任务项号"
    ),
    "the pump runs during item {number}, which is no pass": (
        "水泵在第 {number} 项运转，该项不是喷洒航线"
    ),
    "the pump runs outside {spot} (item {number})": "水泵在 {spot} 之外运转（第 {number} 项）",
    "the pump runs at {found} m where {wanted} m are planned (item {number})": (
        "水泵在高度 {found} m 运转，计划为 {wanted} m（第 {number} 项）"
    ),
    "the pump runs {where} (item {number})": "水泵运转：{where}（第 {number} 项）",
    "outside {spot}": "在 {spot} 之外",
    "at {found} m where {wanted} m are planned": "高度 {found} m，计划为 {wanted} m",
    # the wind
    "{why}: nothing is sprayed": "{why}：停止喷洒",
    "the wind is good again": "风已转好",
    "wind {found} m/s, above {limit} m/s": "风速 {found} m/s，超过 {limit} m/s",
    "gusts of {found} m/s, above {limit} m/s": "阵风 {found} m/s，超过 {limit} m/s",
    # who orders, and what came of it
    "operator": "操作人",
    "dashboard": "看板",
    "script": "定时指令",
    "stop means: every pump off and every drone in the air brakes and holds where it is until it "
    "is told to come home (h) or its pilot takes it; nothing takes off any more. Give it again "
    "within {seconds} s to do it": (
        "停止即：关闭所有泵，空中无人机就地悬停，直到令其返航（h）或由飞手接管；不再起飞。"
        "{seconds} 秒内再次下令即执行"
    ),
    "noted": "已记下",
    "paused by {who}": "{who} 令其暂停",
    "refused: nobody watches the wind": "被拒绝：无人监测风",
    "refused: wanted one of {names}": "被拒绝：应为 {names} 之一",
    "refused: no sortie of this plan treats '{spot}'": "被拒绝：计划中没有架次处置 {spot}",
    "refused: no sortie of this plan treats {spot}": "被拒绝：计划中没有架次处置 {spot}",
    "refused: it was flown already": "被拒绝：已经飞过",
    "refused: its day is over": "被拒绝：当日作业已结束",
    "refused: it is {what}": "被拒绝：其状态为{what}",
    "refused: everything was stopped; it can come home": "被拒绝：已全部停止；可令其返航",
    "standing by": "待命",
    "returning": "返航",
    "pilot": "飞手操控",
    "lost": "失联",
    "holding": "悬停",
    "pump off; holds where it is": "泵已关；原地悬停",
    "takes off no more": "不再起飞",
    "stays on its pad": "留在起降点",
    "stays on its pad, its day is over": "留在起降点，当日作业结束",
    "stands still in the air, pump off": "空中悬停，泵已关",
    "asked for": "已下令",
    "still held: {why}": "仍被扣留：{why}",
    "flies on": "继续飞行",
    "told to go on after its pilot": "飞手之后令其继续",
    "comes home; its rest is flown anew from there": "返航；剩余部分从起降点补飞",
    "its rest is flown anew": "剩余部分将补飞",
    "no longer held": "不再扣留",
    "nothing to continue": "没有可继续的",
    "comes home, pump off": "返航，泵已关",
    "its rest is left": "放弃剩余部分",
    "flies over it with the pump off": "关泵飞越",
    "left out of the next sorties": "后续架次不再包括",
    # working solutions
    "chlorine disinfectant, {strength} mg/L available chlorine": (
        "含氯消毒剂，有效氯 {strength} mg/L"
    ),
}
"""`{name}` stands for some text; see `missions.phrasebook`."""
