from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream import sse
from routing.upstream.errors import Broken

STREAM = (
    'event: message_start\ndata: {"a": 1}\n\n'
    ": a comment\n"
    "data:no space\n\n"
    "id: 7\nretry: 10\nevent: two\ndata: line one\ndata:  line two\n\n"
    "event: nothing said\n\n"
    "data\n"
    "data: héllo \U0001f375\n\n"
    "data:\n\n"
).encode()
EVENTS = [
    ("message_start", b'{"a": 1}'),
    ("", b"no space"),
    ("two", b"line one\n line two"),
    ("", "héllo \U0001f375".encode()),
]
ENDS = {b"\n": "LF", b"\r\n": "CRLF", b"\r": "CR"}


def _decoded(*chunks: bytes) -> list[tuple[str, bytes]]:
    decoder = sse.Decoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.finish()


@pytest.mark.parametrize("end", ENDS, ids=ENDS.get)
def test_every_line_end(end: bytes) -> None:
    assert _decoded(STREAM.replace(b"\n", end)) == EVENTS


@pytest.mark.parametrize("end", ENDS, ids=ENDS.get)
def test_cut_at_every_byte(end: bytes) -> None:
    stream = STREAM.replace(b"\n", end)
    for at in range(len(stream) + 1):
        assert _decoded(stream[:at], stream[at:]) == EVENTS, at


@pytest.mark.parametrize("end", ENDS, ids=ENDS.get)
def test_byte_by_byte(end: bytes) -> None:
    assert _decoded(*(bytes([byte]) for byte in STREAM.replace(b"\n", end))) == EVENTS


@given(st.data(), st.sampled_from(list(ENDS)))
def test_cut_anywhere(data: st.DataObject, end: bytes) -> None:
    stream = STREAM.replace(b"\n", end)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=20)))
    chunks = [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert _decoded(*chunks) == EVENTS


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_give_the_same_wherever_they_are_cut(stream: bytes, at: int) -> None:
    assert _decoded(stream[:at], stream[at:]) == _decoded(stream)


def test_an_event_is_given_out_as_soon_as_it_is_whole() -> None:
    decoder = sse.Decoder()
    assert decoder.feed(b"data: one\n\ndata: two\n") == [("", b"one")]
    assert decoder.feed(b"\n") == [("", b"two")]
    assert decoder.feed(b"data: three\r\n\r\n") == [("", b"three")]


def test_a_missing_last_blank_line_is_forgiven() -> None:
    assert _decoded(b"data: one\n\ndata: two") == [("", b"one"), ("", b"two")]
    assert _decoded(b"data: one\r\n\r\ndata: two\r\n") == [("", b"one"), ("", b"two")]


def test_a_byte_order_mark_is_skipped() -> None:
    for at in range(5):
        stream = b"\xef\xbb\xbfdata: one\n\n"
        assert _decoded(stream[:at], stream[at:]) == [("", b"one")]


class TestBounds:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)

    def test_a_line_without_end(self) -> None:
        decoder = sse.Decoder()
        decoder.feed(b"data: " + b"x" * 90)
        with pytest.raises(Broken):
            decoder.feed(b"x" * 90)

    def test_lines_without_end(self) -> None:
        with pytest.raises(Broken):
            _decoded(*[b"data: 12345678\n"] * 20)

    def test_empty_lines_of_data_without_end(self) -> None:
        with pytest.raises(Broken):
            _decoded(*[b"data:\n"] * 200)

    def test_many_events_in_one_read_are_not_one_long_event(self) -> None:
        assert len(sse.Decoder().feed(b"data: 12345678\n\n" * 50)) == 50


def test_a_long_event_in_small_reads_takes_linear_time() -> None:
    """A read is looked at once: no copy of all that came before it for each."""
    decoder = sse.Decoder()
    decoder.feed(b"data: ")
    for _ in range(20_000):
        decoder.feed(b"x" * 1000)
    ((_, data),) = decoder.feed(b"\n\n")
    assert len(data) == 20_000_000
