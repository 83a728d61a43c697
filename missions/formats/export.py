"""Every format that a plan can be handed on in, by its name on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from skymist.coverage.errors import PlanError
from skymist.missions.compile import missions_of
from skymist.missions.formats.geojson_plan import plan_geojson
from skymist.missions.formats.geopackage import geopackage
from skymist.missions.formats.kml import kml
from skymist.missions.formats.param_file import param_files
from skymist.missions.formats.qgc import fence_waypoints, qgc_plan, rally_waypoints, waypoints
from skymist.missions.formats.taskdata import taskdata
from skymist.missions.plans import file_name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from skymist.coverage.plan import Plan
    from skymist.missions.items import Mission

    Files = Iterator[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: what it is for, and its files of one mission or of the whole plan."""

    use: str
    of_mission: Callable[[Mission], Files] | None = None
    of_plan: Callable[[Plan], Files] | None = None


def _qgc(mission: Mission) -> Files:
    yield f"{file_name_of(mission.sortie_id)}.plan", qgc_plan(mission).encode()


def _waypoints(mission: Mission) -> Files:
    name = file_name_of(mission.sortie_id)
    yield f"{name}.waypoints", waypoints(mission).encode()
    if mission.fence:
        yield f"{name}.fence.waypoints", fence_waypoints(mission).encode()
    if mission.rally:
        yield f"{name}.rally.waypoints", rally_waypoints(mission).encode()


def _param(mission: Mission) -> Files:
    name = file_name_of(mission.sortie_id)
    for generation, text in param_files(mission):
        yield f"{name}.{generation}.param", text.encode()


def _geojson(plan: Plan) -> Files:
    yield "plan.geojson", plan_geojson(plan).encode()


def _kml(plan: Plan) -> Files:
    yield "plan.kml", kml(plan).encode()


def _geopackage(plan: Plan) -> Files:
    yield "plan.gpkg", geopackage(plan)


def _taskdata(plan: Plan) -> Files:
    try:
        ours = version("skymist")
    except PackageNotFoundError:
        ours = "unknown"
    yield "TASKDATA/TASKDATA.XML", taskdata(plan, ours).encode()


FORMATS = {
    "qgc": Format(use="QGroundControl .plan with fence and rally, one a sortie", of_mission=_qgc),
    "waypoints": Format(
        use="Mission Planner .waypoints, fence and rally beside it", of_mission=_waypoints
    ),
    "param": Format(use="parameters that a mission needs, for Mission Planner", of_mission=_param),
    "geojson": Format(use="the plan for any web map", of_plan=_geojson),
    "kml": Format(use="the plan for Google Earth and phones", of_plan=_kml),
    "gpkg": Format(use="the plan with styles for QGIS", of_plan=_geopackage),
    "taskdata": Format(use="ISO 11783-10 tasks for farm systems", of_plan=_taskdata),
}


def formats_named(text: str) -> list[str]:
    """The names in a comma-separated list.

    Raises
    ------
    PlanError
        For an unknown name or none.
    """
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    if not wanted or any(name not in FORMATS for name in wanted):
        raise PlanError(f"--format: wanted some of {', '.join(FORMATS)}, found {text!r}")
    return list(dict.fromkeys(wanted))


def exported(plan: Plan, names: Iterable[str]) -> Files:
    """Each file, its path within the export's folder (`/` between parts), and its bytes.

    Raises
    ------
    MissionError
        A sortie cannot be compiled.
    """
    chosen = [FORMATS[name] for name in names]
    by_mission = [made.of_mission for made in chosen if made.of_mission is not None]
    if by_mission:
        for _, mission in missions_of(plan):
            for write in by_mission:
                yield from write(mission)
    for made in chosen:
        if made.of_plan is not None:
            yield from made.of_plan(plan)
