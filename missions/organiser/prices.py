"""The table of prices and rates: built-in rows, a site's own figures over them, a file's over both.

What a person on foot needs for a spot follows from it and is reckoned here too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from skymist.missions.defaults import packaged
from skymist.missions.errors import FormatError, SiteFileError
from skymist.missions.validation import near_miss
from skymist.missions.yaml_lines import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from skymist.coverage.organising import Organiser

MUST_BE_ABOVE_0 = frozenset({"work_day_h", "hand_m2_per_day", "hand_flow_lpm", "hand_tank_l"})
OWN = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One row: a figure, its unit in words (in Chinese with what it is), and how it is known.

    `mark` is S (read in a source), D (computed), P (proposal), or `site`, the organiser's own.
    """

    key: str
    value: float
    unit: str
    chinese: str
    mark: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """All rows, and the currency of those that are money."""

    currency: str
    rows: tuple[Price, ...]

    def __getitem__(self, key: str) -> float:
        """The figure of a row."""
        return next(row.value for row in self.rows if row.key == key)


@lru_cache(maxsize=1)
def default_prices() -> Prices:
    """The built-in table. Source: the marks in `data/prices.yaml`."""
    data = packaged("prices.yaml")
    rows = tuple(
        Price(key=key, chinese=row["zh"], **{k: v for k, v in row.items() if k != "zh"})
        for key, row in data["rows"].items()
    )
    return Prices(currency=data["currency"], rows=rows)


def price_keys() -> tuple[str, ...]:
    """What may be given."""
    return tuple(row.key for row in default_prices().rows)


def prices_of(organiser: Organiser, file: Path | None = None) -> Prices:
    """The table with a site's own figures over it, and those of a file over both.

    Raises
    ------
    FormatError
        For a figure out of range, or a file that is no table of prices.
    """
    prices = default_prices()
    if organiser.currency:
        prices = replace(prices, currency=organiser.currency)
    prices = _with(prices, organiser.prices, "organiser: prices")
    return prices if file is None else _with_file(prices, file)


def _with(prices: Prices, own: Iterable[tuple[str, float]], where: str) -> Prices:
    given = dict(own)
    for key, value in given.items():
        least = "above 0" if key in MUST_BE_ABOVE_0 else "0 or more"
        is_fine = value > 0 if key in MUST_BE_ABOVE_0 else value >= 0
        if not (is_fine and value < math.inf):
            raise FormatError(f"{where}: {key}: wanted {least}, found {value:g}")
    rows = tuple(
        replace(row, value=given[row.key], mark=OWN, source=where) if row.key in given else row
        for row in prices.rows
    )
    return replace(prices, rows=rows)


def _with_file(prices: Prices, path: Path) -> Prices:
    document = read_yaml(path, "prices")
    if document.faults:
        raise SiteFileError(document.faults)
    data = document.value
    if not isinstance(data, dict):
        raise FormatError(f"{path}: wanted a mapping as operator_per_day: 600, found {data!r}")
    own: dict[str, Any] = dict(data)
    currency = own.pop("currency", prices.currency)
    if not (isinstance(currency, str) and currency.strip()):
        raise FormatError(f"{path}: currency: wanted a word, found {currency!r}")
    for key, value in own.items():
        if key not in price_keys():
            hint = near_miss(str(key), price_keys()) or f"one of {', '.join(price_keys())}"
            raise FormatError(f"{path}: {key}: wanted a key of prices.yaml, found {key!r} ({hint})")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise FormatError(f"{path}: {key}: wanted a number, found {value!r}")
    return _with(replace(prices, currency=currency.strip()), own.items(), str(path))


def hand_minutes(prices: Prices, area_m2: float, litres_l: float, people: int = 1) -> float:
    """Minutes that people on foot take together for a spot: the way there, refills, spraying.

    The slower of walking the area and putting the litres out binds; both are shared, the way is
    everybody's.
    """
    walk_min = area_m2 / (prices["hand_m2_per_day"] / (prices["work_day_h"] * 60))
    spray_min = litres_l / prices["hand_flow_lpm"]
    refill_min = litres_l / prices["hand_tank_l"] * prices["hand_refill_min"]
    return prices["hand_walk_min"] + (max(walk_min, spray_min) + refill_min) / people
