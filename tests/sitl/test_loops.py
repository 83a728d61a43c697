from __future__ import annotations

import asyncio
import socket
import time

import pytest

from skymist.sitl.loops import ScaledLoop, VirtualLoop, run


def test_virtual_time_jumps_and_keeps_order() -> None:
    seen: list[tuple[float, str]] = []

    async def after(delay_s: float, name: str) -> None:
        await asyncio.sleep(delay_s)
        seen.append((asyncio.get_running_loop().time(), name))

    async def main() -> float:
        await asyncio.gather(after(3600, "late"), after(0.5, "soon"), after(10, "mid"))
        return asyncio.get_running_loop().time()

    began_s = time.monotonic()
    assert run(main(), loop=VirtualLoop()) == pytest.approx(3600)
    assert time.monotonic() - began_s < 2
    assert [name for _, name in seen] == ["soon", "mid", "late"]
    assert [t for t, _ in seen] == pytest.approx([0.5, 10, 3600])


def test_virtual_loop_serves_real_sockets() -> None:
    async def main() -> bytes:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(100))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"mist")
        answer = await reader.read(100)
        writer.close()
        server.close()
        await asyncio.sleep(0)
        return answer

    assert run(main(), loop=VirtualLoop()) == b"mist"


def test_timeouts_are_in_simulated_seconds() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 500)
        assert asyncio.get_running_loop().time() == pytest.approx(500)

    run(main(), loop=VirtualLoop())


def test_scaled_time_runs_faster_than_the_wall() -> None:
    async def main() -> float:
        began_s = asyncio.get_running_loop().time()
        await asyncio.sleep(5)
        return asyncio.get_running_loop().time() - began_s

    began_s = time.monotonic()
    assert run(main(), loop=ScaledLoop(50)) == pytest.approx(5, abs=2.5)
    assert 0.09 < time.monotonic() - began_s < 1


@pytest.mark.parametrize("speedup", [0, -1, float("nan")])
def test_speedup_must_be_above_0(speedup: float) -> None:
    with pytest.raises(ValueError, match="speedup must be above 0"):
        ScaledLoop(speedup)


def test_run_cancels_what_is_left_and_closes() -> None:
    loop = VirtualLoop()
    stopped: list[bool] = []

    async def forever() -> None:
        try:
            await asyncio.sleep(1e9)
        finally:
            stopped.append(True)

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(forever())
        await asyncio.sleep(1)
        return task

    assert run(main(), loop=loop).cancelled()
    assert stopped
    assert loop.is_closed()


def test_nothing_scheduled_waits_for_the_socket_instead_of_spinning() -> None:
    async def main() -> None:
        left, right = socket.socketpair()
        left.setblocking(False)
        loop = asyncio.get_running_loop()
        right.send(b"x")
        assert await loop.sock_recv(left, 1) == b"x"
        left.close()
        right.close()

    run(main(), loop=VirtualLoop())
