"""Flies every scenario on both, keeps the real flights, and writes docs/conformance.md.

    python -m tests.sitl.conformance.renew [--kept]

With --kept nothing is flown on the real one: the page is written from the flights kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from skymist.sitl.binaries import find_arducopter
from tests.sitl.conformance.compare import (
    MOST_CROSS_M,
    MOST_EDGE_M,
    MOST_LITRES_FRAC,
    MOST_TIME_FRAC,
    Difference,
    compare,
    excesses,
)
from tests.sitl.conformance.flying import fly_ardupilot, fly_embedded
from tests.sitl.conformance.scenarios import SCENARIOS, Scenario
from tests.sitl.conformance.test_conformance import GOLDEN, SPEEDUP, STORY_SPEEDUP
from tests.sitl.conformance.traces import read_traces, write_traces

PAGE = Path(__file__).parents[3] / "docs" / "conformance.md"
HEAD = """# The embedded copter beside ArduCopter

Written by `python -m tests.sitl.conformance.renew`: every scenario flown on ArduCopter {version}
and on the embedded copter, from lift-off to disarming. The real one is seen through its telemetry
(position and servos at 50 Hz), the embedded one through its truth.

| scenario | what happens | time, s: real, embedded | way, m | sprayed way, m | pump off, m \
| pump on, m | litres: real, embedded | said alike |
|---|---|---|---|---|---|---|---|---|
"""
FOOT = """
- **way**: the largest distance between the two tracks over ground; **sprayed way**: the same where
  the pump runs; **pump off** and **on**: between the places where it switches.
- Tolerances: time {time:.0%}, litres {litres:.0%}, sprayed way {cross} m, and where nothing but the
  mission gives orders also way {cross} m and pump off {edge} m. Where an order comes on the way
  (marked *), it arrives as late as link and machine lag, so way and edges are told, not judged.
  *blind* drifts without a position: its tracks are not judged.
- **Pump on** is not judged: both look at the speed 3 times a second, from a moment that chance
  gives, so two flights of the same real copter differ by up to 1.7 m at 5 m/s.
- **said alike**: modes and arming, items reached, and the answers to commands, each in order.
- The protocol's {exchanges} exchanges (odd and ordinary messages, each answer with type and every
  field) are equal message for message: `tests/sitl/test_ardupilot.py`.
- The flights of the real one are kept in `tests/golden/{golden}`: they hold the embedded
  copter on machines without the binary.

What is known to differ: the embedded copter has the drone model's mass and battery, where
ArduPilot's simulated frame has one mass and draws one current. Gusts are drawn from another
source of chance. On the ground after a fall the real one stays armed.
"""


def row(scenario: Scenario, found: Difference) -> str:
    """A line of the table."""
    mark = "" if scenario.story is None else "*"
    alike = "yes" if not found.unlike else "no: " + "; ".join(found.unlike)
    return (
        f"| {scenario.name}{mark} | {scenario.about} | {found.theirs_s:.1f}, {found.ours_s:.1f} "
        f"| {found.cross_m:.2f} | {found.wet_cross_m:.2f} | {found.edge_m:.2f} "
        f"| {found.on_edge_m:.2f} | {found.theirs_l:.3f}, {found.ours_l:.3f} | {alike} |\n"
    )


def main() -> None:
    """Fly, keep, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", action="store_true", help="use the real flights that are kept")
    parser.add_argument("names", nargs="*", help="fly these alone on the real one")
    wanted = parser.parse_args()
    kept, version = read_traces(GOLDEN) if GOLDEN.exists() else ({}, "")
    if not wanted.kept:
        found = find_arducopter()
        binary, version = found.require(), found.version or "of an unknown version"
        for scenario in SCENARIOS:
            if not wanted.names or scenario.name in wanted.names:
                speedup = SPEEDUP if scenario.story is None else STORY_SPEEDUP
                kept[scenario.name] = fly_ardupilot(scenario, binary, speedup)
                print(scenario.name, file=sys.stderr)
        write_traces({s.name: kept[s.name] for s in SCENARIOS}, GOLDEN, version)
        kept, version = read_traces(GOLDEN)
    from tests.sitl.ground import Ground
    from tests.sitl.test_ardupilot import exchanges

    num = len(exchanges(Ground.item.__get__(_Deaf())))
    page = HEAD.format(version=version)
    for scenario in SCENARIOS:
        differs = compare(fly_embedded(scenario), kept[scenario.name])
        page += row(scenario, differs)
        for line in excesses(differs, scenario):
            print(f"{scenario.name}: {line}", file=sys.stderr)
    page += FOOT.format(
        time=MOST_TIME_FRAC,
        litres=MOST_LITRES_FRAC,
        cross=MOST_CROSS_M,
        edge=MOST_EDGE_M,
        exchanges=num,
        golden=GOLDEN.name,
    )
    PAGE.write_text(page, encoding="utf-8")


class _Deaf:
    """All that `Ground.item` needs of a ground station."""

    target = 1


if __name__ == "__main__":
    main()
