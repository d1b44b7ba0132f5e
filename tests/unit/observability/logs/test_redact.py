"""What is logged holds no secrets and is bounded."""

import io
import json
import logging
import math
from typing import Any

import pytest

from pentad.domain.secrets import KNOWN, MASK
from pentad.observability.logs.redact import (
    MAX_LINE,
    MAX_TEXT,
    RedactingFilter,
    make_safe_error,
    redact,
    redact_text,
    serialize_line,
)

KEY = "sk-ant-" + "a1" * 12


def test_secrets_go_by_form_and_by_name_at_any_depth() -> None:
    record = {"a": [{"text": f"key {KEY}"}], "Authorization": "anything", "input_tokens": 7, "ok": True, "none": None}
    assert redact(record) == {
        "a": [{"text": f"key {MASK}"}],
        "Authorization": MASK,
        "input_tokens": 7,
        "ok": True,
        "none": None,
    }


def test_depth_width_and_length_are_bounded() -> None:
    deep: object = "x"
    for _ in range(50):
        deep = [deep]
    assert "[deep]" in str(redact(deep))
    assert len(redact(list(range(1000)))) == 200
    assert len(redact("y" * 1_000_000)) <= MAX_TEXT + 5


def test_what_is_not_json_becomes_masked_text() -> None:
    assert redact(ValueError(f"bad {KEY}")) == f"bad {MASK}"


def test_a_lone_surrogate_can_be_written() -> None:
    assert redact("a\ud83d").encode() == b"a?"


def test_the_filter_masks_messages_arguments_and_tracebacks_of_any_logger() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("some.library")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        logger.warning("sent %s", f"Bearer {KEY}")
        try:
            raise ValueError(f"refused {KEY}")
        except ValueError:
            logger.exception("it failed")
    finally:
        logger.removeHandler(handler)
    assert KEY not in stream.getvalue()
    assert "sent Bearer [masked]" in stream.getvalue() and "ValueError: refused [masked]" in stream.getvalue()


def test_personal_data_goes_from_messages_names_and_numbers() -> None:
    card, record = 4111111111111111, {"ada@example.com": {"paid": 4111111111111111, "order": 4111111111111112}}
    assert redact(record) == {"[email]": {"paid": "[card]", "order": card + 1}}


def test_what_json_has_no_word_for_leaves_a_line_that_can_be_read() -> None:
    record: dict[Any, Any] = {"a": math.nan, "b": [math.inf], "c": "x\u2028y\x85z\x00\ud83d", "d": b"\xff", 7: object}
    line = serialize_line(record)
    assert len(line.splitlines()) == 1
    found = json.loads(line, parse_constant=pytest.fail)
    assert (found["a"], found["b"], found["c"]) == ("nan", ["inf"], "x\u2028y\x85z\x00?")


@pytest.mark.parametrize(
    "big",
    [
        {"detail": "é" * 500_000},
        {str(number): "é" * 8_000 for number in range(300)},
        {"attributes": {str(number): ["é" * 8_000] * 200 for number in range(200)}},
    ],
)
def test_a_line_stays_within_what_lambda_hands_on(big: dict[str, Any]) -> None:
    line = serialize_line({"level": "INFO", "message": "m", "run": "r", **big})
    assert len(line.encode()) <= MAX_LINE
    assert json.loads(line)["run"] == "r"


def test_an_error_is_replaced_only_where_its_message_may_not_be_logged() -> None:
    assert make_safe_error(ValueError("the step is missing")) is None
    try:
        raise KeyError("ada@example.com paid with 4111 1111 1111 1111")
    except KeyError as error:
        safe = make_safe_error(error)
    assert safe is not None and type(safe).__name__ == "KeyError" and safe.__traceback__ is not None
    assert str(safe) == "'[email] paid with [card]'"


def test_a_librarys_message_whose_arguments_do_not_fit_is_masked_too() -> None:
    record = logging.LogRecord("some.library", logging.INFO, "x", 1, "%d of %s", (f"Bearer {KEY}",), None)
    assert RedactingFilter().filter(record)
    assert KEY not in record.getMessage() and "Bearer" in record.getMessage()


@pytest.mark.parametrize("value", ["swordfish", "a1b2c3d4" * 4, "lighthouse.keeper"])
def test_a_secret_that_was_read_is_masked_also_where_it_looks_like_a_name_or_an_id(value: str) -> None:
    assert redact({"detail": value}) == {"detail": value}
    KNOWN.add(value)
    try:
        assert redact({"detail": value}) == {"detail": MASK}
    finally:
        KNOWN.clear()


@pytest.mark.parametrize(
    ("text", "kind"),
    [("4111111111111111", "[card]"), ("5555555555554444", "[card]"), ("be68539007547034", "[iban]"),
     ("BE68539007547034", "[iban]"), ("378282246310005", "[card]"), ("de89370400440532013000", "[iban]")],
)  # fmt: skip
def test_a_text_that_is_a_number_alone_is_masked_though_an_id_may_look_alike(text: str, kind: str) -> None:
    assert redact_text(text) == kind
    assert redact({"detail": text, text: [text]}) == {"detail": kind, kind: [kind]}
    for plain in ("4111111111111112", "be68539007547035", "0af7651916cd43dd", "1796036337066233"):
        assert redact_text(plain) == plain


def test_the_ids_of_a_span_stay_though_they_are_digits() -> None:
    span = {"trace_id": "4111111111111111" * 2, "span_id": "4111111111111111", "parent_id": "be68539007547034"}
    assert redact({"span": span}) == {"span": span}
    assert redact({"span_id": "4111 1111 1111 1111", "id": "4111111111111111"}) == {"span_id": "[card]", "id": "[card]"}


@pytest.mark.parametrize(
    "value", [12345678, 1.5, ["abc", 1], {"a": "correct horse"}, b"Bearer x", ("a=b",), {"x"}, "x"]
)
@pytest.mark.parametrize("name", ["password", "api_key", "Authorization", "Set-Cookie", "taskToken"])
def test_what_stands_behind_a_secrets_name_is_masked_whatever_it_is(name: str, value: object) -> None:
    assert redact({name: value, "x": [{name: value}]}) == {name: MASK, "x": [{name: MASK}]}
    assert redact({name: None, "max_tokens": 7, "has": True}) == {name: None, "max_tokens": 7, "has": True}


@pytest.mark.parametrize("number", [4111111111111111, -4111111111111111, 4111111111111111.0, b"4111111111111111"])
def test_a_card_is_masked_as_a_number_of_any_type(number: object) -> None:
    assert redact([number]) == ["[card]"]
    assert redact([b"a:\n4111111111111111"]) == ["a:\n[card]"]


@pytest.mark.parametrize("key", ["AKIA" + "QWERTYUIOPASDFGH", "ghp_" + "aBcDeFgHiJkL" * 3])
def test_a_key_without_a_digit_is_no_plain_word(key: str) -> None:
    assert redact_text(key) == MASK


def test_a_known_secret_with_hidden_characters_in_it_is_in_no_line_and_no_error() -> None:
    KNOWN.add("hunter-two-words")
    try:
        said = "refused: hunter\u200b-two\x1b[0m-words"
        assert redact({"error": said, said: 1}) == {"error": f"refused: {MASK}", f"refused: {MASK}": 1}
        safe = make_safe_error(RuntimeError(said))
        assert str(safe) == f"refused: {MASK}"
        record = logging.LogRecord("x", logging.INFO, "x", 1, "%s and %r", (said, said), None)
        assert RedactingFilter().filter(record) and "words" not in record.getMessage()
    finally:
        KNOWN.clear()
