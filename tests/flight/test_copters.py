"""The wire against whole copters, the embedded one and a real one: one story for both."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from skymist.flight.errors import Holding, LinkLost, UploadRefused, VehicleRefused
from skymist.flight.mavlink.channel import Channel, Peer
from skymist.flight.mavlink.codec import Decoder
from skymist.flight.mavlink.links import Link, open_link
from skymist.flight.mavlink.messages import CommandResult, CopterMode, MissionKind
from skymist.flight.protocols import driver
from skymist.flight.safety.preflight import preflight
from skymist.missions.items import Command, Item
from skymist.sitl import EmbeddedFleet, Firmware, ScaledLoop, VirtualLoop, run
from tests.flight.scripted import sortie
from tests.flight.test_preflight import DRONE

SPEEDUP = 10
DEFAULTS = (
    Path("/usr/local/share/arducopter/copter.parm"),
    Path.home() / "ardupilot/Tools/autotest/default_params/copter.parm",
)
PARAMETERS = {
    "spray_enable": 1.0,
    "spray_pump_rate_pct_per_mps": 17.3,
    "spray_pump_min_pct": 12.0,
    "spray_speed_min_mps": 0.37,
    "fs_gcs_action": 6.0,
    "fs_throttle_action": 6.0,
    "battery_low_action": 6.0,
    "fence_enable": 1.0,
    "fence_action": 4.0,
    "fence_type": 7.0,
    "fence_alt_max_m": 30.0,
    "fence_margin_m": 2.0,
    "rtl_altitude_m": 15.27,
    "wp_speed_mps": 4.7,
    "wp_accel_mps2": 1.5,
    "wp_radius_m": 1.2,
    "auto_options": 3.0,
    "gcs_sysid": 255.0,
    "servo9_function": 22.0,
}


@pytest.fixture
def port(arducopter: Path, tmp_path: Path) -> Iterator[int]:
    """The TCP port of an ArduCopter that has just been switched on."""
    defaults = next((path for path in DEFAULTS if path.is_file()), None)
    if defaults is None:
        pytest.skip("no copter.parm beside the binary")
    instance = 20 + os.getpid() % 150
    place = ["--model", "+", "--home", "60.17,24.94,10,0", "--speedup", str(SPEEDUP)]
    rest = ["--defaults", str(defaults), "-I", str(instance), "--wipe"]
    with (tmp_path / "out.txt").open("wb") as out:
        command = [str(arducopter), *place, *rest]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=out)
        try:
            yield 5760 + 10 * instance
        finally:
            process.kill()
            process.wait()


class LossyLink:
    """A link that loses whole frames both ways, by seed; `loss_frac` may change."""

    def __init__(self, link: Link, seed: int) -> None:
        self._link = link
        self._decoder = Decoder()
        self._random = random.Random(seed)
        self.loss_frac = 0.0

    async def read(self) -> bytes:
        while data := await self._link.read():
            frames = self._decoder.feed(data)
            if kept := [f.raw for f in frames if self._random.random() >= self.loss_frac]:
                return b"".join(kept)
        return b""

    def write(self, data: bytes) -> None:
        if self._random.random() >= self.loss_frac:
            self._link.write(data)

    def close(self) -> None:
        self._link.close()


async def connected(port: int) -> Link:
    for _ in range(100):
        try:
            return await open_link(f"tcp:127.0.0.1:{port}")
        except LinkLost:
            await asyncio.sleep(1.0)
    raise AssertionError(f"no ArduCopter on port {port}")


async def transfers(peer: Peer, *, by_files: bool) -> None:
    mission = sortie(30)
    ways = driver.Transfers(peer, prefer_files=by_files)
    await ways.upload(mission)  # right after boot: NO_SPACE at first, by the mission protocol
    assert (await driver.Transfers(peer, prefer_files=not by_files).verify(mission)).is_same
    assert (await ways.recheck(mission)).is_same
    moved = replace(mission.items[3], z_m=mission.items[3].z_m + 0.02)
    other = replace(mission, items=(*mission.items[:3], moved, *mission.items[4:]))
    (difference,) = (await ways.recheck(other)).items
    assert (difference.seq, difference.field) == (3, "z_cm")
    unknown = Item(command=cast(Command, 9999))
    bad = replace(mission, items=(*mission.items[:7], unknown))
    with pytest.raises(UploadRefused, match="item 7: UNSUPPORTED") as refused:
        await ways.upload(bad)
    assert refused.value.holding is Holding.CLEARED
    assert await driver.read_back(peer, MissionKind.MISSION) == ()
    assert await driver.read_back(peer, MissionKind.FENCE) == ()


async def transfers_over_loss(peer: Peer, link: LossyLink, *, by_files: bool) -> None:
    mission = sortie(12)
    ways = driver.Transfers(peer, prefer_files=by_files)
    link.loss_frac = 0.1
    await ways.upload(mission)
    link.loss_frac = 0.0
    assert (await driver.verify(peer, mission)).is_same
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    def cut(progress: driver.Progress) -> None:
        if progress.num_done >= 20 and loop.time() - began_s < 10:
            link.loss_frac = 1.0  # until the vehicle has given up
            loop.call_at(began_s + 13, setattr, link, "loss_frac", 0.0)

    await ways.upload(sortie(60), cut)
    assert loop.time() - began_s > 12.99
    assert (await driver.verify(peer, sortie(60))).is_same


async def ready_to_fly(peer: Peer) -> None:
    mission = replace(sortie(), parameters=PARAMETERS)
    assert (await driver.spray_off(peer)).result is CommandResult.ACCEPTED
    report = await driver.set_parameters(peer, PARAMETERS)
    assert report.is_as_wanted, report
    assert report.after == pytest.approx(PARAMETERS)
    assert report.before["wp_speed_mps"] in (5.0, 10.0)
    await driver.upload(peer, mission)
    early = await preflight(peer, mission, DRONE, patience_s=2.0)
    assert not early.is_ready
    found = await preflight(peer, mission, DRONE, patience_s=90.0)
    assert found.is_ready, found.summary()
    assert found.version is not None
    assert found.version.version[0] == 4
    await driver.set_mode(peer, CopterMode.AUTO)
    await driver.arm(peer)
    with pytest.raises(UploadRefused, match="armed"):
        await driver.upload(peer, mission)
    await driver.disarm(peer)
    await driver.set_mode(peer, CopterMode.STABILIZE)
    with pytest.raises(VehicleRefused, match="mode TURTLE"):
        await driver.set_mode(peer, CopterMode.TURTLE)


@pytest.mark.parametrize("firmware", Firmware, ids=lambda firmware: firmware.value)
@pytest.mark.parametrize("has_files", [True, False])
def test_the_embedded_copter(firmware: Firmware, has_files: bool) -> None:
    async def main() -> None:
        homes = [(60.17, 24.94, 10.0)]
        async with EmbeddedFleet(
            [DRONE], homes=homes, firmware=firmware, has_files=has_files
        ) as fleet:
            link = LossyLink(fleet.connect(0), seed=3)
            async with Channel(link) as channel:
                peer = channel.vehicle(1)
                await driver.wait_heartbeat(peer, 60.0)
                await transfers(peer, by_files=has_files)
                await ready_to_fly(peer)
                await transfers_over_loss(peer, link, by_files=has_files)
                assert channel.decoder.num_bad == 0

    run(main(), loop=VirtualLoop())


@pytest.mark.ardupilot
def test_a_real_copter(port: int) -> None:
    async def main() -> None:
        link = LossyLink(await connected(port), seed=3)
        async with Channel(link) as channel:
            peer = channel.vehicle(1)
            await driver.wait_heartbeat(peer, 60.0)
            for by_files in (False, True):
                await transfers(peer, by_files=by_files)
            assert peer.stats.lost_frac == 0
            await ready_to_fly(peer)
            for by_files in (False, True):
                await transfers_over_loss(peer, link, by_files=by_files)
            assert channel.decoder.num_bad == 0

    run(main(), loop=ScaledLoop(SPEEDUP))
