"""What a mission needs of the vehicle's parameters, as Mission Planner and MAVProxy load it.

Two files, since names and units moved with ArduCopter 4.7. A ground station loads them before the
mission; it names those that the vehicle has not. Source: Mission Planner, `.param`: NAME,VALUE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skymist.missions.parameters import ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from skymist.missions.items import Mission

GENERATIONS = {"4.6": -1, "4.7": 0}
"""Which of a parameter's names counts: 4.6 and before, 4.7 and after."""


def param_files(mission: Mission) -> Iterator[tuple[str, str]]:
    """For each generation its name and the text of the file."""
    for generation, place in GENERATIONS.items():
        side = "before 4.7" if place else "from 4.7 on"
        lines = [f"# Skymist {mission.sortie_id}: ArduCopter {side}; load before the mission"]
        for name, value in sorted(mission.parameters.items()):
            alias = ALIASES[name][place]
            lines.append(f"{alias.name},{round(value * alias.scale, 6):g}")
        yield generation, "\n".join(lines) + "\n"
