"""The dashboard's server by its own protocol: keys, origins, hosts, orders; and the fold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import TestClient, TestServer

from skymist.coverage.plan import Plan
from skymist.coverage.planning import plan_site
from skymist.flight.dashboard.board import Board
from skymist.flight.dashboard.feed import Lines
from skymist.flight.dashboard.server import Dashboard, Source
from skymist.flight.recording.record import encode_line
from skymist.flight.recording.recorder import Recorder
from skymist.missions.plans import plan_to_dict
from skymist.missions.site import read_site

DEMO = Path(__file__).resolve().parents[2] / "missions" / "data" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_site(read_site(DEMO))


@pytest.fixture
def record(plan: Plan, tmp_path: Path) -> Path:
    header = {"t_s": 0.0, "event": "header", "schema": 1, "plan": plan_to_dict(plan)}
    (tmp_path / "record.jsonl").write_bytes(encode_line(header))
    return tmp_path


Talk = Callable[[TestClient, Dashboard], Awaitable[None]]


def talk(record: Path, say: Talk, **source: Any) -> None:
    """A client without cookies at a dashboard of this record."""

    async def main() -> None:
        board = Dashboard(Source(place=record, **source))
        server = TestServer(board.app())
        await server.start_server()
        board.hosts = frozenset({f"127.0.0.1:{server.port}"})
        async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
            await say(client, board)

    asyncio.run(main())


def origin(client: TestClient) -> dict[str, str]:
    return {"Origin": f"http://127.0.0.1:{client.port}"}


async def enter(client: TestClient, key: str | None) -> int:
    async with client.get("/", params={"key": key or ""}) as answer:
        return answer.status


async def give(client: TestClient, order: str, **more: Any) -> tuple[int, str]:
    body = {"order": order, **more}
    async with client.post("/order", json=body, headers=origin(client)) as answer:
        return answer.status, await answer.text()


def test_strangers_see_nothing(record: Path) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        for path in ("/", "/?key=wrong", "/?key="):
            async with client.get(path) as answer:
                assert answer.status == 403
                assert "Banyan" not in await answer.text()
        async with client.get("/events") as answer:
            assert answer.status == 403
        assert (await give(client, "pause"))[0] == 403

    talk(record, say, orders=record / "orders")
    assert not (record / "orders").exists()


def test_the_operators_key_opens_once_and_commands(record: Path) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        key = board.doors.operator_key
        assert await enter(client, key) == 200
        assert (await give(client, "pause heron"))[0] == 200
        assert (await give(client, "skip drain-shops"))[0] == 200
        async with ClientSession() as other, other.get(client.make_url(f"/?key={key}")) as answer:
            assert answer.status == 403

    talk(record, say, orders=record / "orders")
    assert (record / "orders").read_text() == "pause heron\nskip drain-shops\n"


def test_home_and_stop_want_to_be_sure_and_stop_is_said_twice(record: Path) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        await enter(client, board.doors.operator_key)
        for order in ("home", "home heron", "stop"):
            assert (await give(client, order))[0] == 428
        assert (await give(client, "stop", sure=True))[0] == 200

    talk(record, say, orders=record / "orders")
    assert (record / "orders").read_text() == "stop\nstop\n"


@pytest.mark.parametrize("order", ["", "arm", "wind x", "skip", "pause a b", "\x00"])
def test_what_is_no_order_is_refused_and_not_written(record: Path, order: str) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        await enter(client, board.doors.operator_key)
        status, text = await give(client, order, sure=True)
        assert status == 400, text

    talk(record, say, orders=record / "orders")
    assert not (record / "orders").exists()


def test_a_line_end_in_an_order_makes_no_second_one(record: Path) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        await enter(client, board.doors.operator_key)
        await give(client, "pause\nstop")

    talk(record, say, orders=record / "orders")
    assert (record / "orders").read_text() == "pause stop\n"


def test_viewers_look_as_often_as_they_like_and_command_nothing(record: Path) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        for _ in range(3):
            assert await enter(client, board.doors.viewer_key) == 200
        assert (await give(client, "stop", sure=True))[0] == 403
        for path, body in (("/seen", {"id": 0}), ("/speed", {"speed": 0})):
            async with client.post(path, json=body, headers=origin(client)) as answer:
                assert answer.status == 403

    talk(record, say, orders=record / "orders")


def test_requests_from_other_pages_and_names_are_refused(record: Path) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        await enter(client, board.doors.operator_key)
        bad = [
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Host": "evil.example", **origin(client)},
            {},
        ]
        for headers in bad:
            body = {"order": "pause"}
            async with client.post("/order", json=body, headers=headers) as answer:
                assert answer.status in (403, 421), headers
        headers = {**origin(client), "Content-Type": "text/plain"}
        async with client.post("/order", data='{"order":"pause"}', headers=headers) as answer:
            assert answer.status == 403
        async with client.get("/", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 421

    talk(record, say, orders=record / "orders")
    assert not (record / "orders").exists()


def test_a_record_without_orders_cannot_be_commanded(record: Path) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        await enter(client, board.doors.operator_key)
        assert (await give(client, "pause"))[0] == 409
        async with client.get("/") as answer:
            assert '"mayCommand":false' in await answer.text()

    talk(record, say)


def test_the_page_forbids_what_it_does_not_need(record: Path) -> None:
    async def say(client: TestClient, board: Dashboard) -> None:
        await enter(client, board.doors.viewer_key)
        async with client.get("/") as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "http" not in policy
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Cache-Control"] == "no-store"

    talk(record, say)


def track(t_s: float, flow_lps: float, spot: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        **{"event": "track", "t_s": t_s, "drone_id": "heron", "flow_lps": flow_lps},
        **{"lat_e7": 227312000, "lon_e7": 1140406000, "above_home_m": 3.0, "in_span": spot},
        **{"pump_frac": float(flow_lps > 0), "tank_l": 5.0, "battery_frac": 0.5, **more},
    }


def test_liquid_is_counted_between_samples_and_not_across_gaps(plan: Plan) -> None:
    board = Board(plan)
    spot = plan.treatments[0].spot_id
    for event in (
        track(1.0, 0.1, spot),
        track(2.0, 0.1, spot),
        track(3.0, 0.0, spot),
        track(4.0, 0.1),
        track(20.0, 0.1),
        track(21.0, 0.0),
    ):
        board.take(event)
    told = board.snapshot()
    assert told["drones"][0]["litres"] == pytest.approx(0.3)
    asked_l = plan.treatments[0].litres_l
    assert told["spots"] == {spot: pytest.approx(0.2 / asked_l, abs=1e-3)}


def test_alerts_stay_until_they_are_seen(plan: Plan) -> None:
    board = Board(plan)
    alert = {"event": "alert", "t_s": 1.0, "drone_id": "heron", "severity": "error"}
    board.take({**alert, "text": "pump runs outside"})
    board.take({**alert, "severity": "info", "text": "nothing"})
    assert [a["seenBy"] for a in board.snapshot()["alerts"]] == [""]
    assert board.acknowledge(0, "operator")
    assert not board.acknowledge(1, "operator")
    assert [a["seenBy"] for a in board.snapshot()["alerts"]] == ["operator"]


def test_a_drone_that_stands_still_is_told_so_until_it_flies_on(plan: Plan) -> None:
    board = Board(plan)

    def state() -> str:
        return str(board.snapshot()["drones"][0]["state"])

    def alert(code: str) -> dict[str, Any]:
        told = {"event": "alert", "t_s": 2.0, "drone_id": "heron", "severity": "warning"}
        return {**told, "code": code, "text": code}

    flying = {"event": "sortie", "t_s": 1.0, "drone_id": "heron", "sortie_id": "heron-01"}
    board.take({**flying, "state": "flying"})
    board.take(track(1.5, 0.0, mode="AUTO"))
    assert state() == "flying"
    board.take(alert("paused"))
    board.take(track(2.5, 0.0, mode="AUTO"))
    assert state() == "paused"
    board.take(alert("continued"))
    assert state() == "flying"
    board.take(alert("paused"))
    board.take(track(4.0, 0.0, mode="RTL"))
    assert state() == "flying"
    board.take(track(5.0, 0.0, mode="AUTO"))
    assert state() == "flying"


def test_only_new_points_of_a_track_are_sent(plan: Plan) -> None:
    board = Board(plan)
    for k in range(5):
        board.take(track(k, 0.0, lat_e7=227312000 + 100 * k))
    first = board.snapshot()["drones"][0]
    assert len(first["track"]) == 5
    board.take(track(5, 0.0, lat_e7=227312600))
    more = board.snapshot({"heron": 5})["drones"][0]
    assert more["from"] == 5
    assert len(more["track"]) == 1
    assert json.dumps(board.snapshot())


MOVES, SHOWN_S = 24, 0.3


async def heron(stream: ClientResponse) -> dict[str, Any]:
    """The drone of the next update."""
    while not (line := await stream.content.readline()).startswith(b"data:"):
        pass
    found = json.loads(line[5:])["drones"]
    return next(drone for drone in found if drone["id"] == "heron")


def test_a_drone_that_moved_shows_within_0_3_s(plan: Plan, tmp_path: Path) -> None:
    """From the recorder's call to the bytes that a page gets, by this machine's clock.

    Moves come at all phases of the page's quarter of a second. Two of them may be late: a pause
    of a busy machine.
    """

    async def shown(client: TestClient, board: Dashboard) -> None:
        loop = asyncio.get_running_loop()
        took_s: list[float] = []
        with Recorder(tmp_path, loop.time, is_live=True) as record:
            record.write("header", schema=1, plan=plan_to_dict(plan))
            await enter(client, board.doors.viewer_key)
            async with client.get("/events") as stream:
                for height_m in range(1, MOVES + 1):
                    await asyncio.sleep((0.31, 0.02, 0.11, 0.23)[height_m % 4])
                    fields = track(0.0, 0.0, above_home_m=float(height_m))
                    fields = {k: v for k, v in fields.items() if k not in ("t_s", "event")}
                    began_s = loop.time()
                    record.write("track", **fields)
                    while (await heron(stream))["up"] != height_m:
                        pass
                    took_s.append(loop.time() - began_s)
        assert sorted(took_s)[-3] <= SHOWN_S, took_s

    talk(tmp_path, shown)


def test_a_line_is_read_when_it_is_whole_and_holds(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    lines = Lines(path)
    assert lines.more() == []
    whole = encode_line({"t_s": 0.0, "event": "end"})
    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        fresh = Lines(path)
        assert fresh.more() == []
        path.write_bytes(whole)
        assert [e["event"] for e in fresh.more()] == ["end"]
    path.write_bytes(whole + whole.replace(b"end", b"bad") + whole)
    assert len(lines.more()) == 2


def test_a_later_look_takes_off_what_an_earlier_one_let_stand(plan: Plan) -> None:
    """Nobody looked after the sortie; after the next one the tank they share was found dry."""
    board, sortie = Board(plan), plan.sorties[0]
    leg = sortie.passes[0]
    place = plan.site.origin.geo(*leg.path[0])
    sample = {
        "event": "track",
        "drone_id": sortie.drone_id,
        "sortie_id": sortie.id,
        "lat_e7": round(place.lat_deg * 1e7),
        "lon_e7": round(place.lon_deg * 1e7),
        "above_home_m": leg.above_home_m,
        "pump_frac": 0.5,
        "flow_lps": 0.02,
        "in_span": leg.spot_id,
    }
    look = {"event": "look", "sortie_id": sortie.id, "drone_id": sortie.drone_id, "t_s": 9.0}
    look |= {"before_l": 5.0, "reckoned_l": 3.0, "found_l": None, "is_as_reckoned": False}
    for t_s in (0.0, 0.5, 1.0):
        board.take({**sample, "t_s": t_s})
    for counts_frac, left_l in ((1.0, 0.02), (0.0, 0.0), (0.0, 0.0), (0.5, 0.01)):
        board.take({**look, "counts_frac": counts_frac, "text": "what was found"})
        assert board.given_l[leg.spot_id] == pytest.approx(left_l)
