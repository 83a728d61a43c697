"""The inventory as rows that people read and tables hold: each spot with what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skymist.missions.defaults import kind_word, level_word
from skymist.missions.errors import FormatError
from skymist.missions.inventory.states import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from skymist.coverage.site import BlindSpot, Site
    from skymist.missions.inventory.book import Book, Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A spot of the inventory, and the same spot of the site."""

    item: Item
    spot: BlindSpot
    post: str

    @property
    def size_m2(self) -> float:
        """The surface to treat, to a tenth of a square metre."""
        return round(float(self.spot.area.area), 1)

    def values(self) -> dict[str, Any]:
        """All of it as plain JSON values; `post` and `zone` are those that hold."""
        state = self.item.state
        told = {key: state[key] for key in KEYS if key in state}
        return {
            **{"id": self.item.id, **told, "zone": self.spot.zone_id, "post": self.post},
            **{"size_m2": self.size_m2, "file": self.item.file, "geometry": state["geometry"]},
        }


def listed(
    book: Book,
    site: Site,
    *,
    kinds: Sequence[str] = (),
    levels: Sequence[str] = (),
    zones: Sequence[str] = (),
    posts: Sequence[str] = (),
) -> tuple[Listed, ...]:
    """The spots that are asked for, in the site's order; empty: all.

    Raises
    ------
    FormatError
        For a kind, level, zone or post that no spot has: nothing would be shown, which would lie.
    """
    all_ = [
        Listed(item=book.items[spot.id], spot=spot, post=site.post_for(spot)) for spot in site.spots
    ]
    asked: tuple[tuple[str, Sequence[str], Callable[[Listed], str]], ...] = (
        ("--kind", [str(kind_word(word)) for word in kinds], lambda one: one.spot.kind.value),
        ("--level", [str(level_word(word)) for word in levels], lambda one: one.spot.level.value),
        ("--zone", zones, lambda one: one.spot.zone_id or ""),
        ("--post", posts, lambda one: one.post),
    )
    for flag, words, value in asked:
        known = dict.fromkeys(value(one) for one in all_)
        for word in words:
            if word not in known:
                wanted = ", ".join(filter(None, known))
                raise FormatError(f"{flag}: wanted one of {wanted}, found {word!r}")
        all_ = [one for one in all_ if not words or value(one) in words]
    return tuple(all_)


def free_id(kind: str, taken: Mapping[str, object]) -> str:
    """The first number of a kind that no spot has: `refuse_point-0007`."""
    number = 1
    while f"{kind}-{number:04d}" in taken:
        number += 1
    return f"{kind}-{number:04d}"
