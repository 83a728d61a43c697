"""The example's workflow: what it calls is there, with the options that it gives.

Its form is checked by `make lint`, against the published schema of workflows.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "flight-tests"


def steps() -> list[str]:
    text = (EXAMPLE / ".github" / "workflows" / "fly.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_commands_and_options_of_the_workflow_are_there(request: pytest.FixtureRequest) -> None:
    known = {
        option
        for group in request.config._parser._groups
        for held in group.options
        for option in held.names()
    }
    seen = set()
    for line in steps():
        program, *words = shlex.split(line)
        seen.add(program)
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        if program == "pytest":
            assert options <= known, line
        elif program == "skymist":
            names = list(takewhile(lambda word: not word.startswith("-"), words))
            told = subprocess.run(
                [sys.executable, "-m", "skymist.flight.cli", *names, "--help"],
                env={**os.environ, "COLUMNS": "120", "PYTHONUTF8": "1"},
                capture_output=True,
                encoding="utf-8",
                timeout=120,
                check=True,
            )
            assert options <= set(re.findall(r"--[a-z0-9-]+", told.stdout)), line
        else:
            assert line == "pip install skymist pytest"
    assert seen == {"pip", "pytest", "skymist"}
