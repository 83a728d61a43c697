"""What the dashboard costs: its own processor time with 20 drones, and the pages' first paint.

Writes docs/dashboard-benchmark.md. A writer in this program lengthens a record by 4 tracks a drone
and second; the dashboard is a program of its own, of which alone the processor time counts.
Chromium with its driver is wanted for the paints.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from skymist.coverage.planning import plan_site
from skymist.flight.recording.record import encode_line
from skymist.missions.formats.page import plan_page
from skymist.missions.plans import plan_to_dict
from skymist.missions.site import read_site

ROOT = Path(__file__).resolve().parents[2]
TRACKS_HZ, UPDATES_HZ = 4, 4


def write_record(path: Path, site: Path, num_drones: int, over: threading.Event) -> None:
    """A header, then tracks of so many drones in circles until told to end."""
    plan = plan_site(read_site(site))
    start = {"t_s": 0.0, "event": "header", "schema": 1, "plan": plan_to_dict(plan)}
    began = time.monotonic()
    with path.open("ab", buffering=0) as file:
        file.write(encode_line(start))
        while not over.wait(1 / TRACKS_HZ):
            at_s = time.monotonic() - began
            for k in range(num_drones):
                event = {
                    **{"t_s": round(at_s, 3), "event": "track", "drone_id": f"d{k}"},
                    **{"sortie_id": f"d{k}-01", "above_home_m": 5.0, "speed_mps": 2.0},
                    "lat_e7": 227312000 + round(3000 * ((at_s * (k + 1)) % 7)),
                    "lon_e7": 1140406000 + round(3000 * ((at_s * (k + 2)) % 5)),
                    **{"heading_deg": 90.0, "pump_frac": float(k % 2), "flow_lps": 0.05},
                    **{"tank_l": 5.0, "battery_frac": 0.6, "mode": "AUTO", "in_span": None},
                }
                file.write(encode_line(event))


def cpu_s(pid: int) -> float:
    """Processor seconds of a program. Source: proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def listen(url: str, seconds: float) -> int:
    """Take the stream of updates as a page does; gives how many came."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    opener.open(url).read()
    stream = opener.open(url.partition("?")[0] + "events")
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        count += stream.readline().startswith(b"data:")
    return count


def share_of_a_core(site: Path, num_drones: int, seconds: float) -> tuple[float, float]:
    """The dashboard's share of one core, and updates a second that came."""
    with tempfile.TemporaryDirectory() as folder:
        record, over = Path(folder) / "record.jsonl", threading.Event()
        writer = threading.Thread(target=write_record, args=(record, site, num_drones, over))
        writer.start()
        command = [sys.executable, "-m", "skymist.flight.cli", "watch", folder]
        shown = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert shown.stdout is not None
            url = re.findall(r"http\S+", shown.stdout.readline())[0]
            listen(url, 2.0)
            viewer = re.findall(r"http\S+", shown.stdout.readline())[0]
            began = cpu_s(shown.pid)
            count = listen(viewer, seconds)
            return (cpu_s(shown.pid) - began) / seconds, count / seconds
        finally:
            over.set()
            writer.join()
            shown.terminate()
            shown.wait()


def first_paint_s(url: str, browser: Any) -> float:
    """Seconds until the first contents are seen, by the browser's own measure."""
    browser.get(url)
    script = "return performance.getEntriesByName('first-contentful-paint').map(e => e.startTime)"
    for _ in range(200):
        if found := browser.execute_script(script):
            return float(found[0]) / 1000
        time.sleep(0.05)
    raise SystemExit("no first paint within 10 s")


def opened() -> Any:
    """A headless Chromium."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


def page_row(site: Path, browser: Any) -> str:
    """The interactive page of a plan: size, and first paint."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.html"
        path.write_text(plan_page(plan_site(read_site(site))), encoding="utf-8")
        seen_s = statistics.median(first_paint_s(path.as_uri(), browser) for _ in range(5))
        size_mb = path.stat().st_size / 1e6
    return f"| page of {site.parent.name} | {size_mb:.2f} | {seen_s:.2f} |"


def dashboard_row(site: Path, browser: Any) -> str:
    """The dashboard over 20 drones: first paint as a viewer sees it."""
    with tempfile.TemporaryDirectory() as folder:
        record, over = Path(folder) / "record.jsonl", threading.Event()
        writer = threading.Thread(target=write_record, args=(record, site, 20, over))
        writer.start()
        command = [sys.executable, "-m", "skymist.flight.cli", "watch", folder]
        shown = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert shown.stdout is not None
            shown.stdout.readline()
            viewer = re.findall(r"http\S+", shown.stdout.readline())[0]
            time.sleep(3)
            seen_s = statistics.median(first_paint_s(viewer, browser) for _ in range(5))
        finally:
            over.set()
            writer.join()
            shown.terminate()
            shown.wait()
    return f"| dashboard, {site.parent.name}, 20 drones | | {seen_s:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    demo = ROOT / "missions" / "data" / "demo" / "site.yaml"
    kouvola = ROOT / "examples" / "kouvola" / "site.yaml"
    lines = [
        "# Dashboard benchmark",
        "",
        "Written by `python tests/benchmarks/dashboard_bench.py`.",
        "",
        f"Load of the machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.",
        "",
        "## Processor time of `skymist watch`, one viewer, 4 updates a second",
        "",
        "| drones | share of one core | updates a second |",
        "|---|---|---|",
    ]
    for num_drones in (2, 20):
        runs = [share_of_a_core(demo, num_drones, options.seconds) for _ in range(options.repeats)]
        share, rate = (statistics.median(run[k] for run in runs) for k in (0, 1))
        lines.append(f"| {num_drones} | {share:.1%} | {rate:.1f} |")
    lines += [
        "",
        "## First paint in Chromium",
        "",
        "| what | MB | first contents seen after, s |",
        "|---|---|---|",
    ]
    browser = opened()
    try:
        lines += [page_row(kouvola, browser), dashboard_row(kouvola, browser), ""]
    finally:
        browser.quit()
    text = "\n".join(lines)
    (ROOT / "docs" / "dashboard-benchmark.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
