"""The Chinese of what links, protocols and checks before a flight say of a vehicle."""

from __future__ import annotations

VEHICLE_PHRASES = {
    "vehicle {number}: {why}": "{number} 号机：{why}",
    "mission": "任务",
    "fence": "围栏",
    "rally": "备降点",
    # links
    "closed by us": "由本程序关闭",
    "the other side closed it": "对方关闭",
    "the reader failed, see the log": "读取失败，见日志",
    "link: {why}": "链路：{why}",
    "nothing came for {seconds} s": "{seconds} 秒没有数据",
    "{why}; gone for {seconds} s, opened again in vain {number} times, last: {why2}": (
        "{why}；已断 {seconds} 秒，重开 {number} 次未成，最近：{why2}"
    ),
    "wanted {kind} within {seconds} s, none came": "应在 {seconds} 秒内收到 {kind}，未收到",
    "wanted {kind} as asked within {seconds} s, none came": (
        "应在 {seconds} 秒内收到所要的 {kind}，未收到"
    ),
    "vehicle {number}: waited {seconds} s for {what}; last seen nothing": (
        "{number} 号机：等待{what} {seconds} 秒；此前没有消息"
    ),
    "vehicle {number}: waited {seconds} s for {what}; last seen {where}": (
        "{number} 号机：等待{what} {seconds} 秒；最后所见 {where}"
    ),
    "its link": "其链路",
    "its start": "其开始执行",
    "a word": "应答",
    "its landing": "其降落",
    "a position estimate": "位置估计",
    "the landing of {sortie}": "{sortie} 降落",
    "wanted {what}, silent, gave up after {seconds} s": "应为 {what}，无应答，{seconds} 秒后放弃",
    # commands
    "refused {what}: {why}": "拒绝{what}：{why}",
    "vehicle {number}: {what}: {why}, asked {number2} times": (
        "{number} 号机：{what}：{why}，已要求 {number2} 次"
    ),
    "no answer in {seconds} s": "{seconds} 秒没有应答",
    "mode {mode}": "切换 {mode} 模式",
    "arming": "解锁",
    "disarming": "上锁",
    "starting the mission": "开始任务",
    "arming: no answer, no longer asked; it may be armed": "解锁：没有应答，不再要求；可能已解锁",
    "took the command to arm, and was not seen armed within {seconds} s ({said})": (
        "接受了解锁指令，{seconds} 秒内未见解锁（{said}）"
    ),
    "it said nothing": "没有说明",
    # missions
    "is armed; its mission is changed on the ground alone": "已解锁；任务只在地面更改",
    "is armed; parameters are put back on the ground alone": "已解锁；参数只在地面恢复",
    "holds another mission than compiled, {number} differences; first: {what}": (
        "机上任务与编制的不符，差异 {number} 处；首处：{what}"
    ),
    "{list} item {number}: {field}: wanted {wanted}, found {found}": (
        "{list}第 {number} 项：{field}：应为 {wanted}，实为 {found}"
    ),
    "{list}: {field}: wanted {wanted}, found {found}": (
        "{list}：{field}：应为 {wanted}，实为 {found}"
    ),
    "count": "项数",
    "no difference": "没有差异",
    "refused the {list} at item {number}: {why}": "拒绝{list}第 {number} 项：{why}",
    "refused the {list}: {why}": "拒绝{list}：{why}",
    "refused to show its {list}: {why}": "拒绝给出{list}：{why}",
    "refused to clear its {list}: {why}": "拒绝清除{list}：{why}",
    "refused to give its {list}: {why}": "拒绝给出{list}：{why}",
    "the {list}, item {number} was last": "{list}，最后为第 {number} 项",
    "its {list}, {done} of {all} came": "其{list}，{all} 项中到 {done} 项",
    "clearing its {list}": "清除{list}",
    # before it flies
    "{drone}: not fit to fly: {why}": "{drone}：不宜飞行：{why}",
    "not fit to fly: {why}": "不宜飞行：{why}",
    "not fit to fly": "不宜飞行",
    "wanted it disarmed on its pad, found it armed": "应在起降点上锁，实为已解锁",
    "two vehicles answer as system id {number} on {where} (or one over two radios): give each an "
    "id of its own": "{where} 上有两架以系统号 {number} 应答（或一架经两台电台）：请各设不同编号",
    "did not take {names}": "未接受 {names}",
    "not ready in AUTO after {seconds} s: {said}": "AUTO 模式下 {seconds} 秒后仍未就绪：{said}",
    "has no estimate of its position": "没有位置估计",
    "parameters changed since they were set: {names}": "参数设置后被改动：{names}",
    "wanted AUTO, found {mode}": "应为 AUTO，实为 {mode}",
    "{drone}: wanted its battery at {wanted}, found it at {found}": (
        "{drone}：电量应为 {wanted}，实为 {found}"
    ),
    "its checks do not pass, and it gives no reason": "自检未通过，且未说明原因",
    "does not tell where it stands": "未报告所在位置",
    "stands {found} m from its pad, wanted {wanted} m or less": (
        "离起降点 {found} m，应不超过 {wanted} m"
    ),
    "drone {drone} has system id {wanted}, the vehicle on this link has {found}": (
        "无人机 {drone} 的系统号为 {wanted}，此链路上的为 {found}"
    ),
    "has sent no heartbeat": "没有发来心跳",
    "wanted ArduCopter on a multirotor as system id {number}, found {what}": (
        "系统号 {number} 应为装 ArduCopter 的多旋翼，实为 {what}"
    ),
    "ArduPilot on a frame of type {number}": "ArduPilot，机架类型 {number}",
    "PX4 on a frame of type {number}": "PX4，机架类型 {number}",
    "a generic autopilot on a frame of type {number}": "通用自驾仪，机架类型 {number}",
    "no autopilot on a frame of type {number}": "无自驾仪，机架类型 {number}",
    "autopilot {name} on a frame of type {number}": "自驾仪 {name}，机架类型 {number}",
    "{what} on a frame of type {number}": "{what}，机架类型 {number}",
    "a generic autopilot": "通用自驾仪",
    "no autopilot": "无自驾仪",
    "autopilot {name}": "自驾仪 {name}",
    "fixed wing": "固定翼",
    "coaxial helicopter": "共轴直升机",
    "helicopter": "直升机",
    "antenna tracker": "天线跟踪器",
    "ground rover": "地面车",
    "the motors are armed already": "电机已解锁",
    "does not tell its version": "未报告版本",
    "wanted ArduCopter 4.5 or later, found {found}": "应为 ArduCopter 4.5 及以上，实为 {found}",
    "this firmware has no sprayer": "此固件没有喷洒功能",
    "turning the pump off was not accepted: {why}": "关泵指令未被接受：{why}",
    "SPRAY_ENABLE is nothing, not 1": "没有 SPRAY_ENABLE，应为 1",
    "SPRAY_ENABLE is {found}, not 1": "SPRAY_ENABLE 为 {found}，应为 1",
    "no servo output has function {number}, the pump": "没有舵机输出设为功能 {number}（水泵）",
    "vehicle {number}: wanted a servo output with function {number2} (sprayer pump), found none": (
        "{number} 号机：应有舵机输出设为功能 {number2}（喷洒泵），未找到"
    ),
    "wanted the pump's pulses, no answer to {names}": "应读到水泵脉宽，{names} 没有应答",
    "{name} is not known to this vehicle": "此机没有 {name}",
    "{name}: wanted {wanted}, found {found}": "{name}：应为 {wanted}，实为 {found}",
    "{name}: wanted {wanted}, found nothing": "{name}：应为 {wanted}，未找到",
    "no three-dimensional GPS fix": "GPS 没有三维定位",
    "no estimate of its absolute position yet (EKF flag 16)": "尚无绝对位置估计（EKF 标志 16）",
    "does not tell how full its battery is": "未报告电量",
    "wanted {wanted} or more, found {found}": "应为 {wanted} 以上，实为 {found}",
    "its battery failsafe never fires: BATT_LOW_MAH and BATT_LOW_VOLT are 0": (
        "电池失效保护不会触发：BATT_LOW_MAH 与 BATT_LOW_VOLT 均为 0"
    ),
    "its battery failsafe fires too late: BATT_LOW_VOLT {low} V on a battery of {found} V, wanted "
    "{wanted} V or more, or BATT_LOW_MAH": (
        "电池失效保护触发过晚：{found} V 的电池 BATT_LOW_VOLT 为 {low} V，应为 {wanted} V 以上，"
        "或设 BATT_LOW_MAH"
    ),
    "FS_OPTIONS bit {number}: the mission goes on without its {what}": (
        "FS_OPTIONS 第 {number} 位：失去{what}后任务仍继续"
    ),
    "ground station": "地面站",
    "radio": "遥控器",
    "home is not set": "未设返航点",
    "home is {found} m from the pad, wanted {wanted} m or less": (
        "返航点离起降点 {found} m，应不超过 {wanted} m"
    ),
    "its own checks before arming are switched off: {what}": "解锁前自检被关闭：{what}",
    "all but ARMING_CHECK {bits}": "除 ARMING_CHECK {bits} 外全部",
    # signing
    "is armed; its key is set on the ground alone": "已解锁；密钥只在地面设置",
    "wanted it {what}, it did not within {seconds} s": "应{what}，{seconds} 秒内未实现",
    "to obey what is sent now": "服从现在发出的指令",
    "to sign no more": "不再签名",
    "to sign with this key": "以此密钥签名",
    "{drone}: signs its frames, and has no key here: over a radio it obeys nothing": (
        "{drone}：其帧带签名，而此处没有其密钥：经电台将不服从任何指令"
    ),
    # who answers
    "{drone}: waiting for a heartbeat of system id {number} on {link}, up to {seconds} s more; "
    "{what}": "{drone}：等待系统号 {number} 在 {link} 上的心跳，至多再等 {seconds} 秒；{what}",
    "waiting for a heartbeat of system id {number} on {link}": (
        "等待系统号 {number} 在 {link} 上的心跳"
    ),
    "up to {seconds} s more": "至多再等 {seconds} 秒",
    "{drone}: wanted system id {wanted} on {link}, found {found}": (
        "{drone}：{link} 上应为系统号 {wanted}，实为 {found}"
    ),
    "{drone}: no heartbeat of system id {number} within {seconds} s on {link}; {what}": (
        "{drone}：{seconds} 秒内 {link} 上没有系统号 {number} 的心跳；{what}"
    ),
    "refused frames of system id {number} there: {what} (has it its key? skymist keys set)": (
        "已拒绝该处系统号 {number} 的帧：{what}（是否已设密钥？skymist keys set）"
    ),
    "refused frames of system id {number} there: {what} (is the key the same?)": (
        "已拒绝该处系统号 {number} 的帧：{what}（密钥是否一致？）"
    ),
    "refused frames of system id {number} there: {what} ({also})": (
        "已拒绝该处系统号 {number} 的帧：{what}（{also}）"
    ),
    "has it its key? skymist keys set": "是否已设密钥？skymist keys set",
    "is the key the same?": "密钥是否一致？",
    "wrongly signed": "签名错误",
    "repeated or too old": "重复或过旧",
    "the link is down": "链路已断",
    "heard system id {number} there": "该处听到系统号 {number}",
    "heard {number} MAVLink frames there, no autopilot's heartbeat": (
        "该处听到 {number} 个 MAVLink 帧，没有自驾仪心跳"
    ),
    "heard {number} bytes there that are no MAVLink (baud rate?)": (
        "该处听到 {number} 字节，不是 MAVLink（波特率？）"
    ),
    "heard nothing there": "该处没有消息",
}
"""`{name}` stands for some text; see `missions.phrasebook`."""
