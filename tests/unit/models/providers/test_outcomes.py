"""Each outcome of the providers' tables, and the recovery of each."""

import pytest

from pentad.domain.models import Outcome
from pentad.models.providers.outcomes import ANTHROPIC, OPENAI, RECOVERIES, Classified, FailureSignal, classify

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


def test_a_callers_fault_is_not_retried_anywhere() -> None:
    recovery = RECOVERIES[CALLER]
    assert (recovery.retry, recovery.repair, recovery.then, recovery.down) == (False, False, "fail", False)


def test_a_refusal_is_never_retried_on_the_same_model() -> None:
    assert (RECOVERIES[Outcome.REFUSAL].retry, RECOVERIES[Outcome.REFUSAL].repair) == (False, False)
