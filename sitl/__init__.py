"""Where a vehicle comes from when none is on the pad.

`EmbeddedFleet` flies copters of our own inside the process, `ArduPilotFleet` starts the real
binary; both speak MAVLink bytes and nothing else. `loops` sets how fast simulated time runs.
"""
