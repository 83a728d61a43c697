"""A vehicle's parameters under our own names: read, compared, set and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from skymist.flight.mavlink.messages import ParamError, ParamValue
from skymist.flight.protocols.conversation import play
from skymist.flight.protocols.param_protocol import ParameterRead, ParameterWrite, stored_value
from skymist.flight.protocols.parameters import (
    READ_ONLY,
    ParameterReport,
    checks_off,
    groups_of,
    scale_of,
)

if TYPE_CHECKING:
    from skymist.flight.mavlink.channel import Peer

_WORDS = (ParamValue, ParamError)


async def read_parameters(peer: Peer, names: Iterable[str]) -> dict[str, float]:
    """Logical parameters in SI units; those that answer under none of their names are left out."""
    found = await _read_values(peer, tuple(names))
    return {name: value.value / scale_of(name, value.name) for name, value in found.items()}


async def checks_left_out(peer: Peer) -> str:
    """Which of its own checks before arming a vehicle does not make; empty where it makes all."""
    found = await _read_values(peer, ("arming_checks",))
    return "".join(checks_off(value.name, value.value) for value in found.values())


async def check_parameters(peer: Peer, wanted: Mapping[str, float]) -> ParameterReport:
    """Compare logical parameters with what the vehicle holds; writes nothing."""
    found = await _read_values(peer, tuple(wanted))
    values = {name: value.value / scale_of(name, value.name) for name, value in found.items()}
    return ParameterReport(
        before=values,
        after=values,
        missing=tuple(name for name in wanted if name not in found),
        refused=tuple(name for name in found if not _holds(found, name, wanted[name])),
    )


async def set_parameters(
    peer: Peer,
    wanted: Mapping[str, float],
    before_writing: Callable[[dict[str, float]], None] = lambda before: None,
) -> ParameterReport:
    """Set logical parameters, given in SI units, and read them back.

    Only names that answered are written, and only where they differ. `before_writing` is given
    what those hold, before the first is written. Raises nothing for a value that is missing or
    refused: the report names it.
    """
    if unknown := READ_ONLY.keys() & wanted.keys():
        raise ValueError(f"parameters that are never written: {', '.join(sorted(unknown))}")
    found = await _read_values(peer, tuple(wanted))
    writes = {
        value.name: (wanted[name] * scale_of(name, value.name), value.param_type)
        for name, value in found.items()
        if not _holds(found, name, wanted[name])
    }
    if writes:
        before_writing(
            {n: v.value / scale_of(n, v.name) for n, v in found.items() if v.name in writes}
        )
        await play(peer, ParameterWrite(writes), _WORDS)
    after = await _read_values(peer, tuple(found)) if writes else found
    return ParameterReport(
        before={n: v.value / scale_of(n, v.name) for n, v in found.items()},
        after={n: v.value / scale_of(n, v.name) for n, v in after.items()},
        missing=tuple(name for name in wanted if name not in found),
        refused=tuple(name for name in found if not _holds(after, name, wanted[name])),
    )


async def _read_values(peer: Peer, names: tuple[str, ...]) -> dict[str, ParamValue]:
    """What the vehicle holds under the first of each parameter's names that answers."""
    machine = ParameterRead(groups_of(names))
    await play(peer, machine, _WORDS)
    return {names[place]: value for place, value in machine.found.items()}


def _holds(found: Mapping[str, ParamValue], name: str, wanted: float) -> bool:
    """True where the vehicle holds what `wanted`, in our unit, becomes in it."""
    value = found.get(name)
    if value is None:
        return False
    target = wanted * scale_of(name, value.name)
    return value.value == stored_value(target, value.param_type)
