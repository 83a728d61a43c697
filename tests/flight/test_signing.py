"""Signing held against pymavlink's own, the file of keys, and a clock that never goes back."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as m

from skymist.flight.mavlink.codec import Decoder, Encoder
from skymist.flight.mavlink.keyring import KeyRing, SavedStamps, add_key, read_keys
from skymist.flight.mavlink.messages import CommandLong, ParamRequestRead, SetupSigning
from skymist.flight.mavlink.signing import EPOCH_2015_S, Key, Seal, Stamps, Verdict, key_of
from skymist.missions.errors import FormatError

KEY = Key(bytes(range(32)))
NOW_S = EPOCH_2015_S + 3.0e8
T0 = 3 * 10**13


def theirs(key: Key = KEY, *, link_id: int = 3, stamp: int = T0) -> m.MAVLink:
    mav = m.MAVLink(None, 1, 1)
    mav.signing.secret_key = key.secret
    mav.signing.sign_outgoing = True
    mav.signing.link_id, mav.signing.timestamp = link_id, stamp
    return mav


def frame(mav: m.MAVLink) -> bytes:
    return bytes(m.MAVLink_heartbeat_message(2, 3, 81, 3, 4, 3).pack(mav))


def seal(**more: Any) -> Seal:
    return Seal(KEY, Stamps(lambda: NOW_S), **more)


@given(st.binary(min_size=32, max_size=32), st.lists(st.floats(width=32), min_size=7, max_size=7))
def test_pymavlink_takes_what_we_sign(secret: bytes, params: list[float]) -> None:
    ours = Seal(Key(secret), Stamps(lambda: NOW_S), link_id=9)
    command = CommandLong(command=176, params=tuple(params))  # type: ignore[arg-type]
    packed = [Encoder().pack(command, 1, 1, ours) for _ in range(3)]
    reader = m.MAVLink(None)
    reader.signing.secret_key = secret
    got = reader.parse_buffer(bytearray(b"".join(packed)))
    assert [message.get_type() for message in got] == ["COMMAND_LONG"] * 3
    assert reader.signing.goodsig_count == 3
    assert all(message.get_link_id() == 9 for message in got)
    assert [f.raw for f in Decoder().feed(b"".join(packed))] == packed


def test_we_take_what_pymavlink_signs_once_and_nothing_else() -> None:
    ours, mav = seal(), theirs()
    good = [frame(mav) for _ in range(3)]
    assert [ours.judge(f) for f in good] == [Verdict.GOOD] * 3
    assert [ours.judge(f) for f in good] == [Verdict.REPLAYED] * 3
    assert ours.judge(frame(theirs(Key(bytes(32)), stamp=T0 + 99))) is Verdict.WRONG
    assert ours.judge(frame(m.MAVLink(None, 1, 1))) is Verdict.UNSIGNED
    assert ours.num_refused == 5
    assert not ours.takes(frame(m.MAVLink(None, 1, 1)))
    assert seal(takes_unsigned=True).takes(frame(m.MAVLink(None, 1, 1)))
    assert not seal(takes_unsigned=True).takes(frame(theirs(Key(bytes(32)))))


@given(st.integers(0, 500), st.integers(0, 7))
def test_a_flipped_bit_is_never_taken(at: int, bit: int) -> None:
    ours, good = seal(), frame(theirs())
    at %= len(good)
    bad = good[:at] + bytes((good[at] ^ 1 << bit,)) + good[at + 1 :]
    assert ours.judge(bad) in (Verdict.WRONG, Verdict.UNSIGNED)
    assert ours.judge(good) is Verdict.GOOD, "a forgery moved the clock"


def test_a_new_stream_may_be_a_minute_old_and_no_more() -> None:
    assert seal().judge(frame(theirs(stamp=T0 - 59 * 100_000))) is Verdict.GOOD
    assert seal().judge(frame(theirs(stamp=T0 - 61 * 100_000))) is Verdict.REPLAYED
    ours = seal()
    for link_id in range(20):
        ours.judge(frame(theirs(link_id=link_id)))
    assert ours.counts[Verdict.GOOD] == 16


def test_our_clock_follows_the_drones_and_tells_the_skew() -> None:
    ours = seal()
    day = 86_400 * 100_000
    assert ours.judge(frame(theirs(stamp=T0 + day))) is Verdict.GOOD
    assert ours.is_skewed
    assert ours.skew_s == pytest.approx(86_400, abs=1)
    assert ours.next_stamp() > T0 + day


@given(st.lists(st.floats(-1e6, 1e6), max_size=30))
def test_timestamps_rise_whatever_the_clock_does(jumps_s: list[float]) -> None:
    clock_s = [NOW_S]
    stamps, seen = Stamps(lambda: clock_s[0]), []
    for jump_s in jumps_s:
        clock_s[0] += jump_s
        seen.append(stamps.next("k"))
    assert seen == sorted(set(seen))


def test_timestamps_rise_over_restarts_and_crashes(tmp_path: Path) -> None:
    path, last = tmp_path / "keys.toml.stamps", 0
    for number in range(6):
        stamps = SavedStamps(path, lambda number=number: NOW_S - 1000.0 * number)
        for _ in range(10):
            now = stamps.next("k")
            assert now > last
            last = now
        if number % 2:
            stamps.close()
    path.write_text("[]", "utf-8")
    with pytest.raises(FormatError, match="wanted timestamps by key"):
        SavedStamps(path)


def test_keys_are_hex_or_passphrases() -> None:
    assert key_of("ab" * 32).secret == bytes.fromhex("ab" * 32)
    assert key_of("four words of some length").secret == (
        hashlib.sha256(b"four words of some length").digest()
    )
    for shown in (repr(KEY), repr(SetupSigning(secret=KEY.secret)), str(KEY)):
        assert KEY.secret.hex()[:8] not in shown
        assert repr(KEY.secret)[2:20] not in shown


def test_a_file_of_keys_is_made_read_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.toml"
    first = add_key(path, "heron")
    second = add_key(path, "the wren")
    assert read_keys(path) == {"heron": first, "the wren": second}
    assert first != second
    with pytest.raises(FormatError, match="heron has a key"):
        add_key(path, "heron")
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
        os.chmod(path, 0o640)
        with pytest.raises(FormatError, match=r"mode 600\), found 640: chmod 600"):
            read_keys(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('heron = "short"', "heron: wanted 64 hex digits or a passphrase of 8"),
        ("heron = 12", "heron: wanted 64 hex"),
        ('heron = "very secret words', r"wanted lines like heron = .KEY. \(at end"),
    ],
)
def test_a_bad_file_of_keys_is_named_and_not_shown(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    with pytest.raises(FormatError, match=words) as caught:
        read_keys(path)
    assert "secret" not in str(caught.value)
    with pytest.raises(FormatError, match="found none"):
        read_keys(tmp_path / "no.toml")


def test_a_ring_seals_the_drones_that_have_a_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, "heron")
    ring = KeyRing(path)
    heron = ring.seal("heron")
    assert heron is not None
    assert ring.seal("wren") is None
    clock: Callable[[], int] = heron.next_stamp
    last = clock()
    ring.close()
    again = KeyRing(path).seal("heron")
    assert again is not None
    assert again.next_stamp() > last


def test_without_a_seal_frames_are_as_before() -> None:
    plain = Encoder().pack(ParamRequestRead(name="X"), 1, 1)
    assert plain[2] == 0
    assert m.MAVLink(None).parse_buffer(bytearray(plain))[0].get_type() == "PARAM_REQUEST_READ"
