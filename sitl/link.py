"""One link of the copter: bytes in, bytes out, its own message intervals and parameter stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.codec import Codec
from skymist.sitl.params import Answer
from skymist.sitl.schedule import Schedule
from skymist.sitl.signing import Signing

PARAMS_PER_STEP = 20


class Link:
    """What waits to be sent on a link. `take` gives it and forgets it."""

    def __init__(self, number: int, sysid: int, signing: Signing | None = None) -> None:
        self.number = number
        self.codec = Codec(sysid, channel=number - 1, signing=signing)
        self.schedule = Schedule()
        self.params: Iterator[Answer] | None = None
        self._out = bytearray()
        self._later: list[Any] = []

    def send_later(self, message: Any) -> None:
        """Queue a message to go out behind the acknowledgement of its command."""
        self._later.append(message)

    def send_rest(self) -> None:
        """Queue what had to wait for an acknowledgement."""
        for message in self._later:
            self.send(message)
        self._later.clear()

    def send(self, message: Any) -> None:
        """Queue a message."""
        self._out += self.codec.pack(message)

    def send_param(self, answer: Answer, count: int, index: int) -> None:
        """Queue a PARAM_VALUE."""
        self.send(
            mavlink.MAVLink_param_value_message(
                answer.name.encode(), answer.value, answer.type, count, index
            )
        )

    def send_interval(self, message_id: int) -> None:
        """Queue a MESSAGE_INTERVAL."""
        interval_s = self.schedule.interval_s(message_id)
        interval_us = -1 if interval_s is None else round(interval_s * 1e6)
        self.send(mavlink.MAVLink_message_interval_message(message_id, interval_us))

    def stream_params(self, count: int) -> None:
        """Queue the next of the parameters that PARAM_REQUEST_LIST asked for."""
        if self.params is None:
            return
        for _ in range(PARAMS_PER_STEP):
            answer = next(self.params, None)
            if answer is None:
                self.params = None
                return
            self.send_param(answer, count, answer.position)

    def take(self) -> bytes:
        """Give what waits, and forget it."""
        if not self._out:
            return b""
        data = bytes(self._out)
        self._out.clear()
        return data

    def put_back(self, data: bytes) -> None:
        """Queue bytes that are packed already."""
        self._out += data

    def reboot(self) -> None:
        """Forget what a boot forgets."""
        self.schedule.clear()
        self.params = None
        self._out.clear()
        self._later.clear()
