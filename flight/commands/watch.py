"""`skymist watch`: an operation in a browser, live or again from its record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skymist.coverage.errors import PlanError

TilesOption = Annotated[
    str | None,
    typer.Option(
        envvar="SKYMIST_TILES",
        help="A map under the drones: a folder z/x/y.png, an .mbtiles file, or a URL with {z}, {x} "
        "and {y}, which this program asks. Without it nothing is asked of any network.",
    ),
]
CreditOption = Annotated[
    str,
    typer.Option(
        "--tiles-attribution",
        envvar="SKYMIST_TILES_ATTRIBUTION",
        help="Whose map it is, as shown on it.",
    ),
]
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def watch(
    record: Annotated[Path, typer.Argument(help="A record's folder or its record.jsonl.")],
    replay: Annotated[
        float | None,
        typer.Option(min=0.0, max=1000.0, help="Play it again this many times as fast."),
    ] = None,
    orders: Annotated[
        Path | None,
        typer.Option(help="The file that the flying program reads orders from (its --orders)."),
    ] = None,
    address: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    open_to_network: Annotated[
        bool,
        typer.Option(
            "--open-to-network", help="Allow an --address that other machines reach. Not encrypted."
        ),
    ] = False,
    tiles: TilesOption = None,
    tiles_attribution: CreditOption = "",
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="End when standard input does.")
    ] = False,
) -> None:
    """Show drones, spots, tanks, alerts and the timeline in a browser; needs no internet.

    Prints two links: the operator's opens once and may command where --orders is given; the
    viewers' may only look. Ctrl-C ends it; the flight goes on.

    Example: [bold]skymist watch records/b --replay 10[/bold]

    Example: [bold]skymist watch records/b --tiles town.mbtiles[/bold]

    Example: [bold]skymist watch records/b --orders o.txt[/bold], beside
    [bold]skymist fly plans/b --drone d1=udp:0.0.0.0:14550 --orders o.txt -o records/b[/bold]
    """
    import asyncio
    import sys

    if address not in LOOPBACK and not open_to_network:
        raise PlanError(
            f"--address {address}: other machines reach it, and nothing is encrypted: "
            "add --open-to-network if that is meant"
        )
    try:
        from skymist.flight.dashboard.server import Source, serve
        from skymist.flight.dashboard.tiles import tiles_of
    except ModuleNotFoundError as exc:
        if exc.name != "aiohttp":
            raise
        raise PlanError("the dashboard wants aiohttp: pip install 'skymist[dashboard]'") from exc

    def say(text: str) -> None:
        print(text, flush=True)

    if open_to_network:
        print("open to the network: whoever has a link sees this, unencrypted", file=sys.stderr)
    if not record.exists() and not with_parent:
        print(f"{record}: nothing is there yet; shown as soon as it is", file=sys.stderr)
    under = None if tiles is None else tiles_of(tiles, tiles_attribution)
    source = Source(place=record, speed=replay, orders=orders, tiles=under)
    try:
        asyncio.run(serve(source, address, port, say, is_tied=with_parent))
    except KeyboardInterrupt:
        print("dashboard ended", file=sys.stderr)
