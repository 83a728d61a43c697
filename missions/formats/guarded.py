"""Files from strangers, looked at before a library opens them: XML without entities, honest zips.

Source of the dangers: OWASP's notes on XML external entities and on zip bombs.
"""

from __future__ import annotations

import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

import defusedxml.sax
from defusedxml.common import DefusedXmlException

from skymist.coverage.errors import MissionError

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE_MAX_BYTES = 200_000_000
"""Of a file, packed or not: a community's map is a hundredth of it. Proposal."""
RATIO_MAX = 200
"""Of a packed entry: text shrinks to a tenth, a bomb to a thousandth. Proposal."""
MEMBERS_MOST = 1000


class Refused(MissionError):
    """A file that is not handed on; `wanted` and `found` say why."""

    def __init__(self, wanted: str, found: str) -> None:
        super().__init__(f"wanted {wanted}, found {found}")
        self.wanted, self.found = wanted, found


def require_plain_xml(path: Path) -> None:
    """Parse the file without keeping it.

    Raises
    ------
    Refused
        Where it is larger than 200 MB, not well-formed, or has a DOCTYPE or entities.
    """
    if path.stat().st_size > SIZE_MAX_BYTES:
        raise Refused("at most 200 MB", f"{path.stat().st_size / 1e6:.0f} MB")
    try:
        defusedxml.sax.parse(str(path), ContentHandler(), forbid_dtd=True)
    except DefusedXmlException as exc:
        raise Refused("XML without DOCTYPE and entities", f"{type(exc).__name__}") from exc
    except (SAXException, ValueError, LookupError) as exc:
        raise Refused("well-formed XML", str(exc).replace(str(path), path.name)) from exc


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """What a library may open in the file's stead: itself, or the KML unpacked from a KMZ.

    Raises
    ------
    Refused
        For XML with entities; for an archive that is too large, too dense, or names a path
        outside itself.
    """
    suffix = path.suffix.lower()
    if suffix == ".kml":
        require_plain_xml(path)
        yield path
    elif suffix == ".kmz":
        with tempfile.TemporaryDirectory(prefix="skymist-") as folder:
            inside = _unpacked_kml(path, Path(folder))
            require_plain_xml(inside)
            yield inside
    else:
        yield path


def _unpacked_kml(path: Path, folder: Path) -> Path:
    """The first KML of the archive, as KMZ readers choose it; nothing else is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _require_honest(members)
            chosen = next((m for m in members if m.filename.lower().endswith(".kml")), None)
            if chosen is None:
                raise Refused("a KML in the archive", ", ".join(m.filename for m in members[:5]))
            made = folder / "doc.kml"
            with archive.open(chosen) as packed, made.open("wb") as plain:
                _copy_at_most(packed, plain, chosen.file_size)
            return made
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as exc:
        raise Refused("a zip archive that can be unpacked", str(exc) or type(exc).__name__) from exc


def _require_honest(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MEMBERS_MOST:
        raise Refused(f"at most {MEMBERS_MOST} files in the archive", str(len(members)))
    for member in members:
        name = member.filename.replace("\\", "/")
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or ":" in name:
            raise Refused("names within the archive", repr(member.filename[:80]))
        dense = member.file_size > RATIO_MAX * max(member.compress_size, 1000)
        if dense or member.file_size > SIZE_MAX_BYTES:
            raise Refused(
                f"files of at most 200 MB, packed at most {RATIO_MAX} to 1",
                f"{member.file_size} bytes out of {member.compress_size}",
            )


def _copy_at_most(packed: IO[bytes], plain: IO[bytes], size: int) -> None:
    """Copy what the archive's directory promises and no byte more."""
    left = size
    while chunk := packed.read(min(1 << 20, left + 1)):
        left -= len(chunk)
        if left < 0:
            raise Refused(f"{size} bytes, as the archive says", "more")
        plain.write(chunk)
