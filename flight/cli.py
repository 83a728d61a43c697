"""The command line: `skymist COMMAND`. Exit 0 done, 1 findings or failure, 2 bad input, 3 link."""

from __future__ import annotations

import gc
import logging
import sys
from typing import Annotated

import typer

from skymist.coverage.errors import FlightError, SkymistError
from skymist.flight.commands.check import check
from skymist.flight.commands.cover import cover
from skymist.flight.commands.demo import demo
from skymist.flight.commands.due import due
from skymist.flight.commands.export import export
from skymist.flight.commands.findings import app as findings_app
from skymist.flight.commands.findings import levels
from skymist.flight.commands.fly import fly
from skymist.flight.commands.init import init
from skymist.flight.commands.keys import app as keys_app
from skymist.flight.commands.ledger import app as ledger_app
from skymist.flight.commands.plan import plan
from skymist.flight.commands.preview import preview
from skymist.flight.commands.rehearse import rehearse
from skymist.flight.commands.report import report
from skymist.flight.commands.resume import resume
from skymist.flight.commands.schema import schema
from skymist.flight.commands.sitl import app as sitl_app
from skymist.flight.commands.watch import watch
from skymist.flight.errors import LinkLost, VehicleSilent
from skymist.missions.errors import SiteUnsafe

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_LINK = 1, 2, 3
COLLECT_AFTER = (20_000, 10, 10)
"""Python's own 700 new objects cost a quarter of the time to read a hundred thousand buildings."""

app = typer.Typer(
    name="skymist",
    help="Plans, flies and proves drone disinfection of a community's blind spots.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)
for command in (
    *(demo, init, check, plan, preview, export, rehearse, fly, resume),
    *(report, watch, due, levels, cover, schema),
):
    app.command()(command)
app.add_typer(sitl_app)
app.add_typer(keys_app)
app.add_typer(ledger_app)
app.add_typer(findings_app)


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
    for line in str(exc).splitlines():
        print(f"skymist: {line}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
