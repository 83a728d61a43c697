"""When the wind forbids spraying, and when it allows it again. Pure; `safety.standstill` acts.

The wind is what the vehicles estimate (WIND) and what a person measures and gives; the strongest
that is fresh counts. A steady wind is judged by its mean, gusts by the strongest of some seconds.
"""

from __future__ import annotations

from collections import deque

MEAN_S = 20.0
"""Over so long the mean is taken. Proposal."""
GUST_SHARE = 1.5
"""Gusts up to so many times the policy's limit are borne. Proposal."""
GUST_S = 10.0
"""The strongest of so many seconds is the gust. Proposal."""
GOOD_SHARE = 0.8
"""Spraying begins again below this share of both limits. Proposal."""
CALM_S = 60.0
"""And only after so long below. Proposal."""
FRESH_S = 15.0
"""A vehicle's wind that is older is none."""
NOISE_MPS = 0.1


class WindWatch:
    """The wind over one operation; `reason` is empty while spraying is allowed."""

    def __init__(self, max_mps: float) -> None:
        self._max_mps = max_mps
        self._heard: dict[str, deque[tuple[float, float]]] = {}
        self._given_mps: float | None = None
        self._calm_since_s: float | None = None
        self.reason = ""

    def give(self, speed_mps: float) -> None:
        """A person's measurement; it holds until the next one."""
        self._given_mps = speed_mps

    def hear(self, drone_id: str, speed_mps: float, at_s: float) -> None:
        """A vehicle's estimate; the same one again, by its time, is passed over."""
        heard = self._heard.setdefault(drone_id, deque())
        if heard and heard[-1][0] >= at_s:
            return
        heard.append((at_s, speed_mps))
        while heard and heard[0][0] < at_s - MEAN_S:
            heard.popleft()

    def judge(self, now_s: float) -> str:
        """Why nothing may be sprayed now; empty where it may. Call about once a second."""
        mean_mps, gust_mps = self._strongest(now_s)
        limit_mps, gust_limit_mps = self._max_mps, GUST_SHARE * self._max_mps
        if mean_mps > limit_mps + NOISE_MPS:
            self.reason = f"wind {mean_mps:.1f} m/s, above {limit_mps:g} m/s"
        elif gust_mps > gust_limit_mps + NOISE_MPS:
            self.reason = f"gusts of {gust_mps:.1f} m/s, above {gust_limit_mps:g} m/s"
        is_good = mean_mps <= GOOD_SHARE * limit_mps and gust_mps <= GOOD_SHARE * gust_limit_mps
        if not is_good:
            self._calm_since_s = None
        elif self._calm_since_s is None:
            self._calm_since_s = now_s
        if self._calm_since_s is not None and now_s - self._calm_since_s >= CALM_S:
            self.reason = ""
        return self.reason

    def _strongest(self, now_s: float) -> tuple[float, float]:
        """Mean and gust in m/s: the largest of what is fresh; 0 where nothing is known."""
        means, gusts = [self._given_mps or 0.0], [self._given_mps or 0.0]
        for heard in self._heard.values():
            if not heard or now_s - heard[-1][0] > FRESH_S:
                continue
            speeds = [speed for _, speed in heard]
            means.append(sum(speeds) / len(speeds))
            gusts.append(max(speed for at_s, speed in heard if now_s - at_s <= GUST_S + FRESH_S))
        return max(means), max(gusts)
