"""A plan's folder: `plan.json`, missions for other ground stations, the ground crew's list."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from skymist.missions.compile import compile_plan
from skymist.missions.ground_crew import ground_crew_csv
from skymist.missions.plans import PLAN_FILE, write_plan, write_whole
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
        Where a sortie cannot be compiled; then nothing has been written.
    """
    missions = compile_plan(plan)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PLAN_FILE).unlink(missing_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".missions-", dir=folder))
    try:
        for name, mission in missions.items():
            (fresh / f"{name}.plan").write_text(qgc_plan(mission), encoding="utf-8")
            (fresh / f"{name}.waypoints").write_text(waypoints(mission), encoding="utf-8")
        shutil.rmtree(folder / MISSIONS_FOLDER, ignore_errors=True)
        fresh.chmod(0o755)
        fresh.replace(folder / MISSIONS_FOLDER)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    # A byte-order mark lets spreadsheets see UTF-8.
    write_whole(folder / GROUND_CREW_FILE, b"\xef\xbb\xbf" + ground_crew_csv(plan).encode("utf-8"))
    write_plan(plan, folder)
