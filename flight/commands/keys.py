"""`skymist keys`: the signing keys of the drones, on this machine and on the vehicles."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from skymist.flight.mavlink.signing import Key, Seal

app = typer.Typer(
    name="keys",
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Signing keys (MAVLink 2): a drone with a key obeys nobody else over the air.\n\n"
    "They are in a file of your own, never in a site or a plan. Keep a copy of it: a drone whose "
    "key is lost listens only on its USB port.\n\n"
    "Example: [bold]skymist keys new heron[/bold], then with the drone on a cable "
    "[bold]skymist keys set heron serial:/dev/ttyACM0:115200[/bold]",
)

File = Annotated[Path | None, typer.Option("--keys", help="The file; by default your own.")]
Sysid = Annotated[int, typer.Option(min=1, max=255, help="The drone's system id.")]
Drone = Annotated[str, typer.Argument(help="The drone's id, as in the site file.")]
Connection = Annotated[str, typer.Argument(help="Such as serial:/dev/ttyACM0:115200.")]


def _path(keys: Path | None) -> Path:
    from skymist.flight.mavlink.keyring import default_keys_path

    return keys or default_keys_path()


@app.command()
def new(drone: Drone, keys: File = None) -> None:
    """Make a random key for a drone and keep it in the file; it is not shown.

    Example: [bold]skymist keys new heron[/bold]
    """
    from skymist.flight.mavlink.keyring import add_key

    path = _path(keys)
    key = add_key(path, drone)
    typer.echo(f"{drone} {key.fingerprint} {path}")


@app.command("list")
def list_(keys: File = None) -> None:
    """Name the drones that have a key, each with its key's fingerprint.

    Example: [bold]skymist keys list[/bold]
    """
    from skymist.flight.mavlink.keyring import read_keys

    for drone_id, key in read_keys(_path(keys)).items():
        typer.echo(f"{drone_id} {key.fingerprint}")


@app.command("set")
def set_(drone: Drone, connection: Connection, sysid: Sysid = 1, keys: File = None) -> None:
    """Give a vehicle its key, and see that it signs with it.

    The key travels in the clear: do it over a cable, not over a radio.

    Example: [bold]skymist keys set heron serial:/dev/ttyACM0:115200[/bold]
    """
    with _seal(drone, keys) as seal:
        asyncio.run(_set(connection, sysid, seal.key, seal))
    typer.echo(f"{drone}: signs with {seal.key.fingerprint}")


@app.command()
def remove(drone: Drone, connection: Connection, sysid: Sysid = 1, keys: File = None) -> None:
    """Take its key from a vehicle, which then obeys everybody; the file keeps it.

    Example: [bold]skymist keys remove heron serial:/dev/ttyACM0:115200[/bold]
    """
    with _seal(drone, keys) as seal:
        asyncio.run(_set(connection, sysid, None, seal))
    typer.echo(f"{drone}: signs no more")


@contextmanager
def _seal(drone: str, keys: Path | None) -> Iterator[Seal]:
    from skymist.flight.mavlink.keyring import KeyRing
    from skymist.missions.errors import FormatError

    path = _path(keys)
    ring = KeyRing(path)
    seal = ring.seal(drone)
    if seal is None:
        raise FormatError(f"{path}: wanted a key for {drone}, found none: skymist keys new {drone}")
    try:
        yield seal
    finally:
        ring.close()


async def _set(connection: str, sysid: int, key: Key | None, seal: Seal) -> None:
    from skymist.flight.mavlink.channel import Channel
    from skymist.flight.mavlink.links import open_link
    from skymist.flight.mavlink.signing_setup import set_key

    async with Channel(await open_link(connection)) as channel:
        await set_key(channel.vehicle(sysid), key, seal)
