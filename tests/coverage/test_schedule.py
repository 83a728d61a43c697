"""Start times against positions worked out second by second."""

import itertools

import numpy as np

from skymist.coverage.drones import Drone, DroneModel, Sprayer
from skymist.coverage.energy import sortie_cost
from skymist.coverage.plan import Pass, PassKind, Sortie, Transit
from skymist.coverage.schedule import schedule, trajectory
from skymist.coverage.site import Policy

MODEL = DroneModel(
    id="hexa",
    name="hexacopter",
    sprayer=Sprayer(tank_l=16, flow_min_lps=0.025, flow_max_lps=0.083, swath_m=4),
    body_m=2.4,
    dry_kg=20,
    endurance_empty_s=960,
    endurance_full_s=480,
    battery_wh=977,
)


def crossing(drone: Drone, number: int, start: tuple[float, float]) -> Sortie:
    """Over the same ten metres in the middle, from the drone's own pad and back."""
    x, y = start
    legs = (
        Transit(path=((x, y, 3), (x, y, 8), (0, 0, 8), (0, 0, 3)), speed_mps=5),
        Pass(
            spot_id="bin",
            kind=PassKind.RUN,
            path=((0.0, 0.0), (10.0, 0.0)),
            above_home_m=3,
            speed_mps=0.5,
            flow_lps=0.083,
            swath_m=4,
        ),
        Transit(path=((10, 0, 3), (10, 0, 8), (x, y, 8), (x, y, 3)), speed_mps=5),
    )
    cost = sortie_cost(legs, MODEL, 3.0)
    return Sortie(
        id=f"{drone.id}-{number}",
        drone_id=drone.id,
        pad_id=drone.pad_id,
        agent_id="a",
        legs=legs,
        litres_l=cost.litres_l,
        battery_frac=0.3,
        start_s=0.0,
        duration_s=cost.duration_s,
    )


def test_drones_that_share_a_spot_never_come_near() -> None:
    drones = [Drone(id=f"d{i}", model=MODEL, pad_id=f"p{i}") for i in range(3)]
    pads = [(60.0, 0.0), (-60.0, 0.0), (0.0, 60.0)]
    policy = Policy(separation_m=10)
    wanted = {
        d.id: [crossing(d, n, pad) for n in range(4)] for d, pad in zip(drones, pads, strict=True)
    }
    sorties = schedule(wanted, {d.id: MODEL for d in drones}, policy)
    assert len(sorties) == 12
    tracks = {s.id: (round(s.start_s), trajectory(s, MODEL)) for s in sorties}
    pairs = 0
    for a, b in itertools.combinations(sorties, 2):
        if a.drone_id == b.drone_id:
            assert b.start_s >= a.start_s + a.duration_s + policy.refill_s
            continue
        (start_a, path_a), (start_b, path_b) = tracks[a.id], tracks[b.id]
        for second in range(
            max(start_a, start_b), min(start_a + len(path_a), start_b + len(path_b))
        ):
            gap = np.linalg.norm(path_a[second - start_a] - path_b[second - start_b])
            assert gap >= 10, f"{a.id} and {b.id} at {second} s"
            pairs += 1
    assert pairs > 100


def test_batteries_are_swapped_before_the_reserve_is_touched() -> None:
    drone = Drone(id="d", model=MODEL, pad_id="p")
    wanted = {"d": [crossing(drone, n, (60.0, 0.0)) for n in range(7)]}
    sorties = schedule(wanted, {"d": MODEL}, Policy(reserve_frac=0.25))
    assert [s.swap_before for s in sorties] == [False, False, True, False, True, False, True]
    assert [s.refill_before for s in sorties] == [False] + [True] * 6
