"""Tables of the terminal in 80 columns: what must not be broken is whole, nothing cut off."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from skymist.flight.commands.cost import cost
from skymist.flight.commands.inventory import listed
from skymist.flight.commands.mix import mix
from skymist.flight.commands.plan import plan
from skymist.flight.commands.tables import filled, table_of
from skymist.missions.inventory.book import read_book
from skymist.missions.organiser.prices import prices_of
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo"
WIDE = 80


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("plan")
    plan([DEMO / "site.yaml"], place, no_preview=True)
    return place


def test_long_words_go_on_in_the_next_line() -> None:
    drawn = Console(file=io.StringIO(), width=40)
    table = table_of("id", "what", "m2", whole=["id"], right=["m2"])
    table.add_row("a-long-identifier-01", "neighbourhood" * 3, "1,234.5")
    drawn.print(table)
    lines = drawn.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "…" not in drawn.file.getvalue()  # type: ignore[attr-defined]
    assert lines[2].startswith("a-long-identifier-01 ")
    assert lines[2].endswith("1,234.5")
    assert "".join(line[22:31].strip() for line in lines[2:]) == "neighbourhood" * 3


def test_columns_in_which_nothing_stands_are_left_out() -> None:
    assert filled(("a", "b", "c"), [("1", "", "x"), ("2", "", "")]) == (
        ["a", "c"],
        [["1", "x"], ["2", ""]],
    )


def test_eighty_columns_hold_every_id_kind_day_and_key(
    planned: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDE))
    site = DEMO / "site.yaml"
    listed(site)
    told = capsys.readouterr().out
    for item in read_book(site).items.values():
        assert f"{item.id} " in told
        assert f"{item.state['kind']} " in told
    mix(site, planned, start="2026-07-01T07:00")
    sheet = capsys.readouterr().out.split("agent ")[1]  # the lines before it wrap as they please
    mix(site, planned, start="2026-07-01T07:00", json=True)
    batches = json.loads(capsys.readouterr().out)["batches"]
    assert batches
    for batch in batches:
        assert f"{batch['agent']} " in sheet
    assert "2026-07-01 " in sheet
    cost(site, planned)
    prices = capsys.readouterr().out.split("key ")[1]
    for price in prices_of(read_site(site).organiser).rows:
        assert f"{price.key} " in prices
    for text in (told, sheet, prices):
        assert "…" not in text
        assert max(map(len, text.splitlines())) <= WIDE
