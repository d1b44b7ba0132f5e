"""Each outcome of the providers' tables, and the recovery of each."""

import pytest

from pentad.domain.models import Outcome
from pentad.models.providers.outcomes import (
    ANTHROPIC,
    BEDROCK,
    COMPATIBLE,
    OPENAI,
    RECOVERIES,
    Classified,
    FailureSignal,
    Rule,
    classify,
    find_reason,
)

AUTH, OVERLOAD, CALLER = Outcome.AUTHENTICATION, Outcome.OVERLOAD, Outcome.CALLER_ERROR


def test_every_outcome_has_one_recovery() -> None:
    assert set(RECOVERIES) == set(Outcome)


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (FailureSignal(429, "rate_limit_error"), Classified(Outcome.RATE_LIMIT, "model")),
        (FailureSignal(529, "overloaded_error"), Classified(OVERLOAD, "model")),
        (FailureSignal(200, "overloaded_error"), Classified(OVERLOAD, "model")),
        (FailureSignal(500, "api_error"), Classified(OVERLOAD, "model")),
        (FailureSignal(503), Classified(OVERLOAD, "model")),
        (FailureSignal(504, "timeout_error"), Classified(Outcome.TIMEOUT, "model")),
        (FailureSignal(408), Classified(Outcome.TIMEOUT, "provider")),
        (FailureSignal(401, "authentication_error"), Classified(AUTH, "provider")),
        (FailureSignal(403, "permission_error"), Classified(AUTH, "model")),
        (FailureSignal(404, "not_found_error", message="model: claude-2"), Classified(AUTH, "model")),
        (FailureSignal(402, "billing_error"), Classified(AUTH, "provider")),
        (
            FailureSignal(400, "invalid_request_error", message="Your credit balance is too low to access the API"),
            Classified(AUTH, "provider"),
        ),
        (FailureSignal(429, "rate_limit_error", "enforced_spend_limit_reached"), Classified(AUTH, "provider")),
        (
            FailureSignal(400, "invalid_request_error", message="prompt is too long: 210000 tokens > 200000 maximum"),
            Classified(Outcome.CONTEXT_OVERFLOW, "model"),
        ),
        (FailureSignal(413, "request_too_large"), Classified(Outcome.CONTEXT_OVERFLOW, "model")),
        (FailureSignal(400, "invalid_request_error", message="messages: at least one"), Classified(CALLER, "model")),
        (FailureSignal(422), Classified(CALLER, "model")),
        (FailureSignal(302), Classified(Outcome.CONNECTION, "provider")),
        (FailureSignal(), Classified(CALLER, "model")),
    ],
)
def test_anthropic(signal: FailureSignal, expected: Classified) -> None:
    assert classify(ANTHROPIC, signal) == expected


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (FailureSignal(429, "requests", "rate_limit_exceeded"), Classified(Outcome.RATE_LIMIT, "model")),
        (FailureSignal(429), Classified(Outcome.RATE_LIMIT, "model")),
        (FailureSignal(429, "insufficient_quota", "insufficient_quota"), Classified(AUTH, "provider")),
        (FailureSignal(400, "invalid_request_error", "billing_hard_limit_reached"), Classified(AUTH, "provider")),
        (FailureSignal(401, "invalid_request_error", "invalid_api_key"), Classified(AUTH, "provider")),
        (FailureSignal(403), Classified(AUTH, "model")),
        (FailureSignal(404, "invalid_request_error", "model_not_found"), Classified(AUTH, "model")),
        (
            FailureSignal(400, "invalid_request_error", "context_length_exceeded"),
            Classified(Outcome.CONTEXT_OVERFLOW, "model"),
        ),
        (
            FailureSignal(400, message="Your input exceeds the context window of this model."),
            Classified(Outcome.CONTEXT_OVERFLOW, "model"),
        ),
        (FailureSignal(400, code="cyber_policy"), Classified(Outcome.REFUSAL, "model")),
        (FailureSignal(500, "server_error"), Classified(OVERLOAD, "model")),
        (FailureSignal(503), Classified(OVERLOAD, "model")),
        (FailureSignal(400, "invalid_request_error", "unknown_parameter"), Classified(CALLER, "model")),
    ],
)
def test_openai(signal: FailureSignal, expected: Classified) -> None:
    assert classify(OPENAI, signal) == expected


REFUSED, TOO_LONG = Classified(Outcome.REFUSAL, "model"), Classified(Outcome.CONTEXT_OVERFLOW, "model")
CLOSED = Classified(AUTH, "provider")
FLAGGED = "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again."


@pytest.mark.parametrize(
    ("rules", "message", "code", "expected"),
    [
        (ANTHROPIC, "Output blocked by content filtering policy", "", REFUSED),
        (BEDROCK, "Output blocked by content filtering policy", "", REFUSED),
        (ANTHROPIC, "This organization has been disabled.", "", CLOSED),
        (
            ANTHROPIC,
            "You have reached your specified API usage limits. You will regain access on 2026-12-01",
            "",
            CLOSED,
        ),
        (ANTHROPIC, "You have reached your specified workspace API usage limits.", "", CLOSED),
        (BEDROCK, "Access to Anthropic models is not allowed from unsupported countries, regions, or", "", CLOSED),
        (OPENAI, FLAGGED, "invalid_prompt", REFUSED),
        (OPENAI, "Invalid prompt: we've limited access to this content for safety reasons.", "invalid_prompt", REFUSED),
        (OPENAI, "Invalid prompt: messages are malformed", "invalid_prompt", Classified(CALLER, "model")),
        (COMPATIBLE, "User location is not supported for the API use.", "", CLOSED),
        (
            COMPATIBLE,
            "Invalid request: Your request exceeded model token limit: 262144 (requested: 269030)",
            "",
            TOO_LONG,
        ),
        (
            COMPATIBLE,
            "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]",
            "",
            TOO_LONG,
        ),
        (COMPATIBLE, "Input length 203743 exceeds the maximum length 202752", "", TOO_LONG),
        (COMPATIBLE, "<400> InternalError.Algo.DataInspectionFailed: Input text data may contain", "", REFUSED),
        (COMPATIBLE, "Output data may contain inappropriate content.", "data_inspection_failed", REFUSED),
        (COMPATIBLE, "\u7cfb\u7edf", "1301", REFUSED),
        (COMPATIBLE, "Content Exists Risk", "", REFUSED),
    ],
)
def test_a_400_that_is_no_fault_of_the_request(
    rules: tuple[Rule, ...], message: str, code: str, expected: Classified
) -> None:
    assert classify(rules, FailureSignal(400, "invalid_request_error", code, message)) == expected


@pytest.mark.parametrize(
    "message",
    [
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1244 `inputs` tokens",
        "Input validation error: `inputs` must have less than 1024 tokens. Given: 1872",
    ],
)
def test_a_validation_that_counts_tokens_says_too_long(message: str) -> None:
    assert classify(COMPATIBLE, FailureSignal(422, message=message)) == TOO_LONG


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("messages[2].tool_calls[0].id", Classified(CALLER, "model")),
        ("input[95].call_id", Classified(CALLER, "model")),
        ("tools[0].function.name", Classified(CALLER, "model")),
        ("tools[0].function.description", Classified(CALLER, "model")),
        ("messages[1].content", TOO_LONG),
    ],
)
def test_a_string_that_is_too_long_is_the_conversation_only_where_it_is_said(what: str, expected: Classified) -> None:
    message = f"Invalid '{what}': string too long. Expected a string with maximum length 64, but got one of 86."
    signal = FailureSignal(400, "invalid_request_error", "string_above_max_length", message)
    assert classify(OPENAI, signal) == classify(COMPATIBLE, signal) == expected


def test_a_403_for_what_was_asked_is_a_refusal() -> None:
    message = "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"
    assert classify(COMPATIBLE, FailureSignal(403, message=message)) == REFUSED


def test_a_reason_is_found_by_the_code_too() -> None:
    found = find_reason(FailureSignal(400, code="unsupported_parameter"))
    assert found is not None and found.elsewhere
    assert find_reason(FailureSignal(400, "invalid_request_error", message="no")) is None


def test_a_callers_fault_is_not_retried_anywhere() -> None:
    recovery = RECOVERIES[CALLER]
    assert (recovery.retry, recovery.repair, recovery.then, recovery.down) == (False, False, "fail", False)


def test_a_refusal_is_never_retried_on_the_same_model() -> None:
    assert (RECOVERIES[Outcome.REFUSAL].retry, RECOVERIES[Outcome.REFUSAL].repair) == (False, False)
