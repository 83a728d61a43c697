"""Many sites in one call: which files, into which folders, and one site's planning as a task.

A task takes values and gives bytes: it can run in this process, in another or on another machine,
and one that was lost can run again, since nothing is written until its answer is here. Where
tasks run is left to `planning.engines`; what the planner sees, to `flight.commands.plan_city`.
"""

from __future__ import annotations

import glob
import logging
import traceback
from collections import Counter
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from skymist.coverage.errors import SkymistError
from skymist.coverage.planning import plan_site
from skymist.coverage.summary import summarise
from skymist.missions.checks import require_safe
from skymist.missions.errors import Fault, SiteFileError
from skymist.missions.findings import Severity
from skymist.missions.plan_folder import plan_files, write_files
from skymist.missions.policies.judging import plan_findings
from skymist.missions.site import read_site
from skymist.missions.way_home import way_home_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from skymist.coverage.drift import Wind
    from skymist.coverage.hours import Start
    from skymist.coverage.site import Objective, Site

log = logging.getLogger(__name__)
PREVIEW_FILE = "preview.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for, the same for every site of a call."""

    seed: int = 0
    num_drones: int | None = None
    has_preview: bool = True
    wind: Wind | None = None
    start: Start | None = None
    objective: Objective | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One site to plan; `number` is its place in the call."""

    number: int
    name: str
    site: Site
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a site: a summary and files by name, or the trouble that left it without.

    `is_bad_input` tells a site that cannot be planned from a failure of ours; `made_with` names
    what else than the site could change a byte.
    """

    number: int
    made_with: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    trouble: str = ""
    is_bad_input: bool = False


def site_paths(given: Sequence[Path]) -> tuple[Path, ...]:
    """The site files that are meant, each once; patterns that no shell expanded are expanded here.

    Raises
    ------
    SiteFileError
        For each pattern that no file answers to.
    """
    paths: dict[Path, Path] = {}
    faults = []
    for path in given:
        found = [path]
        if glob.has_magic(str(path)) and not path.exists():
            found = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]
            if not found:
                wanted, text = "a pattern that some site file answers to", "no such file"
                faults.append(Fault(file=str(path), field="file", wanted=wanted, found=text))
        for one in found:
            paths.setdefault(one.absolute(), one)
    if faults:
        raise SiteFileError(tuple(faults))
    return tuple(paths.values())


def folder_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """A folder's name for each site file, no two alike, whatever their case.

    It is the file's stem; its folder's name where the stem is `site` or is there twice; both
    where that too is there twice; and a number behind it where all else fails.
    """
    above = [path.absolute().parent.name for path in paths]
    stems = [path.stem for path in paths]
    num_stems = Counter(stem.casefold() for stem in stems)
    names = [
        parent if parent and (stem.casefold() == "site" or num_stems[stem.casefold()] > 1) else stem
        for parent, stem in zip(above, stems, strict=True)
    ]
    num_names = Counter(name.casefold() for name in names)
    names = [
        f"{parent}-{stem}" if parent and num_names[name.casefold()] > 1 else name
        for parent, stem, name in zip(above, stems, names, strict=True)
    ]
    taken: set[str] = set()
    unique = []
    for name in names:
        tries = (name if k == 1 else f"{name}-{k}" for k in range(1, len(names) + 2))
        free = next(one for one in tries if one.casefold() not in taken)
        taken.add(free.casefold())
        unique.append(free)
    return tuple(unique)


def attempt(job: Job) -> Outcome:
    """Plan one site: the task that engines run, wherever they do."""
    try:
        return _planned(job)
    except SkymistError as exc:
        return Outcome(number=job.number, trouble=str(exc), is_bad_input=True)
    except Exception:
        return Outcome(number=job.number, trouble=traceback.format_exc().strip())


def made_with() -> str:
    """The versions that the bytes of a plan may depend on."""
    versions = [f"{name} {version(name)}" for name in ("skymist", "shapely", "numpy", "pyproj")]
    return ", ".join([*versions, f"GEOS {shapely.geos_version_string}"])


def _planned(job: Job) -> Outcome:
    order = job.order
    made = plan_site(
        job.site,
        seed=order.seed,
        num_drones=order.num_drones,
        wind=order.wind,
        start=order.start,
        objective=order.objective,
    )
    made = replace(made, findings=(*made.findings, *way_home_findings(made)))
    files = dict(plan_files(made))
    if order.has_preview:
        from skymist.coverage.plots import draw_plan, to_png

        files[PREVIEW_FILE] = to_png(draw_plan(made))
    return Outcome(
        number=job.number,
        made_with=made_with(),
        summary=summarise(made).as_dict(),
        files=files,
        errors=(
            *(f"{f.text} [{f.rule}]" for f in made.findings if f.is_error),
            *(f.line for f in plan_findings(made) if f.severity is Severity.ERROR),
        ),
    )


@dataclass(slots=True, kw_only=True)
class City:
    """One call over many sites: reads them, and writes what comes back, each into its folder.

    `bad` gathers the outcomes of sites that could not be read. `tell` hears of each site read.
    """

    paths: tuple[Path, ...]
    folder: Path
    order: Order
    tell: Callable[[int], None] = lambda num_read: None
    names: tuple[str, ...] = ()
    bad: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = folder_names(self.paths)

    def jobs(self) -> Iterator[Job]:
        """A job for each site that can be read, as soon as it is read."""
        for number, path in enumerate(self.paths):
            try:
                site = read_site(path)
                start = self.order.start
                require_safe(site, path, start.day if start else None)
            except SkymistError as exc:
                self.bad.append(Outcome(number=number, trouble=str(exc), is_bad_input=True))
            else:
                yield Job(number=number, name=self.names[number], site=site, order=self.order)
            self.tell(number + 1)

    def written(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The outcomes as they come, without their files, which are in the sites' folders then."""
        for outcome in outcomes:
            if not outcome.trouble:
                write_files(outcome.files.items(), self.folder / self.names[outcome.number])
                if outcome.made_with != made_with():
                    name = self.names[outcome.number]
                    log.warning("%s was planned with %s, not as here", name, outcome.made_with)
            path = self.paths[outcome.number]
            trouble = f"{path}: {outcome.trouble}" if outcome.trouble else ""
            yield replace(outcome, files={}, trouble=trouble)
        yield from self.bad
