"""The commands, one module each: read when it is called for, so that a small one starts soon."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

_NAMED_ALIKE = (
    *("demo", "init", "check", "plan", "preview", "export", "rehearse", "fly", "resume"),
    "restore",
    *("report", "watch", "due"),
    *("roster", "notice", "mix", "cost"),
)
COMMANDS = {
    **{name: f"{name}:{name}" for name in _NAMED_ALIKE},
    "levels": "findings:levels",
    "cover": "cover:cover",
    "schema": "schema:schema",
    **{
        name: f"{name}:app"
        for name in ("sitl", "keys", "ledger", "findings", "inventory", "policy")
    },
}
"""Each command in the order of the help: its module here, and the function or Typer app in it."""


class Commands(TyperGroup):
    """The group of all commands; the module of one is imported when that one is asked for."""

    def __init__(self, **keys: Any) -> None:
        super().__init__(**keys)
        # Names alone, of which Typer suggests one where a word is near it.
        self.commands = {name: TyperCommand(name) for name in COMMANDS}

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name as Typer makes it of its function or app, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(f"{__name__}.{module}"), attribute)
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
        if isinstance(found, typer.Typer):
            alone.add_typer(found)
        else:
            alone.command(cmd_name)(found)
        return get_group(alone).get_command(ctx, cmd_name)
