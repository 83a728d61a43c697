"""Before anything is sent to a drone: is it there, and is it the one that is meant.

While it is waited for, what was heard instead is told every few seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.flight.clock import now_s
from skymist.flight.errors import VehicleRefused, VehicleSilent
from skymist.flight.mavlink.messages import Heartbeat
from skymist.flight.mavlink.signing import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skymist.coverage.drones import Drone
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.terminal.display import Display

HELLO_S = 30.0
TELL_S = 5.0
ARDUPILOT = 3
"""MAV_AUTOPILOT_ARDUPILOTMEGA. Source: MAVLink minimal.xml, as all numbers here."""
MULTIROTORS = {2: "quad", 13: "hexa", 14: "octo", 15: "tri", 29: "dodeca", 35: "deca"}
_AUTOPILOTS = {0: "a generic autopilot", 3: "ArduPilot", 8: "no autopilot", 12: "PX4"}
_TYPES = {
    0: "generic",
    1: "fixed wing",
    3: "coaxial helicopter",
    4: "helicopter",
    5: "antenna tracker",
    7: "airship",
    10: "ground rover",
    11: "boat",
    12: "submarine",
    19: "VTOL",
    20: "VTOL",
    21: "VTOL",
    22: "VTOL",
}


async def require_all_meant(
    fleet: Mapping[str, Drone], peers: Mapping[str, Peer], display: Display
) -> None:
    """Hear every drone within `HELLO_S` from now, each one that is meant: see `require_meant`."""
    until_s = now_s() + HELLO_S
    for drone_id, peer in peers.items():
        await require_meant(fleet[drone_id], peer, display, until_s)


async def require_meant(drone: Drone, peer: Peer, display: Display, until_s: float) -> None:
    """Hear the drone on its link until `until_s` of the loop's clock; it must be an ArduCopter.

    Raises
    ------
    VehicleSilent
        Nothing was heard, or nothing that is MAVLink; says what was.
    VehicleRefused
        Another system id answers instead, or it is no ArduCopter on a multirotor.
    """
    began_s = now_s()
    while peer.latest(Heartbeat) is None:
        try:
            left_s = until_s - now_s()
            await peer.wait_for(Heartbeat, timeout_s=max(0.0, min(TELL_S, left_s)))
        except VehicleSilent:
            if now_s() >= until_s:
                raise _nobody(drone, peer, began_s) from None
            waited = f"waiting for a heartbeat of system id {drone.sysid} on {peer.channel.name}"
            left = f"up to {until_s - now_s():.0f} s more"
            text = f"{drone.id}: {waited}, {left}; {heard_on(peer)}"
            display.event("notice", {"drone_id": drone.id, "text": text})
    if peer.is_signing and peer.seal is None:
        text = f"{drone.id}: signs its frames, and has no key here: over a radio it obeys nothing"
        display.event("notice", {"drone_id": drone.id, "text": text})
    if wrong := not_meant(peer):
        raise VehicleRefused(f"{drone.id}: {wrong}", sysid=peer.sysid)


def not_meant(peer: Peer) -> str:
    """Why a vehicle that was heard is not one we may fly, in words; empty where it is."""
    heard = peer.latest(Heartbeat)
    if heard is None:
        return "has sent no heartbeat"
    beat = heard.message
    if beat.autopilot == ARDUPILOT and beat.vehicle_type in MULTIROTORS:
        return ""
    autopilot = _AUTOPILOTS.get(beat.autopilot, f"autopilot {beat.autopilot}")
    frame = MULTIROTORS.get(beat.vehicle_type) or _TYPES.get(beat.vehicle_type)
    found = f"{autopilot} on a frame of type {beat.vehicle_type}"
    found += f" ({frame})" if frame else ""
    return f"wanted ArduCopter on a multirotor as system id {peer.sysid}, found {found}"


def heard_on(peer: Peer) -> str:
    """What came over a vehicle's link so far, in words."""
    channel, seal = peer.channel, peer.seal
    decoder = channel.decoder
    if seal is not None and seal.num_refused:
        why = ", ".join(f"{n} {v}" for v, n in seal.counts.items() if n and v is not Verdict.GOOD)
        is_plain = seal.num_refused == seal.counts[Verdict.UNSIGNED]
        hint = "has it its key? skymist keys set" if is_plain else "is the key the same?"
        return f"refused frames of system id {peer.sysid} there: {why} ({hint})"
    if not channel.is_up:
        return "the link is down"
    if others := channel.sysids:
        return f"heard system id {', '.join(map(str, others))} there"
    if decoder.num_frames:
        return f"heard {decoder.num_frames} MAVLink frames there, no autopilot's heartbeat"
    if decoder.num_bytes_dropped:
        return f"heard {decoder.num_bytes_dropped} bytes there that are no MAVLink (baud rate?)"
    return "heard nothing there"


def _nobody(drone: Drone, peer: Peer, began_s: float) -> VehicleSilent | VehicleRefused:
    channel = peer.channel
    others = [sysid for sysid in channel.sysids if sysid != drone.sysid]
    if others:
        return VehicleRefused(
            f"{drone.id}: wanted system id {drone.sysid} on {channel.name}, found {others}",
            sysid=drone.sysid,
        )
    waited_s = now_s() - began_s
    return VehicleSilent(
        f"{drone.id}: no heartbeat of system id {drone.sysid} within {waited_s:.0f} s on "
        f"{channel.name}; {heard_on(peer)}",
        sysid=drone.sysid,
        waited_s=waited_s,
    )
