"""A plan's folder: `plan.json`, missions for other ground stations, the ground crew's list."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from skymist.coverage.errors import MissionError
from skymist.missions.compile import compile_plan
from skymist.missions.ground_crew import ground_crew_csv
from skymist.missions.plan_checks import plan_faults
from skymist.missions.plans import PLAN_FILE, file_name_of, write_plan, write_whole
from skymist.missions.qgc import qgc_plan, waypoints

if TYPE_CHECKING:
    from skymist.coverage.plan import Plan

GROUND_CREW_FILE = "ground-crew.csv"
MISSIONS_FOLDER = "missions"


def write_plan_folder(plan: Plan, folder: Path) -> None:
    """Write all files of a plan; `plan.json` comes last, so a folder that has it is whole.

    Missions of an earlier plan in the same folder are replaced, all at once.

    Raises
    ------
    MissionError
        Where the plan must not be flown, a sortie cannot be compiled, or the folder holds a
        `missions` folder of somebody else's; then nothing has been written.
    """
    faults = plan_faults(plan)
    if faults:
        raise MissionError("\n".join(faults))
    missions = compile_plan(plan)
    folder.mkdir(parents=True, exist_ok=True)
    _require_ours(folder / MISSIONS_FOLDER)
    fresh = Path(tempfile.mkdtemp(prefix=".missions-", dir=folder))
    try:
        for name, mission in missions.items():
            file = fresh / file_name_of(name)
            file.with_suffix(".plan").write_text(qgc_plan(mission), encoding="utf-8")
            file.with_suffix(".waypoints").write_text(waypoints(mission), encoding="utf-8")
        (folder / PLAN_FILE).unlink(missing_ok=True)
        shutil.rmtree(folder / MISSIONS_FOLDER, ignore_errors=True)
        fresh.chmod(0o755)
        fresh.replace(folder / MISSIONS_FOLDER)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    # A byte-order mark lets spreadsheets see UTF-8.
    write_whole(folder / GROUND_CREW_FILE, b"\xef\xbb\xbf" + ground_crew_csv(plan).encode("utf-8"))
    write_plan(plan, folder)


def _require_ours(missions: Path) -> None:
    """Let a folder be replaced only if it holds nothing but mission files."""
    strangers = [
        path.name
        for path in (missions.iterdir() if missions.is_dir() else ())
        if path.suffix not in (".plan", ".waypoints")
    ]
    if strangers:
        raise MissionError(
            f"{missions}: wanted a folder of an earlier plan or none, "
            f"found {strangers[0]} in it: choose another --output"
        )
