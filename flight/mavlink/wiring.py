"""What an operation's links are to do beside carrying bytes: last, sign, be forwarded."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.flight.mavlink.forward import open_forward
from skymist.flight.mavlink.keyring import KeyRing, default_keys_path
from skymist.flight.mavlink.reconnect import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from skymist.flight.mavlink.forward import Forward


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """How links are treated.

    `patience_s` is how long a drone on the ground is waited for when its link breaks; `keys` sign
    the links of the drones that have one; `forward` names where frames are passed on to
    (``udp:HOST:PORT``), and `passes_commands` lets what comes back from there reach the drones.
    """

    patience_s: float = PATIENCE_S
    keys: KeyRing | None = None
    forward: tuple[str, ...] = ()
    passes_commands: bool = False

    def unsigned(self, drone_ids: Iterable[str]) -> tuple[str, ...]:
        """Those without a key, where others have one."""
        keys = self.keys
        return () if keys is None else tuple(d for d in drone_ids if d not in keys.keys)

    @asynccontextmanager
    async def forwards(self) -> AsyncIterator[tuple[Forward, ...]]:
        """The places that frames are passed on to, open inside."""
        opened: list[Forward] = []
        try:
            for place in self.forward:
                opened.append(await open_forward(place, passes_commands=self.passes_commands))
            yield tuple(opened)
        finally:
            for forward in opened:
                forward.close()
            if self.keys is not None:
                self.keys.close()


PLAIN = Wiring()


def wiring_of(
    *,
    patience_s: float = PATIENCE_S,
    keys_path: Path | None = None,
    takes_unsigned: bool = False,
    forward: list[str] | None = None,
    passes_commands: bool = False,
) -> Wiring:
    """The wiring that a command line asks for; the user's own file of keys where there is one.

    Raises
    ------
    FormatError
        The file of keys is not as it must be.
    """
    path = keys_path or default_keys_path()
    has_keys = keys_path is not None or path.exists()
    return Wiring(
        patience_s=patience_s,
        keys=KeyRing(path, takes_unsigned=takes_unsigned) if has_keys else None,
        forward=tuple(forward or ()),
        passes_commands=passes_commands,
    )
