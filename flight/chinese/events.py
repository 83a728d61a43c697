"""The Chinese of single words and lines in the log of an operation; English is the key."""

from __future__ import annotations

EVENT_LABELS = {
    "{drone}: {sortie} {state}": "{drone}：{sortie} {state}",
    "{drone}: {sortie} {state}, {why}": "{drone}：{sortie} {state}，{why}",
    "{drone}: {severity}: {why}": "{drone}：{severity}：{why}",
    "{drone}: pump commanded off: {why}": "{drone}：已令关泵：{why}",
    "{drone}: battery swapped": "{drone}：已换电池",
    "{drone}: {litres} L filled in": "{drone}：已加药 {litres} L",
    "{who}: {asked}: {drone}: {why}": "{who}：{asked}：{drone}：{why}",
    "{drone}: {sortie}: {why}": "{drone}：{sortie}：{why}",
    "weather: {why}": "天气：{why}",
    "planned anew: {why}": "重新规划：{why}",
    "{sortie}: {spot} skipped: {why}": "{sortie}：{spot} 未飞：{why}",
    "{spot} skipped: {why}": "{spot} 未飞：{why}",
    "{outcome}: {why}": "{outcome}：{why}",
    "{drone}: its own parameters put back: {names}": "{drone}：已恢复其原有参数：{names}",
    "part {number}: taken up again": "第 {number} 段：作业接续",
    "all": "全部",
    # states of sorties
    "preparing": "准备",
    "uploading": "上传",
    "verified": "已核对",
    "waiting": "等待",
    "armed": "已解锁",
    "flying": "飞行",
    "landed": "已降落",
    "failed": "失败",
    # severities
    "INFO": "提示",
    "WARNING": "警告",
    "ERROR": "错误",
    # verbs of orders, and who gives them
    "pause": "暂停",
    "continue": "继续",
    "skip": "跳过",
    "home": "返航",
    "stop": "停止",
    "wind": "风",
    "operator": "操作人",
    "dashboard": "看板",
    "script": "定时指令",
    # how it ended
    "done": "完成",
    "incomplete": "未完成",
    "aborted": "中止",
}
