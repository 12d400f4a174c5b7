from __future__ import annotations

import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from messaging.receiving.call import Call
from messaging.receiving.frames import FRAME, Spooled, encode, read_frames

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
calls = st.builds(
    Call,
    kind=st.sampled_from(["dn", "mo"]),
    method=st.sampled_from(["GET", "POST"]),
    query=st.binary(max_size=200),
    content_type=text,
    body=st.binary(max_size=2_000),
    truncated=st.booleans(),
    peer=st.none() | st.ip_addresses().map(str),
    token=st.binary(min_size=32, max_size=32),
    id=st.uuids(),
)
spooled = st.builds(Spooled, call=calls, received_at=st.datetimes(timezones=st.just(UTC)))
batches = st.lists(spooled, min_size=1, max_size=5)


@given(batches)
def test_what_is_written_is_read_again(written):
    assert list(read_frames(io.BytesIO(b"".join(map(encode, written))))) == written


@given(batches, st.data())
def test_a_file_that_breaks_off_gives_every_whole_frame_and_stands_where_the_next_one_begins(written, data):
    frames = [encode(one) for one in written]
    cut = data.draw(st.integers(1, len(frames[-1])))
    file = io.BytesIO(b"".join(frames)[:-cut])
    assert list(read_frames(file)) == written[:-1]
    assert file.tell() == sum(map(len, frames[:-1]))


@given(spooled, spooled, st.data())
def test_a_damaged_frame_is_told_apart_and_the_next_one_still_read(first, second, data):
    frame = bytearray(encode(first))
    place = data.draw(st.integers(FRAME.size, len(frame) - 1))
    frame[place] ^= data.draw(st.integers(1, 255))
    assert list(read_frames(io.BytesIO(bytes(frame) + encode(second)))) == [None, second]


def test_a_file_of_something_else_is_damaged():
    assert list(read_frames(io.BytesIO(b"not ours at all, whoever wrote it here"))) == [None]


def test_the_token_itself_is_not_in_the_file():
    call = Call("dn", "POST", b"", "", b"", truncated=False, peer=None, token=b"\1" * 32)
    assert (b"01" * 32) in encode(Spooled(call, datetime(2026, 1, 1, tzinfo=UTC)))
