"""What a look into the tank proves, case by case, and which sorties it reaches back to."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.flight.conductor.crew import AskingCrew
from skymist.flight.resuming.tank_look import Look, TankLooks
from skymist.flight.safety.monitor import Tank
from tests.flights.conftest import small_plan

CASES = [
    ("as reckoned", 10.0, 1.0, 1.1, 1.0, True),
    ("within what a reading may be off", 10.0, 1.0, 1.85, 1.0, True),
    ("nobody looked", 10.0, 1.0, None, 1.0, False),
    ("empty", 10.0, 1.0, 0.0, 0.0, False),
    ("dregs alone", 10.0, 1.0, 0.2, 0.0, False),
    ("empty, as reckoned", 1.0, 0.02, 0.0, 1.0, True),
    ("small, as reckoned", 1.0, 0.28, 0.28, 1.0, True),
    ("a blocked nozzle", 10.0, 1.0, 5.5, 0.5, False),
    ("nothing came out", 10.0, 1.0, 10.0, 0.0, False),
    ("more than was filled in", 10.0, 1.0, 12.0, 0.0, False),
    ("a leak that left some", 10.0, 3.0, 0.5, 1.0, False),
    ("nothing was sprayed", 10.0, 10.0, 9.9, 1.0, True),
]


@pytest.mark.parametrize(
    ("before_l", "reckoned_l", "found_l", "counts_frac", "is_as_reckoned"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_what_a_look_proves(
    before_l: float,
    reckoned_l: float,
    found_l: float | None,
    counts_frac: float,
    is_as_reckoned: bool,
) -> None:
    look = Look(before_l=before_l, reckoned_l=reckoned_l, found_l=found_l)
    assert look.counts_frac == pytest.approx(counts_frac)
    assert look.is_as_reckoned is is_as_reckoned
    assert look.is_borne_out is (counts_frac >= 0.8)
    assert look.text


@given(
    before_l=st.floats(0, 50),
    sprayed_frac=st.floats(0, 1),
    found_frac=st.floats(0, 1),
)
def test_never_more_counts_than_can_have_come_out(
    before_l: float, sprayed_frac: float, found_frac: float
) -> None:
    sprayed_l, found_l = before_l * sprayed_frac, before_l * found_frac
    look = Look(before_l=before_l, reckoned_l=before_l - sprayed_l, found_l=found_l)
    assert 0.0 <= look.counts_frac <= 1.0
    slack_l = max(0.25, 0.1 * sprayed_l)
    assert look.counts_frac * sprayed_l <= before_l - found_l + slack_l + 1e-9


class Told:
    """What the record would hold."""

    def __init__(self) -> None:
        self.looks: list[tuple[str, float]] = []
        self.codes: list[str] = []

    def event(self, name: str, **fields: Any) -> None:
        assert name == "look"
        self.looks.append((fields["sortie_id"], fields["counts_frac"]))

    def alert(self, alert: Any) -> None:
        self.codes.append(f"{alert.severity} {alert.code}")


class Crew:
    """Finds in the tank what it is told to find."""

    def __init__(self, *found: float | None) -> None:
        self._found = list(found)

    async def left(self, *_: object) -> float | None:
        return self._found.pop(0)


def looks(told: Told, *found: float | None) -> list[tuple[str, ...]]:
    """The earlier sorties that each look makes unsure; 1 L is left of 2 each time."""
    crew: Any = Crew(*found)
    own: Any = told
    asking = TankLooks("d1", 16.0, crew, own)
    sorties = small_plan(1, len(found)).sorties

    async def main() -> list[tuple[str, ...]]:
        unsure = []
        for sortie in sorties:
            _, earlier = await asking.after(sortie, Tank(litres_l=1.0, sprayed_l=1.0))
            unsure.append(tuple(one.id for one in earlier))
        return unsure

    return asyncio.run(main())


def test_an_empty_tank_reaches_back_to_the_last_that_was_seen() -> None:
    told = Told()
    assert looks(told, 1.0, None, None, 0.0, None) == [(), (), (), ("d1-02", "d1-03"), ()]
    assert told.looks == [
        *(("d1-01", 1.0), ("d1-02", 1.0), ("d1-03", 1.0)),
        *(("d1-04", 0.0), ("d1-02", 0.0), ("d1-03", 0.0), ("d1-05", 1.0)),
    ]
    assert told.codes == ["error tank_off"]


def test_less_than_reckoned_is_told_and_counts() -> None:
    told = Told()
    assert looks(told, 0.5) == [()]
    assert told.codes == ["warning tank_off"]
    assert told.looks == [("d1-01", 1.0)]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes as standard input, POSIX only")
def test_the_crew_is_asked_for_litres_until_it_names_some(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    read_fd, write_fd = os.pipe()
    with os.fdopen(read_fd) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)

        async def main() -> list[float | None]:
            crew = AskingCrew(said.append)

            async def asked(*lines: bytes) -> float | None:
                before = len(said)
                answer = asyncio.create_task(crew.left("d1", 3.1, 16.0))
                for number, line in enumerate(lines, start=1):
                    while len(said) < before + number:
                        await asyncio.sleep(0.01)
                    os.write(write_fd, line)
                async with asyncio.timeout(30):
                    return await answer

            found = [await asked(b"99\n", b"abc\n", b"3,2 L\n"), await asked(b"\n")]
            os.close(write_fd)
            return [*found, await asked()]

        assert asyncio.run(main()) == [3.2, None, None]
    assert said[0].startswith("d1: about 3.1 L should be left")
    assert said[1:3] == [
        "d1: wanted litres from 0 to 16, found '99'",
        "d1: wanted litres from 0 to 16, found 'abc'",
    ]
