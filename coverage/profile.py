"""How the spray of one pass lies across its track, and how evenly neighbouring passes add up.

A profile is a piecewise linear share of the flow per metre across; every shape is made into one,
so that sums over neighbours are integrated exactly. What the shares come to on the ground is
`skymist.coverage.dosemap`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from skymist.coverage.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_GAUSS_REACH_SIGMA = 5.0
_GAUSS_STEPS = 200
_GAUSS_POINT = 1 / math.sqrt(3)
_SEARCH_STEPS = 400


CV_PRODUCT_FRAC = 0.35
"""Most unevenness of a sprayer's own pattern. Source: GB/T 43071-2023, as DOMAIN quotes it."""
CV_OPERATION_FRAC = 0.45
"""Most unevenness on treated ground; the stricter of 45 and 65 %. Source: NY/T 4258-2022, as
DOMAIN quotes it."""
_STRAY_FRAC = 0.02
_SPEC_GRID = 2000


class ProfileKind(StrEnum):
    """Shapes that a profile may be given in."""

    UNIFORM = "uniform"
    GAUSSIAN = "gaussian"
    TRIANGLE = "triangle"
    TRAPEZOID = "trapezoid"
    TABLE = "table"


class Pattern(StrEnum):
    """The order of neighbouring passes: there and back beside it, or all in one direction."""

    BACK_AND_FORTH = "back_and_forth"
    RACETRACK = "racetrack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Share of the flow per metre over the offset to the left of the course.

    Linear between `offsets_m`, which ascend; two equal ones make a step. Nothing falls outside
    them. The shares are scaled so that they integrate to 1.
    """

    offsets_m: tuple[float, ...]
    shares_per_m: tuple[float, ...]

    def __post_init__(self) -> None:
        offsets = np.asarray(self.offsets_m, dtype=float)
        shares = np.asarray(self.shares_per_m, dtype=float)
        if not (offsets.ndim == 1 and len(offsets) >= 2 and offsets.shape == shares.shape):
            raise PlanError(
                f"profile: wanted as many shares as offsets, 2 or more, "
                f"got {len(shares)} and {len(offsets)}"
            )
        if not (np.isfinite(offsets).all() and np.all(np.diff(offsets) >= 0)):
            raise PlanError("profile: offsets_m must be finite and ascend")
        if not (np.isfinite(shares).all() and np.all(shares >= 0)):
            raise PlanError("profile: shares_per_m must be finite and 0 or more")
        total = float(np.sum(np.diff(offsets) * (shares[1:] + shares[:-1]) / 2))
        if not total > 0:
            raise PlanError("profile: the shares must not all be 0")
        object.__setattr__(self, "shares_per_m", tuple(float(s) for s in shares / total))

    @property
    def base_m(self) -> float:
        """From the first wet offset to the last."""
        return self.offsets_m[-1] - self.offsets_m[0]

    def at(self, offset_m: ArrayLike) -> NDArray[np.float64]:
        """Share of the flow per metre at offsets to the left of the course."""
        at = np.asarray(offset_m, dtype=float)
        wet = np.interp(at, self.offsets_m, self.shares_per_m, left=0.0, right=0.0)
        return np.asarray(wet, dtype=float)

    @property
    def wet_m(self) -> float:
        """Width around the track outside of which at most 2 % of the flow falls."""
        reach = max(abs(self.offsets_m[0]), abs(self.offsets_m[-1]))
        half = np.linspace(0, reach, _SPEC_GRID)
        share = self.at(half) + self.at(-half)
        inside = np.concatenate([[0.0], np.cumsum((share[1:] + share[:-1]) / 2)])
        return 2 * float(half[np.searchsorted(inside, (1 - _STRAY_FRAC) * inside[-1])])

    def mirrored(self) -> Profile:
        """The profile of the same sprayer flown the other way."""
        return Profile(
            offsets_m=tuple(-offset for offset in reversed(self.offsets_m)),
            shares_per_m=tuple(reversed(self.shares_per_m)),
        )


def uniform(swath_m: float) -> Profile:
    """The same everywhere across `swath_m`."""
    return trapezoid(top_m=swath_m, base_m=swath_m)


def triangle(half_base_m: float) -> Profile:
    """Most under the drone, falling straight to nothing at `half_base_m`."""
    return trapezoid(top_m=0.0, base_m=2 * half_base_m)


def trapezoid(top_m: float, base_m: float) -> Profile:
    """Level over `top_m` in the middle, falling straight to nothing at the edges of `base_m`."""
    if not (0 <= top_m <= base_m and 0 < base_m < math.inf):
        raise PlanError(f"profile: wanted 0 <= top_m <= base_m, got {top_m} and {base_m}")
    return Profile(
        offsets_m=(-base_m / 2, -top_m / 2, top_m / 2, base_m / 2),
        shares_per_m=(0.0, 1.0, 1.0, 0.0),
    )


def gaussian(sigma_m: float) -> Profile:
    """A bell, cut at five sigma (less than one millionth lies beyond)."""
    if not 0 < sigma_m < math.inf:
        raise PlanError(f"profile: sigma_m must be above 0, got {sigma_m}")
    steps = np.linspace(-_GAUSS_REACH_SIGMA, _GAUSS_REACH_SIGMA, _GAUSS_STEPS + 1)
    return Profile(
        offsets_m=tuple(float(s) for s in steps * sigma_m),
        shares_per_m=tuple(float(s) for s in np.exp(-(steps**2) / 2)),
    )


def measured(offsets_m: Sequence[float], deposits: Sequence[float]) -> Profile:
    """A table of deposits (in any unit) caught at offsets across a test track."""
    return Profile(offsets_m=tuple(offsets_m), shares_per_m=tuple(deposits))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSpec:
    """A profile as a data sheet gives it: a kind, and the numbers that this kind needs.

    `uniform` needs none (level over the swath), `gaussian` `sigma_m`, `triangle` `half_base_m`,
    `trapezoid` `top_m` and `base_m`, `table` `offsets_m` and `shares` (in any unit).
    """

    kind: ProfileKind
    sigma_m: float | None = None
    half_base_m: float | None = None
    top_m: float | None = None
    base_m: float | None = None
    offsets_m: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        needed = NEEDS[self.kind]
        for name in ("sigma_m", "half_base_m", "top_m", "base_m", "offsets_m", "shares"):
            is_given = getattr(self, name) not in (None, ())
            if is_given != (name in needed):
                wanted = ", ".join(needed) or "nothing else"
                raise PlanError(f"profile of kind {self.kind} takes {wanted}; see {name}")
        self.over(1.0)

    def over(self, swath_m: float) -> Profile:
        """The profile; `swath_m` is read by the uniform one alone."""
        match self.kind:
            case ProfileKind.GAUSSIAN:
                return gaussian(self.sigma_m or 0.0)
            case ProfileKind.TRIANGLE:
                return triangle(self.half_base_m or 0.0)
            case ProfileKind.TRAPEZOID:
                return trapezoid(top_m=self.top_m or 0.0, base_m=self.base_m or 0.0)
            case ProfileKind.TABLE:
                return measured(self.offsets_m, self.shares)
            case _:
                return uniform(swath_m)


NEEDS: dict[ProfileKind, tuple[str, ...]] = {
    ProfileKind.UNIFORM: (),
    ProfileKind.GAUSSIAN: ("sigma_m",),
    ProfileKind.TRIANGLE: ("half_base_m",),
    ProfileKind.TRAPEZOID: ("top_m", "base_m"),
    ProfileKind.TABLE: ("offsets_m", "shares"),
}


def laid(
    profile: Profile,
    spacing_m: float,
    at_m: ArrayLike,
    pattern: Pattern = Pattern.BACK_AND_FORTH,
) -> NDArray[np.float64]:
    """Shares per metre summed over endless neighbours, at offsets from one pass's track."""
    at = np.asarray(at_m, dtype=float)
    back = profile.mirrored() if pattern is Pattern.BACK_AND_FORTH else profile
    reach = max(abs(profile.offsets_m[0]), abs(profile.offsets_m[-1]))
    first = math.floor((float(at.min()) - reach) / spacing_m)
    last = math.ceil((float(at.max()) + reach) / spacing_m)
    total = np.zeros_like(at)
    for k in range(first, last + 1):
        total += (back if k % 2 else profile).at(at - k * spacing_m)
    return total


def cv_at_spacing(
    profile: Profile, spacing_m: float, pattern: Pattern = Pattern.BACK_AND_FORTH
) -> float:
    """Coefficient of variation (std over mean) inside a field of passes `spacing_m` apart.

    Exact for piecewise linear shares: between kinks the sum is linear, its square quadratic, and
    two Gauss points integrate both.

    Source: CV over the swath with neighbours on both sides, ISO 24253-1 and ASABE S386.2.
    """
    _require_spacing(spacing_m)
    period = spacing_m * (2 if pattern is Pattern.BACK_AND_FORTH else 1)
    kinks = np.asarray(profile.offsets_m)
    if pattern is Pattern.BACK_AND_FORTH:
        kinks = np.concatenate([kinks, spacing_m - kinks])
    edges = np.unique(np.concatenate([[0.0, period], np.mod(kinks, period)]))
    half = np.diff(edges) / 2
    middle = edges[:-1] + half
    points = np.concatenate([middle - half * _GAUSS_POINT, middle + half * _GAUSS_POINT])
    weights = np.concatenate([half, half])
    total = laid(profile, spacing_m, points, pattern)
    mean = float(np.sum(weights * total)) / period
    return math.sqrt(float(np.sum(weights * (total - mean) ** 2)) / period) / mean


def spacing_for_cv(
    profile: Profile, cv_limit: float, pattern: Pattern = Pattern.BACK_AND_FORTH
) -> float:
    """The widest spacing whose CV is at most `cv_limit` (0 to below 1).

    Wider ones all exceed it; narrower ones need not keep it (half a level swath doubles up).

    Raises
    ------
    PlanError
        For a limit out of range, or one that no spacing of this profile keeps.
    """
    if not 0 <= cv_limit < 1:
        raise PlanError(f"cv_limit must be 0 to below 1, got {cv_limit}")
    corners = np.asarray(profile.offsets_m[:: max(1, len(profile.offsets_m) // 8)])
    kept = np.abs(corners[:, None] - corners[None, :]).ravel()
    grid = np.linspace(0, 2 * profile.base_m, _SEARCH_STEPS + 1)[1:]
    tries = np.unique(np.concatenate([grid, kept[kept > grid[0]]]))[::-1]
    wider = float(tries[0])
    for spacing in map(float, tries):
        if cv_at_spacing(profile, spacing, pattern) <= cv_limit + 1e-9:
            return _bisected(profile, cv_limit, pattern, spacing, wider)
        wider = spacing
    raise PlanError(f"profile: no spacing keeps a CV of {cv_limit}")


def _bisected(
    profile: Profile, cv_limit: float, pattern: Pattern, kept: float, exceeded: float
) -> float:
    for _ in range(40):
        middle = (kept + exceeded) / 2
        if cv_at_spacing(profile, middle, pattern) <= cv_limit + 1e-9:
            kept = middle
        else:
            exceeded = middle
    return kept


def _require_spacing(spacing_m: float) -> None:
    """Raise `PlanError` unless the spacing is a finite number above 0."""
    if not 0 < spacing_m < math.inf:
        raise PlanError(f"spacing_m must be above 0, got {spacing_m}")
