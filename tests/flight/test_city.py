"""A whole city in one call: names, faults, the same bytes wherever it is planned, lost workers."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymist.coverage.errors import PlanError
from skymist.flight.planning import engines
from skymist.flight.planning.city import City, Order, attempt, folder_names, site_paths
from skymist.flight.planning.engines import DaskEngine, LocalEngine, engine_for
from skymist.missions.errors import SiteFileError
from tests.benchmarks.district import district
from tests.benchmarks.district_files import write_district

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skymist.flight.planning.engines import Engine

ROOT = Path(__file__).resolve().parents[2]
FAULTS = ROOT / "tests" / "missions" / "faults" / "site.yaml"
QUICK = Order(has_preview=False)
needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason="dask is not installed (pip install 'skymist[dask]'): its workers were not tried",
)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Six small sites, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("city")
    names = ("ash", "birch", "cedar", "elm", "fir", "oak")
    return tuple(
        write_district(district(12, seed=k, name=name), folder / name)
        for k, name in enumerate(names)
    )


@pytest.fixture(scope="module")
def wanted(sites: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one process makes of them."""
    folder = tmp_path_factory.mktemp("wanted")
    run(sites, folder, LocalEngine(num_jobs=1))
    return sums(folder)


def run(paths: tuple[Path, ...], folder: Path, engine: Engine) -> list[int]:
    """The sites that came out, in the order in which they did."""
    city = City(paths=paths, folder=folder, order=QUICK)
    outcomes = list(city.written(engine.run(city.jobs())))
    assert [outcome.trouble for outcome in outcomes] == [""] * len(outcomes)
    return [outcome.number for outcome in outcomes]


def sums(folder: Path) -> dict[str, str]:
    """Every file below the folder and what is in it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def skymist(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "skymist.flight.cli", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", "COLUMNS": "120"},
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (("a/site.yaml", "b/site.yaml"), ("a", "b")),
        (("city/oak.yaml", "city/elm.yaml"), ("oak", "elm")),
        (("a/spring.yaml", "b/spring.yaml"), ("a", "b")),
        (("a/1.yaml", "a/2.yaml", "b/1.yaml"), ("a", "2", "b")),
        (("x/a/site.yaml", "y/a/site.yaml"), ("a-site", "a-site-2")),
        (("x/a/Site.yaml", "A.yaml"), ("a-Site", "here-A")),
    ],
)
def test_folders_are_named_after_the_file_or_its_folder(
    paths: tuple[str, ...], names: tuple[str, ...]
) -> None:
    assert folder_names([Path("/here") / path for path in paths]) == names


@given(
    st.lists(st.sampled_from([f"{a}/{b}.yaml" for a in "abA" for b in ("site", "a", "b", "a-b")]))
)
def test_no_two_folders_are_alike(paths: list[str]) -> None:
    names = folder_names([Path("/x") / path for path in paths])
    assert len({name.casefold() for name in names}) == len(paths)


def test_a_pattern_that_no_shell_expanded_is_expanded(sites: tuple[Path, ...]) -> None:
    pattern = sites[0].parents[1] / "*" / "site.yaml"
    assert site_paths([pattern]) == sites
    assert site_paths([sites[3], pattern]) == (sites[3], *sites[:3], *sites[4:])
    with pytest.raises(SiteFileError, match=r"nowhere.*no such file"):
        site_paths([sites[0].parent / "nowhere*.yaml"])


def test_two_processes_make_the_bytes_of_one(
    sites: tuple[Path, ...], wanted: dict[str, str], tmp_path: Path
) -> None:
    assert sorted(run(sites, tmp_path, LocalEngine(num_jobs=2))) == list(range(6))
    assert sums(tmp_path) == wanted
    assert {name.partition("/")[0] for name in wanted} == {path.parent.name for path in sites}


def test_a_process_that_is_killed_loses_no_site(
    sites: tuple[Path, ...], wanted: dict[str, str], tmp_path: Path
) -> None:
    city = City(paths=sites, folder=tmp_path, order=QUICK)
    outcomes = city.written(LocalEngine(num_jobs=2).run(city.jobs()))
    numbers = [next(outcomes).number]
    os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGTERM)
    numbers += [outcome.number for outcome in outcomes]
    assert sorted(numbers) == list(range(6))
    assert sums(tmp_path) == wanted


def test_a_failure_of_ours_is_told_apart_from_a_bad_site(
    sites: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = next(City(paths=sites, folder=Path(), order=Order(num_drones=9)).jobs())
    outcome = attempt(job)
    assert outcome.is_bad_input
    assert "wanted 1 to 1" in outcome.trouble
    monkeypatch.setattr("skymist.flight.planning.city.plan_site", lambda *_, **__: 1 / 0)
    outcome = attempt(job)
    assert not outcome.is_bad_input
    assert "ZeroDivisionError" in outcome.trouble


def test_all_faults_of_all_sites_are_told_and_the_good_ones_planned(
    sites: tuple[Path, ...], tmp_path: Path
) -> None:
    bad = tmp_path / "pine" / "site.yaml"
    bad.parent.mkdir()
    bad.write_text("schema: 1\nname: pine\nflet: []\n", encoding="utf-8")
    out = tmp_path / "out"
    done = skymist("plan", FAULTS, *sites[:2], bad, "-o", out, "--no-preview", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert len([line for line in done.stderr.splitlines() if ": wanted " in line]) == 20 + 4
    assert {path.name for path in out.iterdir()} == {"ash", "birch"}
    assert (out / "ash" / "plan.json").is_file()
    assert "Plans for 2 of 4 sites" in done.stdout
    assert re.search(r"2 sites .* 24 ", done.stdout)


def test_json_is_one_line_for_each_site_in_the_order_of_the_call(
    sites: tuple[Path, ...], tmp_path: Path
) -> None:
    words = (sites[2], FAULTS, sites[0], "-o", tmp_path, "--no-preview", "--json", "--jobs", 2)
    done = skymist("plan", *words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["site"] for row in rows] == [str(sites[2]), str(FAULTS), str(sites[0])]
    assert rows[0]["folder"] == str(tmp_path / "cedar")
    assert rows[0]["num_spots"] == rows[2]["num_spots"] == 12
    assert len(rows[1]["trouble"]) == 20
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert {event["event"] for event in events} == {"progress", "site"}
    planned = [event["done"] for event in events if event.get("stage") == "planned"]
    assert planned[-1] == 3
    came = {event["site"]: event["is_planned"] for event in events if event["event"] == "site"}
    assert list(came.values()).count(False) == 1
    assert came["ash"]
    assert came["cedar"]


def test_one_site_is_planned_as_ever(sites: tuple[Path, ...], tmp_path: Path) -> None:
    pattern = sites[0].parent / "*.yaml"
    done = skymist("plan", pattern, "-o", tmp_path / "out", "--no-preview", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "plan.json").is_file()
    assert "Plan for ash" in done.stdout


@pytest.mark.parametrize(("text", "num_jobs"), [("ray", None), ("local=3", None), ("dask=x", 2)])
def test_an_engine_that_is_not_there_is_bad_usage(text: str, num_jobs: int | None) -> None:
    with pytest.raises(PlanError, match="--engine: wanted local, dask, or dask=ADDRESS"):
        engine_for(text, num_jobs)


def test_without_dask_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PlanError, match=r"pip install 'skymist\[dask\]'"):
        engine_for("dask", None)


class Cluster:
    """A scheduler and workers, started by dask's own commands."""

    def __init__(self, stack: ExitStack, folder: Path, num_workers: int) -> None:
        self._stack, self._folder = stack, folder
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        said = self._until(self.scheduler, r"Scheduler at:\s+(\S+)")
        self.address = said.group(1)
        self.workers: dict[str, subprocess.Popen[str]] = {}
        for k in range(num_workers):
            words = (self.address, "--nthreads", "1", "--no-nanny", "--name", f"w{k}")
            self.workers[f"w{k}"] = self._start("worker", *words)
        for worker in self.workers.values():
            self._until(worker, r"Registered to")

    def _start(self, what: str, *words: str) -> subprocess.Popen[str]:
        started = subprocess.Popen(
            [sys.executable, "-m", "dask", what, *words, "--no-dashboard"],
            cwd=self._folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._stack.callback(self._end, started)
        return started

    @staticmethod
    def _until(started: subprocess.Popen[str], pattern: str) -> re.Match[str]:
        assert started.stderr is not None
        for line in started.stderr:
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{started.args}: ended before {pattern!r}")

    @staticmethod
    def _end(started: subprocess.Popen[str]) -> None:
        started.kill()
        started.wait(10)
        if started.stderr:
            started.stderr.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "dask").mkdir()
    with ExitStack() as stack:
        yield Cluster(stack, tmp_path / "dask", num_workers=2)


def busy_worker(address: str) -> str:
    """The name of a worker that has a site at hand."""
    distributed: Any = pytest.importorskip("distributed")
    with distributed.Client(address) as client:
        names = {where: w["name"] for where, w in client.scheduler_info()["workers"].items()}
        return next(str(names[where]) for where, keys in client.processing().items() if keys)


@needs_dask
@pytest.mark.slow
def test_a_dask_worker_killed_mid_way_loses_no_site_and_changes_no_byte(
    cluster: Cluster, sites: tuple[Path, ...], wanted: dict[str, str], tmp_path: Path
) -> None:
    city = City(paths=sites, folder=tmp_path / "out", order=QUICK)
    engine = DaskEngine(address=cluster.address, num_workers=0)
    outcomes = city.written(engine.run(city.jobs()))
    numbers = [next(outcomes).number]
    victim = cluster.workers[busy_worker(cluster.address)]
    victim.kill()
    numbers += [outcome.number for outcome in outcomes]
    assert victim.wait(10) != 0
    assert sorted(numbers) == list(range(6))
    assert sums(tmp_path / "out") == wanted


@needs_dask
@pytest.mark.slow
def test_without_any_worker_left_the_rest_is_planned_here(
    cluster: Cluster, sites: tuple[Path, ...], wanted: dict[str, str], tmp_path: Path
) -> None:
    for worker in cluster.workers.values():
        worker.kill()
    engine = DaskEngine(address=cluster.address, num_workers=0, workerless_s=0.1)
    assert sorted(run(sites[:2], tmp_path / "out", engine)) == [0, 1]
    assert sums(tmp_path / "out").items() <= wanted.items()


@needs_dask
@pytest.mark.slow
def test_without_its_scheduler_the_rest_is_planned_here(
    cluster: Cluster, sites: tuple[Path, ...], wanted: dict[str, str], tmp_path: Path
) -> None:
    city = City(paths=sites, folder=tmp_path / "out", order=QUICK)
    engine = DaskEngine(address=cluster.address, num_workers=0, workerless_s=0.1)
    outcomes = city.written(engine.run(city.jobs()))
    numbers = [next(outcomes).number]
    cluster.scheduler.kill()
    numbers += [outcome.number for outcome in outcomes]
    assert sorted(numbers) == list(range(6))
    assert sums(tmp_path / "out") == wanted


@needs_dask
@pytest.mark.slow
def test_dask_starts_workers_of_its_own_where_no_address_is_given(
    sites: tuple[Path, ...], wanted: dict[str, str], tmp_path: Path
) -> None:
    words = (*sites, "-o", tmp_path / "out", "--no-preview", "--engine", "dask")
    done = skymist("plan", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sums(tmp_path / "out") == wanted


@needs_dask
def test_a_scheduler_that_does_not_answer_is_bad_usage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sites: tuple[Path, ...]
) -> None:
    monkeypatch.setattr(engines, "CONNECT_S", 0.5)
    engine = engine_for("dask=tcp://127.0.0.1:1", None)
    with pytest.raises(PlanError, match="wanted a dask scheduler that answers"):
        run(sites, tmp_path, engine)
