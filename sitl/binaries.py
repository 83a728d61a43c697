"""Where an ArduCopter binary for this machine is, and the default parameters that go with it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from skymist.coverage.errors import SkymistError

VARIABLE = "SKYMIST_ARDUCOPTER"
SUM_NAME = "arducopter.sha256"
"""Beside a binary in the cache: the SHA-256 that was checked when it was installed."""
_SAYS_VERSION = re.compile(rb"ArduCopter V(\d+\.\d+[0-9A-Za-z.-]{0,30})")
_NAMES = ("arducopter", "arducopter.exe", "ArduCopter.elf", "arducopter.elf")


class BinaryMissing(SkymistError):
    """No ArduCopter binary was found. `looked` says where it was looked for."""

    def __init__(self, looked: tuple[str, ...]) -> None:
        self.looked = looked
        places = "\n".join(f"  {line}" for line in looked)
        super().__init__(f"no arducopter binary found; looked at\n{places}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the search gave: `looked` has a line for each place, with what was there.

    `defaults` is the copter.parm that belongs to the binary; None where our own small one serves.
    `version` is what the binary says of itself, such as 4.6.3 or 4.7.0-dev.
    """

    binary: Path | None
    defaults: Path | None
    looked: tuple[str, ...]
    version: str | None = None

    def require(self) -> Path:
        """Give the binary.

        Raises
        ------
        BinaryMissing
            None was found.
        """
        if self.binary is None:
            raise BinaryMissing(self.looked)
        return self.binary


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where Skymist keeps downloaded binaries for this user."""
    env = os.environ if environ is None else environ
    if sys.platform == "win32":
        base = Path(env.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "skymist" / "arducopter"


def find_arducopter(explicit: Path | None = None) -> Found:
    """Look for the binary: as told, SKYMIST_ARDUCOPTER, PATH, the cache, ~/ardupilot.

    A path that was given, by argument or variable, is the only one that counts.
    """
    looked: list[str] = []
    for where, path in _places(explicit):
        is_there = path is not None and path.is_file() and os.access(path, os.X_OK)
        state = "found" if is_there else "nothing there"
        if path is not None and path.is_file() and not is_there:
            state = "not executable"
        if is_there and path is not None and where == "cache" and not _matches(path):
            is_there, state = False, f"does not match its {SUM_NAME}: passed over"
        looked.append(f"{where}: {path if path is not None else '-'}: {state}")
        if is_there and path is not None:
            defaults = _defaults_for(path)
            version = version_of(path)
            looked[-1] += f", ArduCopter {version or 'of an unknown version'}"
            looked.append(f"default parameters: {defaults or 'our own'}")
            return Found(binary=path, defaults=defaults, looked=tuple(looked), version=version)
    return Found(binary=None, defaults=None, looked=tuple(looked))


def _places(explicit: Path | None) -> Iterator[tuple[str, Path | None]]:
    if explicit is not None:
        yield "as told", explicit.expanduser()
        return
    told = os.environ.get(VARIABLE)
    if told:
        yield VARIABLE, Path(told).expanduser()
        return
    yield VARIABLE, None
    on_path = shutil.which("arducopter")
    yield "PATH", Path(on_path) if on_path else None
    cache = cache_dir()
    kept = sorted((p for n in _NAMES for p in cache.glob(f"*/{n}")), key=_release_of, reverse=True)
    for path in kept or [cache]:
        yield "cache", path
    yield "home", Path.home() / "ardupilot" / "build" / "sitl" / "bin" / "arducopter"


def _release_of(path: Path) -> tuple[int, ...]:
    """The numbers in the name of a binary's folder, so that 4.10 comes after 4.9."""
    return tuple(int(number) for number in re.findall(r"\d+", path.parent.name))


def _matches(path: Path) -> bool:
    """Whether a binary in the cache is the one that was checked."""
    try:
        wanted = path.with_name(SUM_NAME).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return False
    return wanted[:1] == [sha256_of(path)]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def version_of(binary: Path) -> str | None:
    """The version that a binary says of itself, read in its bytes; None where it says none."""
    try:
        said = _SAYS_VERSION.search(binary.read_bytes())
    except OSError:
        return None
    return said[1].decode("ascii", "replace") if said else None


def _defaults_for(binary: Path) -> Path | None:
    """The copter.parm beside the binary, in share, or in the tree that it was built in."""
    real = binary.resolve()
    tail = Path("Tools") / "autotest" / "default_params" / "copter.parm"
    candidates = [
        binary.with_name("copter.parm"),
        real.with_name("copter.parm"),
        binary.parent.parent / "share" / "ardupilot" / "copter.parm",
        real.parent.parent / "share" / "ardupilot" / "copter.parm",
        *(parent / tail for parent in real.parents),
        cache_dir() / "copter.parm",
    ]
    return next((path for path in candidates if path.is_file()), None)


def own_defaults(name: str) -> str:
    """The text of a parameter file that ships with us: copter.parm or sprayer.parm."""
    return resources.files("skymist.sitl").joinpath("data", name).read_text(encoding="utf-8")
