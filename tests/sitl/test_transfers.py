"""Every state of a desk, every message; then both kinds of store."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from skymist.sitl.items import (
    Command,
    Item,
    MissionResult,
    MissionType,
    store_fence_item,
    store_item,
)
from skymist.sitl.stores import FENCE_CAPACITY, MISSION_CAPACITY, MissionStore, PieceStore
from skymist.sitl.transfers import (
    GIVE_UP_S,
    REPEAT_S,
    Ack,
    Answer,
    Count,
    Desk,
    Peer,
    Request,
    Sent,
)

GCS, OTHER = Peer(255, 190, 1), Peer(254, 190, 2)


def item(seq: int, command: int = Command.NAV_WAYPOINT, **fields: float) -> Item:
    return Item(seq=seq, command=command, lat_e7=600_000_000 + seq, lon_e7=250_000_000, **fields)  # type: ignore[arg-type]


def desk(num_items: int = 0) -> tuple[Desk, MissionStore]:
    store = MissionStore()
    for seq in range(num_items):
        store.put(item(seq), num_items)
    return Desk(store, store_item), store


def essence(answers: list[Answer]) -> list[tuple[str, object]]:
    """Kind and content of the answers, texts left out."""
    kinds: list[tuple[str, object]] = []
    for answer in answers:
        match answer:
            case Request(_, seq):
                kinds.append(("request", seq))
            case Ack(_, result):
                kinds.append(("ack", result))
            case Count(_, count):
                kinds.append(("count", count))
            case Sent(_, sent):
                kinds.append(("item", sent.seq))
    return kinds


def receiving(at: int = 0) -> tuple[Desk, MissionStore]:
    """Three items were there; an upload of four is under way, `at` of them arrived."""
    table, store = desk(3)
    table.count(GCS, 4, 0.0)
    for seq in range(at):
        table.item(GCS, item(seq), 0.0)
    return table, store


R = MissionResult
Step = Callable[[Desk], list[Answer]]
IDLE: list[tuple[str, Step, list[tuple[str, object]]]] = [
    ("count", lambda d: d.count(GCS, 2, 1), [("request", 0)]),
    ("count 0", lambda d: d.count(GCS, 0, 1), [("ack", R.ACCEPTED)]),
    ("count too many", lambda d: d.count(GCS, MISSION_CAPACITY + 1, 1), [("ack", R.NO_SPACE)]),
    ("count too early", lambda d: d.count(GCS, 2, 0.5, age_s=0.5), [("ack", R.NO_SPACE)]),
    ("item", lambda d: d.item(GCS, item(0), 1), [("ack", R.ERROR)]),
    ("list", lambda d: d.request_list(GCS), [("count", 3)]),
    ("request", lambda d: d.request(GCS, 2), [("item", 2)]),
    ("home", lambda d: d.request(GCS, 0), [("item", 0)]),
    ("request past end", lambda d: d.request(GCS, 3), [("count", 3), ("ack", R.INVALID_SEQUENCE)]),
    (
        "old request past end",
        lambda d: d.request(GCS, 3, as_float=True),
        [("ack", R.INVALID_SEQUENCE)],
    ),
    ("clear", lambda d: d.clear(GCS), [("ack", R.ACCEPTED)]),
    ("partial", lambda d: d.write_partial(GCS, 1, 2, 1), [("request", 1)]),
    ("partial past end", lambda d: d.write_partial(GCS, 2, 9, 1), [("ack", R.ERROR)]),
    ("tick", lambda d: d.tick(100), []),
]
BUSY: list[tuple[str, Step, list[tuple[str, object]]]] = [
    ("next item", lambda d: d.item(GCS, item(1), 1), [("request", 2)]),
    ("duplicate", lambda d: d.item(GCS, item(0), 1), [("ack", R.INVALID_SEQUENCE)]),
    ("gap", lambda d: d.item(GCS, item(3), 1), [("ack", R.INVALID_SEQUENCE)]),
    ("foreign item", lambda d: d.item(OTHER, item(1), 1), [("ack", R.DENIED)]),
    ("bad item", lambda d: d.item(GCS, item(1, 9999), 1), [("ack", R.UNSUPPORTED)]),
    ("count anew", lambda d: d.count(GCS, 2, 1), [("request", 0)]),
    ("foreign count", lambda d: d.count(OTHER, 2, 1), [("ack", R.DENIED)]),
    ("list", lambda d: d.request_list(OTHER), [("ack", R.DENIED)]),
    ("request", lambda d: d.request(OTHER, 1), [("ack", R.DENIED)]),
    ("clear", lambda d: d.clear(GCS), [("ack", R.ACCEPTED)]),
    ("foreign clear", lambda d: d.clear(OTHER), [("ack", R.DENIED)]),
    ("partial", lambda d: d.write_partial(GCS, 0, 1, 1), [("ack", R.DENIED)]),
    ("tick soon", lambda d: d.tick(REPEAT_S), []),
    ("tick later", lambda d: d.tick(REPEAT_S + 0.1), [("request", 1)]),
    ("tick too late", lambda d: d.tick(GIVE_UP_S + 0.1), [("ack", R.OPERATION_CANCELLED)]),
]


@pytest.mark.parametrize(("name", "step", "expected"), IDLE, ids=[row[0] for row in IDLE])
def test_idle(name: str, step: Step, expected: list[tuple[str, object]]) -> None:
    table, _ = desk(3)
    assert essence(step(table)) == expected


@pytest.mark.parametrize(("name", "step", "expected"), BUSY, ids=[row[0] for row in BUSY])
def test_receiving(name: str, step: Step, expected: list[tuple[str, object]]) -> None:
    table, _ = receiving(1)
    assert essence(step(table)) == expected


def test_whole_upload_is_accepted_and_kept() -> None:
    table, store = desk()
    answers = table.count(GCS, 3, 0.0)
    for seq in range(3):
        assert essence(answers) == [("request", seq)]
        answers = table.item(GCS, item(seq), 0.0)
    assert essence(answers) == [("ack", R.ACCEPTED)]
    assert [i.lat_e7 for i in store.items()] == [600_000_000 + i for i in range(3)]
    assert not table.is_receiving


def test_a_broken_upload_leaves_new_items_before_old_ones() -> None:
    table, store = desk()
    for seq in range(5):
        store.put(Item(seq=seq, command=Command.NAV_WAYPOINT, lat_e7=1), 5)
    table.count(GCS, 4, 0.0)
    table.item(GCS, item(0), 0.0)
    table.item(GCS, item(1), 0.0)
    table.tick(GIVE_UP_S + 1)
    assert [i.lat_e7 == 1 for i in store.items()] == [False, False, True, True]


def test_a_wrong_sequence_does_not_end_the_transfer() -> None:
    table, _ = receiving(1)
    table.item(GCS, item(3), 0.5)
    table.item(GCS, item(0), 0.5)
    assert essence(table.item(GCS, item(1), 0.5)) == [("request", 2)]


@pytest.mark.parametrize("seq", range(4))
def test_a_refused_item_ends_the_transfer_wherever_it_comes(seq: int) -> None:
    table, _ = receiving(seq)
    assert essence(table.item(GCS, item(seq, 31_999), 0.0)) == [("ack", R.UNSUPPORTED)]
    assert not table.is_receiving
    assert essence(table.item(GCS, item(seq), 0.0)) == [("ack", R.ERROR)]


def test_no_items_ask_again_each_second_then_give_up_after_eight() -> None:
    table, _ = receiving(0)
    asked = cancelled = 0
    for tenth in range(1, 120):
        for kind, content in essence(table.tick(tenth / 10)):
            asked += kind == "request"
            cancelled += content == R.OPERATION_CANCELLED
    assert asked == 7
    assert cancelled == 1


def fence_desk() -> tuple[Desk, PieceStore]:
    store = PieceStore(MissionType.FENCE, FENCE_CAPACITY)
    return Desk(store, store_fence_item), store


def vertex(seq: int, num: int = 3) -> Item:
    return item(seq, Command.FENCE_POLYGON_INCLUSION, p1=num)


def test_a_fence_is_kept_in_one_piece_or_not_at_all() -> None:
    table, store = fence_desk()
    table.count(GCS, 3, 0.0)
    for seq in range(3):
        assert len(store.items()) == 0
        answers = table.item(GCS, vertex(seq), 0.0)
    assert essence(answers) == [("ack", R.ACCEPTED)]
    assert len(store.items()) == 3
    table.count(GCS, 4, 1.0)
    table.item(GCS, vertex(0, 4), 1.0)
    table.tick(1.0 + GIVE_UP_S + 1)
    assert len(store.items()) == 3


def test_a_polygon_with_corners_missing_is_refused_as_a_whole() -> None:
    table, store = fence_desk()
    table.count(GCS, 3, 0.0)
    table.item(GCS, vertex(0, 4), 0.0)
    table.item(GCS, vertex(1, 4), 0.0)
    assert essence(table.item(GCS, vertex(2, 4), 0.0)) == [("ack", R.ERROR)]
    assert len(store.items()) == 0


def test_clearing_a_mission_that_is_flown_is_refused() -> None:
    table, store = desk(3)
    store.may_clear = lambda: False
    assert essence(table.clear(GCS)) == [("ack", R.ERROR)]
    assert len(store) == 3


@pytest.mark.parametrize(("target", "result"), [(0, R.ERROR), (4, R.ERROR), (2, R.ACCEPTED)])
def test_a_jump_must_lead_into_the_mission(target: int, result: MissionResult) -> None:
    table, _ = desk()
    table.count(GCS, 4, 0.0)
    for seq in range(3):
        table.item(GCS, item(seq), 0.0)
    jump = Item(seq=3, command=Command.DO_JUMP, p1=target, p2=1)
    assert essence(table.item(GCS, jump, 0.0)) == [("ack", result)]
