"""`.param` files: pymavlink reads them, and the copter's own names for the values are met."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymavlink.mavparm import MAVParmDict

from skymist.coverage.planning import plan_site
from skymist.missions.compile import compile_plan
from skymist.missions.formats.param_file import param_files
from skymist.missions.site import read_site
from skymist.sitl.params import Firmware, Params
from tests.sitl.ground import drone

DEMO = Path(__file__).resolve().parents[3] / "missions" / "data" / "demo" / "site.yaml"


@pytest.mark.parametrize(
    ("generation", "firmwares"),
    [("4.6", (Firmware.V4_5, Firmware.V4_6)), ("4.7", (Firmware.V4_7,))],
)
def test_every_line_is_known_to_its_firmware(
    generation: str, firmwares: tuple[Firmware, ...], tmp_path: Path
) -> None:
    for mission in compile_plan(plan_site(read_site(DEMO))).values():
        path = tmp_path / "a.param"
        path.write_text(dict(param_files(mission))[generation])
        loaded = MAVParmDict()
        assert loaded.load(str(path))
        assert len(loaded) == len(mission.parameters)
        for firmware in firmwares:
            params = Params.of(drone(), firmware)
            for name, value in loaded.items():
                answer = params.set(name, value)
                assert answer is not None, f"{firmware.value} has no {name}"
                assert answer.value == pytest.approx(value, rel=1e-6)
            assert params["WP_SPD"] == pytest.approx(mission.parameters["wp_speed_mps"])
            assert params["RTL_ALT_M"] == pytest.approx(mission.parameters["rtl_altitude_m"])
            assert params["SPRAY_SPEED_MIN"] == pytest.approx(
                100 * mission.parameters["spray_speed_min_mps"]
            )
