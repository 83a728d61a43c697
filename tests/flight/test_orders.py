from __future__ import annotations

import pytest

from skymist.coverage.errors import PlanError
from skymist.flight.conductor.orders import (
    CONFIRM_S,
    Confirmation,
    Order,
    OrderDesk,
    Verb,
    parse_order,
    parse_timed,
)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("p", Order(verb=Verb.PAUSE)),
        ("  pause heron ", Order(verb=Verb.PAUSE, target="heron")),
        ("c egret", Order(verb=Verb.CONTINUE, target="egret")),
        ("s bins-4", Order(verb=Verb.SKIP, target="bins-4")),
        ("h", Order(verb=Verb.HOME)),
        ("HOME heron", Order(verb=Verb.HOME, target="heron")),
        ("stop", Order(verb=Verb.STOP)),
        ("w 6.5", Order(verb=Verb.WIND, target="6.5")),
    ],
)
def test_words_become_an_order(text: str, order: Order) -> None:
    assert parse_order(text) == order
    assert parse_order(str(order)) == order


@pytest.mark.parametrize(
    "text", ["", "x", "s", "skip a b", "stop now", "w", "w x", "w nan", "w -1"]
)
def test_other_words_are_refused_with_what_was_wanted(text: str) -> None:
    with pytest.raises(PlanError, match="wanted"):
        parse_order(text)


def test_a_timed_order() -> None:
    assert parse_timed("120:pause:heron") == (
        120.0,
        Order(verb=Verb.PAUSE, target="heron", by="script"),
    )
    assert parse_timed("0.5:stop")[0] == 0.5


@pytest.mark.parametrize("text", ["", "pause", ":pause", "-1:p", "nan:p", "1e9:p", "10", "10:x"])
def test_a_timed_order_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="wanted"):
        parse_timed(text)


def test_stop_needs_a_second_time_soon() -> None:
    asked = Confirmation()
    assert not asked.ask(0.0)
    assert asked.ask(CONFIRM_S)
    assert not asked.ask(CONFIRM_S + 1.0)  # a third is a first again
    assert not asked.ask(2 * CONFIRM_S + 2.0)


def test_the_desk_is_open_while_someone_may_tell() -> None:
    desk = OrderDesk()
    assert not desk.is_open
    desk.opened()
    desk.opened()
    desk.closed()
    assert desk.is_open
    desk.closed()
    assert not desk.is_open
    desk.put(Order(verb=Verb.HOME))
    assert desk.is_open  # what was given is still to be done
