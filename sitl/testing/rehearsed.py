"""A rehearsal as its tests see it: flown by the command line, read from what that left.

The command line is the border: `skymist rehearse` and `skymist report` run as a user runs them.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from skymist.coverage.errors import SkymistError

COMMAND = (sys.executable, "-m", "skymist.flight.cli")
TIMEOUT_S = 1800.0


class RehearsalFailed(SkymistError, AssertionError):
    """A rehearsal did not fly everything, or could not be begun."""


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """What came of a rehearsal. `events` are the record's, `said` is what it told on stderr."""

    folder: Path
    exit_code: int
    events: tuple[dict[str, Any], ...]
    said: str

    def of(self, name: str) -> tuple[dict[str, Any], ...]:
        """The record's events of a name."""
        return tuple(event for event in self.events if event["event"] == name)

    @property
    def is_done(self) -> bool:
        """Whether every sortie was flown and nothing left out."""
        return self.exit_code == 0

    def assert_done(self) -> None:
        """Fail, with the reasons, unless everything was flown.

        Raises
        ------
        RehearsalFailed
            It was not.
        """
        if not self.is_done:
            reasons = [f"{e['spot_id']}: {e['reason']}" for e in self.of("skipped")]
            told = "\n".join(reasons or self.said.splitlines()[-10:])
            raise RehearsalFailed(f"not everything was flown (exit {self.exit_code}):\n{told}")

    @property
    def alerts(self) -> frozenset[str]:
        """Codes of what was alerted."""
        return frozenset(event["code"] for event in self.of("alert"))

    @property
    def skipped(self) -> frozenset[str]:
        """Ids of spots that were left out."""
        return frozenset(event["spot_id"] for event in self.of("skipped"))

    @cached_property
    def truth(self) -> dict[str, list[dict[str, float]]]:
        """What really happened, by drone, on the embedded copter: `t_s x y z pumped_l ...`."""
        found: dict[str, list[dict[str, float]]] = {}
        for path in sorted((self.folder / "logs").glob("*-truth.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
            found[path.name.removesuffix("-truth.csv")] = rows
        return found

    @property
    def litres_l(self) -> float:
        """Litres that left all nozzles, by the simulator's truth."""
        return sum(rows[-1]["pumped_l"] for rows in self.truth.values() if rows)

    @cached_property
    def report(self) -> dict[str, Any]:
        """`report.json` of `skymist report`, made when first asked for.

        Raises
        ------
        RehearsalFailed
            There is nothing to report.
        """
        output = self.folder / "report"
        ran = _run("report", str(self.folder / "record"), "-o", str(output))
        made = output / "report.json"
        if not made.is_file():
            raise RehearsalFailed(f"no report: {ran.stderr}")
        figures: dict[str, Any] = json.loads(made.read_text(encoding="utf-8"))
        return figures


def rehearse(
    place: Path,
    folder: Path,
    sim: str,
    speedup: float | None,
    *,
    faults: Sequence[str] = (),
    seed: int = 0,
    drones: int | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Rehearsed:
    """Fly a site file or a plan's folder; `timeout_s` is of the wall clock.

    Record, raw frames, the simulators' logs and the report's plot stand in `folder`.

    Raises
    ------
    RehearsalFailed
        It was never begun: bad input, no binary, or out of time.
    """
    record = folder / "record"
    arguments = [str(place), "--sim", sim, "--seed", str(seed), "-o", str(record), "--tlog"]
    arguments += ["--logs", str(folder / "logs"), "--json"]
    arguments += [word for name in faults for word in ("--fault", name)]
    if speedup is not None:
        arguments += ["--speedup", f"{speedup:g}"]
    if drones is not None:
        arguments += ["--drones", str(drones)]
    try:
        ran = _run("rehearse", *arguments, timeout_s=timeout_s)
    except subprocess.TimeoutExpired as exc:
        raise RehearsalFailed(f"rehearsal of {place}: not over after {timeout_s:g} s") from exc
    lines = record / "record.jsonl"
    if not lines.is_file():
        raise RehearsalFailed(f"rehearsal of {place}: exit {ran.returncode}\n{ran.stderr}")
    events = tuple(json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines())
    flown = Rehearsed(folder=folder, exit_code=ran.returncode, events=events, said=ran.stderr)
    if not flown.is_done:
        _run("report", str(record), "-o", str(folder / "report"))
    return flown


def _run(*words: str, timeout_s: float = TIMEOUT_S) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
        check=False,
    )
