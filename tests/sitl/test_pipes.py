from __future__ import annotations

import asyncio

from skymist.sitl.loops import VirtualLoop, run
from skymist.sitl.pipes import Pipe


def pair() -> tuple[Pipe, list[bytes], list[bool]]:
    sent: list[bytes] = []
    forgotten: list[bool] = []
    return Pipe(sent.append, lambda: forgotten.append(True)), sent, forgotten


def test_reading_waits_and_takes_all_that_came() -> None:
    async def main() -> None:
        pipe, _, _ = pair()
        reading = asyncio.create_task(pipe.read())
        await asyncio.sleep(1)
        assert not reading.done()
        pipe.feed(b"mi")
        pipe.feed(b"st")
        assert await reading == b"mist"

    run(main(), loop=VirtualLoop())


def test_a_reading_that_was_given_up_loses_nothing() -> None:
    async def main() -> None:
        pipe, _, _ = pair()
        for _ in range(3):
            try:
                await asyncio.wait_for(pipe.read(), 1)
            except TimeoutError:
                continue
        pipe.feed(b"late")
        assert await pipe.read() == b"late"

    run(main(), loop=VirtualLoop())


def test_writing_is_heard_at_once_and_not_after_the_close() -> None:
    pipe, sent, forgotten = pair()
    pipe.write(b"a")
    assert sent == [b"a"]
    pipe.close()
    pipe.write(b"b")
    pipe.feed(b"c")
    assert (sent, forgotten) == ([b"a"], [True])


def test_what_came_before_the_close_can_still_be_read() -> None:
    async def main() -> None:
        pipe, _, _ = pair()
        pipe.feed(b"last words")
        pipe.close()
        assert await pipe.read() == b"last words"
        assert await pipe.read() == b""

    run(main(), loop=VirtualLoop())
