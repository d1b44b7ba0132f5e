"""Hold the estimate of a request's tokens against what its provider has reported.

Tokens are estimated by bytes, for every model alike; a model's own tokenizer makes more or fewer of them. So each reply
corrects the session's factor, by which the context's water marks are compared from then on.
"""

import json
from typing import Final

from pentad.domain.models import Attempt, ChatReply, ChatRequest, Outcome
from pentad.domain.usage import estimate_tokens
from pentad.memory.tokens import estimate_message
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

LEAST_PERMILLE: Final = 250
MOST_PERMILLE: Final = 4000
_FEW_TOKENS: Final = 200
"""Of a smaller request what surrounds the words is too much of it."""


def estimate_request(request: ChatRequest) -> int:
    """Return the estimated tokens of a request: system prompt, tools and messages."""
    tools = sum(
        estimate_tokens(tool.name + tool.description + json.dumps(tool.input_schema, ensure_ascii=False))
        for tool in request.tools
    )
    return estimate_tokens(request.system) + tools + sum(map(estimate_message, request.messages))


def find_reported(reply: ChatReply) -> Attempt | None:
    """Return the one attempt that a reply is of, with what it read, or None where that is not certain."""
    answered = [one for one in reply.attempts if one.outcome is Outcome.OK]
    if len(answered) != 1 or answered[0].is_estimated:
        return None
    return answered[0]


def count_input(attempt: Attempt) -> int:
    """Return the tokens that a model has read, from a cache or not."""
    usage = attempt.usage
    return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens


def correct_factor(permille: int, estimated: int, reported: int) -> int:
    """Return the session's factor after a reply, in thousandths: half of what it was and half of what was measured.

    Args:
        permille: the factor so far; 0 where nothing has been measured.
        estimated: tokens of the request.
        reported: tokens that the provider has counted.
    """
    if estimated < _FEW_TOKENS or reported <= 0:
        return permille
    measured = min(MOST_PERMILLE, max(LEAST_PERMILLE, round(1000 * reported / estimated)))
    return measured if permille == 0 else (permille + measured) // 2


def hold_estimate(telemetry: Telemetry, request: ChatRequest, reply: ChatReply, permille: int) -> int | None:
    """Count how far the estimate of a request was off, and return the session's factor after its reply.

    Args:
        telemetry: where the error is counted, in per cent of what was reported.
        request: what the model was asked.
        reply: what it answered.
        permille: the factor so far; 0 where nothing has been measured.

    Returns:
        None where it is not certain what the provider has counted.
    """
    attempt = find_reported(reply)
    if attempt is None:
        return None
    estimated, reported = estimate_request(request), count_input(attempt)
    if reported > 0:
        error = 100 * (estimated - reported) / reported
        telemetry.count(names.ESTIMATE_ERROR, error, unit="Percent", model=attempt.model)
    return correct_factor(permille, estimated, reported)
