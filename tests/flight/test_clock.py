from __future__ import annotations

import asyncio

from skymist.flight.clock import now_s
from skymist.sitl.loops import VirtualLoop, run


def test_time_is_that_of_the_loop() -> None:

    async def main() -> float:
        began_s = now_s()
        await asyncio.sleep(1000)
        return now_s() - began_s

    assert run(main(), loop=VirtualLoop()) == 1000
