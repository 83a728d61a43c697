from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from skymist.flight.errors import (
    Holding,
    LinkLost,
    UploadRefused,
    VehicleRefused,
    VehicleSilent,
)
from skymist.flight.mavlink.channel import Channel, Peer
from skymist.flight.mavlink.messages import (
    CommandResult,
    CopterMode,
    MissionKind,
    MissionResult,
    Position,
)
from skymist.flight.protocols import driver
from tests.flight.scripted import FakeLink, ScriptedVehicle, fly, sortie

Story = Callable[[Peer, ScriptedVehicle, FakeLink], Awaitable[None]]


@asynccontextmanager
async def met(**noise: Any) -> AsyncIterator[tuple[Peer, ScriptedVehicle, FakeLink]]:
    link = FakeLink(**noise)
    vehicle = ScriptedVehicle(link)
    async with Channel(link) as channel:
        yield channel.vehicle(1), vehicle, link


def tell(story: Story, **noise: Any) -> None:
    async def main() -> None:
        async with met(**noise) as (peer, vehicle, link):
            await story(peer, vehicle, link)

    fly(main())


async def ending_of(peer: Peer) -> UploadRefused | VehicleSilent | None:
    """How an upload ends: None where it was accepted."""
    try:
        await driver.upload(peer, sortie())
    except (UploadRefused, VehicleSilent) as error:
        return error
    return None


def test_what_was_uploaded_is_what_is_read_back() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        steps: list[driver.Progress] = []
        await driver.upload(peer, sortie(), steps.append)
        assert (await driver.verify(peer, sortie())).is_same
        num = len(sortie().items)
        assert steps[-1] == driver.Progress(kind=MissionKind.RALLY, num_done=1, num_items=1)
        missions = [s.num_done for s in steps if s.kind is MissionKind.MISSION]
        assert missions == sorted(missions)
        assert missions[-1] == num
        vehicle.lists[0][1] = (*vehicle.lists[0][1][:4], 1.0, *vehicle.lists[0][1][5:])
        differences = await driver.verify(peer, sortie())
        assert [str(d) for d in differences.items] == ["mission item 1: p1: wanted 0, found 1"]

    tell(story)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("loss_frac", [0.05, 0.3])
def test_an_upload_that_returns_is_held(seed: int, loss_frac: float) -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        ended = await ending_of(peer)
        if ended is not None:
            assert loss_frac == 0.3
            assert ended.holding in (Holding.CLEARED, Holding.UNKNOWN)
            if ended.holding is Holding.CLEARED:
                assert vehicle.lists == {0: [], 1: [], 2: []}
            return
        link.loss_frac = 0.0
        assert (await driver.verify(peer, sortie())).is_same

    tell(story, seed=seed, loss_frac=loss_frac, repeat_frac=0.2, corrupt_frac=0.01, jitter_s=0.2)


@pytest.mark.parametrize("num_lost", [1, 2, 3])
def test_a_lost_last_word_is_read_back_not_sent_again(num_lost: int) -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        vehicle.lose_acks = num_lost
        await driver.upload(peer, sortie())
        counts = [data for data in link.written if data[0] == 0xFD and data[7] == 44]
        assert len(counts) == 3
        assert (await driver.verify(peer, sortie())).is_same

    tell(story)


@pytest.mark.parametrize("seq", range(len(sortie().items)))
def test_a_refusal_at_every_item(seq: int) -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        vehicle.refuse[0, seq] = int(MissionResult.INVALID_PARAM7)
        with pytest.raises(UploadRefused, match=f"item {seq}: INVALID_PARAM7") as refused:
            await driver.upload(peer, sortie())
        assert (refused.value.seq, refused.value.result) == (seq, "INVALID_PARAM7")
        assert refused.value.holding is Holding.CLEARED
        assert vehicle.lists[0] == []

    tell(story)


@pytest.mark.parametrize("result", [r for r in MissionResult if r != 0], ids=lambda r: r.name)
def test_every_refusal_ends_and_leaves_nothing(result: MissionResult) -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        vehicle.refuse[0, 4] = int(result)
        ended = await ending_of(peer)
        assert ended is not None
        assert ended.holding is Holding.CLEARED
        assert vehicle.lists[0] == []

    tell(story)


def test_fence_refused_clears_the_mission_too() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        vehicle.refuse[1, 2] = int(MissionResult.UNSUPPORTED_FRAME)
        with pytest.raises(UploadRefused) as refused:
            await driver.upload(peer, sortie())
        assert (refused.value.kind, refused.value.seq) == ("fence", 2)
        assert vehicle.lists == {0: [], 1: [], 2: []}

    tell(story)


def test_just_booted_and_another_station_are_waited_for() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        vehicle.booted_s = vehicle.now_s
        vehicle.denied_until_s = vehicle.now_s + 9
        await driver.upload(peer, sortie())
        assert (await driver.verify(peer, sortie())).is_same

    tell(story)


@pytest.mark.parametrize("outage_s", [2.0, 7.0, 12.0, 300.0])
def test_a_link_cut_amid_the_upload(outage_s: float) -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        loop = asyncio.get_running_loop()

        def cut(is_cut: bool) -> None:
            link.is_cut = is_cut

        loop.call_later(0.3, cut, True)
        loop.call_later(0.3 + outage_s, cut, False)
        if outage_s > 100:
            with pytest.raises(VehicleSilent) as silent:
                await driver.upload(peer, sortie())
            assert silent.value.holding is Holding.UNKNOWN
            assert silent.value.waited_s > 9
            assert vehicle.lists[0]  # half a mission: that is why it is marked
            return
        await driver.upload(peer, sortie())
        assert (await driver.verify(peer, sortie())).is_same

    tell(story, delay_s=0.02)


def test_a_reboot_amid_the_upload() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        def reboot() -> None:
            vehicle._kind, vehicle.booted_s = -1, vehicle.now_s

        asyncio.get_running_loop().call_later(0.4, reboot)
        await driver.upload(peer, sortie())
        assert (await driver.verify(peer, sortie())).is_same

    tell(story, delay_s=0.02)


def test_an_armed_vehicle_keeps_its_mission() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        await driver.upload(peer, sortie())
        vehicle.is_armed = True
        with pytest.raises(UploadRefused, match="armed"):
            await driver.upload(peer, sortie(2))
        assert (await driver.verify(peer, sortie())).is_same

    tell(story)


def test_nobody_there_and_a_link_that_closes() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        vehicle.is_mute = True
        with pytest.raises(VehicleSilent):
            await driver.upload(peer, sortie())
        with pytest.raises(VehicleSilent, match="its mission"):
            await driver.read_back(peer, MissionKind.MISSION)
        with pytest.raises(VehicleSilent, match="clearing"):
            await driver.clear_mission(peer)
        vehicle.is_mute = False
        asyncio.get_running_loop().call_later(1.3, link.close)
        with pytest.raises(LinkLost) as lost:
            await driver.upload(peer, sortie())
        assert lost.value.holding is Holding.UNKNOWN
        with pytest.raises(LinkLost):
            await driver.verify(peer, sortie())

    tell(story)


def test_a_vehicle_without_rally_points_may_hold_none() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        unsupported = int(MissionResult.UNSUPPORTED)
        count, listed = vehicle._on_mission_count, vehicle._on_mission_request_list

        def say_no(message: Any, otherwise: Any) -> None:
            if message.mission_type == 2:
                vehicle._ack(2, unsupported)
            else:
                otherwise(message)

        vehicle._on_mission_count = lambda message: say_no(message, count)  # type: ignore[method-assign]
        vehicle._on_mission_request_list = lambda message: say_no(message, listed)  # type: ignore[method-assign]
        mission = replace(sortie(), rally=())
        await driver.upload(peer, mission)
        assert (await driver.verify(peer, mission)).is_same
        with pytest.raises(UploadRefused, match="rally"):
            await driver.upload(peer, sortie())
        with pytest.raises(VehicleRefused, match="UNSUPPORTED"):
            await driver.verify(peer, sortie())

    tell(story)


def test_commands_end_acknowledged_refused_or_unknown() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        assert (await driver.spray_off(peer)).is_accepted
        assert vehicle.commands == [(216, (0.0,) * 7)]
        vehicle.command_results[216] = [3]
        refused = await driver.spray_off(peer)
        assert (refused.outcome, refused.result) == (
            driver.Outcome.REFUSED,
            CommandResult.UNSUPPORTED,
        )
        vehicle.command_results[300] = [-1] * 15
        assert (await driver.command(peer, 300)).outcome is driver.Outcome.UNKNOWN
        vehicle.command_results[300] = [-1] * 15
        with pytest.raises(VehicleSilent, match="starting the mission"):
            await driver.start_mission(peer)
        with pytest.raises(ValueError, match="7 parameters"):
            await driver.command(peer, 300, *range(8))

    tell(story)


def test_modes_arming_and_coming_home() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        await driver.set_mode(peer, CopterMode.AUTO)
        assert vehicle.mode == CopterMode.AUTO
        vehicle.command_results[400] = [4]
        with pytest.raises(VehicleRefused, match="arming: FAILED") as refused:
            await driver.arm(peer)
        assert refused.value.result == "FAILED"
        await driver.arm(peer)
        await driver.disarm(peer)
        assert not vehicle.is_armed
        vehicle.commands.clear()
        assert (await driver.come_home(peer)).command == 189
        assert [command for command, _ in vehicle.commands] == [216, 189]
        vehicle.command_results[189] = [3]
        assert (await driver.come_home(peer)).is_accepted
        assert vehicle.mode == CopterMode.RTL
        vehicle.command_results[176] = [-1] * 15
        with pytest.raises(VehicleSilent, match="mode LOITER"):
            await driver.set_mode(peer, CopterMode.LOITER)

    tell(story)


def test_a_mode_that_is_acknowledged_but_not_entered() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        vehicle._obey = lambda command, params: None  # type: ignore[method-assign]
        with pytest.raises(VehicleSilent, match="Heartbeat"):
            await driver.set_mode(peer, CopterMode.AUTO)
        with pytest.raises(VehicleSilent):
            await driver.arm(peer)

    tell(story)


def test_streams_are_asked_for_again() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(driver.keep_streams(peer))
            await asyncio.sleep(30)
            task.cancel()
        asked = [p[:2] for command, p in vehicle.commands if command == 511]
        assert len(asked) == 3 * len(driver.STREAM_RATES_HZ)
        assert (33.0, 250000.0) in asked
        vehicle.commands.clear()
        await driver.request_streams(peer, {Position: 0.0})
        await asyncio.sleep(1)
        assert vehicle.commands == [(511, (33.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0))]

    tell(story)


def test_parameters_are_compared_without_writing() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        vehicle.params = {"SPRAY_ENABLE": (1.0, 2), "WPNAV_SPEED": (470.0, 9)}
        wanted = {"spray_enable": 1.0, "wp_speed_mps": 4.8, "fence_enable": 1.0}
        report = await driver.check_parameters(peer, wanted)
        assert (report.missing, report.refused) == (("fence_enable",), ("wp_speed_mps",))
        assert await driver.read_parameters(peer, wanted) == {
            "spray_enable": 1.0,
            "wp_speed_mps": 4.7,
        }

    tell(story)


def test_arming_is_not_asked_again_after_a_stop() -> None:
    async def story(peer: Peer, vehicle: ScriptedVehicle, link: FakeLink) -> None:
        vehicle.command_results[400] = [-1] * 15
        with pytest.raises(VehicleSilent, match="no longer asked; it may be armed"):
            await driver.arm(peer, may_go_on=lambda: False)
        assert [c for c, _ in vehicle.commands].count(400) == 1

    tell(story)
