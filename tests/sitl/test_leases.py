from __future__ import annotations

import socket

import pytest

from skymist.sitl.leases import NoInstance, lease

SOME = range(150, 156)


def test_two_leases_never_meet() -> None:
    with lease(SOME) as one, lease(SOME) as two:
        assert one.instance != two.instance
        assert abs(one.port - two.port) >= 10


def test_a_lease_given_back_is_free() -> None:
    with lease(SOME) as one:
        pass
    with lease(SOME) as two:
        assert one.instance == two.instance


def test_a_port_in_use_by_others_is_passed_over() -> None:
    with lease(SOME) as one:
        taken = one.port
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", taken))
        squatter.listen(1)
        with lease(SOME) as two:
            assert two.port != taken


def test_none_left() -> None:
    with lease(range(150, 151)), pytest.raises(NoInstance, match="none of 1"):
        lease(range(150, 151))
