from __future__ import annotations

import asyncio
from typing import Any

import pytest

from skymist.flight.mavlink.channel import Channel
from skymist.flight.mavlink.messages import (
    CommandAck,
    MissionAck,
    MissionClearAll,
    MissionCount,
    MissionItem,
    MissionKind,
    MissionRequest,
    MissionRequestList,
    MissionResult,
)
from skymist.flight.protocols.conversation import play
from skymist.flight.protocols.mission_protocol import (
    CONFIRM_S,
    COUNT_TIMEOUT_S,
    DENIED_PAUSE_S,
    ITEM_TIMEOUT_S,
    NUM_COUNT_TRIES,
    NUM_ITEM_TRIES,
    REPEAT_S,
    STALL_S,
    WINDOW,
    Clear,
    Download,
    State,
    Upload,
)
from skymist.flight.protocols.verify import compare, list_of
from skymist.missions.items import Item
from tests.flight.scripted import FakeLink, ScriptedVehicle, fly, sortie, waypoint

MISSION = MissionKind.MISSION
ITEMS = tuple(waypoint(num) for num in range(3))


def ack(result: MissionResult, kind: MissionKind = MISSION) -> MissionAck:
    return MissionAck(kind=kind, result=result)


def request(seq: int, kind: MissionKind = MISSION, *, is_int: bool = True) -> MissionRequest:
    return MissionRequest(kind=kind, seq=seq, is_int=is_int)


def give_all(upload: Upload, now_s: float) -> None:
    """The vehicle asks for the items after the first."""
    for seq in (1, 2):
        assert upload.receive(request(seq), now_s)


def upload_in(state: State) -> Upload:
    """An upload of three items that stands in a state; time is 10 s."""
    upload = Upload(MISSION, ITEMS)
    if state is State.IDLE:
        return upload
    upload.start(10.0)
    if state is State.OFFERED:
        return upload
    if state is State.PAUSED:
        upload.receive(ack(MissionResult.DENIED), 10.0)
        return upload
    if state is State.REFUSED:
        upload.receive(ack(MissionResult.UNSUPPORTED), 10.0)
        return upload
    if state is State.SILENT:
        for _ in range(NUM_COUNT_TRIES):
            upload.tick(upload.deadline_s)
        return upload
    upload.receive(request(0), 10.0)
    if state is State.SENDING:
        return upload
    give_all(upload, 10.0)
    result = MissionResult.ACCEPTED if state is State.ACCEPTED else MissionResult.ERROR
    upload.receive(ack(result), 10.0)
    return upload


UPLOAD_STATES = (
    State.IDLE,
    State.OFFERED,
    State.SENDING,
    State.PAUSED,
    State.ACCEPTED,
    State.REFUSED,
    State.UNCONFIRMED,
    State.SILENT,
)
MESSAGES: tuple[Any, ...] = (
    *(ack(result) for result in MissionResult),
    *(ack(result, MissionKind.FENCE) for result in MissionResult),
    *(request(seq) for seq in (0, 1, 2, 3, 65535)),
    request(1, is_int=False),
    request(0, MissionKind.FENCE),
    MissionCount(kind=MISSION, count=0),
    MissionCount(kind=MISSION, count=2),
    MissionCount(kind=MissionKind.RALLY, count=2),
    MissionItem(kind=MISSION, seq=0, item=ITEMS[0]),
    MissionItem(kind=MISSION, seq=900, item=ITEMS[0]),
    CommandAck(command=400, result=0),
)

R = MissionResult
_AFTER_ACK = {
    State.OFFERED: {
        R.ACCEPTED: State.OFFERED,
        R.ERROR: State.PAUSED,
        R.NO_SPACE: State.PAUSED,
        R.DENIED: State.PAUSED,
        R.INVALID_SEQUENCE: State.OFFERED,
        R.OPERATION_CANCELLED: State.OFFERED,
    },
    State.SENDING: {
        R.ACCEPTED: State.SENDING,
        R.ERROR: State.PAUSED,
        R.NO_SPACE: State.REFUSED,
        R.DENIED: State.PAUSED,
        R.INVALID_SEQUENCE: State.SENDING,
        R.OPERATION_CANCELLED: State.PAUSED,
    },
}


_WANTED = {State.OFFERED: (0,), State.SENDING: (0, 1)}


@pytest.mark.parametrize("message", MESSAGES, ids=str)
@pytest.mark.parametrize("state", UPLOAD_STATES)
def test_upload_every_state_every_message(state: State, message: Any) -> None:
    upload = upload_in(state)
    assert upload.state is state
    sent = upload.receive(message, 11.0)
    match message:
        case MissionAck(kind=MissionKind.MISSION, result=result) if state in _AFTER_ACK:
            assert upload.state is _AFTER_ACK[state].get(result, State.REFUSED)
            assert sent == ()
        case MissionRequest(kind=MissionKind.MISSION, seq=seq) if seq in _WANTED.get(state, ()):
            assert upload.state is State.SENDING
            assert sent == (MissionItem(kind=MISSION, seq=seq, item=ITEMS[seq]),)
        case _:
            assert upload.state is state
            assert sent == ()


@pytest.mark.parametrize("result", MissionResult, ids=lambda r: r.name)
def test_upload_every_result_after_the_last_item(result: MissionResult) -> None:
    upload = upload_in(State.SENDING)
    give_all(upload, 10.5)
    upload.receive(ack(result), 11.0)
    assert upload.state is {
        R.ACCEPTED: State.ACCEPTED,
        R.ERROR: State.UNCONFIRMED,
        R.INVALID_SEQUENCE: State.SENDING,
        R.OPERATION_CANCELLED: State.PAUSED,
        R.DENIED: State.PAUSED,
    }.get(result, State.REFUSED)
    if upload.state is State.REFUSED:
        assert (upload.result, upload.seq) == (result, 2)


def test_upload_answers_an_echo_once_and_a_repeat_again() -> None:
    upload = upload_in(State.SENDING)
    assert upload.receive(request(0), 10.0 + REPEAT_S / 2) == ()
    assert len(upload.receive(request(0), 11.0)) == 1


def test_late_requests_do_not_hide_the_last_word() -> None:
    upload = upload_in(State.SENDING)
    give_all(upload, 11.0)
    assert upload.receive(request(1), 11.1) == ()
    assert upload.receive(request(0), 12.0) == ()
    upload.receive(ack(R.ACCEPTED), 12.1)
    assert upload.state is State.ACCEPTED


def test_an_upload_that_another_began_is_not_fed() -> None:
    upload = upload_in(State.OFFERED)
    assert upload.receive(request(2), 10.1) == ()
    assert upload.state is State.OFFERED
    assert len(upload.receive(request(0), 10.2)) == 1


def test_upload_offers_again_then_falls_silent() -> None:
    upload = Upload(MISSION, ITEMS)
    offers = len(upload.start(0.0))
    assert upload.tick(COUNT_TIMEOUT_S / 2) == ()
    while not upload.is_done:
        offers += len(upload.tick(upload.deadline_s))
    assert (upload.state, offers) == (State.SILENT, NUM_COUNT_TRIES)
    assert upload.deadline_s == COUNT_TIMEOUT_S * NUM_COUNT_TRIES


def test_upload_without_the_last_word_is_not_confirmed() -> None:
    upload = upload_in(State.SENDING)
    give_all(upload, 20.0)
    assert upload.tick(20.0 + CONFIRM_S) == ()
    assert upload.state is State.UNCONFIRMED


def test_upload_that_stalls_starts_again_three_times() -> None:
    upload = Upload(MISSION, ITEMS)
    upload.start(0.0)
    now = 0.0
    for _ in range(4):
        upload.receive(request(0), now)
        now += STALL_S
        upload.tick(now)
        if upload.is_done:
            break
        now = upload.deadline_s
        assert upload.tick(now) == (MissionCount(kind=MISSION, count=3),)
    assert (upload.state, upload.num_starts, upload.seq) == (State.SILENT, 4, 0)


@pytest.mark.parametrize(("result", "starts"), [(R.NO_SPACE, 4), (R.DENIED, 6), (R.ERROR, 4)])
def test_upload_gives_up_what_does_not_pass(result: MissionResult, starts: int) -> None:
    upload = Upload(MISSION, ITEMS)
    upload.start(0.0)
    while not upload.is_done:
        upload.receive(ack(result), upload.deadline_s)
        upload.tick(upload.deadline_s)
    assert (upload.state, upload.result, upload.num_starts) == (State.REFUSED, result, starts)


def test_an_empty_list_is_accepted_at_once() -> None:
    upload = Upload(MissionKind.FENCE, ())
    assert upload.start(0.0) == (MissionCount(kind=MissionKind.FENCE, count=0),)
    upload.receive(ack(R.ACCEPTED, MissionKind.FENCE), 0.1)
    assert upload.state is State.ACCEPTED


def download_in(state: State) -> Download:
    download = Download(MISSION, window=2)
    if state is State.IDLE:
        return download
    download.start(10.0)
    if state is State.LISTING:
        return download
    if state is State.PAUSED:
        download.receive(ack(R.DENIED), 10.0)
    elif state is State.REFUSED:
        download.receive(ack(R.UNSUPPORTED), 10.0)
    elif state is State.SILENT:
        for _ in range(NUM_ITEM_TRIES):
            download.tick(download.deadline_s)
    else:
        download.receive(MissionCount(kind=MISSION, count=3), 10.0)
        if state is State.ACCEPTED:
            for seq in range(3):
                download.receive(MissionItem(kind=MISSION, seq=seq, item=ITEMS[seq]), 10.0)
    return download


DOWNLOAD_STATES = (
    State.IDLE,
    State.LISTING,
    State.FETCHING,
    State.PAUSED,
    State.ACCEPTED,
    State.REFUSED,
    State.SILENT,
)


@pytest.mark.parametrize("message", MESSAGES, ids=str)
@pytest.mark.parametrize("state", DOWNLOAD_STATES)
def test_download_every_state_every_message(state: State, message: Any) -> None:
    download = download_in(state)
    assert download.state is state
    sent = download.receive(message, 11.0)
    is_open = state in (State.LISTING, State.FETCHING)
    match message:
        case MissionAck(kind=MissionKind.MISSION, result=result) if is_open:
            after = {
                R.DENIED: State.PAUSED,
                R.UNSUPPORTED: State.REFUSED,
                R.INVALID: State.REFUSED,
            }
            assert download.state is after.get(result, state)
        case MissionCount(kind=MissionKind.MISSION, count=0) if is_open:
            assert download.state is State.ACCEPTED
            assert sent == (ack(R.ACCEPTED),)
        case MissionCount(kind=MissionKind.MISSION, count=2) if is_open:
            assert sent == (request(0), request(1))
        case MissionItem(seq=0) if state is State.FETCHING:
            assert sent == (request(2),)
            assert download.num_done == 1
        case _:
            assert download.state is state
            assert sent == ()


def test_download_takes_items_in_any_order_and_twice() -> None:
    download = download_in(State.FETCHING)
    for seq in (1, 1, 0, 0, 2):
        download.receive(MissionItem(kind=MISSION, seq=seq, item=ITEMS[seq]), 10.0)
    assert download.items == ITEMS


def test_download_asks_again_for_what_is_late_alone() -> None:
    download = download_in(State.FETCHING)
    download.receive(MissionItem(kind=MISSION, seq=1, item=ITEMS[1]), 10.5)
    assert download.tick(10.0 + ITEM_TIMEOUT_S) == (request(0),)
    assert download.tick(10.5 + ITEM_TIMEOUT_S) == (request(2),)


def test_download_begins_again_where_the_list_changed() -> None:
    download = download_in(State.FETCHING)
    download.receive(MissionItem(kind=MISSION, seq=0, item=ITEMS[2]), 10.5)
    assert download.receive(MissionCount(kind=MISSION, count=1), 11.0) == (request(0),)
    download.receive(MissionItem(kind=MISSION, seq=0, item=ITEMS[0]), 11.5)
    assert download.items == ITEMS[:1]


def test_download_waits_for_another_station_to_end() -> None:
    download = download_in(State.PAUSED)
    assert download.tick(10.0) == ()
    assert download.tick(10.0 + DENIED_PAUSE_S) == (MissionRequestList(kind=MISSION),)
    while not download.is_done:
        download.receive(ack(R.DENIED), download.deadline_s)
        download.tick(download.deadline_s)
    assert (download.state, download.result) == (State.REFUSED, R.DENIED)


def test_download_keeps_the_window_full() -> None:
    download = Download(MISSION)
    download.start(0.0)
    sent = download.receive(MissionCount(kind=MISSION, count=100), 0.0)
    assert len(sent) == WINDOW


@pytest.mark.parametrize("result", MissionResult, ids=lambda r: r.name)
def test_clear_every_result(result: MissionResult) -> None:
    clear = Clear(MISSION)
    assert clear.receive(ack(R.ACCEPTED), 0.0) == ()
    assert clear.state is State.IDLE
    assert clear.start(0.0) == (MissionClearAll(kind=MISSION),)
    clear.receive(ack(R.ACCEPTED, MissionKind.FENCE), 0.0)
    clear.receive(ack(result), 0.0)
    expected = {
        R.ACCEPTED: State.ACCEPTED,
        R.UNSUPPORTED: State.REFUSED,
        R.INVALID: State.REFUSED,
        **dict.fromkeys((R.ERROR, R.NO_SPACE, R.DENIED, R.OPERATION_CANCELLED), State.PAUSED),
    }
    assert clear.state is expected.get(result, State.CLEARING)


def test_clear_falls_silent() -> None:
    clear = Clear(MISSION)
    sent = len(clear.start(0.0))
    while not clear.is_done:
        sent += len(clear.tick(clear.deadline_s))
    assert (clear.state, sent) == (State.SILENT, NUM_COUNT_TRIES)


def moved(seed: int, **noise: Any) -> tuple[State, tuple[Item, ...], ScriptedVehicle, float]:
    """Upload and read back through noise; gives the last state, what was read, how long."""

    async def main() -> tuple[State, tuple[Item, ...], ScriptedVehicle, float]:
        link = FakeLink(seed=seed, **noise)
        vehicle = ScriptedVehicle(link)
        async with Channel(link) as channel:
            peer = channel.vehicle(1)
            upload = Upload(MISSION, sortie().items)
            words = (MissionRequest, MissionAck, MissionCount, MissionItem)
            began_s = asyncio.get_running_loop().time()
            await play(peer, upload, words)
            took_s = asyncio.get_running_loop().time() - began_s
            link.loss_frac = link.repeat_frac = 0.0
            await asyncio.sleep(9)
            download = Download(MISSION)
            await play(peer, download, words)
            return upload.state, download.items, vehicle, took_s

    return fly(main())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("loss_frac", [0.0, 0.1, 0.3])
def test_through_loss_repeats_delay_and_reordering(seed: int, loss_frac: float) -> None:
    state, items, _, _ = moved(
        seed, loss_frac=loss_frac, repeat_frac=0.2, corrupt_frac=0.02, jitter_s=0.3
    )
    assert state in (State.ACCEPTED, State.UNCONFIRMED, State.SILENT)
    is_same = compare(MISSION, sortie().items, items).is_same
    if state is State.ACCEPTED:
        assert is_same
    if loss_frac <= 0.1:
        assert is_same


def test_a_good_link_takes_one_round_trip_an_item() -> None:
    state, _, _, took_s = moved(1, delay_s=0.04)
    assert state is State.ACCEPTED
    assert took_s == pytest.approx((len(sortie().items) + 1) * 0.08, abs=0.02)


def test_lists_of_a_mission() -> None:
    mission = sortie()
    assert list_of(mission, MissionKind.FENCE)[0].p1 == 4
    with pytest.raises(ValueError, match="ALL"):
        list_of(mission, MissionKind.ALL)
