"""What a record adds to the ledger: one row for the operation, one for each spot it planned.

From the report's figures as plain JSON values (`flight.reporting.report.report_dict`): what was
flown, never what was planned. Work by hand is added by people, under a name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from skymist.missions.errors import LedgerError
from skymist.missions.ledger.store import open_ledger, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from skymist.coverage.site import Site
    from skymist.missions.ledger.chain import Body, Row
    from skymist.missions.ledger.store import Ledger

AHEAD_S = 3600.0
"""A treatment that ends later than this from now was stamped by a wrong clock. [P]"""
_SPOT_KEYS = (
    *("name", "level", "mode", "zone", "post", "agent", "outcome", "label", "target_m2"),
    *("dosed_frac", "given_ml_per_m2", "asked_ml_per_m2", "given_mg_per_m2", "asked_mg_per_m2"),
    *("litres", "started_utc", "ended_utc", "contact_until_utc", "drones", "reason"),
)
_TIMES = ("started_utc", "ended_utc", "contact_until_utc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flown:
    """A record to be added: its bytes, its report's figures, and who answers for it."""

    data: bytes
    figures: dict[str, Any]
    operator: str = ""
    supervisor: str = ""

    @property
    def sha256(self) -> str:
        """The record's hash."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def operation(self) -> str:
        """The hash of its first line: the same for all versions of one operation's record."""
        return hashlib.sha256(self.data.partition(b"\n")[0]).hexdigest()


def add_record(
    path: Path, flown: Flown, *, takes_rehearsals: bool = False, now: datetime | None = None
) -> tuple[Row, ...]:
    """Add what a record applied to the ledger of its community, and give the rows.

    Raises
    ------
    FormatError
        Where the file is no ledger, or another community's.
    LedgerError
        For a rehearsal unless those are taken, a record that is in the ledger already (unless it
        was taken up and has grown since), or times to come; and where it cannot be written.
    """
    moment, figures = now or datetime.now(UTC), flown.figures
    name = figures["record"]["file"]
    require_taken(name, figures["is_rehearsal"], takes_rehearsals)
    if not figures["is_rehearsal"]:
        _require_past(name, figures, moment)
    with open_ledger(path, community=figures["site"], now=moment) as ledger:
        return ledger.append(lambda held: _bodies(flown, _grown_from(held, flown)), moment)


def require_taken(name: object, is_rehearsal: bool, takes_rehearsals: bool) -> None:
    """Refuse a rehearsal unless those are taken.

    Raises
    ------
    LedgerError
        With the way to keep it.
    """
    if is_rehearsal and not takes_rehearsals:
        text = "is a rehearsal: nothing was sprayed; say --rehearsal to keep it, marked as one"
        raise LedgerError(f"{name}: {text}")


def add_by_hand(
    path: Path,
    site: Site,
    spot_ids: Sequence[str],
    *,
    ended: datetime,
    by: str,
    note: str = "",
    now: datetime | None = None,
) -> tuple[Row, ...]:
    """Add what people treated on foot: whole spots, by their own word.

    Raises
    ------
    LedgerError
        For a spot that the site has not, an empty name, or a time to come.
    """
    moment, spots = now or datetime.now(UTC), {spot.id: spot for spot in site.spots}
    if not by.strip():
        raise LedgerError("--by: wanted the name of who treated them, found none")
    if ended > moment:
        raise LedgerError(f"--at: wanted a time that is over, found {utc_text(ended)}")
    if unknown := [spot_id for spot_id in spot_ids if spot_id not in spots]:
        raise LedgerError(f"spot: wanted one of {site.name}, found {', '.join(unknown)}")
    agents = {agent.id: agent for agent in site.agents}
    bodies = []
    for spot in (spots[spot_id] for spot_id in dict.fromkeys(spot_ids)):
        agent_id = spot.agent_id or site.level_for(spot).agent_id
        contact_min = agents[agent_id].contact_min if agent_id in agents else 0.0
        until = utc_text(ended + timedelta(minutes=contact_min)) if contact_min else None
        bodies.append(
            {
                **{"kind": "treatment", "by_hand": True, "is_rehearsal": False, "spot": spot.id},
                **{"level": str(spot.level), "mode": str(spot.mode), "zone": spot.zone_id},
                **{"post": site.post_for(spot), "agent": agent_id},
                **{"outcome": "treated", "ended_utc": utc_text(ended), "contact_until_utc": until},
                **{"operator": by.strip(), "note": note},
            }
        )
    with open_ledger(path, community=site.name, now=moment) as ledger:
        return ledger.append(lambda _: bodies, moment)


def _require_past(name: str, figures: dict[str, Any], now: datetime) -> None:
    """Refuse times to come: they would keep a spot from being due."""
    ends = [spot["ended_utc"] for spot in figures["spots"] if spot["ended_utc"]]
    last = max(map(datetime.fromisoformat, [figures["started_utc"], *ends]))
    if last > now + timedelta(seconds=AHEAD_S):
        found = f"{utc_text(last)}, now is {utc_text(now)}"
        raise LedgerError(f"{name}: wanted treatments that are over, found one at {found}")


def _grown_from(ledger: Ledger, flown: Flown) -> str | None:
    """The hash of the version that is in the ledger and that this one goes on from."""
    held = [row.body for row in ledger.rows("WHERE operation = ? ORDER BY seq", flown.operation)]
    name = flown.figures["record"]["file"]
    for body in held:
        if body["record"] == flown.sha256:
            raise LedgerError(f"{name}: is in the ledger since {body['added_utc']}")
    if not held:
        return None
    last = held[-1]
    begun = hashlib.sha256(flown.data[: last["bytes"]]).hexdigest()
    if begun != last["record"]:
        text = "another version of it is in the ledger since"
        raise LedgerError(
            f"{name}: {text} {last['added_utc']}, and this one does not go on from it"
        )
    return str(last["record"])


def _bodies(flown: Flown, grown_from: str | None) -> list[Body]:
    """The rows of a record: the operation's, its spots' by the plan, and what it left to people."""
    figures, sha256 = flown.figures, flown.sha256
    shared = {"record": sha256, "is_rehearsal": figures["is_rehearsal"]}
    ground = {task["id"]: task["m2"] for task in figures["ground"]}
    operation: Body = {
        **shared,
        **{"kind": "record", "operation": flown.operation, "bytes": len(flown.data)},
        **{"grown_from": grown_from, "file": figures["record"]["file"], "sim": figures["sim"]},
        **{"site": figures["site"], "started_utc": _utc(figures["started_utc"])},
        **{"ending": figures["record"]["ending"], "software": figures["software"]},
        **{"operator": flown.operator, "supervisor": flown.supervisor},
        **{"notes": figures["notes"], "litres": figures["totals"]["litres"]},
        **{"agents": figures["agents"], "num_treatments": len(figures["spots"])},
    }
    rows: list[Body] = [operation]
    for spot in figures["spots"]:
        said = {key: spot[key] for key in _SPOT_KEYS} | {key: _utc(spot[key]) for key in _TIMES}
        left = {"by_hand_m2": ground.get(spot["id"], 0.0), "spot": spot["id"], "of": spot["kind"]}
        rows.append({"kind": "treatment", **shared, **said, **left})
    for task in figures["ground"]:
        if task["is_whole"]:
            said = {"m2": task["m2"], "text": f"left to people: {task['text']}"}
            rows.append({"kind": "left", **shared, **said, "spot": task["id"]})
    return rows


def _utc(iso: str | None) -> str | None:
    return None if iso is None else utc_text(datetime.fromisoformat(iso))
