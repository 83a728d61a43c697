"""The wind bench: `python tests/benchmarks/wind_bench.py [WIND_MPS]`.

What ArduCopter's simulated copter draws in wind: hovering, against it, with it and across, at two
speeds over ground; beside still air. Prints a table; docs/planning.md quotes it.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pymavlink import mavutil

from skymist.sitl.ardupilot import ArduPilotFleet
from skymist.sitl.loops import ScaledLoop, run

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.sitl.ground import HOME, drone

SPEEDUP = 8.0
LEGS = {
    "hover": (0, 0),
    "8 m/s against": (8, 0),
    "8 m/s with": (-8, 0),
    "8 m/s across": (0, 8),
    "5 m/s against": (5, 0),
    "5 m/s with": (-5, 0),
}
"""Velocities over ground, north and east; the wind comes from the north."""
SETTLE_S, LEG_S, PATIENCE_S = 14.0, 30.0, 180.0
GUIDED, TAKEOFF, VELOCITY_ONLY = 4, 22, 0b0000110111000111


class Line:
    """A blocking link to one simulated copter; `now_s` is the time of its own clock."""

    def __init__(self, address: str) -> None:
        self.link: Any = mavutil.mavlink_connection(address, source_system=255)
        self.link.wait_heartbeat(timeout=60)
        self.link.mav.request_data_stream_send(1, 1, 0, 4, 1)
        self.now_s, self.seen = 0.0, dict[str, Any]()

    def heard(
        self, done: Callable[[], bool], often: Callable[[], None] = lambda: None
    ) -> Iterator[Any]:
        """Messages until `done`; `often` is called twice a second of the copter's clock."""
        ends, called_s = time.monotonic() + PATIENCE_S, -math.inf
        while not done():
            if time.monotonic() > ends:
                raise TimeoutError(f"no end of waiting at {self.now_s:.0f} s")
            message = self.link.recv_match(blocking=True, timeout=2)
            if message is None:
                continue
            self.seen[message.get_type()] = message
            if hasattr(message, "time_boot_ms"):
                self.now_s = max(self.now_s, message.time_boot_ms / 1000)
            if self.now_s > called_s + 0.5:
                often()
                called_s = self.now_s
            yield message

    def wait(self, done: Callable[[], bool], often: Callable[[], None] = lambda: None) -> None:
        """Hear until `done`."""
        for _ in self.heard(done, often):
            pass

    def take_off(self) -> None:
        """Arm in GUIDED as soon as it lets itself be armed, and climb to 30 m."""

        def arm() -> None:
            self.link.set_mode(GUIDED)
            self.link.arducopter_arm()

        def is_armed() -> bool:
            return "HEARTBEAT" in self.seen and bool(self.seen["HEARTBEAT"].base_mode & 128)

        self.wait(is_armed, arm)
        self.link.mav.command_long_send(1, 1, TAKEOFF, 0, 0, 0, 0, 0, 0, 0, 30)
        self.wait(lambda: self.seen["GLOBAL_POSITION_INT"].relative_alt > 28000)

    def flown(self, north_mps: float, east_mps: float) -> tuple[float, float, float]:
        """Watts, speed over ground and lean in degrees at a velocity, once it is held."""

        def ask() -> None:
            velocity = (0, 0, 0, north_mps, east_mps, 0, 0, 0, 0, 0, 0)
            self.link.mav.set_position_target_local_ned_send(0, 1, 1, 1, VELOCITY_ONLY, *velocity)

        began_s = self.now_s
        watts, speeds, leans = [], [], []
        for message in self.heard(lambda: self.now_s > began_s + LEG_S, ask):
            if self.now_s < began_s + SETTLE_S:
                continue
            if message.get_type() == "SYS_STATUS":
                watts.append(message.current_battery / 100 * message.voltage_battery / 1000)
            elif message.get_type() == "GLOBAL_POSITION_INT":
                speeds.append(math.hypot(message.vx, message.vy) / 100)
            elif message.get_type() == "ATTITUDE":
                upright = math.cos(message.roll) * math.cos(message.pitch)
                leans.append(math.degrees(math.acos(upright)))
        return statistics.mean(watts), statistics.mean(speeds), statistics.mean(leans)


async def main(wind_mps: float) -> None:
    """Fly all legs in still air, then in the wind."""
    async with ArduPilotFleet([drone()], homes=[HOME], speedup=SPEEDUP) as fleet:
        line = Line(fleet.addresses[0])
        line.take_off()
        print("| wind m/s | flown | W | m/s over ground | lean deg |\n|---|---|---|---|---|")
        for blows_mps in (0.0, wind_mps):
            for name, value in (("SIM_WIND_DIR", 0), ("SIM_WIND_SPD", blows_mps)):
                line.link.mav.param_set_send(1, 1, name.encode(), value, 9)
            for name, way in LEGS.items():
                watts, speed_mps, lean_deg = line.flown(*way)
                row = f"{watts:.0f} | {speed_mps:.2f} | {lean_deg:.1f}"
                print(f"| {blows_mps:g} | {name} | {row} |", flush=True)


if __name__ == "__main__":
    run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 4.0), loop=ScaledLoop(SPEEDUP))
