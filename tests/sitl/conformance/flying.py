"""Flies scenarios on the embedded copter and on the real one."""

from __future__ import annotations

from pathlib import Path

from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.faults import break_vehicle
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from skymist.sitl.params import Firmware
from tests.sitl.conformance.scenarios import Scenario
from tests.sitl.conformance.traces import Trace, true_moments, witnessed
from tests.sitl.ground import HOME, drone, on


def fly_embedded(scenario: Scenario) -> Trace:
    """On the embedded copter, in virtual time."""

    async def main() -> Trace:
        async with EmbeddedFleet([drone()], homes=[HOME], firmware=Firmware.DEV_2025_10) as fleet:

            async def strike(name: str) -> None:
                break_vehicle(fleet.copters[0], name)

            async with on(fleet.connect(0)) as ground:
                told = await witnessed(scenario, ground, strike)
            return Trace(moments=true_moments(fleet.copters[0].truth), said=told.said)

    return run(main(), loop=VirtualLoop())


def fly_ardupilot(scenario: Scenario, binary: Path, speedup: float) -> Trace:
    """On a real ArduCopter of its own."""

    async def main() -> Trace:
        async with ArduPilotFleet([drone()], homes=[HOME], speedup=speedup, binary=binary) as fleet:

            async def strike(name: str) -> None:
                await fleet.break_vehicle(0, name)

            async with on(await fleet.open(0)) as ground:
                return await witnessed(scenario, ground, strike)

    return run(main(), loop=ScaledLoop(speedup))
