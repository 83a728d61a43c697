"""Time, in one place: that of the running event loop.

A loop whose time is simulated (`skymist.sitl.loops`) runs all of `flight` in simulated time;
therefore no other module of the room asks the machine for the time.
"""

from __future__ import annotations

import asyncio


def now_s() -> float:
    """Seconds of the running loop: only differences mean anything, and it never goes back."""
    return asyncio.get_running_loop().time()
