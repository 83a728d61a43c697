"""Every picture of the docs, made anew from the built-in example: `python tests/pictures.py`.

Wants Chromium with its driver (Debian: chromium, chromium-driver) and the extra `test`. Everything
is the real thing: commands in terminals of their own, pages in a browser, papers as printed.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from skymist.missions.formats.page import font_face

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "missions" / "data" / "demo" / "site.yaml"
PICTURES = ROOT / "docs" / "pictures"
SKYMIST = [sys.executable, "-m", "skymist.flight.cli"]
WIDE_PX = 1000
COLUMNS, LINES = 100, 60
"""A terminal's size."""
WAIT_S = 120.0
PRESS = "[...document.querySelectorAll('button')].find(b => b.textContent == arguments[0]).click()"


def skymist(folder: Path, *words: str) -> str:
    """A command in a folder; gives what it said on stdout."""
    done = subprocess.run([*SKYMIST, *words], cwd=folder, text=True, capture_output=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"skymist {' '.join(words)}: {done.stderr}")
    return done.stdout


def keep(picture: Image.Image, name: str, output: Path) -> None:
    """Save a picture no wider than a page."""
    picture = picture.convert("RGB")
    if picture.width > WIDE_PX:
        high = round(picture.height * WIDE_PX / picture.width)
        picture = picture.resize((WIDE_PX, high), Image.Resampling.LANCZOS)
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{name}.png"
    # The colours that cover most, refined: no flat area is off by more than one in ten.
    small = picture.quantize(
        256, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
    )
    small.save(path, optimize=True)
    print(f"{path}  {path.stat().st_size / 1000:.0f} kB")


@contextmanager
def chromium(wide: int = 1200, high: int = 800) -> Iterator[Any]:
    """A headless browser with a window of this size."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(flag)
    options.add_argument(f"--window-size={wide},{high + 140}")
    browser = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    try:
        yield browser
    finally:
        browser.quit()


def seen(browser: Any, *, high: int | None = None) -> Image.Image:
    """What the browser shows; of a page longer than its window, so many pixels from its head."""
    clip: dict[str, Any] = {}
    if high is not None:
        wide = browser.execute_script("return document.documentElement.clientWidth")
        clip = {"clip": {"x": 0, "y": 0, "width": wide, "height": high, "scale": 1}}
        clip["captureBeyondViewport"] = True
    told = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", **clip})
    return Image.open(io.BytesIO(base64.b64decode(told["data"])))


def until(true: Callable[[], Any], what: str) -> Any:
    """Wait for something to hold, or end by name."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.1)
    raise SystemExit(f"waited {WAIT_S:g} s for {what}")


class Terminal:
    """A command in a terminal of its own, and what stands on its screen."""

    def __init__(self, folder: Path, *words: str) -> None:
        import pty

        import pyte

        self.words = words
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.screen)
        pid, self._fd = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.environ.update(
                {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
            )
            os.environ.pop("NO_COLOR", None)
            os.execv(sys.executable, [*SKYMIST, *words])
        self._pid = pid

    def until(self, pattern: str | None = None, *, least_s: float = 0.0) -> Terminal:
        """Read on until the screen shows a pattern, or the command ends."""
        import select

        begun, end = time.monotonic(), time.monotonic() + WAIT_S
        while time.monotonic() < end:
            if select.select([self._fd], [], [], 0.05)[0]:
                try:
                    data = os.read(self._fd, 65536)
                except OSError:
                    return self
                if not data:
                    return self
                self._stream.feed(data)
            is_shown = pattern and re.search(pattern, "\n".join(self.screen.display))
            if is_shown and time.monotonic() - begun >= least_s:
                return self
        raise SystemExit(f"waited {WAIT_S:g} s for {pattern} of {self.words}")

    def end(self) -> None:
        """End the command."""
        import signal
        from contextlib import suppress

        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)

    def svg(self) -> str:
        """The screen as a picture, by rich."""
        from rich.console import Console
        from rich.text import Text

        lines = [self._line(row) for row in range(LINES)]
        while lines and not lines[-1].plain.strip():
            lines.pop()
        console = Console(
            record=True,
            width=COLUMNS,
            file=io.StringIO(),
            force_terminal=True,
            color_system="truecolor",
        )
        prompt = Text("$ skymist " + " ".join(self.words), style="bold")
        for line in (prompt, *lines):
            console.print(line, soft_wrap=True)
        return console.export_svg(title="skymist", font_aspect_ratio=0.6)

    def _line(self, row: int) -> Any:
        from rich.style import Style
        from rich.text import Text

        made = Text()
        for column in range(COLUMNS):
            cell = self.screen.buffer[row][column]
            colour = None if cell.fg == "default" else cell.fg.replace("brown", "yellow")
            if colour and re.fullmatch(r"[0-9a-f]{6}", colour):
                colour = f"#{colour}"
            elif colour and colour.startswith("bright"):
                colour = "bright_" + colour.removeprefix("bright").replace("brown", "yellow")
            style = Style(color=colour, bold=cell.bold, italic=cell.italics, reverse=cell.reverse)
            made.append(cell.data, style)
        made.rstrip()
        return made


class Studio:
    """Makes each picture by its name from one folder of work."""

    def __init__(self, work: Path, output: Path) -> None:
        self.work, self.output = work, output

    def prepare(self) -> None:
        """A plan, a rehearsal of it, one with a fault, and their reports."""
        skymist(self.work, "init", "site")
        skymist(self.work, "plan", "site/site.yaml", "-o", "plan")
        skymist(self.work, "rehearse", "plan", "-o", "record")
        skymist(self.work, "rehearse", "plan", "-o", "cut", "--at", "250:skip:yard-east")
        people = ("--operator", "Wang Wei", "--supervisor", "Lin Yu", "--weather", "dry, 24 C")
        skymist(self.work, "report", "cut", "-o", "report", *people, "--people", "3")
        skymist(
            self.work,
            *("report", "cut", "-o", "zh", "--lang", "zh", "--utc-offset", "8"),
            *(
                "--operator",
                "王伟",
                "--supervisor",
                "林雨",
                "--weather",
                "晴，24 °C",
                "--people",
                "3",
            ),
        )

    def keep(self, picture: Image.Image, name: str) -> None:
        keep(picture, name, self.output)

    def preview(self) -> None:
        """The planners' map, in English and in Chinese, and the page of one spot."""
        self.keep(Image.open(self.work / "plan" / "preview.png"), "preview")
        skymist(self.work, "preview", "plan", "-o", "zh.png", "--lang", "zh", "--pages", "spots")
        self.keep(Image.open(self.work / "zh.png"), "preview-zh")
        self.keep(Image.open(self.work / "zh-spot-bike-shed.png"), "preview-spot-zh")

    def page(self) -> None:
        """The interactive page, with a sortie chosen."""
        skymist(self.work, "preview", "plan", "-o", "plan.html")
        with chromium() as browser:
            browser.get((self.work / "plan.html").as_uri())
            time.sleep(1)
            self.keep(seen(browser), "page")
            browser.execute_script(
                "const s = document.querySelector('input[type=range]');"
                "s.value = 0.4 * s.max; s.dispatchEvent(new Event('input', {bubbles: true}))"
            )
            time.sleep(1)
            self.keep(seen(browser), "page-time")

    def dashboard(self) -> None:
        """A rehearsal while it flies, as its operator sees it; the same on a tablet, in Chinese."""
        program = subprocess.Popen(
            [*SKYMIST, "rehearse", "plan", "-o", "live", "--dashboard"],
            **{"cwd": self.work, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE},
            stdin=subprocess.DEVNULL,
            text=True,
        )
        try:
            links = [re.findall(r"http\S+", program.stderr.readline())[0] for _ in range(2)]
            with chromium() as browser:
                browser.get(links[0])
                wet = "return typeof news == 'object' && news && Object.keys(news.spots).length > 2"
                until(lambda: browser.execute_script(wet), "spots that fill")
                browser.execute_script(PRESS, "Pause all")
                until(lambda: browser.execute_script("return news.alerts.length"), "an alert")
                time.sleep(0.5)
                self.keep(seen(browser), "dashboard-live")
                browser.execute_script(PRESS, "STOP")
                time.sleep(0.5)
                self.keep(seen(browser), "dashboard-sure")
        finally:
            program.kill()
            program.wait()

    def replay(self) -> None:
        """A record played again, in Chinese, on a tablet's screen."""
        program = subprocess.Popen(
            [*SKYMIST, "watch", "cut", "--replay", "200"],
            cwd=self.work,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            links = [re.findall(r"http\S+", program.stdout.readline())[0] for _ in range(2)]
            with chromium(820, 1180) as browser:
                browser.get(links[1])
                until(lambda: browser.execute_script("return news && news.over"), "the end")
                browser.execute_script("document.getElementById('lang').click()")
                time.sleep(0.5)
                self.keep(seen(browser), "dashboard-replay-zh")
        finally:
            program.kill()
            program.wait()

    def report(self) -> None:
        """The report as a page and as papers, in both languages."""
        import pypdfium2

        with chromium() as browser:
            for folder, name in (("report", "report-html"), ("zh", "report-html-zh")):
                browser.get((self.work / folder / "report.html").as_uri())
                time.sleep(1)
                self.keep(seen(browser, high=1500), name)
        papers = (
            *(("report", "report", 0, "report-pdf"), ("report", "report", 2, "report-pdf-spots")),
            *(("zh", "report", 0, "report-pdf-zh"),),
            *(("zh", "treatment-record", 0, "treatment-record-zh"),),
        )
        for folder, file, number, name in papers:
            document = pypdfium2.PdfDocument(self.work / folder / f"{file}.pdf")
            self.keep(document[number].render(scale=1.6).to_pil(), name)

    def terminal(self) -> None:
        """Commands as they look in a terminal, while they work and at their end."""
        self._screen("terminal-plan", "plan", "site/site.yaml", "-o", "plan2", "--no-preview")
        self._screen("terminal-check", "check", "site/site.yaml")
        fly = ("rehearse", "plan", "-o", "shown", "--speedup", "20")
        slow = ("--fault", "slow")
        self._screen("terminal-upload", *fly, *slow, pattern=r"[3-6]\d% ━")
        shutil.rmtree(self.work / "shown", ignore_errors=True)
        self._screen("terminal-flight", *fly, pattern=r"spraying(.|\n)*\d\d% of all", least_s=12.0)
        self._screen("terminal-rehearse", "rehearse", "plan", "-o", "shown2")
        self._screen("terminal-report", "report", "cut", "-o", "report2")

    def _screen(
        self, name: str, *words: str, pattern: str | None = None, least_s: float = 0.0
    ) -> None:
        shown = Terminal(self.work, *words)
        try:
            shown.until(pattern, least_s=least_s)
            svg = shown.svg()
        finally:
            shown.end()
        path = self.work / f"{name}.svg"
        # Web fonts are never fetched: this machine's own letters stand in, Chinese ones with us.
        svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.S)
        svg = svg.replace("Fira Code, monospace", "'Skymist SC', 'DejaVu Sans Mono', monospace")
        path.write_text(svg, encoding="utf-8")
        size = [float(x) for x in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0]]
        with chromium(round(size[0]) + 4, round(size[1]) + 4) as browser:
            style = f"<style>{font_face(svg)} body{{margin:0}} svg{{display:block}}</style>"
            html = path.with_suffix(".html")
            html.write_text(
                f"<!doctype html><meta charset=utf-8>{style}{path.read_text('utf-8')}", "utf-8"
            )
            browser.get(html.as_uri())
            self.keep(seen(browser, high=round(size[1])), name)


NAMES = ("preview", "page", "dashboard", "replay", "report", "terminal")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(NAMES)}; by default all")
    parser.add_argument("-o", "--output", type=Path, default=PICTURES)
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(NAMES):
        raise SystemExit(f"wanted some of {', '.join(NAMES)}, found {', '.join(unknown)}")
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder), asked.output)
        studio.prepare()
        for name in asked.names or NAMES:
            getattr(studio, name)()


if __name__ == "__main__":
    main()
