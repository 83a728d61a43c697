"""Parameters under our own names, asked of a vehicle whose firmware may call them otherwise.

All names of a parameter (`skymist.missions.parameters`) are asked for, newest first; the one that
answers is read and written, one that did not answer never is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from skymist.missions.parameters import ALIASES, Alias

READ_ONLY: dict[str, tuple[Alias, ...]] = {
    "arming_checks": (Alias("ARMING_SKIPCHK"), Alias("ARMING_CHECK")),
}
"""Whose meaning differs with the name that answers: read by it, never written."""


def aliases_of(name: str) -> tuple[Alias, ...]:
    """What vehicles may call a parameter; ValueError for a name that is not one of ours."""
    try:
        return ALIASES[name] if name in ALIASES else READ_ONLY[name]
    except KeyError:
        known = ", ".join(name for name in ALIASES if not name.startswith("servo"))
        raise ValueError(f"parameter {name!r}: wanted one of {known}") from None


def checks_off(vehicle_name: str, value: float) -> str:
    """Which of its own checks a vehicle does not make, in words; empty where it makes all.

    ARMING_SKIPCHK (4.7) has bits of checks that are left out, -1 for all; ARMING_CHECK bits of
    those that are made, 1 for all. Source: AP_Arming.cpp.
    """
    bits = int(value)
    if vehicle_name == "ARMING_CHECK":
        return "" if bits & 1 else ("all" if bits == 0 else f"all but ARMING_CHECK {bits}")
    return "" if bits == 0 else ("all" if bits == -1 else f"ARMING_SKIPCHK {bits}")


def groups_of(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The vehicles' names of each parameter, as `ParameterRead` takes them."""
    return tuple(tuple(alias.name for alias in aliases_of(name)) for name in names)


def scale_of(name: str, vehicle_name: str) -> float:
    """How many of the vehicle's units make one of ours."""
    return next(alias.scale for alias in aliases_of(name) if alias.name == vehicle_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterReport:
    """Logical parameters before and after a change, in SI units.

    `missing` answered under none of their names; `refused` answered, and do not hold what was
    wanted. `after` is what was read back, with the rounding of the vehicle.
    """

    before: dict[str, float]
    after: dict[str, float]
    missing: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def is_as_wanted(self) -> bool:
        """True where the vehicle holds every value that was wanted."""
        return not (self.missing or self.refused)
