"""Ledgers made up for tests: figures as a report gives them, and a file full of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from skymist.missions.ledger.treatments import Flown, add_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MORNING = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
COMMUNITY = "浪口 Court"


def flown(
    began: datetime = MORNING,
    outcomes: Mapping[str, str] | None = None,
    *,
    is_rehearsal: bool = False,
    site: str = COMMUNITY,
    mode: str = "surface",
    contact_min: float = 30.0,
    each_min: float = 10.0,
    left: tuple[str, ...] = (),
) -> Flown:
    """An operation that began then and ended with these outcomes, one spot after the other."""
    spots = []
    for number, (spot_id, outcome) in enumerate((outcomes or {"bin-1": "treated"}).items()):
        start = began + timedelta(minutes=each_min * number)
        end = start + timedelta(minutes=0.9 * each_min)
        is_dry = outcome == "missed"
        times: dict[str, Any] = {
            "started_utc": None if is_dry else start.isoformat(),
            "ended_utc": None if is_dry else end.isoformat(),
            "contact_until_utc": (
                None if is_dry else (end + timedelta(minutes=contact_min)).isoformat()
            ),
        }
        spots.append(
            {
                **{"id": spot_id, "name": "", "kind": "refuse point", "level": "red", "mode": mode},
                **{"zone": "z1", "post": "Post 1", "agent": "chlorine-1000", "outcome": outcome},
                **{"label": "", "target_m2": 20.0, "dosed_frac": 0.99, "given_ml_per_m2": 101.0},
                **{"asked_ml_per_m2": 100.0, "given_mg_per_m2": 101.0, "asked_mg_per_m2": 100.0},
                **{"litres": 2.0, "drones": ["heron"], "reason": ""},
                **times,
            }
        )
    figures = {
        **{"site": site, "is_rehearsal": is_rehearsal, "sim": None, "notes": [], "agents": []},
        **{"started_utc": began.isoformat(), "software": "skymist 0.1.0", "spots": spots},
        **{"record": {"file": "record.jsonl", "ending": "done"}, "totals": {"litres": 2.0}},
        "ground": [{"id": s, "is_whole": True, "m2": 9.0, "text": "too narrow"} for s in left],
    }
    data = json.dumps([began.isoformat(), is_rehearsal, mode]).encode() + b"\nflown\n"
    return Flown(data=data, figures=figures)


def book(path: Path, num_records: int = 3, num_spots: int = 2) -> Path:
    """A ledger of so many days with so many spots in each."""
    outcomes = {f"bin-{k}": "treated" for k in range(num_spots)}
    for day in range(num_records):
        began = MORNING + timedelta(days=day)
        add_record(path, flown(began, outcomes), now=began + timedelta(hours=2))
    return path
