"""A link that comes back: what is passed on, what is dropped, when it gives up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from skymist.flight.errors import LinkLost
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.links import Link
from skymist.flight.mavlink.messages import Heartbeat
from skymist.flight.mavlink.reconnect import ReconnectingLink, open_lasting
from tests.flight.scripted import FakeLink, ScriptedVehicle, fly


class Exchange:
    """Gives wires while the far end is there."""

    def __init__(self) -> None:
        self.is_there = True
        self.wires: list[FakeLink] = []
        self.tried_s: list[float] = []

    async def dial(self) -> Link:
        self.tried_s.append(asyncio.get_running_loop().time())
        if not self.is_there:
            raise LinkLost("connection refused")
        self.wires.append(FakeLink())
        return self.wires[-1]

    async def link(
        self, patience_s: float = 100.0, mute_s: float | None = None
    ) -> ReconnectingLink:
        wire = await self.dial()
        return ReconnectingLink("tcp:x:1", self.dial, wire, patience_s=patience_s, mute_s=mute_s)


def test_it_is_dialled_again_with_waits_that_double() -> None:
    async def main() -> None:
        exchange = Exchange()
        link = await exchange.link()
        exchange.is_there = False
        began_s = asyncio.get_running_loop().time()
        exchange.wires[0].close()
        reading = asyncio.create_task(link.read())
        await asyncio.sleep(40.0)
        waits = [round(t - began_s, 1) for t in exchange.tried_s[1:]]
        assert waits == [0.5, 1.5, 3.5, 7.5, 15.5, 25.5, 35.5]
        assert not link.is_up
        assert link.num_reconnects == 0
        exchange.is_there = True
        await asyncio.sleep(10.0)
        exchange.wires[-1].arrive(b"here")
        assert await reading == b"here"
        assert link.is_up
        assert link.num_reconnects == 1

    fly(main())


def test_what_is_written_while_it_is_down_never_arrives() -> None:
    async def main() -> None:
        exchange = Exchange()
        link = await exchange.link()
        link.write(b"one")
        exchange.is_there = False
        exchange.wires[0].close()
        reading = asyncio.create_task(link.read())
        await asyncio.sleep(3.0)
        link.write(b"two")
        exchange.is_there = True
        await asyncio.sleep(10.0)
        link.write(b"three")
        assert [wire.written for wire in exchange.wires] == [[b"one"], [b"three"]]
        reading.cancel()

    fly(main())


def test_patience_ends_with_what_was_tried() -> None:
    async def main() -> None:
        exchange = Exchange()
        async with Channel(await exchange.link(patience_s=30.0)) as channel:
            exchange.is_there = False
            exchange.wires[0].close()
            await asyncio.sleep(25.0)
            assert channel.is_open
            assert not channel.is_up
            await asyncio.sleep(20.0)
            assert not channel.is_open
            assert "the other side closed it; gone for 36 s" in channel.closed_reason
            assert "connection refused" in channel.closed_reason

    fly(main())


def test_a_mute_wire_is_dialled_anew() -> None:
    async def main() -> None:
        exchange = Exchange()
        link = await exchange.link(mute_s=15.0)
        reading = asyncio.create_task(link.read())
        await asyncio.sleep(14.0)
        assert len(exchange.wires) == 1
        await asyncio.sleep(2.0)
        assert len(exchange.wires) == 2
        reading.cancel()

    fly(main())


def test_closing_ends_the_tries() -> None:
    async def main() -> None:
        exchange = Exchange()
        link = await exchange.link()
        exchange.is_there = False
        exchange.wires[0].close()
        reading = asyncio.create_task(link.read())
        await asyncio.sleep(2.0)
        link.close()
        assert await reading == b""
        num_tries = len(exchange.tried_s)
        await asyncio.sleep(60.0)
        assert len(exchange.tried_s) == num_tries

    fly(main())


def test_breaks_are_counted_whichever_way_contact_was_lost() -> None:
    async def main() -> None:
        exchange = Exchange()
        async with Channel(await exchange.link()) as channel:
            peer = channel.vehicle(1)
            assert not peer.is_in_contact
            ScriptedVehicle(exchange.wires[0])
            await peer.wait_for(Heartbeat, timeout_s=3.0)
            await asyncio.sleep(30.0)
            assert (peer.is_in_contact, peer.num_breaks) == (True, 0)
            exchange.wires[0].is_cut = True
            await asyncio.sleep(8.0)
            assert not peer.is_in_contact
            exchange.wires[0].is_cut = False
            await asyncio.sleep(2.0)
            assert (peer.is_in_contact, peer.num_breaks) == (True, 1)
            exchange.wires[0].close()
            await asyncio.sleep(0.1)
            assert not peer.is_in_contact
            await asyncio.sleep(2.0)
            assert peer.num_breaks == 2

    fly(main())


def test_over_real_tcp_the_far_end_goes_and_comes_back() -> None:
    async def main() -> None:
        heard: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"hello")
            while data := await reader.read(100):
                heard.append(data)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = await open_lasting(f"tcp:127.0.0.1:{port}")
        assert await link.read() == b"hello"
        server.close()
        link._wire.close()  # type: ignore[attr-defined]
        reading = asyncio.create_task(link.read())
        await asyncio.sleep(1.2)
        assert not link.is_up
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        assert await asyncio.wait_for(reading, 5.0) == b"hello"
        link.write(b"yes")
        await asyncio.sleep(0.2)
        assert heard[-1:] == [b"yes"]
        link.close()
        server.close()
        await asyncio.sleep(0.05)

    asyncio.run(main())


def test_a_serial_line_that_is_pulled_out_and_put_back(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="POSIX")
    import os

    device = tmp_path / "ttyUSB0"

    def plug() -> int:
        master, slave = pty.openpty()
        device.unlink(missing_ok=True)
        device.symlink_to(os.ttyname(slave))
        os.close(slave)
        return int(master)

    async def main() -> None:
        from skymist.flight.mavlink.serial_link import open_serial

        first = plug()

        async def dial() -> Link:
            return await open_serial(str(device), 57600)

        link = ReconnectingLink("serial", dial, await dial())
        os.write(first, b"one")
        assert await link.read() == b"one"
        os.close(first)
        device.unlink()
        reading = asyncio.create_task(link.read())
        await asyncio.sleep(1.0)
        assert not link.is_up
        second = plug()
        await asyncio.sleep(2.0)
        assert link.is_up
        os.write(second, b"two")
        assert await asyncio.wait_for(reading, 5.0) == b"two"
        link.close()
        os.close(second)

    asyncio.run(main())
