"""Is a vehicle ready by its own word, and does it stand where its mission begins."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from skymist.coverage.frames import Geo, Origin
from skymist.flight.clock import now_s
from skymist.flight.errors import VehicleSilent
from skymist.flight.mavlink.messages import (
    CopterMode,
    Gps,
    Position,
    StatusText,
    SysStatus,
    VehicleCommand,
)
from skymist.flight.protocols import driver

if TYPE_CHECKING:
    from skymist.flight.mavlink.channel import Peer
    from skymist.missions.items import Mission

PAD_WITHIN_M = 3.0
"""How far from its pad a drone may stand, beside what its receiver may be wrong by."""
ACCURACY_MOST_M = 3.0
"""A receiver that claims to know less moves no limit further."""
FRESH_S = 3.0
_REASONS_S = 2.0
_NUM_ASKED = 4
_PREARM = "PreArm: "
_DEBUG = 7
"""MAV_SEVERITY_DEBUG. Source: MAVLink common.xml."""


async def unready_in_auto(peer: Peer, timeout_s: float) -> tuple[str, ...]:
    """Enter AUTO and wait for the vehicle's own checks in it; why they do not pass, or nothing.

    Raises
    ------
    VehicleRefused
        It does not enter AUTO.
    """
    await driver.set_mode(peer, CopterMode.AUTO)
    try:
        await peer.wait_for(SysStatus, lambda status: status.is_prearm_good, timeout_s=timeout_s)
    except VehicleSilent:
        return await _reasons(peer)
    return ()


async def _reasons(peer: Peer) -> tuple[str, ...]:
    """What the vehicle names when asked why it would not arm, asked again while more comes.

    Texts are sent once and may be lost. Checks that are switched off speak too, at the level of
    debugging: they keep nothing from flying. Source: AP_Arming.cpp, check_failed.
    """
    said: dict[str, None] = {}
    with peer.subscribe(StatusText) as texts:
        for _ in range(_NUM_ASKED):
            num = len(said)
            await driver.command(peer, VehicleCommand.RUN_PREARM_CHECKS)
            await asyncio.sleep(_REASONS_S)
            while (heard := texts.get_nowait()) is not None:
                text = heard.message.text
                if text.startswith(_PREARM) and heard.message.severity < _DEBUG:
                    said[text.removeprefix(_PREARM)] = None
            if said and len(said) == num:
                break
    return tuple(said) or ("its checks do not pass, and it gives no reason",)


def off_pad(peer: Peer, mission: Mission) -> str:
    """Why the drone may not begin where it stands, by its newest position; empty where it may."""
    heard, gps = peer.latest(Position), peer.latest(Gps)
    if heard is None or now_s() - heard.at_s > FRESH_S:
        return "does not tell where it stands"
    pad, place = mission.items[0], heard.message
    limit_m = PAD_WITHIN_M
    if gps is not None and gps.message.accuracy_m is not None:
        limit_m += min(gps.message.accuracy_m, ACCURACY_MOST_M)
    away_m = apart_m((place.lat_e7, place.lon_e7), (pad.x_e7, pad.y_e7))
    if away_m <= limit_m:
        return ""
    return f"stands {away_m:.1f} m from its pad, wanted {limit_m:.1f} m or less"


def apart_m(a_e7: tuple[int, int], b_e7: tuple[int, int]) -> float:
    """Metres between two places given as latitude and longitude."""
    origin = Origin(lat_deg=a_e7[0] / 1e7, lon_deg=a_e7[1] / 1e7)
    there = origin.enu(Geo(lat_deg=b_e7[0] / 1e7, lon_deg=b_e7[1] / 1e7))
    return math.hypot(there.x, there.y)
