"""What is logged holds no secrets and is bounded."""

import io
import logging

from pentad.domain.secrets import MASK
from pentad.observability.logs.redact import MAX_TEXT, RedactingFilter, redact

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
    redact("a\ud83d").encode()


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
