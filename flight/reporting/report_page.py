"""The report as one web page: styles, map and Chinese letters are inside."""

from __future__ import annotations

import base64
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2

from skymist.coverage.dosemap import TREATED_FRAC, SpotOutcome
from skymist.coverage.words import Language, time_span
from skymist.flight.reporting.applied import DIRECT_L_PER_M2
from skymist.flight.terminal.wording import ENGLISH, Wording
from skymist.missions.formats.page import font_face

if TYPE_CHECKING:
    from skymist.flight.reporting.applied import Applied

MARKS = {SpotOutcome.TREATED: "✔", SpotOutcome.PARTIAL: "◐", SpotOutcome.MISSED: "✘"}
TOLD_BY_PEOPLE = ("Operator", "Supervisor", "Weather")
"""What no record holds; where nobody told it there is a line to write on."""
SIGNERS = ("Operator", "Supervisor", "Responsible post")
TAGS = {Language.ENGLISH: "en", Language.CHINESE: "zh-CN"}


def productivity(figures: dict[str, Any], wording: Wording) -> list[tuple[str, str]]:
    """What was got done with what, in words: ground and litres an hour, minutes, people."""
    totals, people, say = figures["totals"], figures.get("num_people"), wording.say
    hours = totals["duration_s"] / 3600
    rows = [
        (say("ground at its dose"), f"{totals['dosed_m2']:,.0f} m²"),
        (say("liquid put out"), f"{totals['litres']:,.1f} L"),
        (
            say("from first take-off to last landing"),
            say("{minutes} min", minutes=f"{totals['duration_s'] / 60:,.0f}"),
        ),
        (say("people at work"), f"{people}" if people else say("not told")),
    ]
    if totals["m2_per_h"]:
        rows.append((say("ground in an hour"), f"{totals['m2_per_h']:,.0f} m²/h"))
        rows.append((say("liquid in an hour"), f"{totals['litres'] / hours:,.1f} L/h"))
    if totals["m2_per_h"] and people:
        each = say("{area} m² per person and hour", area=f"{totals['m2_per_h'] / people:,.0f}")
        rows.append((say("ground by each person in an hour"), each))
    return rows


def how_known(figures: dict[str, Any], wording: Wording) -> list[str]:
    """What the doses rest on: no sensor measures them, and people may have looked into tanks."""
    tanks, say = figures["tanks"], wording.say
    looks = "the crew looked into the tank after {looked} of {landings} landings"
    found = [say(looks, looked=tanks["looked"], landings=tanks["landings"])]
    if tanks["off"]:
        found.append(say("{off} times it was not as reckoned", off=tanks["off"]))
    reckoned = "reckoned from pump output along the way flown, not measured by a sensor"
    return [say(reckoned), say(", ").join(found)]


def rules_held(figures: dict[str, Any], wording: Wording) -> list[str]:
    """Policy packs, then each waiver: of which rule, by whom, until when, why."""
    packs = wording.say("policy packs {packs}", packs=", ".join(figures["policy"]["packs"]))
    texts = {
        True: "{rule}: waived by {by} until {until}: {reason}",
        False: "{rule}: the waiver of {by} had ended on {until}, the rule held: {reason}",
    }
    waivers = figures["policy"]["waivers"]
    return [packs, *(wording.say(texts[waiver["in_force"]], **waiver) for waiver in waivers)]


def report_html(
    applied: Applied, figures: dict[str, Any], png: bytes, wording: Wording = ENGLISH
) -> str:
    """The page of a report's figures (`reporting.report.report_dict`) and its map."""
    finished = [spot["ended_utc"] for spot in figures["spots"] if spot["ended_utc"]]
    began, busy_s = figures["started_utc"], applied.totals.busy_s
    spots = [
        spot
        | {key: wording.clock(spot[f"{key}_utc"]) for key in ("started", "ended", "contact_until")}
        | {"drones": ", ".join(spot["drones"])}
        for spot in figures["spots"]
    ]
    page = _template().render(
        tag=TAGS[wording.language],
        t=wording.say,
        told=wording.told,
        zone=wording.zone,
        kind="Rehearsal report" if applied.is_rehearsal else "Treatment record",
        site=applied.plan.site,
        day=wording.day(began),
        began=wording.minute(began),
        finished=wording.minute(max(finished, default=began)),
        ending=applied.ending,
        is_rehearsal=applied.is_rehearsal,
        sim=applied.sim,
        software=applied.software,
        sha256=figures["record"]["sha256"],
        record_name=figures["record"]["file"],
        drones=list(applied.tracks),
        agents=figures["agents"],
        people=[(name, figures["people"].get(name, "")) for name in TOLD_BY_PEOPLE],
        totals=figures["totals"] | {"duration": time_span(wording.language, busy_s)},
        productivity=productivity(figures, wording),
        notes=figures["notes"],
        rules=rules_held(figures, wording),
        known=how_known(figures, wording),
        spots=spots,
        missed=[spot for spot in spots if spot["outcome"] != SpotOutcome.TREATED],
        no_spray=[area for area in figures["no_spray"] if area["litres"] > 0],
        num_no_spray=len(figures["no_spray"]),
        ground=figures["ground"],
        marks={str(outcome): mark for outcome, mark in MARKS.items()},
        treated_share=f"{TREATED_FRAC:.0%}",
        direct_ml_per_m2=DIRECT_L_PER_M2 * 1000,
        signers=SIGNERS,
        png_base64=base64.b64encode(png).decode("ascii"),
    )
    return page.replace("<style>\n", f"<style>\n  {font_face(page)}\n", 1)


def _template() -> jinja2.Template:
    place = files("skymist.flight").joinpath("data/report.html.j2")
    return jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(place.read_text("utf-8"))
