"""The promises P1 to P7, each flown as it is and with the code that keeps it taken out.

What keeps a promise is worth a test only where its absence shows. docs/promises.md lists them all.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skymist.flight.conductor import launch
from skymist.flight.mavlink.messages import CopterMode
from skymist.flight.protocols import commanding, mission_transfer
from skymist.flight.protocols.commands_protocol import Outcome
from skymist.flight.protocols.mission_transfer import Holding
from skymist.flight.resuming.breakpoints import Breakpoints
from skymist.flight.resuming.ledger import Ledger
from skymist.flight.resuming.resume import Choice
from skymist.flight.safety import interlock
from skymist.missions import compile as compiling
from tests.flights.machines import EmbeddedMachine
from tests.flights.matrix import Row, Trouble, fly
from tests.flights.test_hazards import Meet, meet  # noqa: F401
from tests.flights.test_interlock_in_flight import SEEN_S, TOLD_S, JumpUnseen
from tests.flights.test_operations import MakePlan
from tests.flights.troubles import TROUBLES, OtherStation, RefusedItem

COMMAND_ACK = 77
Patch = pytest.MonkeyPatch
broken = pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "taken out"])


def flown(trouble: type[Trouble], seed: int, folder: Path) -> tuple[Row, Any]:
    """What came of it, and the copter as it stands afterwards."""
    made: list[Trouble] = []

    def make(chance: random.Random) -> Trouble:
        made.append(trouble(chance))
        return made[-1]

    row = fly(make, seed, folder / "record")
    machine = made[0].machine
    assert isinstance(machine, EmbeddedMachine)
    return row, machine.copter


class WrittenLate(OtherStation):
    """Another ground station writes its mission after ours was checked, before arming."""

    async def wired(self) -> None:
        self.event_s = 0.0

    async def watch(self) -> None:
        machine = self.machine
        assert isinstance(machine, EmbeddedMachine)
        state = machine.copter.state
        await self.until(lambda _: state.shown_mode == CopterMode.AUTO)
        await self.until(lambda _: state.shown_mode != CopterMode.AUTO)
        await self.write()


@broken
def test_p1_nothing_arms_with_another_mission_than_checked(
    tmp_path: Path, monkeypatch: Patch, is_kept: bool
) -> None:
    """By fingerprint or read-back, right before arming."""
    if not is_kept:

        async def unchecked(*_: object) -> None: ...

        monkeypatch.setattr(launch.Launcher, "check_again", unchecked)
    row, copter = flown(WrittenLate, 1, tmp_path)
    assert len(copter.mission) == 3
    assert bool(row.unverified) == (not is_kept), row


@broken
def test_p2_a_transfer_that_failed_leaves_no_half_mission(
    tmp_path: Path, monkeypatch: Patch, is_kept: bool
) -> None:
    if not is_kept:

        async def untouched(*_: object) -> Holding:
            return Holding.CLEARED

        for module in (mission_transfer, launch):
            monkeypatch.setattr(module, "clear_or_mark", untouched, raising=False)
    row, copter = flown(RefusedItem, 2, tmp_path)
    assert row.outcome == "incomplete", row
    assert (len(copter.mission) <= 1) == is_kept, len(copter.mission)


class NoAcks(Trouble):
    """No command is ever acknowledged, though every one is obeyed."""

    async def wired(self) -> None:
        self.event_s = 0.0
        self.wire.down = lambda number, frame: () if number == COMMAND_ACK else (frame,)


@broken
def test_p3_a_command_without_an_answer_is_not_taken_for_done(
    tmp_path: Path, monkeypatch: Patch, is_kept: bool
) -> None:
    if not is_kept:
        asked = commanding.command

        async def assumed(*words: Any, **more: Any) -> Any:
            result = await asked(*words, **more)
            is_unknown = result.outcome is Outcome.UNKNOWN
            return replace(result, outcome=Outcome.ACKNOWLEDGED) if is_unknown else result

        for module in list(sys.modules.values()):
            if getattr(module, "command", None) is asked:
                monkeypatch.setattr(module, "command", assumed)
    row, _ = flown(NoAcks, 1, tmp_path)
    assert not row.breaches
    assert (row.num_armed == 0) == is_kept, row


class SilentAtOnce(Trouble):
    """The link falls silent for good where the pass begins: its failsafe strikes amid it."""

    async def watch(self) -> None:
        await self.until(lambda m: m.pumped_l > 0.03)
        self.struck()
        self.machine.silence(True)


@broken
def test_p4_the_mission_itself_turns_the_pump_off_where_nobody_is_heard(
    tmp_path: Path, monkeypatch: Patch, is_kept: bool
) -> None:
    """Its failsafes go to DO_LAND_START and DO_SPRAYER 0; RTL alone sprays all the way home.

    The ground's own rules are in test_interlock_in_flight.
    """
    if not is_kept:
        monkeypatch.setattr(compiling, "LAND_SEQUENCE", 1.0)
    row, _ = flown(SilentAtOnce, 0, tmp_path)
    assert (row.outside_l < 0.01) == is_kept, row


def by_no_proof(breaks: Breakpoints, index: int, *, is_ended: bool) -> float:
    return 0.0


def by_the_item(breaks: Breakpoints, index: int, *, is_ended: bool) -> float:
    return 1.0 if breaks._stretches[index].is_on_seen else 0.0


@pytest.mark.parametrize("reckoned", [None, by_no_proof, by_the_item])
def test_p5_a_rest_is_the_complement_of_what_was_sprayed(
    tmp_path: Path, monkeypatch: Patch, reckoned: Callable[..., float] | None
) -> None:
    """Reckoned from nothing it is sprayed twice, by the item that was begun there is a gap."""
    if reckoned is not None:
        monkeypatch.setattr(Breakpoints, "done_frac", reckoned)
    row = fly(TROUBLES["called home amid a pass"], 3, tmp_path / "record")
    assert (row.double_m <= 1.0) == (reckoned is not by_no_proof), row
    assert bool(row.lost) == (reckoned is by_the_item), row


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@broken
def test_p6_what_a_killed_program_treated_is_not_treated_again(
    tmp_path: Path, monkeypatch: Patch, is_kept: bool
) -> None:
    from tests.flights.test_resume import FLOW_MOST_LPS, OVERLAP_L, UNSEEN_S, truth
    from tests.processes import airfield, ground
    from tests.yards import six_yards

    if not is_kept:
        monkeypatch.setattr(Ledger, "fold", lambda *_: None)
    plan = six_yards()
    with airfield(plan) as field:
        field.kill(ground(field, tmp_path / "record"), 190.0)
        program = ground(field, tmp_path / "record", choice=Choice())
        program.join(120)
        assert program.exitcode == 0
        _, litres_l = truth(field, tmp_path)
    most_l = plan.litres_l + 3 * (UNSEEN_S * FLOW_MOST_LPS + OVERLAP_L)
    assert (litres_l <= most_l) == is_kept, (litres_l, most_l)


@broken
def test_p7_a_place_of_long_ago_is_none(
    tiny_plan: MakePlan,
    meet: Meet,  # noqa: F811
    monkeypatch: Patch,
    is_kept: bool,
) -> None:
    if not is_kept:
        monkeypatch.setattr(interlock, "is_fresh", lambda *_: True)
    hazard = JumpUnseen()
    late_l = hazard.late_l(meet(tiny_plan(), hazard), SEEN_S + TOLD_S)
    assert (late_l == 0.0) == is_kept, late_l
