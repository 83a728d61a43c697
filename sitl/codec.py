"""MAVLink frames to messages and back, for one link; nothing else touches pymavlink's parser."""

from __future__ import annotations

from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.items import Item
from skymist.sitl.signing import Signing, sealed

AUTOPILOT = 1
_NOWHERE_E7 = 2**31 - 1


class Codec:
    """One link's sequence numbers and parser, MAVLink 2 outwards, both versions inwards.

    `channel` counts links from 0, the first serial port, on which unsigned frames are taken.
    """

    def __init__(self, sysid: int, *, channel: int = 0, signing: Signing | None = None) -> None:
        self._channel, self._signing = channel, signing or Signing()
        self._mav = mavlink.MAVLink(None, srcSystem=sysid, srcComponent=AUTOPILOT)
        self._mav.robust_parsing = True
        self.num_bad = 0

    @property
    def sysid(self) -> int:
        """Whose messages go out."""
        number: int = self._mav.srcSystem
        return number

    @sysid.setter
    def sysid(self, number: int) -> None:
        self._mav.srcSystem = number

    def unpack(self, data: bytes) -> list[Any]:
        """Give the messages that are complete; bytes that are none are dropped and counted.

        With a key, what is not signed with it is dropped in silence.
        """
        messages = self._mav.parse_buffer(data) or []
        good = [m for m in messages if m.get_type() != "BAD_DATA"]
        self.num_bad += len(messages) - len(good)
        if self._signing.key is None:
            return good
        return [m for m in good if self._signing.accepts(bytes(m.get_msgbuf()), self._channel)]

    def pack(self, message: Any) -> bytes:
        """Give a message as a frame with the next sequence number."""
        mav = self._mav
        frame = sealed(message, mav, self._signing, self._channel)
        mav.seq = (mav.seq + 1) % 256
        return frame


def _to_e7(degrees: float) -> int:
    """Give 1e-7 degrees; what is no angle becomes one that is refused."""
    return round(degrees * 1e7) if abs(degrees) <= 360 else _NOWHERE_E7


def item_from_message(message: Any) -> Item:
    """Give the item in a MISSION_ITEM_INT or MISSION_ITEM."""
    if message.get_type() == "MISSION_ITEM":
        lat_e7, lon_e7 = _to_e7(message.x), _to_e7(message.y)
    else:
        lat_e7, lon_e7 = message.x, message.y
    return Item(
        seq=message.seq,
        command=message.command,
        frame=message.frame,
        p1=message.param1,
        p2=message.param2,
        p3=message.param3,
        p4=message.param4,
        lat_e7=lat_e7,
        lon_e7=lon_e7,
        z_m=message.z,
    )


def message_from_item(
    item: Item, target: tuple[int, int], mission_type: int, *, current: bool, as_float: bool
) -> Any:
    """Give an item as MISSION_ITEM_INT, or as MISSION_ITEM with whole degrees as floats."""
    autocontinue = int(mission_type == 0)
    head = (*target, item.seq, item.frame, item.command, int(current), autocontinue)
    params = (item.p1, item.p2, item.p3, item.p4)
    if as_float:
        place: tuple[float, float] = (item.lat_e7 * 1e-7, item.lon_e7 * 1e-7)
        return mavlink.MAVLink_mission_item_message(
            *head, *params, *place, item.z_m, mission_type=mission_type
        )
    return mavlink.MAVLink_mission_item_int_message(
        *head, *params, item.lat_e7, item.lon_e7, item.z_m, mission_type=mission_type
    )
