from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from skymist.flight.conductor.order_sources import Console, follow, ordering, play
from skymist.flight.conductor.orders import Order, OrderDesk, Verb, parse_timed
from skymist.missions.errors import FormatError
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run


async def taken(desk: OrderDesk, number: int) -> list[Order]:
    async with asyncio.timeout(50.0):
        return [await desk.get() for _ in range(number)]


def test_a_timetable_gives_each_order_at_its_time_and_then_closes() -> None:
    async def main() -> list[float]:
        desk, loop = OrderDesk(), asyncio.get_running_loop()
        timed = [parse_timed("30:c"), parse_timed("10:p:heron")]
        times = []
        async with ordering(desk, timed=timed) as told:
            assert told is desk
            assert desk.is_open
            for verb in (Verb.PAUSE, Verb.CONTINUE):
                assert (await desk.get()).verb is verb
                times.append(loop.time())
            await asyncio.sleep(1.0)
            assert not desk.is_open
        return times

    assert run(main(), loop=VirtualLoop()) == pytest.approx([10.0, 30.0], abs=0.1)


def test_without_a_source_there_is_no_desk() -> None:
    async def main() -> OrderDesk | None:
        async with ordering(OrderDesk()) as told:
            return told

    assert run(main(), loop=VirtualLoop()) is None


@pytest.mark.parametrize("is_pipe", [False, True])
def test_lines_that_others_write_become_orders(tmp_path: Path, is_pipe: bool) -> None:
    path, said = tmp_path / "orders", []
    os.mkfifo(path) if is_pipe else path.write_text("")

    async def main() -> list[Order]:
        desk = OrderDesk()
        task = asyncio.create_task(follow(desk, path, said.append))
        await asyncio.sleep(1.0)
        with path.open("a") as file:
            file.write("pause heron\nnonsense\n" + "x" * 2000 + "\n")
            file.flush()
            await asyncio.sleep(1.0)
            file.write("con")
            file.flush()
            await asyncio.sleep(1.0)
            file.write("tinue\n")
        orders = await taken(desk, 2)
        task.cancel()
        return orders

    orders = run(main(), loop=ScaledLoop(20.0))
    assert orders == [
        Order(verb=Verb.PAUSE, target="heron", by="orders"),
        Order(verb=Verb.CONTINUE, by="orders"),
    ]
    assert len(said) == 2
    assert all("wanted" in text for text in said)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        await follow(OrderDesk(), tmp_path / "none")

    with pytest.raises(FormatError, match="none: wanted a file or pipe with orders"):
        run(main(), loop=VirtualLoop())


def test_a_terminal_answers_the_crew_with_an_empty_line_and_orders_otherwise() -> None:
    said: list[str] = []

    async def main() -> tuple[list[str | None], list[Order]]:
        desk = OrderDesk()
        read_fd, write_fd = os.pipe()
        with os.fdopen(read_fd) as stream, os.fdopen(write_fd, "w") as typed:
            console = Console(desk, stream, said.append)
            reading = asyncio.create_task(console.read())

            async def reply(takes_litres: bool, *lines: str) -> str | None:
                answer = asyncio.create_task(console.answer(takes_litres))
                await asyncio.sleep(1.0)
                for line in lines:
                    typed.write(line + "\n")
                    typed.flush()
                    await asyncio.sleep(1.0)
                return await answer

            replies = [
                await reply(False, "p heron", "3.2", ""),
                await reply(True, "zzz", "w 2", "3,2 L"),
                await reply(True, "stop", ""),
            ]
            orders = await taken(desk, 3)
            typed.close()
            await reading
            return [*replies, await console.answer(True)], orders

    replies, orders = run(main(), loop=ScaledLoop(20.0))
    # Nobody is there any more at the end: a question must not wait for ever.
    assert replies == ["", "3,2 L", "", None]
    assert [str(order) for order in orders] == ["pause heron", "wind 2", "stop"]
    assert said[0].startswith("p [DRONE] pause")
    assert "3.2" in said[1]
    assert "zzz" in said[2]


def test_play_survives_a_late_start() -> None:
    async def main() -> list[Order]:
        desk = OrderDesk()
        await play(desk, [parse_timed("0:h"), parse_timed("0:c")])
        return await taken(desk, 2)

    assert [order.verb for order in run(main(), loop=VirtualLoop())] == [Verb.HOME, Verb.CONTINUE]
