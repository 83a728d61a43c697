"""`skymist inventory` as a person calls it, within this process."""

from __future__ import annotations

import contextlib
import io
import sys
from unittest.mock import patch

from skymist.flight.cli import main


def run(*words: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command with these words."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["skymist", "inventory", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as exc:
            code = int(exc.code or 0)
    return code, out.getvalue(), err.getvalue()
