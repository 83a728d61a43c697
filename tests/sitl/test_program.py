from __future__ import annotations

import pytest

from skymist.sitl.items import Command, Item
from skymist.sitl.program import MissionState, Program
from skymist.sitl.stores import MissionStore

C = Command


class Hands:
    """A crew whose items are done when the test says so; DO items at once."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.done: set[int] = set()
        self.ended = 0

    def start(self, item: Item) -> None:
        self.begun.append(item.seq)

    def is_done(self, item: Item) -> bool:
        return item.seq in self.done or item.command >= C.DO_SET_MODE

    def mission_ended(self) -> None:
        self.ended += 1


def program(*commands: int | tuple[int, float, float]) -> tuple[Program, Hands]:
    """Items 1, 2, ... of these commands; a triple has p1 and p2."""
    store, hands = MissionStore(), Hands()
    for seq, row in enumerate((C.NAV_WAYPOINT, *commands)):
        command, p1, p2 = row if isinstance(row, tuple) else (row, 0.0, 0.0)
        store.put(Item(seq=seq, command=command, p1=p1, p2=p2), 99)
    return Program(store, hands), hands


def test_do_items_run_beside_the_next_leg() -> None:
    run, hands = program(C.NAV_TAKEOFF, C.DO_SPRAYER, C.DO_CHANGE_SPEED, C.NAV_WAYPOINT, C.NAV_LAND)
    run.start()
    assert (hands.begun, run.index) == ([1], 1)
    hands.done.add(1)
    run.update()
    assert run.index == 4
    assert hands.begun == [1, 2, 4, 3], "the first DO item before the leg, the others after"


def test_a_condition_holds_back_what_follows_it() -> None:
    run, hands = program(
        C.NAV_TAKEOFF, C.CONDITION_DISTANCE, C.DO_SPRAYER, C.NAV_WAYPOINT, C.NAV_LAND
    )
    run.start()
    hands.done.add(1)
    run.update()
    run.update()
    assert hands.begun == [1, 2, 4]
    assert run.pending is not None
    hands.done.add(2)
    run.update()
    assert hands.begun == [1, 2, 4, 3]


def test_do_items_that_were_not_reached_in_time_are_dropped() -> None:
    run, hands = program(
        C.NAV_TAKEOFF, C.CONDITION_DISTANCE, C.DO_SPRAYER, C.NAV_WAYPOINT, C.NAV_LAND
    )
    run.start()
    hands.done |= {1, 4}
    run.update()
    run.update()
    assert run.index == 5
    assert 3 not in hands.begun


def test_the_end_of_the_mission_is_told_once() -> None:
    run, hands = program(C.NAV_TAKEOFF, C.NAV_WAYPOINT)
    run.start()
    hands.done |= {1, 2}
    for _ in range(5):
        run.update()
    assert (run.state, hands.ended) == (MissionState.COMPLETE, 1)


def test_resuming_goes_on_at_the_interrupted_leg_without_its_do_items() -> None:
    run, hands = program(C.NAV_TAKEOFF, C.DO_SPRAYER, C.NAV_WAYPOINT, C.NAV_LAND)
    run.start()
    hands.done.add(1)
    run.update()
    run.stop()
    assert run.state is MissionState.NOT_STARTED
    hands.begun.clear()
    run.start_or_resume(restart=False)
    assert (hands.begun, run.index) == ([3], 3)


def test_resuming_within_a_condition_runs_it_again() -> None:
    run, hands = program(C.NAV_TAKEOFF, C.CONDITION_DISTANCE, C.DO_SPRAYER, C.NAV_WAYPOINT)
    run.start()
    hands.done.add(1)
    run.update()
    run.stop()
    hands.begun.clear()
    run.resume()
    assert (hands.begun, run.index) == ([2, 4], 4)


def test_disarming_goes_back_to_the_beginning() -> None:
    run, hands = program(C.NAV_TAKEOFF, C.NAV_WAYPOINT)
    run.start()
    hands.done.add(1)
    run.update()
    run.reset()
    assert run.index == 0
    run.stop()
    run.resume()
    assert run.index == 1


@pytest.mark.parametrize(("times", "visits"), [(0, 1), (1, 2), (3, 4)])
def test_jumps_are_counted(times: int, visits: int) -> None:
    run, hands = program(C.NAV_TAKEOFF, C.NAV_WAYPOINT, (C.DO_JUMP, 2, times), C.NAV_LAND)
    run.start()
    hands.done |= {1, 2}
    for _ in range(20):
        run.update()
    assert hands.begun.count(2) == visits
    assert run.index == 4


def test_an_endless_jump_of_do_items_alone_ends() -> None:
    run, hands = program(C.DO_SPRAYER, (C.DO_JUMP, 1, -1))
    run.start()
    assert (run.state, hands.ended) == (MissionState.COMPLETE, 1)


def test_set_current_while_running_starts_there_at_once() -> None:
    run, hands = program(C.NAV_TAKEOFF, C.NAV_WAYPOINT, C.DO_LAND_START, C.DO_SPRAYER, C.NAV_LAND)
    run.start()
    assert run.set_current(run.landing_start())
    assert run.is_landing_sequence
    assert (run.index, hands.begun) == (5, [1, 3, 5])
    run.update()
    assert hands.begun[-1] == 4


def test_set_current_while_stopped_waits_for_the_resume() -> None:
    run, hands = program(C.NAV_TAKEOFF, C.NAV_WAYPOINT, C.NAV_LAND)
    assert run.set_current(2)
    assert (run.index, hands.begun) == (2, [])
    run.resume()
    assert hands.begun == [2]


@pytest.mark.parametrize("index", [3, 99])
def test_set_current_past_the_end_is_refused(index: int) -> None:
    run, _ = program(C.NAV_TAKEOFF, C.NAV_WAYPOINT)
    assert not run.set_current(index)


def test_no_mission_is_told_as_such() -> None:
    run, _ = program()
    assert run.state is MissionState.NO_MISSION
    assert run.landing_start() == 0


def test_the_nearest_landing_start_is_taken() -> None:
    run, _ = program(C.NAV_TAKEOFF, C.DO_LAND_START, C.NAV_LAND, C.DO_LAND_START, C.NAV_LAND)
    assert run.landing_start({2: 50.0, 4: 10.0}) == 4
    assert run.landing_start({2: 5.0, 4: 10.0}) == 2
