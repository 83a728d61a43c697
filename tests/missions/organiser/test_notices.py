"""Notices: versions that a change alone moves, words that promise nothing, codes one can read."""

from __future__ import annotations

import copy
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymist.coverage.hours import Start
from skymist.coverage.organising import Organiser
from skymist.coverage.plan import Plan
from skymist.coverage.site import Mode, Site
from skymist.coverage.words import Language
from skymist.missions.errors import FormatError
from skymist.missions.organiser.duties import duties
from skymist.missions.organiser.notice_pages import (
    QUIET_MODULES,
    code_of,
    code_text,
    files_of,
    name_of,
)
from skymist.missions.organiser.notice_text import QR_BYTES_MOST, told
from skymist.missions.organiser.notices import (
    Notice,
    Series,
    changes_between,
    facts_of,
    read_series,
    revised,
    series_after,
    series_json,
)
from skymist.missions.organiser.prices import default_prices

SEVEN = Start(clock_s=7 * 3600.0, date="2026-07-01")
PROMISES = re.compile(
    r"disinfected|steril|germ|virus|safe\b|effective|kills?\b|protects?\b|100 ?%"
    r"|已消毒|消毒完|无菌|病毒|安全|有效(?!氯)|杀灭|彻底"
)
ENGLISH = Language.ENGLISH


def facts_for(plan: Plan, site: Site, contact: str = "Office, 0100") -> dict[str, Any]:
    return facts_of(plan, site, duties(plan, site, default_prices()), contact)


@pytest.fixture(scope="module")
def facts(plan: Plan, site: Site) -> dict[str, Any]:
    return facts_for(plan, site)


def test_every_place_of_the_plan_is_on_its_zones_notice(
    plan: Plan, site: Site, facts: dict[str, Any]
) -> None:
    for language in Language:
        for zone in site.zones:
            notice = Notice(zone_id=zone.id, version=1, facts=facts[zone.id])
            text = json.dumps(told(site.name, notice, language).sections[1].lines)
            for spot in plan.site.spots:
                assert (json.dumps(spot.name)[1:-1] in text) == (spot.zone_id == zone.id)


def test_nobody_comes_back_before_the_contact_time_is_over(
    plan: Plan, site: Site, facts: dict[str, Any]
) -> None:
    minutes = {agent.id: agent.contact_min for agent in site.agents}
    for part in (part for zone in facts.values() for part in zone["parts"]):
        if minutes[part["agent"]]:
            to, until = (int(t[:2]) * 60 + int(t[3:]) for t in (part["to"], part["until"]))
            assert until - to >= minutes[part["agent"]] - 1
        else:
            assert part["until"] == ""


def test_a_version_moves_with_the_facts_and_not_without(
    plan: Plan, site: Site, facts: dict[str, Any]
) -> None:
    first = series_after(None, site, facts, [ENGLISH])
    assert [notice.version for notice in first.notices] == [1, 1]
    again = series_after(first, site, facts_for(plan, site), [ENGLISH])
    assert again == first
    other = series_after(first, site, facts_for(plan, site, "Office, 0199"), [Language.CHINESE])
    assert [notice.version for notice in other.notices] == [2, 2]
    assert other.languages == (ENGLISH, Language.CHINESE)
    for notice in other.notices:
        assert notice.changes == (
            {"what": "contact", "before": "Office, 0100", "after": "Office, 0199"},
        )
    # The west has nothing left to do: it is told so, once.
    east = {"east": facts_for(plan, site, "Office, 0199")["east"]}
    gone = series_after(other, site, east, [ENGLISH])
    west = gone.of("west")
    assert west is not None
    assert (west.version, west.facts) == (3, None)
    cancelled = told(site.name, west, ENGLISH)
    assert "CANCELLED" in cancelled.changes[0]
    assert cancelled.contact == ("Contact: Office, 0199",)
    assert "0199" in cancelled.short
    assert series_after(gone, site, east, [ENGLISH]) == gone
    back = series_after(gone, site, facts, [ENGLISH]).of("west")
    assert back is not None
    assert (back.version, back.changes) == (4, ({"what": "resumed"},))
    with pytest.raises(FormatError, match="those of"):
        series_after(gone, replace(site, name="X"), facts, [ENGLISH])


def test_a_zone_may_have_a_contact_of_its_own(plan: Plan, site: Site) -> None:
    """Zones without one name the site's; the one that is said at the command names all."""
    zones = tuple(replace(z, contact="Gate 3, 0333" if z.id == "east" else "") for z in site.zones)
    own = replace(site, zones=zones, organiser=replace(site.organiser, contact="Office, 0100"))
    called = {zone: one["contact"] for zone, one in facts_for(plan, own, "").items()}
    assert called == {"east": "Gate 3, 0333", "west": "Office, 0100"}
    for language in Language:
        notice = Notice(zone_id="east", version=1, facts=facts_for(plan, own, "")["east"])
        said = told(own.name, notice, language)
        assert any("Gate 3, 0333" in line for line in said.contact)
        assert "Gate 3, 0333" in said.short
    assert {one["contact"] for one in facts_for(plan, own, "Me, 1").values()} == {"Me, 1"}
    bare = replace(own, organiser=replace(site.organiser, contact=" "))
    with pytest.raises(FormatError, match=r"contact: wanted whom .* found none for west: give"):
        facts_for(plan, bare, "")


@settings(deadline=None)
@given(data=st.data())
def test_whatever_is_changed_is_noticed_and_told(
    facts: dict[str, Any], data: st.DataObject
) -> None:
    """Any text anywhere in the facts."""
    zone = data.draw(st.sampled_from(sorted(facts)))
    changed = copy.deepcopy(facts[zone])
    places = [(changed, key) for key in ("contact", "wind_max_mps", "reason")]
    places += [(part, key) for part in changed["parts"] for key in part]
    places += [(agent, key) for agent in changed["agents"].values() for key in ("name",)]
    holder, key = data.draw(st.sampled_from(places))
    value = data.draw(st.sampled_from(["23:59", "larvicide", "x"]))
    if holder[key] == value:
        return
    holder[key] = value
    old = Notice(zone_id=zone, version=7, facts=facts[zone])
    new = revised(old, zone, changed)
    assert new is not None
    assert new.version == 8
    assert new.changes
    assert revised(new, zone, copy.deepcopy(changed)) is new
    assert changes_between(facts[zone], changed) == list(new.changes)


def test_new_times_of_many_places_are_one_line(site: Site, facts: dict[str, Any]) -> None:
    later = copy.deepcopy(facts["west"])
    for part in later["parts"]:
        part["from"], part["to"] = (f"1{t[1:]}" for t in (part["from"], part["to"]))
    made = revised(Notice(zone_id="west", version=1, facts=facts["west"]), "west", later)
    assert made is not None
    assert [change["what"] for change in made.changes] == ["times"]
    for language in Language:
        line = told(site.name, made, language).changes[0]
        assert "2026-07-01 17:0" in line
        assert "2026-07-01 07:00" in line


def test_the_state_is_kept_and_never_guessed(
    tmp_path: Path, site: Site, facts: dict[str, Any]
) -> None:
    path = tmp_path / "notices.json"
    assert read_series(path) is None
    series = series_after(None, site, facts, [ENGLISH])
    path.write_bytes(series_json(series))
    assert read_series(path) == series
    whole = json.loads(path.read_text(encoding="utf-8"))
    broken: list[Any] = [
        {},
        [],
        whole | {"schema": 2},
        whole | {"languages": ["tlh"]},
        whole | {"notices": [{"zone": "west"}]},
        whole | {"notices": [whole["notices"][0] | {"version": 0}]},
        whole | {"notices": [whole["notices"][0] | {"facts": {"parts": 1, "agents": {}}}]},
    ]
    for data in broken:
        path.write_text(json.dumps(data), encoding="utf-8")
        with pytest.raises(FormatError, match="wanted the state of the notices"):
            read_series(path)
    path.write_bytes(b"{\xff")
    with pytest.raises(FormatError):
        read_series(path)


def test_a_notice_wants_a_date_and_somebody_to_call(plan: Plan, site: Site) -> None:
    with pytest.raises(FormatError, match="contact: wanted whom"):
        facts_for(plan, replace(site, organiser=Organiser()), "  ")
    with pytest.raises(FormatError, match="wanted the day too"):
        facts_for(replace(plan, start=Start(clock_s=0.0)), site)


def test_no_notice_promises_anything_and_mist_is_not_praised(
    plan: Plan, site: Site, facts: dict[str, Any]
) -> None:
    misty = replace(
        plan,
        site=replace(
            plan.site,
            spots=tuple(replace(s, mode=Mode.BROADCAST) for s in plan.site.spots),
            policy=replace(plan.site.policy, reason="order 7"),
        ),
    )
    for some in (facts, facts_for(misty, site)):
        for language in Language:
            for zone, one in some.items():
                for notice in (
                    Notice(zone_id=zone, version=1, facts=one),
                    Notice(zone_id=zone, version=2, facts=None, changes=({"what": "cancelled"},)),
                ):
                    lines = all_lines(site, notice, language)
                    assert not [line for line in lines if PROMISES.search(line)]
    notice = Notice(zone_id="west", version=1, facts=facts_for(misty, site)["west"])
    assert "Do not rely on it" in " ".join(all_lines(site, notice, ENGLISH))
    assert "order 7" in " ".join(all_lines(site, notice, ENGLISH))
    assert "不可依赖" in "".join(all_lines(site, notice, Language.CHINESE))
    # The oracle sees a promise where there is one.
    assert PROMISES.search("all streets disinfected")
    assert PROMISES.search("本区已消毒")


def all_lines(site: Site, notice: Notice, language: Language) -> list[str]:
    made = told(site.name, notice, language)
    lines = [made.title, made.version, made.changes_title, *made.contact, *made.changes]
    for section in made.sections:
        lines += [section.title, *section.lines]
    return [*lines, *made.short.splitlines()]


def test_a_chinese_notice_keeps_no_english_of_ours(site: Site, facts: dict[str, Any]) -> None:
    ours = re.compile(r"\b(drone|foot|keep|until|spray\w*|places?|now|was|agent|dry|version)\b")
    bare = copy.deepcopy(facts)
    for zone in bare.values():
        for part in zone["parts"]:
            part["name"] = part["spot"].replace("spray", "s")
    for zone_id in bare:
        new = copy.deepcopy(bare[zone_id])
        new["contact"], new["wind_max_mps"] = "0199", "3"
        new["parts"][0]["agent"], new["parts"][1]["from"] = "chlorine-1000", ""
        new["parts"].pop()
        made = revised(Notice(zone_id=zone_id, version=1, facts=bare[zone_id]), zone_id, new)
        assert made is not None
        lines = all_lines(site, made, Language.CHINESE)
        assert not [line for line in lines if ours.search(line.replace(site.name, ""))]


def decoded(pixels: np.ndarray) -> str:
    zxing = pytest.importorskip("zxingcpp", reason="no zxing-cpp here: the code was not read")
    (found,) = zxing.read_barcodes(pixels)
    return str(found.text)


def drawn_svg(page: str) -> np.ndarray:
    """The code's path in a page as pixels: runs to the right, relative moves."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', page)[1])  # type: ignore[index]
    path = re.search(r'<path[^>]*class="qrline"[^>]*d="([^"]+)"', page) or re.search(
        r'stroke="#000"[^>]*d="([^"]+)"', page
    )
    assert path
    pixels = np.full((side, side), 255, dtype=np.uint8)
    x = y = 0.0
    for word, numbers in re.findall(r"([Mmh])([-0-9. ]+)", path[1]):
        values = [float(v) for v in re.findall(r"-?\d*\.?\d+", numbers)]
        if word == "M":
            x, y = values
        elif word == "m":
            x, y = x + values[0], y + values[1]
        else:
            pixels[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
    return np.kron(pixels, np.ones((4, 4), dtype=np.uint8))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("url", ["", "https://example.org/notices/"])
def test_codes_are_read_by_another_program_from_page_and_pdf(
    site: Site, facts: dict[str, Any], language: Language, url: str
) -> None:
    pypdf = pytest.importorskip("pypdf", reason="no pypdf here: the PDF was not read")
    notice = Notice(zone_id="west", version=3, facts=facts["west"])
    made = told(site.name, notice, language)
    wanted = code_text(made, notice, language, url)
    assert wanted.startswith("https://example.org/notices/notice-west.") == bool(url)
    if not url:
        assert "Office, 0100" in wanted
        assert made.version in wanted
    written = dict(files_of(made, notice, language, url))
    page = written[f"{name_of(notice, language)}.html"].decode("utf-8")
    assert decoded(drawn_svg(page)) == wanted
    pdf = pypdf.PdfReader(io.BytesIO(written[f"{name_of(notice, language)}.pdf"]))
    (image,) = pdf.pages[0].images
    assert decoded(np.asarray(image.image.convert("L"))) == wanted
    assert dict(files_of(made, notice, language, url)) == written


@settings(deadline=None)
@given(name=st.text(min_size=1, max_size=400), contact=st.text(max_size=400))
def test_a_code_holds_whatever_names_there_are(
    facts: dict[str, Any], name: str, contact: str
) -> None:
    try:
        name.encode()
        contact.encode()
    except UnicodeEncodeError:
        return
    one = facts["west"] | {"contact": contact}
    made = told(name, Notice(zone_id="west", version=1, facts=one), Language.CHINESE)
    assert len(made.short.encode()) <= QR_BYTES_MOST
    assert code_of(made.short).version <= 18
    assert QUIET_MODULES == 4


def test_a_page_needs_nothing_else_and_runs_nothing(facts: dict[str, Any]) -> None:
    hostile = facts["west"] | {"contact": "<script>alert(1)</script>"}
    notice = Notice(zone_id="../west", version=1, facts=hostile)
    made = told("<b>Court</b>", notice, Language.CHINESE)
    written = dict(files_of(made, notice, Language.CHINESE, ""))
    assert not [name for name in written if "/" in name or ".." in name]
    page = next(data for name, data in written.items() if name.endswith(".html")).decode()
    assert "<script" not in page
    assert "<b>" not in page
    outside = re.findall(r"""(?:src|href)=["'](?!data:)|url\((?!data:)|@import""", page)
    assert not outside
    assert "data:font/woff;base64" in page


def test_series_without_notices_is_empty(site: Site) -> None:
    assert series_after(None, site, {}, [ENGLISH]) == Series(
        site=site.name, languages=(ENGLISH,), notices=()
    )
