"""How planning grows with the site: by counts, which no busy machine changes."""

import pytest

from skymist.coverage.airways import Airways
from skymist.coverage.dosemap import CELL_M
from skymist.coverage.plan import Plan, Transit
from skymist.coverage.planning import plan_site
from skymist.coverage.plots import COARSE_M, planned_dose
from tests import checks
from tests.benchmarks.district import district


def planned(num_spots: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, int]:
    """A district's plan, and how many true ways were looked for."""
    asked: list[object] = []
    transit = Airways.transit

    def counted(self: Airways, *ends: tuple[float, float, float]) -> Transit:
        asked.append(ends)
        return transit(self, *ends)

    with monkeypatch.context() as patched:
        patched.setattr(Airways, "transit", counted)
        plan = plan_site(district(num_spots, num_drones=max(1, num_spots // 100), seed=5))
    return plan, len(asked)


@pytest.mark.slow
def test_true_ways_are_looked_for_by_the_sortie_not_by_the_trial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large, asked = planned(400, monkeypatch)
    num_legs = sum(len(sortie.legs) for sortie in large.sorties)
    # 1.3 were seen; with true costs for every trial it was above 5.
    assert asked < 2.5 * num_legs
    checks.assert_lawful_plan(large)
    dose = [planned_dose(large, cell_m) for cell_m in (CELL_M, COARSE_M)]
    assert dose[0].litres_l == pytest.approx(dose[1].litres_l)
    assert dose[1].num_bytes < dose[0].num_bytes
