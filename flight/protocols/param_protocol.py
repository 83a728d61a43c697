"""Reading and writing parameters by the vehicle's own names: state machines without I/O.

ArduPilot says nothing to a name that it does not have, so a name is asked for several times before
it counts as absent; where one parameter has several names all are asked for at once and the one
that answers is it. A write is done when the vehicle says the value back, never before.
Source: https://mavlink.io/en/services/parameter.html; ArduPilot GCS_MAVLink/GCS_Param.cpp.
"""

from __future__ import annotations

import struct
from enum import StrEnum

from skymist.flight.mavlink.messages import (
    ParamError,
    ParamRequestRead,
    ParamSet,
    ParamValue,
    Received,
    Sent,
)

TIMEOUT_S = 0.8
NUM_TRIES = 10
NUM_TRIES_BAD = 24
"""Where answers needed `BAD_MEAN` tries on average the link is bad: with three of ten frames lost
each way one of a thousand questions stays without an answer after ten tries, and a sortie asks some
two hundred; after 24 one of ten million. [D]"""
BAD_MEAN = 1.25
WINDOW = 8
"""Requests on the way at once; ArduPilot keeps 20 and drops the rest."""

_REAL32, _REAL64 = 9, 10
_ROUNDING = 0.01


def stored_value(value: float, param_type: int) -> float:
    """What the vehicle holds after `value` is written to a parameter of this MAV_PARAM_TYPE.

    Floats have 32 bits; whole numbers are cut after 0.01 is added away from zero.
    Source: ArduPilot AP_Param::set_float.
    """
    if param_type in (_REAL32, _REAL64):
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    return float(int(value + (_ROUNDING if value > 0 else -_ROUNDING)))


def tries_most(tries: list[int]) -> int:
    """How often a name is asked for, by the tries that those needed which have answered."""
    return NUM_TRIES_BAD if tries and sum(tries) > BAD_MEAN * len(tries) else NUM_TRIES


class State(StrEnum):
    """Where the work stands; DONE is the end state."""

    IDLE = "idle"
    ASKING = "asking"
    DONE = "done"


class ParameterRead:
    """Reads groups of names; of each group the first name that answers counts.

    `found` holds a value for each group that answered, by its place; the rest are `missing`.
    """

    def __init__(self, groups: tuple[tuple[str, ...], ...]) -> None:
        self._groups = groups
        self._group_of = {name: i for i, names in enumerate(groups) for name in names}
        self._tries = dict.fromkeys(range(len(groups)), 0)
        self._due_s: dict[int, float] = {}
        self._absent: set[str] = set()
        self.found: dict[int, ParamValue] = {}
        self.missing: set[int] = set()
        self.state = State.IDLE
        self.deadline_s = 0.0

    @property
    def is_done(self) -> bool:
        """True once each group has answered or is given up."""
        return self.state is State.DONE

    def start(self, now_s: float) -> tuple[Sent, ...]:
        """Ask for the first."""
        self.state = State.ASKING
        return self._ask(now_s)

    def receive(self, message: Received, now_s: float) -> tuple[Sent, ...]:
        """Take a value, or the word that there is no such name."""
        if self.state is not State.ASKING:
            return ()
        match message:
            case ParamValue(name=name) if name in self._group_of:
                group = self._group_of[name]
                if group not in self.found:
                    self.found[group] = message
                    self.missing.discard(group)
                    self._due_s.pop(group, None)
            case ParamError(name=name) if name in self._group_of:
                self._absent.add(name)
                group = self._group_of[name]
                if self._absent.issuperset(self._groups[group]) and group not in self.found:
                    self.missing.add(group)
                    self._due_s.pop(group, None)
            case _:
                return ()
        return self._ask(now_s)

    def tick(self, now_s: float) -> tuple[Sent, ...]:
        """Ask again for what has not come, give up what was asked often enough."""
        if self.state is not State.ASKING or now_s < self.deadline_s:
            return ()
        most = tries_most([self._tries[group] for group in self.found])
        for group, due_s in tuple(self._due_s.items()):
            if now_s >= due_s:
                del self._due_s[group]
                if self._tries[group] >= most:
                    self.missing.add(group)
        return self._ask(now_s)

    def _ask(self, now_s: float) -> tuple[Sent, ...]:
        """Keep the window full, or end."""
        out: list[Sent] = []
        for group in self._tries:
            if group in self.found or group in self.missing or group in self._due_s:
                continue
            if sum(len(self._groups[g]) for g in self._due_s) >= WINDOW:
                break
            self._due_s[group] = now_s + TIMEOUT_S
            self._tries[group] += 1
            names = (name for name in self._groups[group] if name not in self._absent)
            out += [ParamRequestRead(name=name) for name in names]
        if self._due_s:
            self.deadline_s = min(self._due_s.values())
        else:
            self.state = State.DONE
        return tuple(out)


class ParameterWrite:
    """Writes names that have answered; each must be said back as the vehicle would hold it.

    `wanted` are values by name with their MAV_PARAM_TYPE. `written` holds what was said back,
    `refused` what came back otherwise, `silent` what was never said back.
    """

    def __init__(self, wanted: dict[str, tuple[float, int]]) -> None:
        self._wanted = wanted
        self._tries = dict.fromkeys(wanted, 0)
        self._due_s: dict[str, float] = {}
        self.written: dict[str, float] = {}
        self.refused: dict[str, float] = {}
        self.silent: set[str] = set()
        self.state = State.IDLE
        self.deadline_s = 0.0

    @property
    def is_done(self) -> bool:
        """True once each write is settled."""
        return self.state is State.DONE

    def start(self, now_s: float) -> tuple[Sent, ...]:
        """Write the first."""
        self.state = State.ASKING
        return self._ask(now_s)

    def receive(self, message: Received, now_s: float) -> tuple[Sent, ...]:
        """Compare what the vehicle says back."""
        if self.state is not State.ASKING:
            return ()
        match message:
            case ParamValue(name=name, value=value) if name in self._due_s:
                if value == stored_value(*self._wanted[name]):
                    self.written[name] = value
                    self.refused.pop(name, None)
                    del self._due_s[name]
                else:
                    self.refused[name] = value  # an old value, perhaps; the tries go on
                    return ()
            case _:
                return ()
        return self._ask(now_s)

    def tick(self, now_s: float) -> tuple[Sent, ...]:
        """Write again what was not said back."""
        if self.state is not State.ASKING or now_s < self.deadline_s:
            return ()
        for name, due_s in tuple(self._due_s.items()):
            if now_s >= due_s:
                del self._due_s[name]
                if self._tries[name] >= self._most and name not in self.refused:
                    self.silent.add(name)
        return self._ask(now_s)

    @property
    def _most(self) -> int:
        return tries_most([self._tries[name] for name in self.written])

    def _ask(self, now_s: float) -> tuple[Sent, ...]:
        """Keep the window full, or end."""
        out: list[Sent] = []
        for name, (value, param_type) in self._wanted.items():
            is_open = name not in self.written and self._tries[name] < self._most
            if not is_open or name in self._due_s or len(self._due_s) >= WINDOW:
                continue
            self._due_s[name] = now_s + TIMEOUT_S
            self._tries[name] += 1
            out.append(ParamSet(name=name, value=value, param_type=param_type))
        if self._due_s:
            self.deadline_s = min(self._due_s.values())
        else:
            self.state = State.DONE
        return tuple(out)
