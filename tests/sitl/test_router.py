"""Whatever comes over the air, the copter neither raises nor stops answering."""

from __future__ import annotations

import asyncio
import random
import re
import struct

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink
from pymavlink.generator.mavcrc import x25crc

from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.state import Mode
from tests.sitl.ground import HOME, LAND, Ground, drone, takeoff, tell, waypoint

_IDS = (0, 11, 20, 21, 23, 38, 39, 40, 41, 43, 44, 45, 47, 51, 73, 75, 76, 111, 253)


def frame(message_id: int, payload: bytes, seq: int) -> bytes:
    """A whole MAVLink 2 frame with a right checksum around any payload."""
    head = bytes((len(payload), 0, 0, seq % 256, 255, 190)) + message_id.to_bytes(3, "little")
    crc = x25crc(head + payload + bytes((mavlink.mavlink_map[message_id].crc_extra,))).crc
    return b"\xfd" + head + payload + crc.to_bytes(2, "little")


def noise(chance: random.Random, message_id: int) -> bytes:
    size: int = mavlink.mavlink_map[message_id].unpacker.size
    kinds = (b"\x00", b"\xff", b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x01")
    payload = b""
    while len(payload) < size:
        payload += chance.choice(kinds) if chance.random() < 0.4 else chance.randbytes(1)
    return payload[:size]


@pytest.mark.parametrize("seed", range(6))
def test_any_payload_of_any_message_is_survived(seed: int) -> None:
    chance = random.Random(seed)
    copter = EmbeddedCopter(drone(), home=HOME, age_s=60)
    copter.add_link()
    for seq in range(400):
        message_id = chance.choice(_IDS)
        payload = bytearray(noise(chance, message_id))
        if chance.random() < 0.7:
            aim(payload, message_id)
        copter.receive(frame(message_id, bytes(payload), seq))
        copter.step(0.1)
        copter.outbox()
    copter.params.put("MAV_SYSID", 1)
    assert copter.state.now_s == pytest.approx(40)


def aim(payload: bytearray, message_id: int) -> None:
    """Put our own address into a payload, so that it is not passed over."""
    kind = mavlink.mavlink_map[message_id]
    tokens = re.findall(r"\d*[a-zA-Z]", kind.unpacker.format)
    for i, name in enumerate(kind.ordered_fieldnames):
        if name in ("target_system", "target_component"):
            payload[struct.calcsize("<" + "".join(tokens[:i]))] = 1


def test_ground_can_still_talk_after_a_storm() -> None:
    async def story(ground: Ground, fleet: EmbeddedFleet) -> None:
        chance = random.Random(9)
        for seq in range(300):
            message_id = chance.choice([i for i in _IDS if i not in (23,)])
            fleet.copters[0].receive(frame(message_id, noise(chance, message_id), seq))
        await ground.command(176, 1, Mode.STABILIZE)
        await asyncio.sleep(10)
        assert await ground.upload([waypoint(0, 0, 0), takeoff(), LAND]) == 0

    tell(story)


def test_a_changed_system_id_counts_at_once() -> None:
    copter = EmbeddedCopter(drone(), home=HOME, age_s=60)
    copter.add_link()
    mav = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
    set_id = mavlink.MAVLink_param_set_message(1, 1, b"MAV_SYSID", 9, 4)
    copter.receive(bytes(set_id.pack(mav)))
    copter.outbox()
    copter.receive(
        bytes(mavlink.MAVLink_command_long_message(9, 1, 216, 0, 0, 0, 0, 0, 0, 0, 0).pack(mav))
    )
    (ack,) = mavlink.MAVLink(None).parse_buffer(copter.outbox())
    assert (ack.get_srcSystem(), ack.result) == (9, 0)
