"""What disturbs the flight: wind that pushes off the track, a GPS that is not quite right.

The autopilot holds its own estimate on the track. What it takes for true differs from what is
true by the GPS error; the wind's push shows in both.
"""

from __future__ import annotations

import math
import random

PUSH_M_PER_MPS = 0.03
"""Steady offset from the track per m/s of wind, as the position controller leaves it."""
_GUST_S, _NOISE_S = 4.0, 20.0


class Air:
    """Wind and GPS error, by seed. Wind blows towards `toward_rad`, left from east."""

    def __init__(self, seed: int, gps_noise_m: float = 0.0) -> None:
        self._random = random.Random(seed)
        self.gps_noise_m = gps_noise_m
        self.wind_mps = 0.0
        self.toward_rad = 0.0
        self.gust_frac = 0.3
        self._gust_x = self._gust_y = 0.0
        self.error_x = self.error_y = 0.0
        self.push_x = self.push_y = 0.0

    @property
    def is_still(self) -> bool:
        """Whether nothing disturbs."""
        return self.wind_mps == 0 and self.gps_noise_m == 0

    @property
    def wind(self) -> tuple[float, float]:
        """The wind of now with its gust: metres per second towards east and north."""
        if self.wind_mps == 0:
            return 0.0, 0.0
        east = self.wind_mps * math.cos(self.toward_rad) + self._gust_x
        return east, self.wind_mps * math.sin(self.toward_rad) + self._gust_y

    def advance(self, dt: float) -> None:
        """Let gusts and errors wander for `dt` seconds."""
        gauss = self._random.gauss
        if self.wind_mps > 0:
            keep = math.exp(-dt / _GUST_S)
            kick = self.wind_mps * self.gust_frac * math.sqrt(1 - keep * keep)
            self._gust_x = self._gust_x * keep + kick * gauss(0, 1)
            self._gust_y = self._gust_y * keep + kick * gauss(0, 1)
            east = self.wind_mps * math.cos(self.toward_rad) + self._gust_x
            north = self.wind_mps * math.sin(self.toward_rad) + self._gust_y
            lag = 1 - math.exp(-dt)
            self.push_x += (east * PUSH_M_PER_MPS - self.push_x) * lag
            self.push_y += (north * PUSH_M_PER_MPS - self.push_y) * lag
        elif self.push_x or self.push_y:
            self.push_x = self.push_y = 0.0
        if self.gps_noise_m > 0:
            keep = math.exp(-dt / _NOISE_S)
            kick = self.gps_noise_m * math.sqrt(1 - keep * keep)
            self.error_x = self.error_x * keep + kick * gauss(0, 1)
            self.error_y = self.error_y * keep + kick * gauss(0, 1)

    def drift(self, dt: float) -> tuple[float, float]:
        """Metres that the wind carries a copter without position hold in `dt` seconds."""
        way = self.wind_mps * dt
        return way * math.cos(self.toward_rad), way * math.sin(self.toward_rad)
