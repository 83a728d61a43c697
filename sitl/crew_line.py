"""A line of the ground crew to a real ArduCopter process: its second serial port.

What the crew does, and faults that strike, go this way, so that no ground station's link is
disturbed and its ways are not relied on.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Self

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.coverage.errors import SkymistError
from skymist.sitl.codec import Codec

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

SERIAL1, SERIAL2 = 2, 3
"""From the port of an instance's first serial line to those of its others (ARDUPILOT.md, 21). Each
takes one connection at a time."""
CREW_SYSID = 254
AGAIN_S = 1.0
CHATTER_NUM, CHATTER_S, NO_MODE = 20, 0.1, 199
_PARAM_REAL = 9


class NoAnswer(SkymistError):
    """The vehicle did not do what the crew asked."""


class CrewLine:
    """A line to one vehicle while the `async with` block lasts; waits `timeout_s` for answers."""

    def __init__(self, port: int, sysid: int, timeout_s: float) -> None:
        self._port = port
        self._sysid = sysid
        self._timeout_s = timeout_s
        self._codec = Codec(CREW_SYSID)

    async def __aenter__(self) -> Self:
        try:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as exc:
            raise NoAnswer(f"the second serial port {self._port} does not answer: {exc}") from exc
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    async def command(self, number: int, *params: float) -> None:
        """Give a command and see it accepted.

        Raises
        ------
        NoAnswer
            It was not.
        """
        seven = (*params, *(0.0,) * (7 - len(params)))
        order = mavlink.MAVLink_command_long_message(self._sysid, 1, number, 0, *seven)
        answer = await self._ask(
            order, lambda m: m.get_type() == "COMMAND_ACK" and m.command == number
        )
        if answer.result != mavlink.MAV_RESULT_ACCEPTED:
            raise NoAnswer(f"command {number} was answered with result {answer.result}")

    async def set_param(self, name: str, value: float) -> None:
        """Set a parameter and see it set.

        Raises
        ------
        NoAnswer
            It was not, or is not there.
        """
        order = mavlink.MAVLink_param_set_message(self._sysid, 1, name.encode(), value, _PARAM_REAL)

        def is_set(message: Any) -> bool:
            if message.get_type() != "PARAM_VALUE" or message.param_id != name:
                return False
            return math.isclose(message.param_value, value, rel_tol=1e-4, abs_tol=1e-4)

        await self._ask(order, is_set)

    async def param(self, name: str) -> float:
        """Read a parameter.

        Raises
        ------
        NoAnswer
            It is not there.
        """
        order = mavlink.MAVLink_param_request_read_message(self._sysid, 1, name.encode(), -1)
        answer = await self._ask(
            order, lambda m: m.get_type() == "PARAM_VALUE" and m.param_id == name
        )
        value: float = answer.param_value
        return value

    async def chatter(self) -> None:
        """Have it say something to everybody, as it does to each mode that it does not know."""
        while True:
            for _ in range(CHATTER_NUM):
                order = mavlink.MAVLink_command_long_message(
                    *(self._sysid, 1, mavlink.MAV_CMD_DO_SET_MODE, 0, 1, NO_MODE, 0, 0, 0, 0, 0)
                )
                self._writer.write(self._codec.pack(order))
            await self._writer.drain()
            await asyncio.sleep(CHATTER_S)

    async def battery_percent(self) -> int:
        """What the battery monitor counts as left; -1 where it does not count."""
        wanted = mavlink.MAVLINK_MSG_ID_SYS_STATUS
        order = mavlink.MAVLink_command_long_message(
            *(self._sysid, 1, mavlink.MAV_CMD_REQUEST_MESSAGE, 0, wanted, 0, 0, 0, 0, 0, 0)
        )
        left: int = (
            await self._ask(order, lambda m: m.get_type() == "SYS_STATUS")
        ).battery_remaining
        return left

    async def _ask(self, order: Any, is_answer: Callable[[Any], bool]) -> Any:
        """Say it, again each second, until the answer comes."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._timeout_s
        while loop.time() < until_s:
            self._writer.write(self._codec.pack(order))
            again_s = loop.time() + AGAIN_S
            while (left_s := again_s - loop.time()) > 0:
                try:
                    data = await asyncio.wait_for(self._reader.read(4096), left_s)
                except TimeoutError:
                    break
                if not data:
                    raise NoAnswer("the second serial port closed")
                for message in self._codec.unpack(data):
                    if message.get_srcSystem() == self._sysid and is_answer(message):
                        return message
        raise NoAnswer(f"no answer to {order.get_type()} within {self._timeout_s:g} s")
