from __future__ import annotations

import binascii
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.flight.mavlink.codec import Decoder, Encoder, Frame
from skymist.flight.mavlink.messages import (
    AutopilotVersion,
    Battery,
    CommandAck,
    CommandInt,
    CommandLong,
    Gps,
    Heartbeat,
    MissionAck,
    MissionClearAll,
    MissionCount,
    MissionItem,
    MissionKind,
    MissionRequest,
    MissionRequestList,
    MissionResult,
    ParamRequestRead,
    ParamSet,
    ParamValue,
    Position,
    ServoOutput,
    StatusText,
    SysStatus,
)
from skymist.flight.mavlink.readers import MESSAGE_IDS, READERS
from skymist.missions.items import Command, Item
from skymist.missions.items import Frame as ItemFrame


def packed(message: Any, *, sysid: int = 7, v1: bool = False, seq: int = 3) -> bytes:
    mav = m.MAVLink(None, sysid, 1)
    mav.seq = seq
    return bytes(message.pack(mav, force_mavlink1=v1))


def one(data: bytes) -> Frame:
    (frame,) = Decoder().feed(data)
    return frame


POSITION = m.MAVLink_global_position_int_message(
    123456, 601700000, -249400000, 15000, 5030, 120, -33, 4, 9000
)


@pytest.mark.parametrize("msgid", sorted(READERS))
def test_layouts_are_those_of_the_dialect(msgid: int) -> None:
    kind = m.mavlink_map[msgid]
    ours = READERS[msgid].layout.format
    assert kind.unpacker.format.startswith(ours)
    if READERS[msgid].target_at >= 0:
        place = kind.ordered_fieldnames.index("target_system")
        assert READERS[msgid].target_at == place
    else:
        names = kind.ordered_fieldnames[
            : len(
                READERS[msgid].layout.unpack(
                    bytes(kind.unpacker.size)[: READERS[msgid].layout.size]
                )
            )
        ]
        assert "target_system" not in names


def test_ids_to_ask_for_are_those_of_the_readers() -> None:
    assert {MESSAGE_IDS[Position], MESSAGE_IDS[Heartbeat], MESSAGE_IDS[Battery]} == {33, 0, 147}
    assert set(MESSAGE_IDS.values()) <= set(READERS)


@pytest.mark.parametrize("v1", [False, True])
def test_position_in_both_versions(v1: bool) -> None:
    frame = one(packed(POSITION, v1=v1))
    assert (frame.sysid, frame.compid, frame.seq, frame.msgid) == (7, 1, 3, 33)
    assert frame.message == Position(
        boot_s=123.456,
        lat_e7=601700000,
        lon_e7=-249400000,
        amsl_m=15.0,
        above_home_m=5.03,
        north_mps=1.2,
        east_mps=-0.33,
        down_mps=0.04,
        heading_deg=90.0,
    )


def test_what_the_vehicle_does_not_know_is_none() -> None:
    status = m.MAVLink_sys_status_message(0, 0, 1 << 28, 100, 65535, -1, -1, 0, 0, 0, 0, 0, 0)
    assert one(packed(status)).message == SysStatus(
        sensors_present=0,
        sensors_enabled=0,
        sensors_health=1 << 28,
        load_frac=0.1,
        battery_v=None,
        battery_a=None,
        battery_frac=None,
    )
    gps = one(packed(m.MAVLink_gps_raw_int_message(0, 1, 0, 0, 0, 65535, 0, 65535, 0, 255))).message
    assert isinstance(gps, Gps)
    assert (gps.hdop, gps.num_satellites, gps.ground_speed_mps) == (None, None, None)
    assert not gps.has_fix


def test_servo_battery_version_text() -> None:
    servo = m.MAVLink_servo_output_raw_message(2_000_000, 0, *range(1, 9), *range(9, 17))
    assert one(packed(servo)).message == ServoOutput(
        boot_s=2.0, port=0, pulse_us=tuple(range(1, 17))
    )
    volts = [4100, 4000] + [65535] * 8
    battery = m.MAVLink_battery_status_message(0, 0, 0, 0, volts, 1250, 1500, -1, 83, 600, 1)
    found = one(packed(battery)).message
    assert isinstance(found, Battery)
    assert (found.volts_v, found.current_a, found.consumed_ah) == (8.1, 12.5, 1.5)
    assert (found.remaining_frac, found.remaining_s, found.is_critical) == (0.83, 600.0, False)
    version = m.MAVLink_autopilot_version_message(
        5, 4 << 24 | 7 << 16 | 1 << 8, 0, 0, 9, list(b"2598e9d4"), [0] * 8, [0] * 8, 0, 0, 77
    )
    assert one(packed(version)).message == AutopilotVersion(
        capabilities=5, version=(4, 7, 1, 0), git_hash="2598e9d4", board=9, uid=77
    )
    text = m.MAVLink_statustext_message(4, b"PreArm: x", 5, 1)
    assert one(packed(text)).message == StatusText(
        severity=4, text="PreArm: x", id=5, chunk=1, is_last=True
    )


def test_targets_let_mail_for_others_be_told() -> None:
    ack = one(packed(m.MAVLink_mission_ack_message(254, 190, 0, 1)))
    assert (ack.target_sysid, ack.target_compid) == (254, 190)
    assert ack.message == MissionAck(kind=MissionKind.FENCE, result=MissionResult.ACCEPTED)
    command = one(packed(m.MAVLink_command_ack_message(400, 5, 50, 0, 255, 190)))
    assert (command.target_sysid, command.target_compid) == (255, 190)
    assert command.message == CommandAck(command=400, result=5, progress_frac=0.5)


def test_numbers_outside_our_enums_do_not_raise() -> None:
    decoder = Decoder()
    (frame,) = decoder.feed(packed(m.MAVLink_mission_count_message(255, 190, 3, 77)))
    assert frame.message is None
    assert decoder.num_bad == 1
    strange = one(packed(m.MAVLink_mission_ack_message(255, 190, 99, 0))).message
    assert strange == MissionAck(kind=MissionKind.MISSION, result=MissionResult.INVALID)


def test_signed_frames_are_read_and_kinds_we_do_not_use_pass_whole() -> None:
    mav = m.MAVLink(None, 7, 1)
    mav.signing.secret_key, mav.signing.sign_outgoing = b"x" * 32, True
    attitude = m.MAVLink_attitude_message(1, 0.1, 0.2, 0.3, 0, 0, 0)
    decoder = Decoder()
    frames = decoder.feed(bytes(POSITION.pack(mav)) + packed(attitude))
    assert [f.msgid for f in frames] == [33, 30]
    assert isinstance(frames[0].message, Position)
    assert frames[1].message is None
    assert frames[1].raw == packed(attitude)


@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(0, 2**32), st.integers(1, 50))
def test_garbage_never_raises_and_good_frames_come_through(
    noise: list[bytes], seed: int, size: int
) -> None:
    # noise without frame marks: with them, the bytes of a frame may be taken for a false one's
    clean = [bytes(b for b in piece if b not in (0xFD, 0xFE)) for piece in noise]
    good = packed(POSITION)
    stream = b"".join(piece + good for piece in clean)
    decoder = Decoder()
    frames = []
    for at in range(0, len(stream), size):
        frames += decoder.feed(stream[at : at + size])
    assert [f.raw for f in frames] == [good] * len(clean)
    assert decoder.num_bytes_dropped == sum(map(len, clean))
    for piece in noise:
        Decoder().feed(piece)


def test_a_false_start_costs_no_frame_once_more_bytes_come() -> None:
    decoder = Decoder()
    good = packed(POSITION)
    stream = b"\xfd\xff\x00\x00\x00\x01\x01\x21\x00\x00" + good * 12
    assert len(decoder.feed(stream)) == 12
    assert decoder.num_bad == 1


def test_a_flood_of_frame_marks_keeps_little() -> None:
    decoder = Decoder()
    chance = random.Random(4)
    for _ in range(200):
        decoder.feed(bytes(chance.choice((0xFD, 0xFE, 0, 33)) for _ in range(1000)))
        assert len(decoder._rest) <= 300


@given(st.binary(min_size=1, max_size=40), st.sampled_from(sorted(m.mavlink_map)))
def test_checksum_is_that_of_pymavlink(data: bytes, msgid: int) -> None:
    from skymist.flight.mavlink.codec import _MIRROR, _SEEDS

    theirs = m.x25crc(data)
    theirs.accumulate(bytes([m.mavlink_map[msgid].crc_extra]))
    crc = binascii.crc_hqx(data.translate(_MIRROR), 0xFFFF)
    crc = binascii.crc_hqx(_SEEDS[msgid], crc)
    assert _MIRROR[crc >> 8] | _MIRROR[crc & 0xFF] << 8 == theirs.crc


ITEM = Item(
    command=Command.NAV_WAYPOINT,
    frame=ItemFrame.ABOVE_HOME,
    p1=0.5,
    p2=1.5,
    x_e7=601700000,
    y_e7=-249400000,
    z_m=4.25,
)


@given(
    seq=st.integers(0, 65535),
    kind=st.sampled_from([MissionKind.MISSION, MissionKind.FENCE, MissionKind.RALLY]),
    x=st.integers(-(2**31), 2**31 - 1),
    z=st.floats(width=32, allow_nan=False),
)
def test_items_there_and_back(seq: int, kind: MissionKind, x: int, z: float) -> None:
    item = Item(command=Command.DO_LAND_START, frame=ItemFrame.GLOBAL, x_e7=x, z_m=z)
    message = MissionItem(kind=kind, seq=seq, item=item)
    frame = one(Encoder().pack(message, 9, 1))
    assert frame.message == message
    assert (frame.target_sysid, frame.target_compid) == (9, 1)


SENT = [
    (MissionCount(kind=MissionKind.RALLY, count=5), {"count": 5, "mission_type": 2}),
    (
        MissionItem(kind=MissionKind.MISSION, seq=4, item=ITEM),
        {"seq": 4, "x": 601700000, "z": 4.25},
    ),
    (MissionRequest(kind=MissionKind.FENCE, seq=3), {"seq": 3, "mission_type": 1}),
    (MissionRequest(kind=MissionKind.FENCE, seq=3, is_int=False), {"seq": 3, "mission_type": 1}),
    (MissionRequestList(kind=MissionKind.FENCE), {"mission_type": 1}),
    (MissionAck(kind=MissionKind.FENCE, result=MissionResult.DENIED), {"type": 14}),
    (MissionClearAll(kind=MissionKind.FENCE), {"mission_type": 1}),
    (CommandLong(command=400, params=(1, 2, 3, 4, 5, 6, 7), confirmation=2), {"param7": 7.0}),
    (CommandInt(command=192, frame=6, x_e7=12, y_e7=-3, z_m=2.5), {"x": 12, "y": -3, "z": 2.5}),
    (ParamRequestRead(name="SIXTEEN_LETTERS_"), {"param_id": "SIXTEEN_LETTERS_"}),
    (ParamSet(name="WP_SPD", value=4.5), {"param_id": "WP_SPD", "param_value": 4.5}),
]


@pytest.mark.parametrize(("message", "fields"), SENT, ids=lambda v: type(v).__name__)
def test_pymavlink_reads_what_we_pack(message: Any, fields: dict[str, Any]) -> None:
    encoder = Encoder(sysid=255, compid=190)
    encoder.pack(message, 9, 1)
    data = encoder.pack(message, 9, 1)
    parser = m.MAVLink(None)
    (found,) = parser.parse_buffer(bytearray(data))
    assert data[0] == 0xFD
    assert (found.get_srcSystem(), found.get_srcComponent(), found.get_seq()) == (255, 190, 1)
    assert (found.target_system, found.target_component) == (9, 1)
    assert {name: getattr(found, name) for name in fields} == fields


@given(
    st.sampled_from([0, 1, 2, 22, 24, 33, 36, 42, 44, 46, 47, 77, 147, 162, 168, 193, 242, 253]),
    st.binary(min_size=60, max_size=60),
)
def test_any_payload_of_a_known_kind_is_read_or_counted(msgid: int, payload: bytes) -> None:
    kind = m.mavlink_map[msgid]
    body = payload[: kind.unpacker.size].rstrip(b"\0") or b"\0"
    head = bytes([0xFD, len(body), 0, 0, 1, 7, 1, msgid & 255, msgid >> 8, 0])
    crc = m.x25crc(head[1:] + body + bytes([kind.crc_extra])).crc
    decoder = Decoder()
    frames = decoder.feed(head + body + crc.to_bytes(2, "little"))
    assert len(frames) == 1
    assert (frames[0].message is None) == (decoder.num_bad == 1)


def test_parameter_names_of_full_length() -> None:
    value = m.MAVLink_param_value_message(b"SIXTEEN_LETTERS_", 1.5, 9, 3, 65535)
    assert one(packed(value)).message == ParamValue(name="SIXTEEN_LETTERS_", value=1.5)
