"""Fetching and checking the official build, against a server of this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from skymist.sitl import downloads, installing
from skymist.sitl.binaries import SUM_NAME, cache_dir, find_arducopter
from skymist.sitl.downloads import DownloadFailed, download
from skymist.sitl.installing import InstallRefused, addresses, install

BODY = b"#!/bin/sh\necho ArduCopter V4.6.3\n" + bytes(range(256)) * 2000
SUM = hashlib.sha256(BODY).hexdigest()
PARM = b"# defaults\nFRAME_CLASS 1\nBATT_MONITOR,4\n"
BINARY_PATH = "/Copter/stable-4.6.3/SITL_x86_64_linux_gnu/arducopter"
PARM_PATH = "/Copter-4.6.3/Tools/autotest/default_params/copter.parm"


@dataclass
class Server:
    """What the server holds and how it misbehaves; `asked` has path and Range of each request."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    break_after: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    shift: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(installing.sys, "platform", "linux")
    monkeypatch.setattr(installing.platform, "machine", lambda: "x86_64")
    world = Server(files={BINARY_PATH: BODY, PARM_PATH: PARM})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            world.asked.append((self.path, wanted))
            if self.path in world.redirects:
                self.send_response(302)
                self.send_header("Location", world.redirects[self.path])
                self.end_headers()
                return
            body = world.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            start = 0
            if wanted is not None and world.knows_ranges:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(body):
                    self.send_error(416)
                    return
                self.send_response(206)
                first = start + world.shift
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            end = world.break_after.pop(0) if world.break_after else len(body)
            self.wfile.write(body[start:end])

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    world.url = f"http://127.0.0.1:{httpd.server_port}"
    yield world
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def fetch(server: Server, sha256: str | None = SUM) -> installing.Installed:
    return install("4.6.3", sha256=sha256, firmware_url=server.url, source_url=server.url)


def test_the_addresses_are_ardupilots() -> None:
    binary, defaults = addresses("4.6.3")
    assert binary == f"https://firmware.ardupilot.org{BINARY_PATH}"
    assert defaults == f"https://raw.githubusercontent.com/ArduPilot/ardupilot{PARM_PATH}"


def test_a_pinned_build_is_installed_found_and_not_fetched_twice(server: Server) -> None:
    done = fetch(server)
    assert done.binary.read_bytes() == BODY
    assert done.defaults.read_bytes() == PARM
    found = find_arducopter(done.binary)
    assert (found.binary, found.defaults, found.version) == (done.binary, done.defaults, "4.6.3")
    num = len(server.asked)
    assert fetch(server) == done
    assert len(server.asked) == num
    assert sorted(p.name for p in done.binary.parent.iterdir()) == [
        "arducopter",
        SUM_NAME,
        "copter.parm",
    ]


def test_without_a_pin_nothing_may_run_and_the_sum_is_told(server: Server) -> None:
    with pytest.raises(InstallRefused, match=f"(?s){SUM}.*--sha256 {SUM}") as refusal:
        fetch(server, None)
    assert refusal.value.sha256 == SUM
    waiting = cache_dir() / "stable-4.6.3" / "arducopter.unchecked"
    assert waiting.read_bytes() == BODY
    assert not waiting.stat().st_mode & 0o111
    assert not (waiting.parent / "arducopter").exists()
    num = len(server.asked)
    assert fetch(server, SUM).binary.read_bytes() == BODY
    assert [path for path, _ in server.asked[num:]] == [PARM_PATH]  # what was here was used


def test_a_wrong_sum_is_refused_and_what_came_deleted(server: Server) -> None:
    with pytest.raises(InstallRefused, match="wanted SHA-256"):
        fetch(server, "0" * 64)
    assert list((cache_dir() / "stable-4.6.3").iterdir()) == []


def test_a_build_that_stands_is_kept_when_a_new_one_is_wrong(server: Server) -> None:
    done = fetch(server)
    server.files[BINARY_PATH] = BODY + b"x"
    with pytest.raises(InstallRefused, match="wanted SHA-256"):
        fetch(server, "0" * 64)
    assert done.binary.read_bytes() == BODY


def test_our_own_pin_is_not_talked_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "PINS", {"4.6.3": SUM})
    assert fetch(server, None).sha256 == SUM
    with pytest.raises(InstallRefused, match="is pinned to"):
        fetch(server, "1" * 64)


def test_a_broken_transfer_goes_on_where_it_broke(server: Server) -> None:
    server.break_after = [100_000, 300_000]
    seen: list[tuple[int, int | None]] = []
    target = cache_dir() / "file"
    download(server.url + BINARY_PATH, target, progress=lambda a, b: seen.append((a, b)))
    assert target.read_bytes() == BODY
    assert [told for _, told in server.asked] == [None, "bytes=100000-", "bytes=300000-"]
    assert seen[-1] == (len(BODY), len(BODY))
    assert [a for a, _ in seen] == sorted(a for a, _ in seen)


def test_a_later_call_takes_up_what_an_earlier_one_left(server: Server) -> None:
    server.break_after = [1000] * downloads.NUM_TRIES
    target = cache_dir() / "file"
    with pytest.raises(DownloadFailed, match="broke off 4 times"):
        download(server.url + BINARY_PATH, target)
    assert not target.exists()
    download(server.url + BINARY_PATH, target)
    assert server.asked[-1][1] == "bytes=1000-"
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("fault", ["no ranges", "another range", "too long"])
def test_a_part_that_cannot_be_gone_on_with_is_begun_anew(server: Server, fault: str) -> None:
    target = cache_dir() / "file"
    target.parent.mkdir(parents=True)
    part = target.with_name("file.part")
    part.write_bytes(b"stale" if fault != "too long" else b"y" * (len(BODY) + 5))
    server.knows_ranges = fault != "no ranges"
    server.shift = 7 if fault == "another range" else 0
    download(server.url + BINARY_PATH, target)
    assert target.read_bytes() == BODY
    assert not part.exists()


def test_a_missing_release_is_told_by_its_address(server: Server) -> None:
    with pytest.raises(DownloadFailed, match=r"stable-4\.6\.9.*HTTP 404"):
        install("4.6.9", sha256=SUM, firmware_url=server.url, source_url=server.url)


def test_nothing_is_fetched_without_https(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="wanted an https address"):
        download("http://firmware.ardupilot.org/x", tmp_path / "x")
    for place in ("http://example.org/x", server.url + PARM_PATH):
        server.redirects[BINARY_PATH] = place
        with pytest.raises(DownloadFailed, match=r"redirected to http.*wanted https"):
            download(server.url + BINARY_PATH, tmp_path / "x")
    assert [path for path, _ in server.asked] == [BINARY_PATH] * 2
    assert list(tmp_path.glob("x*")) == []


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1"):
        download("http://127.0.0.1:9/x", tmp_path / "x")


def test_parameters_that_are_a_web_page_are_refused(server: Server) -> None:
    server.files[PARM_PATH] = b"<!doctype html>\n<p>log in first"
    with pytest.raises(InstallRefused, match="a name and a number a line"):
        fetch(server)
    assert not (cache_dir() / "stable-4.6.3" / "arducopter").exists()


def test_a_build_that_changed_after_its_check_is_passed_over(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SKYMIST_ARDUCOPTER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    done = fetch(server)
    assert find_arducopter().binary == done.binary
    done.binary.write_bytes(BODY + b"changed")
    found = find_arducopter()
    assert found.binary is None
    assert any("does not match" in line for line in found.looked)


@pytest.mark.parametrize(
    ("version", "sha256", "text"),
    [("4.6", SUM, "wanted X.Y.Z"), ("../..", SUM, "wanted X.Y.Z"), ("4.6.3", "abc", "64 hexa")],
)
def test_malformed_versions_and_sums(version: str, sha256: str, text: str) -> None:
    with pytest.raises(InstallRefused, match=text):
        install(version, sha256=sha256)


def test_another_platform_is_told_what_to_do(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing.platform, "machine", lambda: "arm64")
    with pytest.raises(InstallRefused, match="SKYMIST_ARDUCOPTER"):
        fetch(server)
    assert server.asked == []
