"""Which servo output drives a vehicle's sprayer pump, and by which pulses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.flight.errors import VehicleRefused, VehicleSilent
from skymist.flight.mavlink.telemetry import PumpServo
from skymist.flight.protocols import driver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skymist.flight.mavlink.channel import Peer

PUMP_FUNCTION = 22
"""SERVOn_FUNCTION of a sprayer's pump (ARDUPILOT.md, 4)."""
SERVO_FUNCTIONS = tuple(f"servo{n}_function" for n in range(1, 17))


def pump_channel(functions: Mapping[str, float]) -> int | None:
    """The first output with the pump's function, from 1; None where there is none."""
    for channel, name in enumerate(SERVO_FUNCTIONS, start=1):
        if functions.get(name) == PUMP_FUNCTION:
            return channel
    return None


async def read_pump_servo(peer: Peer) -> PumpServo:
    """Which output drives the pump, and its pulses.

    Raises
    ------
    VehicleRefused
        No output has the sprayer pump's function.
    VehicleSilent
        It does not tell a pulse: by a guessed one a running pump may look like one at rest.
    """
    channel = pump_channel(await driver.read_parameters(peer, SERVO_FUNCTIONS))
    if channel is None:
        raise VehicleRefused(
            f"vehicle {peer.sysid}: wanted a servo output with function {PUMP_FUNCTION} "
            "(sprayer pump), found none",
            sysid=peer.sysid,
        )
    wanted = tuple(f"servo{channel}_{part}" for part in ("min", "max", "reversed"))
    found = await driver.read_parameters(peer, wanted)
    missing = [name.upper() for name in wanted if name not in found]
    if missing:
        raise VehicleSilent(
            f"vehicle {peer.sysid}: wanted the pump's pulses, no answer to {', '.join(missing)}",
            sysid=peer.sysid,
        )
    low, high, is_reversed = (found[name] for name in wanted)
    off, full = (high, low) if is_reversed == 1.0 else (low, high)
    return PumpServo(channel=channel, off_us=round(off), full_us=round(full))
