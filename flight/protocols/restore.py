"""A vehicle's own parameters, put back after our flights, or later by their record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.flight.errors import FlightError, VehicleRefused
from skymist.flight.protocols.commanding import wait_heartbeat
from skymist.flight.protocols.parameter_setting import set_parameters
from skymist.flight.recording.record import BEFORE, RESTORED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skymist.flight.conductor.telling import Log
    from skymist.flight.mavlink.channel import Peer
    from skymist.flight.protocols.parameters import ParameterReport
    from skymist.flight.recording.record import Record

HEARD_S = 10.0


async def put_back(peer: Peer, before: dict[str, float]) -> ParameterReport:
    """Set parameters to what they were, on the ground alone; the report names what did not take.

    Raises
    ------
    VehicleRefused
        It is armed.
    VehicleSilent, LinkLost
        It does not answer.
    """
    heart = await wait_heartbeat(peer, HEARD_S)
    if heart.is_armed:
        raise VehicleRefused(
            f"vehicle {peer.sysid}: is armed; parameters are put back on the ground alone",
            sysid=peer.sysid,
        )
    return await set_parameters(peer, before)


async def put_back_left(
    left: Mapping[str, dict[str, float]], peers: Mapping[str, Peer], told: Log
) -> dict[str, str]:
    """Put back what a record says was left changed, drone by drone; why not, where it was not.

    What a drone took is noted in the record. The drones are those of `left` that have a peer.
    """
    failed: dict[str, str] = {}
    for drone_id, values in left.items():
        if drone_id not in peers:
            continue
        try:
            report = await put_back(peers[drone_id], values)
        except FlightError as exc:
            failed[drone_id] = str(exc)
            continue
        kept = (*report.refused, *report.missing)
        if taken := sorted(values.keys() - set(kept)):
            told.event(RESTORED, drone_id=drone_id, names=taken)
        if kept:
            failed[drone_id] = f"not taken: {', '.join(kept)}"
    return failed


def left_changed(record: Record) -> dict[str, dict[str, float]]:
    """By drone, what its parameters were before runs that did not put them back.

    Of several values of one name the first since it was put back counts: the later are ours.
    """
    left: dict[str, dict[str, float]] = {}
    for event in record.of(BEFORE, RESTORED):
        values = left.setdefault(str(event["drone_id"]), {})
        if event["event"] == BEFORE:
            for name, value in event["before"].items():
                values.setdefault(str(name), float(value))
        else:
            for name in event["names"]:
                values.pop(str(name), None)
    return {drone_id: values for drone_id, values in left.items() if values}
