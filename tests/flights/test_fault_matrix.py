"""A seeded part of the fault matrix: its invariants hold under every fault of the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from skymist.coverage.dosemap import SpotOutcome
from skymist.flight.recording.record import read_record
from skymist.flight.reporting.applied import applied_from
from skymist.flight.resuming.breakpoints import Breakpoints
from skymist.flight.resuming.ledger import ledger_of
from skymist.sitl.loops import ScaledLoop
from tests.flights.matrix import Row, Where, fly
from tests.flights.real_machines import real_world
from tests.flights.troubles import TROUBLES, Leak

SILENCE = "link silent amid a pass, and back"
MUST_BE_DONE = frozenset(
    {
        "no fault",
        "loss 5 %",
        "loss 10 %",
        "loss 20 %",
        "loss 30 %",
        "duplicates",
        "reordering",
        "corruption",
        "delay 0.4 s, jitter 0.2 s",
        "57.6 kbit/s, 80 ms, 5 % loss",
        "ACK lost",
        "ACK early",
        "ACK twice",
        "ACK of another list",
        "link dropped amid the upload, and back",
        SILENCE,
        "vehicle rebooted amid the upload",
        "two drones on one port",
        "STATUSTEXT flood",
        "wind above the limit for a while",
        "tank empty amid a pass",
        "clock skew under signing",
        "pilot takes over",
        "paused amid a pass",
        "called home amid a pass",
    }
)
"""Faults that an operation outlives; the others may end it, with what is left named."""
OVERLAP_M = 1.0


@pytest.mark.parametrize("name", TROUBLES)
def test_the_invariants_hold(name: str, tmp_path: Path) -> None:
    row: Row = fly(TROUBLES[name], 101, tmp_path / "record")
    assert not row.breaches
    if name in MUST_BE_DONE:
        assert row.outcome == "done", row.text
        assert row.gap_m == 0.0
        assert row.double_m <= OVERLAP_M


@pytest.mark.parametrize("seed", range(6))
def test_a_silence_amid_a_pass_leaves_no_gap_and_sprays_nothing_twice(
    seed: int, tmp_path: Path
) -> None:
    row = fly(TROUBLES[SILENCE], seed, tmp_path / "record")
    assert not row.breaches
    assert (row.outcome, row.gap_m) == ("done", 0.0)
    assert row.double_m <= OVERLAP_M
    done = ledger_of(read_record(tmp_path / "record")).done()
    assert done["yard0", 0] == ((0.0, 1.0),)


def test_a_silence_would_be_sprayed_twice_without_its_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, where what was not seen counts as dry: why it is reckoned."""
    monkeypatch.setattr(Breakpoints, "doubt", lambda self, at_s: self.cut())
    rows = [fly(TROUBLES[SILENCE], seed, tmp_path / f"record{seed}") for seed in range(6)]
    assert max(row.double_m for row in rows) > OVERLAP_M


def test_what_a_dry_tank_did_not_spray_is_left_to_be_flown(tmp_path: Path) -> None:
    """The pump ran to the end of both passes: no message shows that nothing came."""
    row = fly(Leak, 7, tmp_path / "record")
    record = read_record(tmp_path / "record")
    assert row.outcome == "incomplete"
    assert "found empty where" in row.text
    assert not any(ledger_of(record).done().values())
    applied = applied_from(record)
    assert {spot.outcome for spot in applied.spots} == {SpotOutcome.MISSED}
    assert all("found empty where" in spot.reason for spot in applied.spots)
    assert applied.totals.void_l == pytest.approx(applied.totals.litres_l)


def test_where_nobody_looks_the_outcome_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> None:
        return None

    monkeypatch.setattr("skymist.flight.commands.rehearse.SimulatedCrew.left", nobody)
    row = fly(Leak, 7, tmp_path / "record")
    assert row.text == "1 of 1 sorties flown; nobody looked into the tank after 1 landing"


REAL = {
    "tank leaks, told by nothing": "incomplete",
    "second ground station amid the upload": None,
    "vehicle rebooted amid the upload": "done",
    "two drones of one system id": "incomplete",
    "battery drops": "incomplete",
    "motor failed": "incomplete",
    "fence breached": "incomplete",
    "clock skew under signing": "done",
    "pilot takes over": "done",
}
"""Faults that make an ArduCopter process do what the embedded copter is only said to do; with the
outcome, None where chance decides."""
SPEEDUP = 5.0


@pytest.mark.ardupilot
@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_the_invariants_hold_on_real_arducopter(
    name: str, tmp_path: Path, arducopter: Path
) -> None:
    world = real_world(arducopter, SPEEDUP, tmp_path / "sim")
    where = Where(lambda: ScaledLoop(SPEEDUP), world, "ardupilot", SPEEDUP)
    row = fly(TROUBLES[name], 101, tmp_path / "record", where)
    assert not row.breaches
    assert REAL[name] in (None, row.outcome), row
    if row.outcome == "done":
        assert row.gap_m == 0.0
        assert row.double_m <= OVERLAP_M


def test_the_matrix_sees_an_unverified_mission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge itself: where the ground no longer compares, it must say so."""
    from skymist.flight.conductor.launch import Launcher
    from skymist.flight.protocols import mission_transfer
    from skymist.flight.protocols.verify import Differences

    monkeypatch.setattr(Launcher, "_require_same", lambda *_: None)
    monkeypatch.setattr(mission_transfer, "compare", lambda *_: Differences(items=()))
    row = fly(TROUBLES["second ground station amid the upload"], 1, tmp_path / "record")
    assert any("unverified" in text for text in row.breaches), row
