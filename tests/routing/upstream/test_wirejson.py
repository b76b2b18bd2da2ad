from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.upstream import wirejson
from routing.upstream.errors import Broken

from .factories import a_target

TARGET = a_target("openai_chat")


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (rb'"a \ud83d"', "a �"),
        (rb'"\ude00 b"', "� b"),
        (rb'"\ud83d\ud83d\ude00\ude00"', "�😀�"),
        (rb'"\\ud83d \ud83d"', r"\ud83d �"),
        (b'"a \xf0\x9f"', "a �"),
        ('"😀 ü"'.encode(), "😀 ü"),
    ],
    ids=["high", "low", "around-a-pair", "escaped-backslash", "bytes", "whole"],
)
def test_half_a_character_costs_that_character(payload: bytes, text: str) -> None:
    assert wirejson.loads(payload, TARGET) == text


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Cs"])))
def test_any_text_of_any_host_can_be_read_and_written(text: str) -> None:
    read = wirejson.loads(json.dumps({"text": text}).encode(), TARGET)["text"]
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert read.replace("�", "") == joined.replace("�", "")


@pytest.mark.parametrize("payload", [b"", b"{", rb'{"a": "\ud83d"', b"<html>", b'"\\x"', b'"a\nb"'])
def test_what_is_not_json_is_broken(payload: bytes) -> None:
    with pytest.raises(Broken, match="not JSON"):
        wirejson.loads(payload, TARGET)
