"""One link and the vehicles behind it, told apart by system id.

A channel reads frames, hands each to its vehicle's `Peer`, and says again and again that the ground
station is there (`heartbeat`). It knows no protocol: `driver` builds those from `send`, `listen`
and `subscribe`. Memory stays bounded whatever arrives: queues drop their oldest, the number of
peers has a limit.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, Self, TypeVar, cast

from skymist.flight.clock import now_s
from skymist.flight.errors import LinkLost, VehicleSilent
from skymist.flight.mavlink.codec import Decoder, Encoder, Frame, sealed
from skymist.flight.mavlink.heartbeat import Pulse
from skymist.flight.mavlink.messages import Heartbeat, RadioStatus, Received, Sent, StatusText
from skymist.flight.mavlink.numbering import Numbering
from skymist.flight.mavlink.reconnect import ReconnectingLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skymist.flight.mavlink.forward import Forward
    from skymist.flight.mavlink.links import Link
    from skymist.flight.mavlink.signing import Seal

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Received)
M_co = TypeVar("M_co", bound=Received, covariant=True)

OUR_SYSID = 255
"""What ArduPilot takes for its ground station by default (MAV_GCS_SYSID)."""

AUTOPILOT_COMPID = 1
"""MAV_COMP_ID_AUTOPILOT1. Source: MAVLink minimal.xml."""

BREAK_S = 5.0
"""A vehicle that is not heard for so long was out of contact: five heartbeats. [P]"""

_GCS_HEARTBEAT = Heartbeat(vehicle_type=6, autopilot=8, base_mode=0, custom_mode=0, system_status=4)
_NO_AUTOPILOT = 8

Tap = Callable[[float, bytes], None]


class Heard(NamedTuple, Generic[M_co]):
    """A message and the loop's time when it came in."""

    at_s: float
    message: M_co


@dataclass(slots=True, kw_only=True)
class LinkStats:
    """Frames from one vehicle: that came, and that its numbering says were lost on the way."""

    num_frames: int = 0
    num_lost: int = 0

    @property
    def lost_frac(self) -> float:
        """Share of what the vehicle sent that did not arrive."""
        total = self.num_frames + self.num_lost
        return self.num_lost / total if total else 0.0


class Subscription(Generic[M_co]):
    """A bounded queue of messages; where it overflows the oldest go, counted in `num_dropped`."""

    def __init__(self, peer: Peer, max_queue: int) -> None:
        self._peer = peer
        self._queue: deque[Heard[Received]] = deque(maxlen=max_queue)
        self._filled = asyncio.Event()
        self.num_dropped = 0

    async def get(self) -> Heard[M_co]:
        """The next message; `LinkLost` where the channel has closed and none is left."""
        while not self._queue:
            self._peer.channel.require_open()
            self._filled.clear()
            await self._filled.wait()
        return cast("Heard[M_co]", self._queue.popleft())

    def get_nowait(self) -> Heard[M_co] | None:
        """The next message that is there already, or None."""
        return cast("Heard[M_co]", self._queue.popleft()) if self._queue else None

    async def __aiter__(self) -> AsyncIterator[Heard[M_co]]:
        """Messages as they come, until the channel closes."""
        while True:
            yield await self.get()

    def put(self, heard: Heard[Received]) -> None:
        """Take a message in (the peer calls this)."""
        if len(self._queue) == self._queue.maxlen:
            self.num_dropped += 1
        self._queue.append(heard)
        self._filled.set()

    def wake(self) -> None:
        """Let `get` see that the channel has closed."""
        self._filled.set()


class Peer:
    """One vehicle on a channel: what it said last, and a way to talk to it."""

    def __init__(self, channel: Channel, sysid: int, compid: int = AUTOPILOT_COMPID) -> None:
        self.channel = channel
        self.sysid = sysid
        self.compid = compid
        self.stats = LinkStats()
        self.heard_s: float | None = None
        self.seal: Seal | None = None
        self.is_signing = False
        self._num_gaps = 0
        self._latest: dict[type, Heard[Received]] = {}
        self._listeners: list[Callable[[Heard[Received]], None]] = []
        self._raw_listeners: list[Callable[[bytes], None]] = []
        self._subscriptions: list[tuple[frozenset[type], Subscription[Received]]] = []
        self._texts = TextJoiner()
        self.numbering = Numbering()
        self._seq = -1

    @property
    def is_in_contact(self) -> bool:
        """Whether there is a wire, and the vehicle was heard in the last `BREAK_S`."""
        is_heard = self.heard_s is not None and now_s() - self.heard_s <= BREAK_S
        return is_heard and self.channel.is_up

    @property
    def num_breaks(self) -> int:
        """How often contact was lost and came back; the same number twice: none between."""
        return self._num_gaps + self.channel.num_reconnects

    def send(self, message: Sent) -> None:
        """Send to this vehicle; `LinkLost` where the channel is closed."""
        self.channel.send(message, self.sysid, self.compid)

    def latest(self, kind: type[M]) -> Heard[M] | None:
        """The newest message of a kind, with the time it came, or None."""
        return cast("Heard[M] | None", self._latest.get(kind))

    def listen(self, callback: Callable[[Heard[Received]], None]) -> Callable[[], None]:
        """Call back for every message as it comes; gives the function that ends it.

        The cheap way for what must see everything; the callback must be quick and not raise.
        """
        self._listeners.append(callback)

        def remove() -> None:
            with suppress(ValueError):
                self._listeners.remove(callback)

        return remove

    def listen_raw(self, callback: Callable[[bytes], None]) -> Callable[[], None]:
        """Call back with every frame's bytes; gives the function that ends it."""
        self._raw_listeners.append(callback)

        def remove() -> None:
            with suppress(ValueError):
                self._raw_listeners.remove(callback)

        return remove

    @contextmanager
    def subscribe(self, *kinds: type[M], max_queue: int = 256) -> Iterator[Subscription[M]]:
        """A queue of the messages of these kinds (of all where none is named) inside `with`."""
        subscription: Subscription[M] = Subscription(self, max_queue)
        entry = (frozenset[type](kinds), cast("Subscription[Received]", subscription))
        self._subscriptions.append(entry)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(entry)

    async def wait_for(
        self, kind: type[M], claim: Callable[[M], bool] | None = None, *, timeout_s: float
    ) -> M:
        """The first message of a kind, from now on, for which `claim` holds.

        Raises
        ------
        VehicleSilent
            None came within `timeout_s`.
        LinkLost
            The channel closed meanwhile.
        """
        with self.subscribe(kind) as messages:
            try:
                async with asyncio.timeout(timeout_s):
                    while True:
                        message = (await messages.get()).message
                        if claim is None or claim(message):
                            return message
            except TimeoutError:
                raise VehicleSilent(
                    f"vehicle {self.sysid}: wanted {kind.__name__}"
                    f"{' as asked' if claim else ''} within {timeout_s:g} s, none came",
                    sysid=self.sysid,
                    waited_s=timeout_s,
                ) from None

    def take(self, frame: Frame, at_s: float) -> None:
        """Hand a frame from this vehicle to all who wait for it (the channel calls this)."""
        self._count(frame, at_s)
        if self.heard_s is not None and at_s - self.heard_s > BREAK_S:
            self._num_gaps += 1
        self.heard_s = at_s
        for raw_listener in tuple(self._raw_listeners):
            raw_listener(frame.raw)
        message = frame.message
        if isinstance(message, StatusText):
            message = self._texts.join(message)
        if message is None:
            return
        heard = Heard(at_s, message)
        kind = type(message)
        self._latest[kind] = heard
        if kind is Heartbeat:
            self.is_signing = frame.raw[0] == 0xFD and bool(frame.raw[2] & 1)
        for listener in tuple(self._listeners):
            listener(heard)
        for kinds, subscription in self._subscriptions:
            if not kinds or kind in kinds:
                subscription.put(heard)

    def wake(self) -> None:
        """Let all who wait see that the channel has closed."""
        for _, subscription in self._subscriptions:
            subscription.wake()

    def _count(self, frame: Frame, at_s: float) -> None:
        """Count what the numbering says was lost; a step back by under half is a late frame."""
        is_beat = isinstance(frame.message, Heartbeat)
        self.numbering.take(frame.seq, frame.raw, at_s, is_beat=is_beat)
        self.stats.num_frames += 1
        if self._seq >= 0:
            step = (frame.seq - self._seq) % 256
            if step > 128 or step == 0:
                return
            self.stats.num_lost += step - 1
        self._seq = frame.seq


class Channel:
    """A link with its reader and our heartbeat, inside ``async with``; owns the link.

    `tap` gets the time and the bytes of every whole frame, in and out, as a tlog wants them;
    `forwards` get every frame that came in and is to be believed.
    At most `max_peers` vehicles are told apart; what claims to be one more is counted and dropped.
    """

    def __init__(
        self,
        link: Link,
        *,
        sysid: int = OUR_SYSID,
        compid: int = 190,
        tap: Tap | None = None,
        forwards: tuple[Forward, ...] = (),
        max_peers: int = 255,
    ) -> None:
        self._link = link
        self._lasting = link if isinstance(link, ReconnectingLink) else None
        self._tap = tap
        self._forwards = forwards
        for forward in forwards:
            forward.join(self.relay)
        self._pulse = Pulse()
        self._max_peers = max_peers
        self._peers: dict[int, Peer] = {}
        self._encoder = Encoder(sysid=sysid, compid=compid)
        self._tasks: list[asyncio.Task[None]] = []
        self.decoder = Decoder()
        self.sysid = sysid
        self.compid = compid
        self.closed_reason = ""
        self.num_ignored = 0
        self.radio: RadioStatus | None = None

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._read(), name="channel reader"),
            asyncio.create_task(self._beat(), name="channel heartbeat"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close("closed by us")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def is_open(self) -> bool:
        """True until the link closes for good."""
        return not self.closed_reason

    @property
    def is_up(self) -> bool:
        """True while there is a wire; a lasting link may be open without one."""
        return self.is_open and (self._lasting is None or self._lasting.is_up)

    @property
    def num_reconnects(self) -> int:
        """How often the link was opened again."""
        return 0 if self._lasting is None else self._lasting.num_reconnects

    @property
    def name(self) -> str:
        """The connection as a person wrote it, where that is known."""
        return "its link" if self._lasting is None else self._lasting.name

    @property
    def sysids(self) -> tuple[int, ...]:
        """System ids of the autopilots heard so far, in order."""
        heard = (p for p in self._peers.values() if p.latest(Heartbeat) is not None)
        return tuple(sorted(peer.sysid for peer in heard))

    def vehicle(self, sysid: int) -> Peer:
        """The vehicle with this system id, heard already or not."""
        return self._peers.setdefault(sysid, Peer(self, sysid))

    def require_open(self) -> None:
        """Raise `LinkLost` where the channel is closed."""
        if self.closed_reason:
            raise LinkLost(f"link: {self.closed_reason}")

    def send(self, message: Sent, sysid: int = 0, compid: int = 0) -> None:
        """Send to one vehicle, or to all on the link (0); `LinkLost` where it is closed.

        Signed for a vehicle that has a seal; to all it goes once with each seal there is.
        """
        self.require_open()
        peer = self._peers.get(sysid)
        seals = (None if peer is None else peer.seal,) if sysid else self._seals()
        for seal in seals:
            raw = self._encoder.pack(message, sysid, compid, seal)
            self._link.write(raw)
            if self._tap is not None:
                self._tap(now_s(), raw)

    def relay(self, sysid: int, frame: bytes) -> bool:
        """Pass on a frame of another ground station; False where it claims to be us.

        Answers to it would be taken for answers to us.
        """
        if sysid == self.sysid or sysid in self._peers:
            return False
        if self.is_up:
            for seal in self._seals():
                self._link.write(frame if seal is None else sealed(frame, seal))
            if self._tap is not None:
                self._tap(now_s(), frame)
        return True

    def _seals(self) -> tuple[Seal | None, ...]:
        """One seal of each key that is in use; None among them where a vehicle has none."""
        peers = self._peers.values()
        by_key = {peer.seal.key: peer.seal for peer in peers if peer.seal is not None}
        is_any_plain = not by_key or any(peer.seal is None for peer in peers)
        return (*by_key.values(), *((None,) if is_any_plain else ()))

    def close(self, reason: str) -> None:
        """Close the link and wake all who wait; the first reason stays."""
        if self.closed_reason:
            return
        self.closed_reason = reason
        self._link.close()
        for peer in self._peers.values():
            peer.wake()

    async def _read(self) -> None:
        """Read until the link ends."""
        try:
            while data := await self._link.read():
                at_s = now_s()
                for frame in self.decoder.feed(data):
                    if self._tap is not None:
                        self._tap(at_s, frame.raw)
                    if self._route(frame, at_s):
                        for forward in self._forwards:
                            forward.send(frame.raw)
            self.close("the other side closed it")
        except (OSError, LinkLost) as error:
            log.warning("link lost", extra={"reason": str(error)})
            self.close(str(error) or type(error).__name__)
        except Exception:
            log.exception("channel reader failed")
            self.close("the reader failed, see the log")

    async def _beat(self) -> None:
        """Say that the ground station is there."""
        while self.is_open:
            try:
                self.send(_GCS_HEARTBEAT)
            except (OSError, LinkLost) as error:
                self.close(str(error) or type(error).__name__)
            await asyncio.sleep(self._beat_s())

    def _beat_s(self) -> float:
        """Until the next heartbeat."""
        at_s, peers = now_s(), self._peers.values()
        silent_s = max((at_s - p.heard_s for p in peers if p.heard_s is not None), default=0.0)
        num_frames = sum(peer.stats.num_frames for peer in peers)
        num_lost = sum(peer.stats.num_lost for peer in peers)
        return self._pulse.next_s(at_s, num_frames, num_lost, silent_s)

    def _route(self, frame: Frame, at_s: float) -> bool:
        """Give a frame to its vehicle; other parts of it and other stations' mail are passed by.

        False for a frame that is not to be believed, since it lacks its drone's signature.
        """
        if isinstance(frame.message, RadioStatus):
            self.radio = frame.message
            return True
        peer = self._peers.get(frame.sysid)
        if peer is not None and peer.seal is not None and not peer.seal.takes(frame.raw):
            self.num_ignored += 1
            return False
        is_ours = frame.target_sysid in (0, self.sysid) and frame.target_compid in (0, self.compid)
        if frame.compid != AUTOPILOT_COMPID or frame.sysid == self.sysid or not is_ours:
            self.num_ignored += 1
            return True
        if peer is None:
            if len(self._peers) >= self._max_peers or not _is_autopilot(frame.message):
                self.num_ignored += 1
                return True
            peer = self._peers[frame.sysid] = Peer(self, frame.sysid)
        peer.take(frame, at_s)
        return True


def _is_autopilot(message: Received | None) -> bool:
    """True for a heartbeat of something that flies, not of a ground station or a camera."""
    return isinstance(message, Heartbeat) and message.autopilot != _NO_AUTOPILOT


class TextJoiner:
    """Joins the pieces of long texts; holds at most four unfinished ones."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, dict[int, str]] = OrderedDict()

    def join(self, piece: StatusText) -> StatusText | None:
        """The whole text with its last piece, None before; a lost piece shows as ``...``."""
        if piece.id == 0:
            return piece
        texts = self._open.setdefault(piece.id, {})
        texts[piece.chunk] = piece.text
        if not piece.is_last:
            while len(self._open) > 4:
                self._open.popitem(last=False)
            return None
        del self._open[piece.id]
        text = "".join(texts.get(chunk, "...") for chunk in range(piece.chunk + 1))
        return StatusText(severity=piece.severity, text=text, id=piece.id)
