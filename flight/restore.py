"""A vehicle's own parameters, put back after our flights, or later by their record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.flight.commanding import wait_heartbeat
from skymist.flight.errors import VehicleRefused
from skymist.flight.parameter_setting import set_parameters

if TYPE_CHECKING:
    from skymist.flight.channel import Peer
    from skymist.flight.parameters import ParameterReport
    from skymist.flight.record import Record

BEFORE, RESTORED = "parameters_before", "parameters_restored"
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


def left_changed(record: Record) -> dict[str, dict[str, float]]:
    """By drone, what its parameters were before a run that did not put them back.

    Of several values of one name the first counts: the later are ours.
    """
    left: dict[str, dict[str, float]] = {}
    for event in record.of(BEFORE):
        values = left.setdefault(str(event["drone_id"]), {})
        for name, value in event["before"].items():
            values.setdefault(str(name), float(value))
    for event in record.of(RESTORED):
        values = left.get(str(event["drone_id"]), {})
        for name in event["names"]:
            values.pop(str(name), None)
    return {drone_id: values for drone_id, values in left.items() if values}
