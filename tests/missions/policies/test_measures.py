"""Measures that search, against brute force."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from skymist.coverage.site import LevelName, Receptor
from skymist.missions.policies.of_site import MEASURES
from tests.missions.test_checks import CALM, spot

PLACE = st.tuples(st.integers(-1500, 1500), st.integers(-1500, 1500))


@settings(max_examples=60, deadline=None)
@given(
    spots=st.lists(st.tuples(PLACE, st.sampled_from(list(LevelName))), max_size=8),
    receptors=st.lists(PLACE, max_size=6),
)
def test_nearest_flown_spot_of_each_sensitive_place(
    spots: list[tuple[tuple[int, int], LevelName]], receptors: list[tuple[int, int]]
) -> None:
    site = replace(
        CALM,
        spots=tuple(
            spot(f"s{k}", zone_id="z", shape=Point(place), radius_m=3, level=level)
            for k, (place, level) in enumerate(spots)
        ),
        receptors=tuple(
            Receptor(id=f"r{k}", shape=Point(place), kind="pond")
            for k, place in enumerate(receptors)
        ),
    )
    flown = [one for one in site.spots if one.level is not LevelName.GREEN]
    expected = {}
    for receptor in site.receptors:
        apart = [(one.area.distance(receptor.shape), one.id) for one in flown]
        if apart and min(apart)[0] <= 1000:
            expected[receptor.id] = min(apart)
    found = {r.subjects[0]: (r.value, r.subjects[1]) for r in MEASURES["receptor_m"](site)}
    assert set(found) == set(expected)
    for key, (metres, _) in expected.items():
        value, spot_id = found[key]
        assert abs(float(value) - metres) < 1e-6  # type: ignore[arg-type]
        near = next(one for one in flown if one.id == spot_id)
        assert abs(near.area.distance(site.receptors[int(key[1:])].shape) - metres) < 1e-6
