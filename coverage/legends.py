"""What stands beside a map: its colours, lines and symbols in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from skymist.coverage.concerns import wind_text
from skymist.coverage.dosemap import SpotOutcome
from skymist.coverage.layers import (
    LEVELS,
    OUTCOMES,
    PAD,
    RECEPTOR,
    ZONE,
    Look,
    drones_of,
    marker_of,
)
from skymist.coverage.mapmarks import INK, SOFT_INK, add_wind_arrow, drone_style, readable
from skymist.coverage.words import counted, named, time_span

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from skymist.coverage.plan import Plan
    from skymist.coverage.sheet import Sheet
    from skymist.coverage.site import Site


def plan_legend(
    sheet: Sheet, plan: Plan, flown: set[str], *, is_whole: bool, has_drift: bool = False
) -> None:
    """Spots by level, drones, places and agents."""
    site = plan.site
    sheet.section(sheet.say("Blind spots"))
    for level, look in LEVELS.items():
        mine = [spot for spot in site.spots if spot.level is level]
        by_drone = sum(spot.id in flown for spot in mine)
        if mine:
            text = "{level}: {count}, by drone {drone}"
            told = sheet.say(text, level=sheet.say(level), count=len(mine), drone=by_drone)
            sheet.mark(told, **marker_of(look))
    if len(flown) < len(site.spots):
        crew = Look(colour=SOFT_INK, marker="o", is_hollow=True)
        text = sheet.say("left to the ground crew (hollow)")
        sheet.patch(text, fc="#f0f0f0", ec=SOFT_INK, hatch="xxx")
        sheet.overlay(**marker_of(crew))
    sheet.section(sheet.say("Flight"))
    text = sheet.say("sprayed pass, flown this way")
    sheet.line(text, color=INK, lw=0.9, marker=">", ms=4, markevery=[1])
    for number, drone_id in enumerate(drones_of(plan)):
        mine_ = [s for s in plan.sorties if s.drone_id == drone_id]
        text = sheet.say(
            "{drone}: {sorties}, {litres} L, {time}"
            if is_whole
            else "{drone}: {sorties}, {litres} L",
            drone=readable(drone_id),
            sorties=counted(sheet.language, len(mine_), "sortie"),
            litres=f"{sum(s.litres_l for s in mine_):.0f}",
            time=time_span(sheet.language, sum(s.duration_s for s in mine_)),
        )
        colour, dashes = drone_style(number)
        sheet.line(text, color=colour, lw=1.3, linestyle=dashes)
    place_legend(sheet, site)
    if has_drift:
        sheet.note(sheet.say("metres at them: to the spray that adds most drift"))
    agents = {s.agent_id: 0.0 for s in plan.sorties}
    for sortie in plan.sorties:
        agents[sortie.agent_id] += sortie.litres_l
    if agents:
        sheet.section(sheet.say("Agents"))
    for agent_id, litres in agents.items():
        name = next((a.name for a in site.agents if a.id == agent_id), agent_id)
        name = named(sheet.language, name)
        sheet.note(f"{litres:,.1f} L  {readable(name, agent_id)}")


def air_legend(sheet: Sheet, plan: Plan) -> None:
    """Wind and evenness, where the plan counts them."""
    if plan.wind is not None:
        towards = (plan.wind.east_mps, plan.wind.north_mps)
        wind = wind_text(plan.wind)
        label = sheet.say("wind {wind}", wind=wind)
        add_wind_arrow(sheet.axes, sheet.metres_per_pt, towards, label)
        drift_m = max((math.hypot(*p.drift_m) for s in plan.sorties for p in s.passes), default=0.0)
        sheet.section(sheet.say("Wind"))
        sheet.note(sheet.say("planned for {wind}", wind=wind))
        shift = "flown up to {metres} m upwind of where the spray lands"
        sheet.note(sheet.say(shift, metres=f"{drift_m:.1f}"))
    worst = max(plan.treatments, key=lambda t: t.cv_frac, default=None)
    if worst is not None and worst.cv_frac > 0:
        sheet.section(sheet.say("Evenness"))
        text = "dose varies by {share} at most ({spot})"
        spot = readable(worst.spot_id)
        sheet.note(sheet.say(text, share=f"{worst.cv_frac:.0%}", spot=spot))


def place_legend(sheet: Sheet, site: Site) -> None:
    """Buildings, no-spray areas, zones, sensitive places and pads."""
    sheet.section(sheet.say("Places"))
    if site.buildings:
        text = sheet.say("building, darker is higher (to 40 m)")
        sheet.patch(text, fc="#c4c4c4", ec="#9a9a9a", lw=0.4)
    if site.no_spray:
        sheet.patch(sheet.say("no spray"), fc="#f2f2f2", ec="#5a5a5a", hatch="/////", lw=0.9)
    if site.zones:
        sheet.line(sheet.say("zone"), color=INK, lw=1.1, linestyle=ZONE["linestyles"][0])
    if site.receptors:
        some = sorted({readable(r.kind) for r in site.receptors if r.kind})[:4]
        kinds = ", ".join(named(sheet.language, kind) for kind in some)
        text = "sensitive to drift: {kinds}" if kinds else "sensitive to drift"
        text = sheet.say(text, kinds=kinds)
        sheet.mark(text, **RECEPTOR)
    if site.pads:
        sheet.mark(sheet.say("pad: take-off, landing, refill"), **PAD)


def applied_legend(
    sheet: Sheet,
    plan: Plan,
    tracks: Mapping[str, NDArray[np.float64]],
    outcomes: Mapping[str, SpotOutcome],
) -> None:
    """Spots by what became of them, and who flew."""
    sheet.section(sheet.say("Spots by result"))
    for outcome, look in OUTCOMES.items():
        count = sum(found is outcome for found in outcomes.values())
        text = sheet.say(
            "{outcome}: {count} ({meaning})",
            outcome=sheet.say(outcome),
            count=count,
            meaning=sheet.say(outcome.meaning),
        )
        sheet.mark(text, **marker_of(look))
    rest = len(plan.site.spots) - len(outcomes)
    if rest:
        text = sheet.say("not planned by drone: {count}", count=rest)
        sheet.patch(text, fc="none", ec=SOFT_INK, lw=0.6)
    sheet.section(sheet.say("Flown"))
    for number, drone_id in enumerate(drones_of(plan)):
        if drone_id in tracks:
            colour, _ = drone_style(number)
            text = sheet.say("track of {drone}", drone=readable(drone_id))
            sheet.line(text, color=colour, lw=1.2)
    place_legend(sheet, plan.site)
