"""What a dashboard shows, folded from a record's events: values in, values out, no I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from skymist.coverage.frames import Geo
from skymist.flight.resuming.credit import Credit
from skymist.flight.terminal.display import event_text
from skymist.flight.terminal.wording import CHINESE, ENGLISH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skymist.coverage.plan import Plan

GAP_S = 2.0
"""Samples further apart say nothing of what the pump did between them."""
MOVED_M = 0.5
"""Tracks keep a point for each so many metres."""
STALE_S = 3.0
LINES_KEPT = 200
PAUSES = {"paused": True, "continued": False}
"""Codes of alerts: it stands still in the air within its mission, or flies on."""
ALOFT = frozenset({"armed", "flying"})
WORTH = frozenset(
    {"sortie", "service", "look", "skipped", "order", "weather", "replan", "part", "end"}
)


@dataclass(slots=True, kw_only=True)
class DroneRow:
    """The newest of one drone; metres in the site's frame, `seen_s` on the record's clock."""

    id: str
    number: int
    x: float = 0.0
    y: float = 0.0
    above_home_m: float = 0.0
    heading_deg: float = 0.0
    mode: str = ""
    state: str = "waiting"
    sortie_id: str = ""
    spot_id: str = ""
    pump_frac: float = 0.0
    tank_l: float | None = None
    litres_l: float = 0.0
    battery_frac: float | None = None
    is_link_up: bool = True
    rate_hz: float | None = None
    lost_frac: float | None = None
    seen_s: float | None = None
    end_s: float = 0.0
    is_paused: bool = False
    track: list[list[int]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Bar:
    """A sortie on the timeline: as planned, and as it was flown."""

    id: str
    drone_id: str
    start_s: float
    end_s: float
    took_off_s: float | None = None
    landed_s: float | None = None
    state: str = "planned"


class Board:
    """Folds events; `snapshot` is everything. What it says stands in English and in Chinese."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.now_s, self.outcome = plan, 0.0, ("", "")
        flying = dict.fromkeys(sortie.drone_id for sortie in plan.sorties)
        order = [drone.id for drone in plan.site.fleet if drone.id in flying]
        self.drones = {
            drone_id: DroneRow(id=drone_id, number=k) for k, drone_id in enumerate(order)
        }
        self.bars = {
            s.id: Bar(
                id=s.id, drone_id=s.drone_id, start_s=s.start_s, end_s=s.start_s + s.duration_s
            )
            for s in plan.sorties
        }
        for bar in self.bars.values():
            if bar.drone_id in self.drones:
                self.drones[bar.drone_id].end_s = max(self.drones[bar.drone_id].end_s, bar.end_s)
        self.asked_l = {t.spot_id: t.litres_l for t in plan.treatments}
        self.given_l = dict.fromkeys(self.asked_l, 0.0)
        self.alerts: list[dict[str, Any]] = []
        self.lines: list[list[Any]] = []
        self._last: dict[str, Mapping[str, Any]] = {}
        self._credit, self._poured = Credit(plan), dict[str, dict[str, float]]()
        self._looked: dict[str, float] = {}
        self._is_begun = False

    def take(self, event: Mapping[str, Any]) -> None:
        """Fold one event of the record in; those that say nothing to a map are passed over."""
        self.now_s = max(self.now_s, float(event["t_s"]))
        name = str(event["event"])
        handler = getattr(self, f"_on_{name}", None)
        if handler is not None:
            handler(event)
        if name in WORTH:
            both = (event_text(name, event, wording) for wording in (ENGLISH, CHINESE))
            self.lines.append([round(float(event["t_s"]), 1), *both])
            del self.lines[:-LINES_KEPT]

    def _row(self, event: Mapping[str, Any]) -> DroneRow:
        drone_id = str(event.get("drone_id", ""))
        if drone_id not in self.drones:
            self.drones[drone_id] = DroneRow(id=drone_id, number=len(self.drones))
        return self.drones[drone_id]

    def _on_track(self, event: Mapping[str, Any]) -> None:
        row = self._row(event)
        place = Geo(lat_deg=event["lat_e7"] / 1e7, lon_deg=event["lon_e7"] / 1e7)
        at = self.plan.site.origin.enu(place)
        row.x, row.y = at.x, at.y
        row.above_home_m, row.mode = event["above_home_m"], str(event.get("mode", ""))
        row.heading_deg = float(event.get("heading_deg") or 0.0)
        row.pump_frac = float(event.get("pump_frac") or 0.0)
        row.tank_l, row.battery_frac = event.get("tank_l"), event.get("battery_frac")
        row.is_paused = row.is_paused and row.mode == "AUTO"
        row.spot_id, row.seen_s = event.get("in_span") or "", float(event["t_s"])
        self._pour(row, event)
        self._trail(row)

    def _pour(self, row: DroneRow, event: Mapping[str, Any]) -> None:
        """Add what came out since the sample before, to the drone and to its spot then."""
        before = self._last.get(row.id)
        self._last[row.id] = event
        if before is None:
            return
        step_s = float(event["t_s"]) - float(before["t_s"])
        flow_lps = float(before.get("flow_lps") or 0.0)
        if not 0 < step_s <= GAP_S or flow_lps <= 0:
            return
        row.litres_l += flow_lps * step_s
        spot_id = before.get("in_span")
        if spot_id in self.given_l:
            litres_l = flow_lps * step_s * self._credit.frac(before)
            self.given_l[spot_id] += litres_l
            poured = self._poured.setdefault(str(before.get("sortie_id", "")), {})
            poured[spot_id] = poured.get(spot_id, 0.0) + litres_l

    def _on_look(self, event: Mapping[str, Any]) -> None:
        """Take off the spots what a look into the tank does not bear out; the last word holds."""
        sortie_id, counts_frac = str(event["sortie_id"]), float(event["counts_frac"])
        change_frac = counts_frac - self._looked.get(sortie_id, 1.0)
        self._looked[sortie_id] = counts_frac
        for spot_id, litres_l in self._poured.get(sortie_id, {}).items():
            self.given_l[spot_id] += litres_l * change_frac

    def _trail(self, row: DroneRow) -> None:
        """Lengthen the track: x and y in decimetres, and whether the pump ran."""
        point = [round(row.x * 10), round(row.y * 10), int(row.pump_frac > 0)]
        if row.track:
            last = row.track[-1]
            is_near = math.dist(last[:2], point[:2]) < MOVED_M * 10
            if is_near and last[2] == point[2]:
                return
        row.track.append(point)

    def _on_sortie(self, event: Mapping[str, Any]) -> None:
        row, state = self._row(event), str(event["state"])
        row.state, row.sortie_id = state, str(event["sortie_id"])
        bar = self.bars.setdefault(
            row.sortie_id,
            Bar(id=row.sortie_id, drone_id=row.id, start_s=event["t_s"], end_s=event["t_s"]),
        )
        bar.state = state
        if state == "flying" and bar.took_off_s is None:
            bar.took_off_s = float(event["t_s"])
            self._begin(bar.took_off_s - bar.start_s)
        if state in ("landed", "failed") and bar.took_off_s is not None:
            bar.landed_s = float(event["t_s"])
        if state == "failed":
            self._alarm(event, "error", str(event.get("text") or "sortie failed"))

    def _begin(self, late_s: float) -> None:
        """The plan's clock starts with the first take-off: move what is planned there, once."""
        if self._is_begun:
            return
        self._is_begun = True
        for bar in self.bars.values():
            bar.start_s, bar.end_s = bar.start_s + late_s, bar.end_s + late_s
        for row in self.drones.values():
            row.end_s += late_s

    def _on_service(self, event: Mapping[str, Any]) -> None:
        self._row(event).state = str(event["kind"])

    def _on_link(self, event: Mapping[str, Any]) -> None:
        row = self._row(event)
        was_up, row.is_link_up = row.is_link_up, bool(event.get("is_up", True))
        row.rate_hz, row.lost_frac = event.get("rate_hz"), event.get("lost_frac")
        if was_up and not row.is_link_up:
            self._alarm(event, "error", "link lost")

    def _on_alert(self, event: Mapping[str, Any]) -> None:
        if event.get("code") in PAUSES:
            self._row(event).is_paused = PAUSES[event["code"]]
        self._alarm(event, str(event["severity"]), str(event["text"]))

    def _on_skipped(self, event: Mapping[str, Any]) -> None:
        spot_id, reason = event["spot_id"], str(event["reason"])
        english, chinese = (
            wording.say("{spot} skipped: {why}", spot=spot_id, why=wording.told(reason))
            for wording in (ENGLISH, CHINESE)
        )
        self._alarm(event, "warning", english, chinese)

    def _on_replan(self, event: Mapping[str, Any]) -> None:
        for sortie in event.get("plan", {}).get("sorties", ()):
            start_s = float(event["t_s"]) + float(sortie.get("start_s", 0.0))
            self.bars.setdefault(
                str(sortie["id"]),
                Bar(
                    id=str(sortie["id"]),
                    drone_id=str(sortie["drone_id"]),
                    start_s=start_s,
                    end_s=start_s + float(sortie["duration_s"]),
                ),
            )

    def _on_end(self, event: Mapping[str, Any]) -> None:
        english, chinese = (event_text("end", event, wording) for wording in (ENGLISH, CHINESE))
        self.outcome = english, chinese

    def _alarm(
        self, event: Mapping[str, Any], severity: str, text: str, chinese: str | None = None
    ) -> None:
        if severity == "info":
            return
        self.alerts.append(
            {
                "id": len(self.alerts),
                "t": round(float(event["t_s"]), 1),
                "drone": str(event.get("drone_id", "")),
                "severity": severity,
                "text": text,
                "zh": CHINESE.told(text) if chinese is None else chinese,
                "seenBy": "",
            }
        )

    def acknowledge(self, alert_id: int, by: str) -> bool:
        """Take an alert as seen; whether there is one by this number."""
        if not 0 <= alert_id < len(self.alerts):
            return False
        self.alerts[alert_id]["seenBy"] = by
        return True

    def snapshot(self, known: Mapping[str, int] | None = None) -> dict[str, Any]:
        """Plain values for a page; of tracks only what comes after the `known` number of points."""
        known = known or {}
        return {
            "now": round(self.now_s, 1),
            "outcome": self.outcome,
            "drones": [self._drone(row, known.get(row.id, 0)) for row in self.drones.values()],
            "spots": {
                spot_id: round(self.given_l[spot_id] / asked_l, 3)
                for spot_id, asked_l in self.asked_l.items()
                if asked_l > 0 and self.given_l[spot_id] > 0
            },
            "bars": [
                [
                    b.id,
                    b.drone_id,
                    round(b.start_s),
                    round(b.end_s),
                    b.took_off_s,
                    b.landed_s,
                    b.state,
                ]
                for b in self.bars.values()
            ],
            "alerts": self.alerts,
            "lines": self.lines[-40:],
        }

    def _drone(self, row: DroneRow, known: int) -> dict[str, Any]:
        age_s = None if row.seen_s is None else self.now_s - row.seen_s
        return {
            "id": row.id,
            "number": row.number,
            "at": None if row.seen_s is None else [round(row.x * 10), round(row.y * 10)],
            "up": round(row.above_home_m, 1),
            "heading": round(row.heading_deg),
            "mode": row.mode,
            "state": "paused" if row.is_paused and row.state == "flying" else row.state,
            "sortie": row.sortie_id,
            "spot": row.spot_id,
            "wet": row.pump_frac > 0,
            "tank": None if row.tank_l is None else round(row.tank_l, 1),
            "litres": round(row.litres_l, 1),
            "battery": None if row.battery_frac is None else round(row.battery_frac, 2),
            "link": row.is_link_up,
            "rate": row.rate_hz,
            "lost": row.lost_frac,
            "stale": row.state in ALOFT and age_s is not None and age_s > STALE_S,
            "left": max(0, round(row.end_s - self.now_s)),
            "from": known,
            "track": row.track[known:],
        }
