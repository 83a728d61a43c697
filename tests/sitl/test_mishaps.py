"""When faults strike: the words for it, and a drone that they strike."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.coverage.errors import PlanError
from skymist.sitl.faults import (
    ABOUT,
    DEEDS,
    LINK_FAULTS,
    LOW_FENCE_M,
    VEHICLE_FAULTS,
    LinkFaults,
    break_vehicle,
    mend_vehicle,
)
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from skymist.sitl.machine import Faults
from skymist.sitl.mishaps import (
    LATER_S,
    NAMES,
    Mishap,
    MishapPipe,
    is_armed_heartbeat,
    parse_mishap,
    require_drones,
)
from skymist.sitl.proxy import LinkProxy
from skymist.sitl.streams import open_tcp_pipe
from tests.sitl.ground import HOME, LAND, drone, on, takeoff, waypoint


def test_the_words() -> None:
    assert parse_mishap("heavy-loss") == Mishap(name="heavy-loss")
    assert parse_mishap("gps-lost") == Mishap(name="gps-lost", at_s=LATER_S)
    whole = Mishap(name="gps-lost", drone_id="heron", at_s=40.0, for_s=10.5)
    assert parse_mishap("heron:gps-lost@40+10.5") == whole
    assert parse_mishap("reboot@0").at_s == 0
    assert whole.strikes("heron")
    assert not whole.strikes("egret")


@pytest.mark.parametrize("text", ["", "gps", "gps-lost@", "gps-lost@-1", "a:b:gps-lost", "@3"])
def test_other_words_are_refused_with_all_names(text: str) -> None:
    with pytest.raises(PlanError, match=r"(?s)--fault: wanted .*bursts, corruption.*reboot.*found"):
        parse_mishap(text)


def test_a_drone_that_is_not_there_is_named() -> None:
    with pytest.raises(PlanError, match="wanted a drone of d1, d2, found 'd9'"):
        require_drones([parse_mishap("d9:wind")], ["d1", "d2"])


def test_every_kind_that_the_link_can_have_has_a_name() -> None:
    assert {"loss", "bursts", "duplicates", "reordering", "corruption", "delay", "slow"} <= set(
        LINK_FAULTS
    )
    assert {*LINK_FAULTS, *VEHICLE_FAULTS, *DEEDS} == set(NAMES) == set(ABOUT)


@pytest.mark.parametrize("name", sorted(VEHICLE_FAULTS))
def test_what_was_broken_is_mended(name: str) -> None:
    from skymist.sitl.copter import EmbeddedCopter

    copter = EmbeddedCopter(drone(), home=HOME)
    break_vehicle(copter, name)
    assert copter.faults != Faults()
    mend_vehicle(copter, name)
    assert copter.faults == Faults()


def test_a_ceiling_is_lifted_to_where_it_was_and_stays_if_it_was_not_lowered() -> None:
    from skymist.sitl.copter import EmbeddedCopter

    copter = EmbeddedCopter(drone(), home=HOME)
    copter.params.put("FENCE_ALT_MAX", 31)
    mend_vehicle(copter, "fence")
    assert copter.params["FENCE_ALT_MAX"] == 31
    for _ in range(2):
        break_vehicle(copter, "fence")
        break_vehicle(copter, "fence")
        assert copter.params["FENCE_ALT_MAX"] == LOW_FENCE_M
        mend_vehicle(copter, "fence")
        assert copter.params["FENCE_ALT_MAX"] == 31
        mend_vehicle(copter, "fence")
        assert copter.params["FENCE_ALT_MAX"] == 31


def test_faults_that_overlap_are_mended_when_the_last_is_over() -> None:
    """One kind twice is broken throughout; a link goes back to the fault that still lasts."""
    struck: list[tuple[str, bool]] = []
    links: list[LinkFaults] = []

    async def strike(name: str, is_broken: bool) -> None:
        struck.append((name, is_broken))

    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            words = ("fence@2+6", "fence@4+1", "reboot@5", "reboot@6", "loss", "link-silent@2+4")
            pipe = MishapPipe(fleet.connect(0), [parse_mishap(word) for word in words], strike)
            pipe._armed()
            await asyncio.sleep(0.5)
            for _ in range(10):
                await asyncio.sleep(1)
                links.append(pipe._pipe.faults)
            pipe.close()

    run(main(), loop=VirtualLoop())
    expected = [("fence", True), ("fence", True), ("reboot", True), ("reboot", True)]
    assert struck == [*expected, ("fence", False)]
    silent, lossy = LINK_FAULTS["link-silent"], LINK_FAULTS["loss"]
    assert links == [lossy] + [silent] * 4 + [lossy] * 5


@given(st.binary(max_size=30))
def test_no_bytes_are_mistaken_or_break_it(data: bytes) -> None:
    assert is_armed_heartbeat(data) in (True, False)


def test_a_fault_strikes_so_long_after_arming_and_is_mended() -> None:
    rows = [waypoint(0, 0, 0), takeoff(), waypoint(200, 0), LAND]
    times: list[tuple[str, bool, float]] = []

    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            copter = fleet.copters[0]

            async def strike(name: str, is_broken: bool) -> None:
                times.append((name, is_broken, copter.state.now_s - copter.state.armed_s))

            mishaps = [parse_mishap("wind@20+5"), parse_mishap("link-silent@30+4")]
            pipe = MishapPipe(fleet.connect(0), mishaps, strike)
            async with on(pipe) as ground:
                await ground.launch(rows)
                await ground.wait_armed()
                await asyncio.sleep(28)
                before = len(ground.heard)
                await asyncio.sleep(1)
                assert len(ground.heard) > before
                await asyncio.sleep(2)
                silent = len(ground.heard)
                await asyncio.sleep(2)
                assert len(ground.heard) == silent
                await asyncio.sleep(3)
                assert len(ground.heard) > silent
                assert pipe.struck == ["wind", "link-silent"]
            pipe.close()

    run(main(), loop=VirtualLoop())
    # A heartbeat a second tells of the arming.
    assert [(name, broken) for name, broken, _ in times] == [("wind", True), ("wind", False)]
    assert 20 <= times[0][2] <= 21.2
    assert times[1][2] - times[0][2] == pytest.approx(5, abs=0.2)


def test_a_proxy_before_an_embedded_copter_passes_spoils_and_ends() -> None:
    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            port = await fleet.serve_tcp(0)
            async with LinkProxy(port, faults=LINK_FAULTS["delay"]) as proxy:
                early = await open_tcp_pipe("127.0.0.1", proxy.port)
                async with on(early) as ground:
                    await ground.wait("HEARTBEAT", 30)
                    assert await ground.command(216, 0) == 0
                    proxy.faults = LINK_FAULTS["link-silent"]
                    await asyncio.sleep(2)
                    num = len(ground.heard)
                    await asyncio.sleep(5)
                    assert len(ground.heard) == num
                late = await open_tcp_pipe("127.0.0.1", proxy.port)
            assert await late.read() == b""
            early.close()
            late.close()

    run(main(), loop=ScaledLoop(20))
