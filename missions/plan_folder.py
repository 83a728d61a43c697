"""A plan's folder: `plan.json`, missions for other ground stations, the lists for the crews."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from skymist.coverage.errors import MissionError
from skymist.missions.compile import missions_of
from skymist.missions.formats.qgc import qgc_plan, waypoints
from skymist.missions.ground_crew import ground_crew_csv, sorties_csv
from skymist.missions.plan_checks import plan_faults
from skymist.missions.plans import PLAN_FILE, file_name_of, plan_bytes, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from skymist.coverage.plan import Plan

GROUND_CREW_FILE = "ground-crew.csv"
SORTIES_FILE = "sorties.csv"
MISSIONS_FOLDER = "missions"


def plan_files(plan: Plan) -> Iterator[tuple[str, bytes]]:
    """Each file of a plan: its path in the plan's folder (`/` between parts) and its bytes.

    They are made one by one, since the missions of a district would not all fit into memory.

    Raises
    ------
    MissionError
        Where the plan must not be flown, or a sortie cannot be compiled.
    """
    faults = plan_faults(plan)
    if faults:
        raise MissionError("\n".join(faults))
    for sortie_id, mission in missions_of(plan):
        name = file_name_of(sortie_id)
        yield f"{MISSIONS_FOLDER}/{name}.plan", qgc_plan(mission).encode("utf-8")
        yield f"{MISSIONS_FOLDER}/{name}.waypoints", waypoints(mission).encode("utf-8")
    # A byte-order mark lets spreadsheets see UTF-8.
    yield SORTIES_FILE, b"\xef\xbb\xbf" + sorties_csv(plan).encode("utf-8")
    yield GROUND_CREW_FILE, b"\xef\xbb\xbf" + ground_crew_csv(plan).encode("utf-8")
    yield PLAN_FILE, plan_bytes(plan)


def write_files(files: Iterable[tuple[str, bytes]], folder: Path) -> None:
    """Write the files of a plan; `plan.json` comes last, so a folder that has it is whole.

    Missions of an earlier plan in the same folder are replaced, all at once. Where `files` fails
    on its way, the folder stays as it was. A `missions` folder with files of somebody else's is
    refused.
    """
    made_here = not folder.exists()
    _require_ours(folder / MISSIONS_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".missions-", dir=folder))
    others: dict[str, bytes] = {}
    try:
        for name, data in files:
            above, _, below = name.rpartition("/")
            if above == MISSIONS_FOLDER:
                (fresh / below).write_bytes(data)
            else:
                others[name] = data
        (folder / PLAN_FILE).unlink(missing_ok=True)
        shutil.rmtree(folder / MISSIONS_FOLDER, ignore_errors=True)
        fresh.chmod(0o755)
        fresh.replace(folder / MISSIONS_FOLDER)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if made_here and not any(folder.iterdir()):
            folder.rmdir()
    for name in sorted(others, key=lambda name: name == PLAN_FILE):
        write_whole(folder / name, others[name])


def write_plan_folder(plan: Plan, folder: Path) -> None:
    """Write all files of a plan.

    Raises
    ------
    MissionError
        Where the plan must not be flown, a sortie cannot be compiled, or the folder holds a
        `missions` folder of somebody else's; then nothing has been written.
    """
    write_files(plan_files(plan), folder)


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
