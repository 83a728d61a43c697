"""`skymist schema`: the JSON Schema of the site file, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; stdout without it.")
    ] = None,
) -> None:
    """Export the JSON Schema of the site file, for editors that complete and check YAML.

    Example: [bold]skymist schema -o site.schema.json[/bold]
    """
    from skymist.missions.plans import write_whole
    from skymist.missions.site_schema import json_schema

    text = json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"
    if output is None:
        print(text, end="")
    else:
        write_whole(output, text.encode("utf-8"))
