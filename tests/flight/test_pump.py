from __future__ import annotations

import pytest

from skymist.flight.errors import VehicleRefused, VehicleSilent
from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.telemetry import PumpServo
from skymist.flight.safety.pump import SERVO_FUNCTIONS, pump_channel, read_pump_servo
from tests.flight.scripted import FakeLink, ScriptedVehicle, fly

PARAMS = {
    "SERVO9_FUNCTION": (22.0, 4),
    "SERVO9_MIN": (1000.0, 4),
    "SERVO9_MAX": (2000.0, 4),
    "SERVO9_REVERSED": (0.0, 2),
}


def read(params: dict[str, tuple[float, int]]) -> PumpServo:
    async def main() -> PumpServo:
        link = FakeLink()
        vehicle = ScriptedVehicle(link)
        vehicle.params = params
        async with Channel(link) as channel:
            return await read_pump_servo(channel.vehicle(1))

    return fly(main())


def test_the_pulses_are_the_vehicles_own() -> None:
    assert read(dict(PARAMS)) == PumpServo(channel=9, off_us=1000, full_us=2000)
    turned = read({**PARAMS, "SERVO9_REVERSED": (1.0, 2)})
    assert turned == PumpServo(channel=9, off_us=2000, full_us=1000)


@pytest.mark.parametrize("name", ["SERVO9_MIN", "SERVO9_MAX", "SERVO9_REVERSED"])
def test_a_pulse_that_is_not_told_is_never_guessed(name: str) -> None:
    params = {key: value for key, value in PARAMS.items() if key != name}
    with pytest.raises(VehicleSilent, match=name):
        read(params)


def test_no_pump_at_all() -> None:
    with pytest.raises(VehicleRefused, match="function 22"):
        read({**PARAMS, "SERVO9_FUNCTION": (0.0, 4)})
    assert pump_channel(dict.fromkeys(SERVO_FUNCTIONS, 22.0)) == 1
    assert pump_channel({}) is None
