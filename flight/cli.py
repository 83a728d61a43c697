"""The command line: `skymist COMMAND`. Exit 0 done, 1 findings or failure, 2 bad input, 3 link."""

from __future__ import annotations

import gc
import logging
import sys
from typing import Annotated

import typer

from skymist.coverage.errors import FlightError, SkymistError
from skymist.flight.commands import Commands
from skymist.flight.errors import LinkLost, VehicleSilent
from skymist.flight.terminal.machine_lines import JsonLog, is_for_machines, say_event
from skymist.missions.errors import SiteUnsafe

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_LINK = 1, 2, 3
COLLECT_AFTER = (20_000, 10, 10)
"""Python's own 700 new objects cost a quarter of the time to read a hundred thousand buildings."""

app = typer.Typer(
    name="skymist",
    cls=Commands,
    help="Plans, flies and proves drone disinfection of a community's blind spots.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"skymist {version('skymist')}")
        raise typer.Exit


@app.callback()
def options(
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="More on stderr; twice for all.")
    ] = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say and stop.")
    ] = False,
) -> None:
    """Take the options that every command shares."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    if is_for_machines():
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLog())


def main() -> None:
    """Run the command line; the only place where an error becomes an exit code."""
    gc.set_threshold(*COLLECT_AFTER)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except (LinkLost, VehicleSilent) as exc:
        _fail(exc, EXIT_LINK)
    except (FlightError, SiteUnsafe) as exc:
        _fail(exc, EXIT_FAILED)
    except SkymistError as exc:
        _fail(exc, EXIT_BAD_INPUT)
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as exc:
        _fail(f"{exc.filename or 'a file'}: {exc.strerror or exc}", EXIT_BAD_INPUT)


def _fail(exc: object, code: int) -> None:
    if is_for_machines():
        say_event("error", text=str(exc), exit=code)
        sys.exit(code)
    for line in str(exc).splitlines():
        print(f"skymist: {line}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
