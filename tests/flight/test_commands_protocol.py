from __future__ import annotations

from typing import Any

import pytest

from skymist.flight.mavlink.messages import (
    CommandAck,
    CommandInt,
    CommandLong,
    CommandResult,
    ParamValue,
)
from skymist.flight.protocols.commands_protocol import (
    ACK_TIMEOUT_S,
    NUM_TRIES,
    PROGRESS_TIMEOUT_S,
    CommandCall,
    Outcome,
    State,
)

ARM = CommandLong(command=400, params=(1.0, 0, 0, 0, 0, 0, 0))


def call_in(state: State) -> CommandCall:
    call = CommandCall(ARM)
    if state is State.IDLE:
        return call
    call.start(10.0)
    if state is State.UNKNOWN:
        for _ in range(NUM_TRIES):
            call.tick(call.deadline_s)
    elif state is not State.SENT:
        code = {
            State.IN_PROGRESS: CommandResult.IN_PROGRESS,
            State.ACKNOWLEDGED: CommandResult.ACCEPTED,
            State.REFUSED: CommandResult.DENIED,
        }[state]
        call.receive(CommandAck(command=400, result=code), 10.5)
    return call


MESSAGES: tuple[Any, ...] = (
    *(CommandAck(command=400, result=result) for result in CommandResult),
    CommandAck(command=400, result=77),
    CommandAck(command=176, result=0),
    ParamValue(name="X", value=1.0),
)


@pytest.mark.parametrize("message", MESSAGES, ids=str)
@pytest.mark.parametrize("state", State)
def test_every_state_every_message(state: State, message: Any) -> None:
    call = call_in(state)
    assert call.state is state
    assert call.receive(message, 11.0) == ()
    is_open = state in (State.SENT, State.IN_PROGRESS)
    if not is_open or getattr(message, "command", None) != 400:
        assert call.state is state
        return
    expected = {0: State.ACKNOWLEDGED, 5: State.IN_PROGRESS}.get(message.result, State.REFUSED)
    assert call.state is expected
    result = call.outcome(12.0)
    if expected is State.REFUSED:
        assert result.outcome is Outcome.REFUSED
        known = message.result < 10
        assert result.reason == (
            CommandResult(message.result).name if known else f"MAV_RESULT {message.result}"
        )


def test_repeats_carry_a_counter_and_end_unknown() -> None:
    call = CommandCall(ARM)
    sent = list(call.start(0.0))
    assert call.tick(ACK_TIMEOUT_S / 2) == ()
    while not call.is_done:
        sent += call.tick(call.deadline_s)
    assert [s.confirmation for s in sent if isinstance(s, CommandLong)] == list(range(NUM_TRIES))
    result = call.outcome(ACK_TIMEOUT_S * NUM_TRIES)
    assert (result.outcome, result.result, result.is_accepted) == (Outcome.UNKNOWN, None, False)
    assert result.reason == "no answer in 18.0 s"


def test_in_progress_waits_and_does_not_repeat() -> None:
    call = call_in(State.IN_PROGRESS)
    assert call.tick(10.5 + PROGRESS_TIMEOUT_S / 2) == ()
    assert call.state is State.IN_PROGRESS
    assert call.tick(10.5 + PROGRESS_TIMEOUT_S) == ()
    assert call.outcome(21.0).outcome is Outcome.UNKNOWN


def test_a_command_with_a_place_repeats_as_it_is() -> None:
    message = CommandInt(command=192, x_e7=5)
    call = CommandCall(message, num_tries=2)
    assert call.start(0.0) == call.tick(call.deadline_s) == (message,)


def test_given_up_early_it_is_unknown() -> None:
    assert call_in(State.SENT).outcome(10.1).outcome is Outcome.UNKNOWN
