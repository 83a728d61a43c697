"""The table of a drone's phases, and what its own words mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skymist.flight.conductor.passbook import PassBook
from skymist.flight.conductor.phases import (
    NEXT,
    Phase,
    Phases,
    has_landed,
    may_follow,
    phase_in_air,
)
from skymist.flight.mavlink.messages import CopterMode
from tests.flight.test_interlock import MISSION, NOW_S, state

GROUND = {"waiting", "refilling", "swapping"}
AIR = {"transit", "spraying", "returning", "paused", "holding", "pilot", "lost"}
ENDS = {"failed", "done"}
TABLE = {
    # One that is found in the air after a crash of the program is taken up as armed.
    "waiting": GROUND | ENDS | {"preparing", "armed"},
    "refilling": GROUND | ENDS | {"preparing"},
    "swapping": GROUND | ENDS | {"preparing"},
    # Where contact breaks on the ground the sortie is begun anew.
    "preparing": ENDS | {"uploading", "waiting"},
    "uploading": ENDS | {"verified", "waiting"},
    "verified": ENDS | {"armed", "standing by", "waiting"},
    "standing by": ENDS | {"verified", "waiting"},
    "armed": AIR | {"landed", "failed"},
    **{phase: AIR | {"landed", "failed"} for phase in AIR},
    "landed": GROUND | ENDS | {"preparing"},
    "failed": set(),
    "done": set(),
}
"""Written down a second time, by hand: a way that appears or is lost must be meant."""


@pytest.mark.parametrize("phase", list(Phase))
def test_every_way_from_every_phase(phase: Phase) -> None:
    for following in Phase:
        wanted = following is phase or str(following) in TABLE[str(phase)]
        assert may_follow(phase, following) == wanted, f"{phase} -> {following}"


def test_nothing_is_armed_but_what_was_verified() -> None:
    into_armed = {phase for phase in Phase if Phase.ARMED in NEXT[phase]}
    assert into_armed == {Phase.VERIFIED, Phase.WAITING}
    into_air = {p for p in Phase for f in NEXT[p] if f.is_airborne and not p.is_airborne}
    assert into_air == {Phase.ARMED}


def test_an_unknown_way_is_a_fault_of_ours_and_changes_nothing() -> None:
    seen: list[Phase] = []
    phases = Phases("d1", seen.append)
    phases.to(Phase.REFILLING)
    with pytest.raises(RuntimeError, match="d1: armed may not follow refilling"):
        phases.to(Phase.ARMED)
    phases.to(Phase.REFILLING)
    assert seen == [Phase.REFILLING]


@pytest.mark.parametrize(
    ("mode", "pump", "seq", "flags", "phase"),
    [
        (CopterMode.AUTO, 0.8, 6, {}, Phase.SPRAYING),
        (CopterMode.AUTO, 0.0, 6, {}, Phase.TRANSIT),
        (CopterMode.AUTO, 0.8, 3, {}, Phase.TRANSIT),
        (CopterMode.AUTO, 0.0, 10, {}, Phase.RETURNING),
        (CopterMode.AUTO, 0.0, 6, {"is_sent_home": True}, Phase.RETURNING),
        (CopterMode.AUTO, 0.0, 6, {"is_paused": True}, Phase.PAUSED),
        (CopterMode.LOITER, 0.0, 6, {"is_paused": True}, Phase.PILOT),
        (CopterMode.AUTO_RTL, 0.0, 10, {}, Phase.RETURNING),
        (CopterMode.BRAKE, 0.0, 6, {}, Phase.HOLDING),
        (CopterMode.RTL, 0.0, 6, {}, Phase.PILOT),
        (CopterMode.RTL, 0.0, 6, {"is_sent_home": True}, Phase.RETURNING),
        (CopterMode.STABILIZE, 0.0, 6, {"is_sent_home": True}, Phase.PILOT),
    ],
)
def test_what_a_drone_under_way_is_doing(
    mode: CopterMode, pump: float, seq: int, flags: dict[str, bool], phase: Phase
) -> None:
    told = state(mode=mode, pump=pump, seq=seq)
    found = phase_in_air(told, MISSION, NOW_S, **{"is_sent_home": False, **flags})
    assert found is phase


def test_silence_is_lost_and_a_drone_that_stands_has_no_phase() -> None:
    assert phase_in_air(state(), MISSION, NOW_S + 6.0, is_sent_home=False) is Phase.LOST
    assert phase_in_air(state(armed=False), MISSION, NOW_S, is_sent_home=False) is None
    place = state().position
    assert place is not None
    still = replace(state(), position=replace(place, above_home_m=0.1, speed_mps=0.0))
    assert phase_in_air(still, MISSION, NOW_S, is_sent_home=False) is None


def test_down_is_what_it_says_freshly() -> None:
    assert has_landed(state(armed=False), NOW_S)
    assert not has_landed(state(armed=False), NOW_S + 6.0)
    assert not has_landed(state(), NOW_S)


def test_a_failsafes_jump_ends_no_pass() -> None:
    """Seen in the fault matrix: the item's number comes before the heartbeat that says AUTO_RTL."""
    book = PassBook(MISSION)
    book.update(state(seq=6))
    assert book.current == 0
    assert book.update(state(seq=MISSION.land_start_seq)) == ()
    assert book.unfinished == MISSION.spans
