"""The file that holds the drones' signing keys, and beside it the timestamps that were used.

A TOML file of the user, never part of a site or a plan: one line a drone, ``heron = "..."``, either
64 hex digits or a passphrase. Nobody else may read it. The timestamps go to ``<file>.stamps``.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from skymist.flight.mavlink.signing import TICKS_PER_S, Key, Seal, Stamps, key_of
from skymist.missions.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AHEAD_TICKS = 60 * TICKS_PER_S
"""So far ahead of what was used is written, so that it is seldom written; a crash skips it."""
LEAST_CHARS = 8
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def default_keys_path() -> Path:
    """``keys.toml`` in the user's folder for this program's settings."""
    import typer

    return Path(typer.get_app_dir("skymist")) / "keys.toml"


def read_keys(path: Path) -> dict[str, Key]:
    """Keys by drone id.

    Raises
    ------
    FormatError
        There is no such file, others may read it, or a line is no key; never shows a key.
    """
    try:
        if sys.platform != "win32" and path.stat().st_mode & 0o077:
            mode = f"{path.stat().st_mode & 0o777:o}"
            raise FormatError(
                f"{path}: wanted a file that you alone can read (mode 600), found {mode}: "
                f"chmod 600 {path}"
            )
        lines = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        where = f" ({error})" if isinstance(error, UnicodeDecodeError) else _place(error)
        raise FormatError(f'{path}: wanted lines like heron = "KEY"{where}') from None
    except OSError as error:
        raise FormatError(f"{path}: wanted a file of keys, found none: {error.strerror}") from error
    for drone_id, text in lines.items():
        if not isinstance(text, str) or len(text) < LEAST_CHARS:
            raise FormatError(
                f"{path}: {drone_id}: wanted 64 hex digits or a passphrase of {LEAST_CHARS} "
                "characters or more, in quotes"
            )
    return {drone_id: key_of(text) for drone_id, text in lines.items()}


def _place(error: Exception) -> str:
    """Where TOML is wrong, without the text that stands there."""
    found = re.search(r"\(at [^)]*\)", str(error))
    return f" {found[0]}" if found else ""


def add_key(path: Path, drone_id: str) -> Key:
    """Append a new random key; the file is made where there is none.

    Raises
    ------
    FormatError
        The drone has one already, or the file is not as `read_keys` wants it.
    """
    if path.exists() and drone_id in read_keys(path):
        raise FormatError(f"{path}: {drone_id} has a key; remove its line to give it another")
    text = secrets.token_hex(32)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = path.read_text("utf-8") if path.exists() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    name = drone_id if _BARE.fullmatch(drone_id) else json.dumps(drone_id)
    _write(path, f'{before}{name} = "{text}"\n')
    return key_of(text)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for the user alone."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


class SavedStamps(Stamps):
    """Timestamps that go on where an earlier run of the program left off.

    Raises
    ------
    FormatError
        The file is there and is none of ours: a clock that may go back is none.
    """

    def __init__(self, path: Path, unix_s: Callable[[], float] = time.time) -> None:
        self._path, self._reserved = path, dict[str, int]()
        last: dict[str, int] = {}
        if path.exists():
            try:
                found = json.loads(path.read_text("utf-8"))
                last = {str(name): int(stamp) for name, stamp in found.items()}
            except (OSError, ValueError, AttributeError) as error:
                raise FormatError(f"{path}: wanted timestamps by key, found {error}") from error
        super().__init__(unix_s, last)

    def next(self, fingerprint: str) -> int:
        """The timestamp of the next frame; on disk before it is used."""
        stamp = super().next(fingerprint)
        if stamp > self._reserved.get(fingerprint, -1):
            self._reserved[fingerprint] = stamp + AHEAD_TICKS
            self._save({**self.last, **self._reserved})
        return stamp

    def close(self) -> None:
        """Give back what was written ahead."""
        with suppress(OSError):
            self._save(self.last)

    def _save(self, stamps: Mapping[str, int]) -> None:
        _write(self._path, json.dumps(dict(stamps), indent=1))


class KeyRing:
    """The keys of a file at work; close it at the end."""

    def __init__(
        self,
        path: Path,
        *,
        takes_unsigned: bool = False,
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        self.keys = read_keys(path)
        self._takes_unsigned = takes_unsigned
        self._stamps = SavedStamps(path.with_name(path.name + ".stamps"), unix_s)

    def seal(self, drone_id: str) -> Seal | None:
        """The seal of a drone, None where it has no key."""
        key = self.keys.get(drone_id)
        if key is None:
            return None
        return Seal(key, self._stamps, takes_unsigned=self._takes_unsigned)

    def close(self) -> None:
        """Keep the timestamps."""
        self._stamps.close()
