"""Where a vehicle comes from when none is on the pad.

`EmbeddedFleet` flies copters of our own inside the process, `ArduPilotFleet` starts the real
binary; both speak MAVLink bytes and nothing else. `loops` sets how fast simulated time runs.
"""

from skymist.sitl.copter import EmbeddedCopter
from skymist.sitl.fleet import EmbeddedFleet
from skymist.sitl.loops import ScaledLoop, VirtualLoop, run
from skymist.sitl.machine import Faults
from skymist.sitl.params import Firmware
from skymist.sitl.pipes import BytePipe, Pipe
from skymist.sitl.truth import Sample, Stretch, Truth

__all__ = [
    "BytePipe",
    "EmbeddedCopter",
    "EmbeddedFleet",
    "Faults",
    "Firmware",
    "Pipe",
    "Sample",
    "ScaledLoop",
    "Stretch",
    "Truth",
    "VirtualLoop",
    "run",
]
