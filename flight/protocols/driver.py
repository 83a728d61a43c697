"""Await what a vehicle does: the one door to commands, parameters and transfers.

Each function here is one conversation with one `Peer`, and ends with the vehicle's own word, or
with an error that says what is known and what is not. None takes silence for success.
"""

from __future__ import annotations

from skymist.flight.protocols.commanding import (
    STREAM_RATES_HZ,
    arm,
    ask,
    come_home,
    command,
    disarm,
    keep_streams,
    request_streams,
    set_mode,
    spray_off,
    start_mission,
    wait_heartbeat,
)
from skymist.flight.protocols.commands_protocol import Outcome, Result
from skymist.flight.protocols.mission_transfer import (
    Progress,
    Transfers,
    clear_or_mark,
    upload,
    verify,
)
from skymist.flight.protocols.parameter_setting import (
    check_parameters,
    checks_left_out,
    read_parameters,
    set_parameters,
)
from skymist.flight.protocols.parameters import ParameterReport
from skymist.flight.protocols.protocol_transfer import clear_lists as clear_mission
from skymist.flight.protocols.protocol_transfer import read_list as read_back

__all__ = [
    "STREAM_RATES_HZ",
    "Outcome",
    "ParameterReport",
    "Progress",
    "Result",
    "Transfers",
    "arm",
    "ask",
    "check_parameters",
    "checks_left_out",
    "clear_mission",
    "clear_or_mark",
    "come_home",
    "command",
    "disarm",
    "keep_streams",
    "read_back",
    "read_parameters",
    "request_streams",
    "set_mode",
    "set_parameters",
    "spray_off",
    "start_mission",
    "upload",
    "verify",
    "wait_heartbeat",
]
