"""ArduPilot's official static build of ArduCopter, fetched into the user's cache and checked.

Nothing that came over the wire is made executable, or looked at by `find_arducopter`, before its
SHA-256 is the one that was pinned: in `PINS`, or by the user's own word.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skymist.coverage.errors import SkymistError
from skymist.sitl.binaries import SUM_NAME, cache_dir, sha256_of
from skymist.sitl.downloads import download

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DEFAULT_VERSION = "4.6.3"
FIRMWARE_URL = "https://firmware.ardupilot.org"
"""Source: ArduPilot's firmware server; Copter/stable-X.Y.Z/SITL_x86_64_linux_gnu/arducopter."""
SOURCE_URL = "https://raw.githubusercontent.com/ArduPilot/ardupilot"
"""Source: ArduPilot's repository; the tag of a release is Copter-X.Y.Z."""
PINS: Mapping[str, str] = {}
"""SHA-256 of the official builds by version. ArduPilot publishes none, so a pin is put here by
someone who fetched the build and flew it; there is none yet."""

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_SUM = re.compile(r"[0-9a-f]{64}")
_PARAMETER = re.compile(r"[A-Z][A-Z0-9_]{0,15}[\s,]+-?[0-9.eE+-]+(\s.*|#.*)?")


class InstallRefused(SkymistError):
    """A build was not installed. `sha256` is that of what came, where something came."""

    def __init__(self, what: str, sha256: str | None = None) -> None:
        self.sha256 = sha256
        super().__init__(what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A build in the cache, checked."""

    version: str
    binary: Path
    defaults: Path
    sha256: str


def addresses(
    version: str, *, firmware_url: str = FIRMWARE_URL, source_url: str = SOURCE_URL
) -> tuple[str, str]:
    """Where the binary and the default parameters of a release are."""
    return (
        f"{firmware_url.rstrip('/')}/Copter/stable-{version}/SITL_x86_64_linux_gnu/arducopter",
        f"{source_url.rstrip('/')}/Copter-{version}/Tools/autotest/default_params/copter.parm",
    )


def install(
    version: str = DEFAULT_VERSION,
    *,
    sha256: str | None = None,
    firmware_url: str = FIRMWARE_URL,
    source_url: str = SOURCE_URL,
    progress: Callable[[int, int | None], None] | None = None,
) -> Installed:
    """Fetch a release into the cache, check it, and make it runnable.

    What was fetched before and still matches is not fetched again. `sha256` pins the binary where
    `PINS` does not; where both do, they must agree.

    Raises
    ------
    InstallRefused
        Version or pin are malformed, this machine cannot run the build, no pin is known, or what
        came does not match it. What does not match is deleted; what has no pin yet stays, without
        the right to run, for a second call with `sha256`.
    DownloadFailed
        A file could not be had.
    """
    pin = _pin(version, sha256)
    _require_platform()
    folder = cache_dir() / f"stable-{version}"
    binary, defaults = folder / "arducopter", folder / "copter.parm"
    if pin is not None and binary.is_file() and sha256_of(binary) == pin and defaults.is_file():
        _release(binary, pin)
        return Installed(version=version, binary=binary, defaults=defaults, sha256=pin)
    binary_url, defaults_url = addresses(version, firmware_url=firmware_url, source_url=source_url)
    waiting = folder / "arducopter.unchecked"
    if not (pin is not None and waiting.is_file() and sha256_of(waiting) == pin):
        waiting.unlink(missing_ok=True)
        download(binary_url, waiting, progress=progress)
    came = sha256_of(waiting)
    if pin is None:
        raise InstallRefused(
            f"no SHA-256 is known for ArduCopter {version}, so it is not run; what came from "
            f"{binary_url} has\n  {came}\nCompare it with someone else's, then pin it:\n"
            f"  skymist sitl install --version {version} --sha256 {came}",
            came,
        )
    if came != pin:
        waiting.unlink()
        raise InstallRefused(
            f"{binary_url}: wanted SHA-256\n  {pin}\nfound\n  {came}\nIt was deleted.", came
        )
    _fetch_defaults(defaults_url, defaults)
    waiting.chmod(0o755)
    os.replace(waiting, binary)
    _release(binary, pin)
    return Installed(version=version, binary=binary, defaults=defaults, sha256=pin)


def _pin(version: str, sha256: str | None) -> str | None:
    if not _VERSION.fullmatch(version):
        raise InstallRefused(f"version: wanted X.Y.Z such as {DEFAULT_VERSION}, found {version!r}")
    if sha256 is None:
        return PINS.get(version)
    told = sha256.lower()
    if not _SUM.fullmatch(told):
        raise InstallRefused(f"SHA-256: wanted 64 hexadecimal digits, found {sha256!r}")
    if PINS.get(version, told) != told:
        raise InstallRefused(f"ArduCopter {version} is pinned to {PINS[version]}, found {told}")
    return told


def _require_platform() -> None:
    machine = platform.machine().lower()
    if not sys.platform.startswith("linux") or machine not in ("x86_64", "amd64"):
        raise InstallRefused(
            f"the official build is for Linux on x86_64, this is {sys.platform} on {machine}: "
            "build ArduPilot yourself and name the binary in SKYMIST_ARDUCOPTER"
        )


def _fetch_defaults(url: str, target: Path) -> None:
    """Fetch the parameters; keep them only if they are names and numbers."""
    new = target.with_name("copter.parm.new")
    download(url, new)
    text = new.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", "@"))]
    wrong = next((line for line in lines if not _PARAMETER.fullmatch(line)), None)
    if wrong is not None or not lines:
        new.unlink()
        raise InstallRefused(f"{url}: wanted a name and a number a line, found {wrong!r}")
    os.replace(new, target)


def _release(binary: Path, sha256: str) -> None:
    """Write down which sum was checked: `find_arducopter` compares it each time."""
    new = binary.with_name(SUM_NAME + ".new")
    new.write_text(f"{sha256}  {binary.name}\n", encoding="ascii")
    os.replace(new, binary.with_name(SUM_NAME))
    binary.chmod(0o755)
