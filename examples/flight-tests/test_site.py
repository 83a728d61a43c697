"""Flight tests of a site: `pytest` flies its whole plan in seconds, on simulated drones."""

from importlib.resources import files

SITE = files("skymist.missions") / "data" / "demo" / "site.yaml"  # put your own site file here


def test_every_spot_gets_its_dose(rehearsal):
    flown = rehearsal(SITE)
    flown.assert_done()
    assert flown.report["totals"]["dosed_frac"] > 0.95
    assert flown.report["totals"]["no_spray_m2"] == 0


def test_a_stuck_pump_is_told(rehearsal):
    assert "pump_stuck" in rehearsal(SITE, faults=["heron:pump-stuck@60+60"]).alerts
