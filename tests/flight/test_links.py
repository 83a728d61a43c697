from __future__ import annotations

import asyncio
import os
import sys

import pytest

from skymist.flight.errors import LinkLost
from skymist.flight.mavlink.links import (
    JOINED_MOST,
    MAX_UDP_PEERS,
    TcpLink,
    TcpServerLink,
    UdpLink,
    open_link,
    open_udp,
)
from skymist.flight.mavlink.serial_link import SerialLink


@pytest.mark.parametrize(
    "connection",
    ["", "udp", "udp:14550", "tcp:host", "http://x:1", "udp:a:b", "/dev/ttyUSB0:x", "tcp:h:99999"],
)
def test_a_bad_string_names_what_was_wanted(connection: str) -> None:
    with pytest.raises(LinkLost, match="wanted") as lost:
        asyncio.run(open_link(connection))
    assert lost.value.connection == connection
    assert repr(connection) in str(lost.value)


def test_nobody_there_is_a_lost_link() -> None:
    async def main() -> None:
        server = await TcpServerLink.open("127.0.0.1", 0)
        port = server.port
        server.close()
        with pytest.raises(LinkLost, match=f"127.0.0.1:{port}"):
            await open_link(f"tcp:127.0.0.1:{port}")
        with pytest.raises(LinkLost, match="serial /dev/nowhere at 57600"):
            await open_link("serial:/dev/nowhere:57600")

    asyncio.run(main())


def test_udp_answers_whoever_talks() -> None:
    async def main() -> None:
        listening = await open_udp("127.0.0.1", 0, is_listening=True)
        listening.write(b"to nobody")
        talkers = [await open_link(f"udpout:127.0.0.1:{listening.port}") for _ in range(2)]
        for num, talker in enumerate(talkers):
            talker.write(bytes([0xFD, num]))
        got = await listening.read()
        while len(got) < 4:
            got += await listening.read()
        assert {got[:2], got[2:]} == {b"\xfd\x00", b"\xfd\x01"}
        listening.write(b"hello")
        assert [await talker.read() for talker in talkers] == [b"hello", b"hello"]
        for link in (listening, *talkers):
            link.close()
            link.close()
        assert await listening.read() == b""
        listening.write(b"nothing")

    asyncio.run(main())


def test_udp_strangers_and_floods_are_bounded() -> None:
    async def main() -> None:
        link = UdpLink()
        for num in range(1000):
            link.datagram_received(b"garbage", ("10.0.0.1", num))
        assert not link._peers
        link.datagram_received(b"", ("10.0.0.1", 1))
        link.datagram_received(bytes(5000), ("10.0.0.1", 1))
        assert link.num_dropped == 2
        for num in range(5000):
            link.datagram_received(b"\xfd", ("10.0.0.1", num))
        assert len(link._peers) == MAX_UDP_PEERS
        assert link.num_dropped == 2 + 6000 - 4096
        link.error_received(OSError("unreachable"))
        link.connection_lost(None)
        for _ in range(4096 // JOINED_MOST):
            assert len(await link.read()) == JOINED_MOST
        assert await link.read() == b""

    asyncio.run(main())


def test_tcp_both_ways_and_the_end() -> None:
    async def main() -> None:
        server = await TcpServerLink.open("127.0.0.1", 0)
        client = await open_link(f"tcp:127.0.0.1:{server.port}")
        client.write(b"up")
        assert await server.read() == b"up"
        server.write(b"down")
        assert await client.read() == b"down"
        server.close()
        assert await client.read() == b""
        client.write(b"late")
        client.close()
        assert await server.read() == b""
        await asyncio.sleep(0.01)

    asyncio.run(main())


def test_tcp_gives_up_a_side_that_takes_nothing() -> None:
    async def main() -> None:
        server = await TcpServerLink.open("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        link = TcpLink(reader, writer)
        server._received = asyncio.Queue(maxsize=1)
        for _ in range(400):
            link.write(bytes(65536))
        assert writer.transport.is_closing()
        link.close()
        server.close()
        await asyncio.sleep(0.01)

    asyncio.run(main())


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
@pytest.mark.parametrize("is_watched", [True, False])
def test_serial_line_watched_or_looked_at(
    is_watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_watched:
        monkeypatch.setattr(SerialLink, "_watch", lambda self: False)

    async def main() -> None:
        ours, theirs = os.openpty()
        link = await open_link(f"{os.ttyname(theirs)}:57600")
        link.write(b"\xfdup")
        async with asyncio.timeout(2):
            while not (got := os.read(ours, 10)):
                await asyncio.sleep(0.01)
        assert got == b"\xfdup"
        os.write(ours, b"down")
        async with asyncio.timeout(2):
            assert await link.read() == b"down"
        link.close()
        link.close()
        link.write(b"late")
        assert await link.read() == b""
        os.close(ours)
        os.close(theirs)

    asyncio.run(main())
