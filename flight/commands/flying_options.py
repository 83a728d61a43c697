"""The options that `fly` and `resume` have in common: one list, with what it comes to."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from skymist.flight.commands.reaching import (
    Arm,
    Events,
    Forward,
    ForwardCommands,
    Keys,
    MeasuredWind,
    Orders,
    Patience,
    Unsigned,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from skymist.flight.mavlink.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class FlyingOptions:
    """What is asked for on the command line, under the options' own names."""

    arm: Arm = False
    json: Events = False
    link_patience_s: Patience = 300.0
    keys: Keys = None
    accept_unsigned: Unsigned = False
    forward: Forward = None
    forward_commands: ForwardCommands = False
    wind_mps: MeasuredWind = None
    orders: Orders = None
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Show it in a browser; prints the links.")
    ] = False
    applied: Annotated[
        str,
        typer.Option(
            help="When the flight was applied for, as 2026-06-30T10:00; a record remembers it."
        ),
    ] = ""
    reported: Annotated[
        str,
        typer.Option(
            help="When the take-off was reported to the authority, as 06:00; a record remembers "
            "that of today."
        ),
    ] = ""

    @property
    def wiring(self) -> Wiring:
        """How links are waited for, signed and forwarded."""
        from skymist.flight.mavlink.wiring import wiring_of

        return wiring_of(
            patience_s=self.link_patience_s,
            keys_path=self.keys,
            takes_unsigned=self.accept_unsigned,
            forward=self.forward,
            passes_commands=self.forward_commands,
        )


_TYPES = get_type_hints(FlyingOptions, include_extras=True)


def with_flying_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `options` is these, each an option of its own to Typer."""
    hints = get_type_hints(command, include_extras=True)
    names = [field.name for field in fields(FlyingOptions)]
    own = [p for p in inspect.signature(command).parameters.values() if p.name != "options"]
    common = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default)
        for field in fields(FlyingOptions)
    ]
    assert all(parameter.default is not MISSING for parameter in common)

    @wraps(command)
    def flat(*args: Any, **given: Any) -> None:
        chosen = {name: given.pop(name) for name in names if name in given}
        command(*args, **given, options=FlyingOptions(**chosen))

    every = {name: hints[name] for name in hints if name != "options"} | _TYPES
    asked = [p.replace(annotation=every[p.name]) for p in (*own, *common)]
    flat.__signature__ = inspect.Signature(asked, return_annotation=None)  # type: ignore[attr-defined]
    flat.__annotations__ = {**every, "return": None}
    return flat
