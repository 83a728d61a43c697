"""One file over HTTPS: taken up where it broke off, and kept only when it is whole.

Whether it is the right file is the matter of `installing`.
"""

from __future__ import annotations

import http.client
import logging
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from skymist.coverage.errors import SkymistError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

TIMEOUT_S = 30.0
MOST_BYTES = 200_000_000
"""Twenty times the size of the official builds: more is no such build."""
NUM_TRIES = 4
_CHUNK_BYTES = 65536
_LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))
_PARTIAL, _RANGE_REFUSED = 206, 416


class DownloadFailed(SkymistError):
    """A file could not be had. `url` is what was asked for."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(f"{url}: {reason}")


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows redirects to HTTPS alone."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """Refuse a redirect that leaves HTTPS."""
        if urlsplit(newurl).scheme != "https":
            raise DownloadFailed(req.full_url, f"redirected to {newurl}: wanted https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(
    url: str, target: Path, *, progress: Callable[[int, int | None], None] | None = None
) -> None:
    """Fetch a file to `target`; a `.part` beside it holds what came of a broken transfer.

    A transfer that breaks off is taken up again, at most `NUM_TRIES` times in one call, and by
    the next call. `progress` is told the bytes so far and, where the server says it, of how many.

    Raises
    ------
    DownloadFailed
        The address is not HTTPS (HTTP is for this machine's own servers alone), there is no such
        file, the server redirects to HTTP, or every try broke off. `target` is as it was.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise DownloadFailed(url, "wanted an https address")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    opener = urllib.request.build_opener(_OnlyHttps)
    reason = ""
    for number in range(NUM_TRIES):
        if number:
            log.info("download taken up again", extra={"url": url, "reason": reason})
        try:
            _fetch(opener, url, part, progress)
        except urllib.error.HTTPError as exc:
            with exc:
                if exc.code == _RANGE_REFUSED and part.exists():
                    part.unlink()
                    reason = "the server refused to go on where it broke off"
                    continue
                raise DownloadFailed(url, f"HTTP {exc.code} {exc.reason}") from exc
        except urllib.error.URLError as exc:
            raise DownloadFailed(url, str(exc.reason)) from exc
        except (OSError, http.client.HTTPException) as exc:
            reason = str(exc) or type(exc).__name__
            continue
        os.replace(part, target)
        return
    raise DownloadFailed(url, f"broke off {NUM_TRIES} times, the last time with: {reason}")


def _fetch(
    opener: urllib.request.OpenerDirector,
    url: str,
    part: Path,
    progress: Callable[[int, int | None], None] | None,
) -> None:
    """Add to `part` what is missing of it; ends only when it is whole."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "skymist"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with opener.open(request, timeout=TIMEOUT_S) as answer:
        goes_on = answer.status == _PARTIAL and _starts_at(answer) == have
        if have and answer.status == _PARTIAL and not goes_on:
            part.unlink()
            raise OSError("the server sent another part than the one asked for")
        if not goes_on:
            have = 0
        length = answer.headers.get("Content-Length")
        whole = have + int(length) if length is not None and length.isdigit() else None
        if (whole or 0) > MOST_BYTES:
            raise DownloadFailed(url, f"{whole} bytes: wanted at most {MOST_BYTES}")
        with part.open("ab" if goes_on else "wb") as file:
            while chunk := answer.read(_CHUNK_BYTES):
                file.write(chunk)
                have += len(chunk)
                if have > MOST_BYTES:
                    raise DownloadFailed(url, f"wanted at most {MOST_BYTES} bytes")
                if progress is not None:
                    progress(have, whole)
    if whole is not None and have < whole:
        raise OSError(f"the connection ended after {have} of {whole} bytes")


def _starts_at(answer: Any) -> int | None:
    """The first byte of a partial answer, by its Content-Range."""
    told = str(answer.headers.get("Content-Range") or "")
    first = told.removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdigit() else None
