from __future__ import annotations

import asyncio
import time

import pytest

from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from skymist.sitl.streams import open_tcp_pipe
from tests.sitl.ground import HOME, drone, on


def test_a_copter_over_tcp() -> None:
    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            port = await fleet.serve_tcp(0)
            pipe = await open_tcp_pipe("127.0.0.1", port)
            async with on(pipe) as ground:
                await ground.wait("HEARTBEAT", 30)
                assert await ground.command(216, 0) == 0
            pipe.close()
            await asyncio.sleep(0.5)

    run(main(), loop=ScaledLoop(10))


def test_a_copter_over_udp_speaks_first() -> None:
    from pymavlink.dialects.v20 import ardupilotmega as mavlink

    class Ears(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.heard: list[bytes] = []
            self.peer: tuple[str, int] | None = None

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.heard.append(data)
            self.peer = addr

    async def main() -> None:
        loop = asyncio.get_running_loop()
        transport, ears = await loop.create_datagram_endpoint(Ears, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            await fleet.serve_udp(0, "127.0.0.1", port)
            mav = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
            while ears.peer is None:
                await asyncio.sleep(0.2)
            request = mavlink.MAVLink_command_long_message(1, 1, 216, 0, 0, 0, 0, 0, 0, 0, 0)
            transport.sendto(bytes(request.pack(mav)), ears.peer)
            await asyncio.sleep(2)
        transport.close()
        messages = mav.parse_buffer(b"".join(ears.heard))
        assert {"HEARTBEAT", "COMMAND_ACK"} <= {m.get_type() for m in messages}

    run(main(), loop=ScaledLoop(10))


def test_two_links_to_one_copter_have_their_own_rates() -> None:
    async def main() -> None:
        async with (
            EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet,
            on(fleet.connect(0)) as one,
            on(fleet.connect(0), sysid=250) as two,
        ):
            await one.interval(33, 4)
            await asyncio.sleep(5)
            assert "GLOBAL_POSITION_INT" in one.last
            assert "GLOBAL_POSITION_INT" not in two.last
            assert "HEARTBEAT" in two.last

    run(main(), loop=VirtualLoop())


def test_a_closed_pipe_ends_with_nothing() -> None:
    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME]) as fleet:
            pipe = fleet.connect(0)
            assert await pipe.read() != b""
            pipe.close()
            pipe.close()
            assert await pipe.read() == b""
            pipe.write(b"dropped")
            other = fleet.connect(0)
        while await other.read():
            pass

    run(main(), loop=VirtualLoop())


def test_noise_on_the_line_does_no_harm() -> None:
    async def main() -> None:
        async with EmbeddedFleet([drone()], homes=[HOME], warm_boot=True) as fleet:
            pipe = fleet.connect(0)
            async with on(pipe) as ground:
                for junk in (b"\xfd", b"\xfd\x09\x00", bytes(range(256)), b"\xfe\xff" * 40):
                    pipe.write(junk)
                await asyncio.sleep(1)
                for _ in range(8):  # the parser must first get past a frame that never ends
                    ground.send_heartbeat()
                assert await ground.command(216, 0) == 0

    run(main(), loop=VirtualLoop())


def test_homes_must_be_as_many_as_drones() -> None:
    with pytest.raises(ValueError, match="homes must be as many"):
        EmbeddedFleet([drone()], homes=[])


def test_a_hundred_copters_in_one_process() -> None:
    """Standing on their pads with full telemetry, each far faster than real time."""

    async def main() -> float:
        drones = [drone(i + 1) for i in range(100)]
        async with EmbeddedFleet(drones, homes=[HOME] * 100, warm_boot=True) as fleet:
            for index in range(100):
                async with on(fleet.connect(index), target=index + 1) as ground:
                    await ground.interval(33, 4)
            began_s = time.process_time()
            await asyncio.sleep(10)
            return 100 * 10 / (time.process_time() - began_s)

    assert run(main(), loop=VirtualLoop()) > 300
