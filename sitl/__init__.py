"""Where a vehicle comes from when none is on the pad.

`EmbeddedFleet` flies copters of our own inside the process, `ArduPilotFleet` starts the real
binary; both speak MAVLink bytes and nothing else. `loops` sets how fast simulated time runs.

Names are imported when they are asked for: pytest loads the plugin of this room wherever Skymist is
installed, and shall not pay for MAVLink.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
_MODULES = {
    "copter": ("EmbeddedCopter",),
    "fleet": ("EmbeddedFleet",),
    "loops": ("ScaledLoop", "VirtualLoop", "run"),
    "machine": ("Faults",),
    "params": ("Firmware",),
    "pipes": ("BytePipe", "Pipe"),
    "truth": ("Sample", "Stretch", "Truth"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"skymist.sitl.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
