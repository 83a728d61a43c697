"""`skymist demo`: plans, rehearses and reports the built-in example."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from skymist.coverage.errors import PlanError


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder of its own for everything made.")
    ] = Path("skymist-demo"),
    sim: Annotated[str, typer.Option(help="embedded or ardupilot.")] = "embedded",
) -> None:
    """Plan, rehearse and report a small invented neighbourhood on simulated drones.

    Example: [bold]skymist demo -o /tmp/demo[/bold]
    """
    from skymist.flight.commands.plan import plan
    from skymist.flight.commands.rehearse import Sim, rehearse
    from skymist.flight.commands.report import report

    if output.exists() and not output.is_dir():
        raise PlanError(f"{output}: wanted a folder or nothing yet, found a file")
    began_s = time.perf_counter()
    with as_file(files("skymist.missions") / "data" / "demo") as example:
        plan([example / "site.yaml"], output=output / "plan")
    # The folder is the demo's own: the record of an earlier one makes room.
    shutil.rmtree(output / "record", ignore_errors=True)
    flown = partial(rehearse, output / "plan", sim=Sim(sim), output=output / "record")
    told = partial(report, output / "record", output=output / "report")
    # What could be flown is reported all the same.
    code = max(_exit_code(flown), _exit_code(told))
    print()
    print(f"the whole demo took {time.perf_counter() - began_s:.1f} s; look at")
    for name in ("plan/preview.png", "report/report.html", "report/applied.png"):
        print(f"  {output / name}")
    raise typer.Exit(code)


def _exit_code(step: Callable[[], None]) -> int:
    """Take a step and give the code with which it wants to end the program."""
    try:
        step()
    except typer.Exit as wish:
        return wish.exit_code
    return 0
