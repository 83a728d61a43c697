"""Where each message goes: to the commander, a transfer desk, the parameters, the watch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from skymist.sitl.codec import AUTOPILOT, item_from_message, message_from_item
from skymist.sitl.commands import Order
from skymist.sitl.file_desk import FileDesk, pack, unpack
from skymist.sitl.items import (
    MissionResult,
    MissionType,
    store_fence_item,
    store_item,
    store_rally_item,
)
from skymist.sitl.mission_files import MissionFiles
from skymist.sitl.params import is_counter
from skymist.sitl.state import Severity
from skymist.sitl.stores import stored_places
from skymist.sitl.transfers import Ack, Answer, Count, Desk, Note, Peer, Request, Sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.sitl.commands import Commander
    from skymist.sitl.failsafes import Failsafes
    from skymist.sitl.link import Link
    from skymist.sitl.machine import Machine
    from skymist.sitl.modes import Modes


_NO_INDEX = 0xFFFF


class Router:
    """The copter's front door."""

    def __init__(
        self, machine: Machine, modes: Modes, failsafes: Failsafes, commander: Commander
    ) -> None:
        self._machine = machine
        self._modes = modes
        self._failsafes = failsafes
        self._commander = commander
        self._links: dict[int, Link] = {}
        self._desks = {
            MissionType.MISSION: Desk(machine.mission, store_item),
            MissionType.FENCE: Desk(machine.fence_store, store_fence_item),
            MissionType.RALLY: Desk(machine.rally, store_rally_item),
        }
        self._files = FileDesk(
            MissionFiles(
                machine.mission,
                machine.fence_store,
                machine.rally,
                lambda: modes.auto.program.index,
            )
        )
        self._handlers: dict[str, Callable[[Any, Link], None]] = {
            "HEARTBEAT": self._heartbeat,
            "COMMAND_LONG": self._command_long,
            "COMMAND_INT": self._command_int,
            "SET_MODE": self._set_mode,
            "PARAM_REQUEST_READ": self._param_read,
            "PARAM_REQUEST_LIST": self._param_list,
            "PARAM_SET": self._param_set,
            "MISSION_SET_CURRENT": self._mission_set_current,
            "TIMESYNC": self._timesync,
            "FILE_TRANSFER_PROTOCOL": self._file_request,
            "SETUP_SIGNING": self._setup_signing,
            "MISSION_COUNT": self._mission,
            "MISSION_ITEM_INT": self._mission,
            "MISSION_ITEM": self._mission,
            "MISSION_REQUEST_LIST": self._mission,
            "MISSION_REQUEST_INT": self._mission,
            "MISSION_REQUEST": self._mission,
            "MISSION_CLEAR_ALL": self._mission,
            "MISSION_WRITE_PARTIAL_LIST": self._mission,
        }

    def receive(self, message: Any, link: Link) -> None:
        """Answer a message; those for others or of no meaning here are passed over."""
        handler = self._handlers.get(message.get_type())
        if handler is None or message.get_srcSystem() == self._machine.params["MAV_SYSID"]:
            return
        target = getattr(message, "target_system", 0)
        component = getattr(message, "target_component", 0)
        if target not in (0, self._machine.params["MAV_SYSID"]) or component not in (0, AUTOPILOT):
            return
        self._links[link.number] = link
        handler(message, link)

    def tick(self) -> None:
        """Let the transfers ask again or give up."""
        for desk in self._desks.values():
            if desk.is_receiving:
                self._tell(desk.tick(self._machine.state.now_s))

    def reboot(self) -> None:
        """Forget the transfers under way."""
        for desk in self._desks.values():
            desk.abort()
        self._files.reboot()

    def _heartbeat(self, message: Any, link: Link) -> None:
        if message.get_srcSystem() == self._machine.params["MAV_GCS_SYSID"]:
            self._failsafes.gcs_seen_s = self._machine.state.now_s

    # -- commands --------------------------------------------------------------------------

    def _command_long(self, message: Any, link: Link) -> None:
        p1, p2, p3, p4, z = _finite(
            message.param1, message.param2, message.param3, message.param4, message.param7
        )
        x, y = _to_e7(message.param5), _to_e7(message.param6)
        order = Order(command=message.command, p1=p1, p2=p2, p3=p3, p4=p4, x=x, y=y, z=z)
        self._carry_out(order, message, link)

    def _command_int(self, message: Any, link: Link) -> None:
        p1, p2, p3, p4, z = _finite(
            message.param1, message.param2, message.param3, message.param4, message.z
        )
        order = Order(
            command=message.command,
            p1=p1,
            p2=p2,
            p3=p3,
            p4=p4,
            x=message.x,
            y=message.y,
            z=z,
            frame=message.frame,
        )
        self._carry_out(order, message, link)

    def _carry_out(self, order: Order, message: Any, link: Link) -> None:
        result = self._commander.carry_out(order, link)
        link.send(
            mavlink.MAVLink_command_ack_message(
                order.command,
                result,
                target_system=message.get_srcSystem(),
                target_component=message.get_srcComponent(),
            )
        )
        link.send_rest()

    def _set_mode(self, message: Any, link: Link) -> None:
        self._commander.set_mode(message.base_mode, message.custom_mode)

    def _mission_set_current(self, message: Any, link: Link) -> None:
        if self._modes.auto.program.set_current(message.seq):
            total = max(0, len(self._machine.mission) - 1)
            program = self._modes.auto.program
            link.send(mavlink.MAVLink_mission_current_message(message.seq, total, program.state))

    def _timesync(self, message: Any, link: Link) -> None:
        if message.tc1 == 0:
            now_ns = int(self._machine.state.age_s * 1e9)
            link.send(mavlink.MAVLink_timesync_message(now_ns, message.ts1))

    def _setup_signing(self, message: Any, link: Link) -> None:
        if self._machine.state.is_armed:
            self._machine.state.say(Severity.WARNING, "ERROR: Won't setup signing when armed")
            return
        self._machine.signing.setup(bytes(message.secret_key), message.initial_timestamp)

    # -- parameters ------------------------------------------------------------------------

    def _param_read(self, message: Any, link: Link) -> None:
        params = self._machine.params
        if message.param_index >= 0:
            answer = params.answer_at(message.param_index)
        else:
            answer = params.answer(_name(message.param_id))
        if answer is not None:
            link.send_param(answer, len(params), message.param_index & 0xFFFF)

    def _param_list(self, message: Any, link: Link) -> None:
        link.params = self._machine.params.answers()

    def _param_set(self, message: Any, link: Link) -> None:
        answer = self._machine.params.set(_name(message.param_id), message.param_value)
        if answer is None:
            return
        if answer.value != message.param_value and is_counter(answer.name):
            text = f"Param write denied ({answer.name})"
            self._machine.state.say(Severity.WARNING, text)
        for each in self._links.values():
            each.send_param(answer, len(self._machine.params), _NO_INDEX)
        for each in self._links.values():
            each.codec.sysid = int(self._machine.params["MAV_SYSID"])
        if answer.name.startswith(("WP", "RTL_SP")):
            self._machine.guidance.speeds_changed()

    def tell_counts(self) -> None:
        """Tell all links of a number of items that has changed, as its parameter."""
        machine = self._machine
        params = machine.params
        fence = machine.fence_store.items()
        counts = {
            "MIS_TOTAL": len(machine.mission),
            "FENCE_TOTAL": stored_places(fence),
            "RALLY_TOTAL": len(machine.rally.items()),
        }
        for name, count in counts.items():
            if params[name] != count:
                params.put(name, count)
                answer = params.answer(name)
                for link in self._links.values():
                    if answer is not None:
                        link.send_param(answer, len(params), _NO_INDEX)

    # -- files -----------------------------------------------------------------------------

    def _file_request(self, message: Any, link: Link) -> None:
        if self._machine.has_files:
            sender = (message.get_srcSystem(), message.get_srcComponent())
            self._files.take(unpack(bytes(message.payload), *sender, link.number))

    def answer_files(self) -> None:
        """Let the worker of file transfers answer what came in."""
        for reply in self._files.work(self._machine.state.age_s):
            payload = list(pack(reply))
            self._links[reply.link].send(
                mavlink.MAVLink_file_transfer_protocol_message(
                    0, reply.sysid, reply.compid, payload
                )
            )
            self.tell_counts()

    # -- missions --------------------------------------------------------------------------

    def _mission(self, message: Any, link: Link) -> None:
        peer = Peer(message.get_srcSystem(), message.get_srcComponent(), link.number)
        number = message.mission_type
        if number not in (0, 1, 2):
            self._send_ack(link, peer, MissionResult.UNSUPPORTED, number)
            return
        self._tell(self._at_desk(self._desks[MissionType(number)], message, peer))
        self.tell_counts()

    def _at_desk(self, desk: Desk, message: Any, peer: Peer) -> list[Answer]:
        now_s = self._machine.state.now_s
        match message.get_type():
            case "MISSION_COUNT":
                return desk.count(peer, message.count, now_s, self._machine.state.age_s)
            case "MISSION_ITEM_INT" | "MISSION_ITEM":
                return desk.item(peer, item_from_message(message), now_s)
            case "MISSION_REQUEST_LIST":
                return desk.request_list(peer)
            case "MISSION_REQUEST_INT":
                return desk.request(peer, message.seq)
            case "MISSION_REQUEST":
                return desk.request(peer, message.seq, as_float=True)
            case "MISSION_WRITE_PARTIAL_LIST":
                return desk.write_partial(peer, message.start_index, message.end_index, now_s)
        return desk.clear(peer)

    def _tell(self, answers: list[Answer]) -> None:
        for answer in answers:
            if isinstance(answer, Note):
                severity = Severity.WARNING if answer.is_warning else Severity.INFO
                self._machine.state.say(severity, answer.text)
                continue
            link, peer = self._links[answer.peer.link], answer.peer
            match answer:
                case Request():
                    link.send(
                        mavlink.MAVLink_mission_request_message(
                            peer.sysid, peer.compid, answer.seq, mission_type=answer.type
                        )
                    )
                case Count():
                    link.send(
                        mavlink.MAVLink_mission_count_message(
                            peer.sysid, peer.compid, answer.count, mission_type=answer.type
                        )
                    )
                case Sent():
                    self._send_item(link, answer)
                case Ack():
                    self._send_ack(link, peer, answer.result, answer.type)

    def _send_item(self, link: Link, sent: Sent) -> None:
        is_current = (
            sent.type is MissionType.MISSION
            and sent.item.seq > 0
            and sent.item.seq == self._modes.auto.program.index
        )
        target = (sent.peer.sysid, sent.peer.compid)
        link.send(
            message_from_item(
                sent.item, target, sent.type, current=is_current, as_float=sent.as_float
            )
        )

    def _send_ack(self, link: Link, peer: Peer, result: int, mission_type: int) -> None:
        link.send(
            mavlink.MAVLink_mission_ack_message(
                peer.sysid, peer.compid, result, mission_type=mission_type
            )
        )


def _name(param_id: str | bytes) -> str:
    text = param_id.decode("ascii", "replace") if isinstance(param_id, bytes) else param_id
    return text.rstrip("\0")


def _finite(*values: float) -> tuple[float, ...]:
    """Give numbers with 0 in place of what is none."""
    return tuple(v if math.isfinite(v) else 0.0 for v in values)


def _to_e7(degrees: float) -> int:
    """Give COMMAND_LONG's degrees in 1e-7; nonsense becomes 0."""
    return round(degrees * 1e7) if abs(degrees) <= 180 else 0
