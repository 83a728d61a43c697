"""Work shared out among crews, against every single move."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skymist.coverage.stations import evened_out


@given(
    st.lists(st.tuples(st.floats(1, 100), st.floats(1, 100)), min_size=1, max_size=7),
    st.integers(1, 3),
    st.integers(1, 3),
    st.data(),
)
def test_no_single_move_helps_the_busiest(
    works: list[tuple[float, float]], first: int, second: int, data: st.DataObject
) -> None:
    seconds, counts = np.array(works), np.array([float(first), float(second)])
    start = np.array(
        data.draw(st.lists(st.integers(0, 1), min_size=len(works), max_size=len(works)))
    )

    def ends(picked: tuple[int, ...]) -> float:
        return max(
            sum(seconds[k, m] for k, m in enumerate(picked) if m == crew) / counts[crew]
            for crew in (0, 1)
        )

    got = tuple(evened_out(seconds, counts, start).tolist())
    assert ends(got) <= ends(tuple(start.tolist())) + 1e-9
    for k in range(len(got)):
        moved = (*got[:k], 1 - got[k], *got[k + 1 :])
        assert ends(moved) >= ends(got) * (1 - 1e-5)
