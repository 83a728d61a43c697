"""A script in DroneKit's words that looks on over Skymist's link, beside Skymist's own commands.

    python examples/dronekit_script.py udp:0.0.0.0:14550

DroneKit only looks: whatever would send (modes, arming, uploads, parameters) raises. To look on
while `skymist fly` flies, use `skymist fly ... --forward udp:127.0.0.1:14551` and
`dronekit.connect("udpin:127.0.0.1:14551")`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from skymist.flight.dronekit_face import as_dronekit
from skymist.flight.errors import VehicleRefused
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.links import open_link
from skymist.flight.protocols import driver


def your_script(vehicle: Any, seconds: float) -> None:
    """Plain DroneKit, blocking as DroneKit scripts are; runs in a thread of its own."""

    @vehicle.on_attribute("mode")
    def told(_: Any, name: str, mode: Any) -> None:
        print(f"{name}: {mode.name}")

    vehicle.wait_ready(True, timeout=60)
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        place = vehicle.location.global_relative_frame
        print(f"{place.lat:.6f} {place.lon:.6f} {place.alt} m, {vehicle.gps_0}, {vehicle.battery}")
        time.sleep(1.0)
    try:
        vehicle.armed = True
    except VehicleRefused as refused:
        print(f"as it should: {refused}")


async def main(connection: str, sysid: int = 1, seconds: float = 10.0) -> None:
    async with Channel(await open_link(connection)) as channel:
        peer = channel.vehicle(sysid)
        await driver.wait_heartbeat(peer, 30.0)
        streams = asyncio.create_task(driver.keep_streams(peer))
        vehicle = as_dronekit(peer)
        try:
            await asyncio.to_thread(your_script, vehicle, seconds)
        finally:
            vehicle.close()
            streams.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:2]))
