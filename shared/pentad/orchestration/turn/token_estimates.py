"""Hold the estimate of a request's tokens against what its provider has reported.

Tokens are estimated by bytes, for every model alike; a model's own tokenizer makes more or fewer of them. So each reply
corrects the session's factor, by which the context's water marks are compared from then on, and its model's, with which
a session begins. What is counted as an error is what the correction has left of it.
"""

import json
import threading
from collections import OrderedDict
from typing import Final

from pentad.domain.models import Attempt, ChatReply, ChatRequest, Outcome
from pentad.domain.usage import estimate_tokens
from pentad.memory.tokens import estimate_message
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

LEAST_PERMILLE: Final = 250
MOST_PERMILLE: Final = 4000
_MODELS: Final = 64
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


class ModelFactors:
    """How many tokens each model makes of 1,000 estimated ones, as this process has seen it; safe under threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, model: str) -> int:
        """Return a model's factor, in thousandths; 0 where nothing has been measured."""
        with self._lock:
            return self._known.get(model, 0)

    def note(self, model: str, estimated: int, reported: int) -> None:
        """Correct a model's factor by a reply; the models that were seen last are kept."""
        with self._lock:
            self._known[model] = correct_factor(self._known.get(model, 0), estimated, reported)
            self._known.move_to_end(model)
            while len(self._known) > _MODELS:
                self._known.popitem(last=False)


class TokenEstimates:
    """Estimates of requests' tokens, corrected by what providers report.

    Args:
        telemetry: where the error is counted, in per cent of what was reported; of small requests none.
        factors: those of models, of this process.
    """

    def __init__(self, telemetry: Telemetry, factors: ModelFactors | None = None) -> None:
        self._telemetry = telemetry
        self._factors = factors or ModelFactors()

    def hold(self, request: ChatRequest, reply: ChatReply, permille: int) -> int | None:
        """Count how far the corrected estimate of a request was off, and return the session's factor after its reply.

        Args:
            request: what the model was asked.
            reply: what it answered.
            permille: the session's factor so far; 0 where nothing has been measured: then its model's counts.

        Returns:
            None where it is not certain what the provider has counted.
        """
        attempt = find_reported(reply)
        if attempt is None:
            return None
        estimated, reported = estimate_request(request), count_input(attempt)
        known = permille or self._factors.get(attempt.model)
        if reported > 0 and estimated >= _FEW_TOKENS:
            error = 100 * (estimated * (known or 1000) / 1000 - reported) / reported
            self._telemetry.count(names.ESTIMATE_ERROR, error, unit="Percent", model=attempt.model)
            self._factors.note(attempt.model, estimated, reported)
        return correct_factor(known, estimated, reported)
