"""What `fly`, `resume` and `restore` share: options, exit codes, the dashboard beside."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import typer

from skymist.coverage.errors import PlanError
from skymist.coverage.planning import plan_site
from skymist.flight.commands.fly import fly
from skymist.flight.commands.plan import plan
from skymist.flight.commands.reaching import exit_unless_done, parse_connections
from skymist.flight.commands.restore import restore
from skymist.flight.commands.resume import resume
from skymist.flight.conductor.conduct import Outcome, Result
from skymist.flight.conductor.drone_run import DroneReport
from skymist.flight.conductor.telling import Skipped
from skymist.flight.errors import VehicleSilent
from skymist.flight.mavlink import hello
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo"
SKIPPED = Skipped(spot_id="bin", sortie_id="heron-01", reason="wind")


def test_fly_and_resume_show_their_dashboard_before_any_drone_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hello, "HELLO_S", 0.2)
    plan([DEMO / "site.yaml"], tmp_path / "plan", no_preview=True)
    with pytest.raises(VehicleSilent):
        fly(
            tmp_path / "plan",
            ["heron=udp:127.0.0.1:0", "egret=udp:127.0.0.1:0"],
            dashboard=True,
            output=tmp_path / "record",
        )
    told = capsys.readouterr().err
    assert "operator, opens once: http://" in told
    assert "viewers, cannot command: http://" in told
    assert (tmp_path / "record" / "dashboard").is_file()
    with pytest.raises(VehicleSilent):
        resume(tmp_path / "record", dashboard=True)
    assert "operator, opens once: http://" in capsys.readouterr().err


def test_what_two_commands_call_alike_is_one_option() -> None:
    asked = (inspect.signature(each, eval_str=True) for each in (fly, resume, restore))
    commands = [signature.parameters for signature in asked]
    own = {"drone", "json", "applied", "reported"}  # of other forms, or other words
    for name in {name for known in commands for name in known} - own:
        forms = {str(known[name]) for known in commands if name in known}
        assert len(forms) == 1, name


@pytest.mark.parametrize(
    ("result", "skips", "is_upload_enough", "is_lost", "code"),
    [
        (Result.DONE, False, False, False, 0),
        (Result.INCOMPLETE, False, True, False, 0),
        (Result.INCOMPLETE, False, False, False, 1),
        (Result.INCOMPLETE, True, True, False, 1),
        (Result.ABORTED, False, True, False, 1),
        (Result.INCOMPLETE, False, True, True, 3),
        (Result.ABORTED, True, False, True, 3),
    ],
)
def test_exit_codes(
    result: Result, skips: bool, is_upload_enough: bool, is_lost: bool, code: int
) -> None:
    report = DroneReport(drone_id="heron", num_sorties=1, is_link_lost=is_lost)
    outcome = Outcome(
        result=result,
        text="",
        drones=(report,),
        skipped=(SKIPPED,) if skips else (),
        duration_s=1.0,
        is_armed=not is_upload_enough,
    )
    if code == 0:
        exit_unless_done(outcome, is_upload_enough=is_upload_enough)
        return
    with pytest.raises(typer.Exit) as caught:
        exit_unless_done(outcome, is_upload_enough=is_upload_enough)
    assert caught.value.exit_code == code


@pytest.mark.parametrize("where", ["udp", "tcp:host", "udp:0.0.0.0:99999", "COM"])
def test_a_connection_of_no_form_is_bad_input_and_no_lost_link(where: str) -> None:
    made = plan_site(read_site(DEMO / "site.yaml"))
    with pytest.raises(PlanError, match=f"--drone 'heron={where}': wanted"):
        parse_connections([f"heron={where}"], made)
