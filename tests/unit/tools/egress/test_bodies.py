"""What a request sends is bytes that every server reads, or is refused with a sentence."""

from typing import Any

import pytest

from pentad.domain.errors import ToolFailed
from pentad.tools.egress.bodies import MOST_SENT, build_body

DEEP: Any = None
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "body", "sent"),
    [
        ({"a": "ü 😀"}, None, '{"a": "ü 😀"}'),
        ({"k\ud83d": ["cut \udfff", "\ud83d\ude00"]}, None, '{"k\ufffd": ["cut \ufffd", "😀"]}'),
        (None, "cut \ud83d", "cut \ufffd"),
        (None, b"\xff", None),
        (None, None, ""),
    ],
)
def test_text_is_sent_in_utf8_without_halves_of_surrogate_pairs(value: Any, body: Any, sent: str | None) -> None:
    data, _ = build_body(value, body, {})
    assert data == (body if sent is None else sent.encode())


def test_json_says_so_unless_the_tool_says_what_it_is() -> None:
    assert build_body({}, None, {})[1] == {"content-type": "application/json"}
    assert build_body([], None, {"content-type": "application/x+json"})[1] == {"content-type": "application/x+json"}
    assert build_body(None, "x", {})[1] == {}


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x", DEEP], ids=["NaN", "set", "bytes", "deep"])
def test_what_is_no_json_is_told(value: Any) -> None:
    with pytest.raises(ToolFailed, match="not valid JSON") as caught:
        build_body(value, None, {})
    assert caught.value.field == "json"


@pytest.mark.parametrize(("value", "body"), [({}, "x"), (None, b"x" * (MOST_SENT + 1)), (None, "ü" * MOST_SENT)])
def test_one_body_of_bounded_size_is_sent(value: Any, body: Any) -> None:
    with pytest.raises(ToolFailed) as caught:
        build_body(value, body, {})
    assert caught.value.field == "body"
