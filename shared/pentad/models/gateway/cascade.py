"""Ask a cheaper tier first, and move up where it is not sure enough of its answer.

How sure it is, it says itself, in the same reply: the answer is asked for inside ``{answer, confidence}``, by
structured output, so the number is always there and always between 0 and 1. What models say of themselves this way
follows how often they are right better than the probabilities of their tokens do (Tian et al. 2023, "Just Ask for
Calibration", arXiv:2305.14975), and those are not to be had from both providers. It costs a few tokens of output; a
judge would cost a second call for each answer, and words such as "I am not sure" are a matter of style. The threshold
is the task's, so it can be set from what `Cascades` counts and what evaluation finds.

A refusal, a reply that could not be used and a conversation too large for the tier move up as well.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pentad.domain.errors import (
    BudgetExceeded,
    ContextOverflow,
    InvalidInput,
    MalformedReply,
    ModelThrottled,
    ModelUnavailable,
    Refused,
)
from pentad.domain.messages import TextBlock
from pentad.domain.models import CascadeSpec, ChatReply, ChatRequest, StopReason
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelCatalog
from pentad.models.ports import ChatModel
from pentad.models.providers import strictjson
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

UNSURE = "This answer comes from a smaller model that was not sure of it, because the larger one could not be asked."
_DRAFT_SHARE = 0.5
"""Share of the time that is left which the first tier may take."""
_WORDS = {"type": "string", "description": "The answer itself, whole, in the form that was asked for."}
_CONFIDENCE = {
    "type": "number",
    "minimum": 0,
    "maximum": 1,
    "description": (
        "The probability that the answer is right and complete, from 0 to 1: of a hundred answers of which you are "
        "this sure, how many are right? Below 0.5 where something needed is missing or may be meant in two ways."
    ),
}


@dataclass(frozen=True)
class Draft:
    """What the first tier came to: a reply and its confidence, or nothing of use; and what that cost."""

    reply: ChatReply | None
    confidence: float
    attempts: tuple[Any, ...]
    usage: Usage
    cost_nanousd: int


def wrap_schema(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the schema of ``{answer, confidence}`` around a schema, or around words; None where it can't be wrapped.

    Definitions move to the root, where references look for them; a reference to anything else would lose its way.
    """
    inner = dict(_WORDS if schema is None else schema)
    definitions: dict[str, Any] = {key: inner.pop(key) for key in ("$defs", "definitions") if key in inner}
    if not all(ref.startswith(("#/$defs/", "#/definitions/")) for ref in _iter_references(schema)):
        return None
    return {
        "type": "object",
        "properties": {"answer": inner, "confidence": dict(_CONFIDENCE)},
        "required": ["answer", "confidence"],
        "additionalProperties": False,
        **definitions,
    }


def _iter_references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from _iter_references(each)


def extract_answer(reply: ChatReply, *, words: bool) -> tuple[ChatReply | None, float]:
    """Return the reply without the wrapper and its confidence; None and 0 where it holds no answer.

    Args:
        reply: the reply to a request for `wrapped`.
        words: the answer is a text, not a value.
    """
    try:
        value = strictjson.read(reply.message.text)
    except ValueError:
        return None, 0.0
    if strictjson.find_problem(value):
        return None, 0.0
    confidence = value.get("confidence") if isinstance(value, dict) else None
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        return None, 0.0
    answer = value.get("answer")
    text = answer if words else json.dumps(answer, ensure_ascii=False)
    if not isinstance(text, str) or not text.strip():
        return None, 0.0
    # The raw form holds the wrapper, and thinking is for the turn that has ended: neither goes into the conversation.
    message = reply.message.model_copy(update={"blocks": (TextBlock(text=text),), "raw": None})
    return reply.model_copy(update={"message": message}), float(confidence)


class Cascade:
    """A `pentad.models.ports.ChatModel` that asks a cheaper tier first, where the task or the request says so.

    Requests with tools go straight to their own tier: a call of a tool is no answer that one could be sure of.

    Args:
        inner: answers.
        catalog: which tasks declare it.
        telemetry: counts how often the first answer stood.
        clock: ``time.time``.
    """

    def __init__(
        self, inner: ChatModel, catalog: ModelCatalog, telemetry: Telemetry, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._inner = inner
        self._catalog = catalog
        self._telemetry = telemetry
        self._clock = clock

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply; see the port. Usage, cost and attempts are of both tiers where both were asked."""
        spec = self._find_spec(request)
        plain = request if request.cascade is None else request.model_copy(update={"cascade": None})
        schema = wrap_schema(request.output_schema) if spec is not None else None
        if spec is None or schema is None:
            return self._inner.complete(plain, deadline=deadline)
        first = plain.model_copy(update={"tier": spec.first, "model": None, "output_schema": schema})
        draft = self._make_draft(first, deadline, words=request.output_schema is None)
        if draft.reply is not None and draft.confidence >= spec.threshold:
            self._count("kept", spec)
            return draft.reply
        try:
            reply = self._inner.complete(plain, deadline=deadline)
        except (BudgetExceeded, ModelUnavailable, ModelThrottled) as error:
            if draft.reply is None:
                error.attempts = (*draft.attempts, *error.attempts)
                raise
            self._count("given_unsure", spec)
            return _add_attempts(_mark_unsure(draft.reply), error.attempts, *_sum_attempts(error.attempts))
        self._count("moved_up", spec)
        return _add_attempts(reply, draft.attempts, draft.usage, draft.cost_nanousd, before=True)

    def _find_spec(self, request: ChatRequest) -> CascadeSpec | None:
        route = self._catalog.route(task=request.task, tier=request.tier, model=request.model)
        spec = request.cascade or route.cascade
        if spec is None or request.tools or route.tier == spec.first:
            return None
        self._catalog.route(task=request.task, tier=spec.first)  # a tier that is not there is the caller's error
        return spec

    def _make_draft(self, first: ChatRequest, deadline: float, *, words: bool) -> Draft:
        now = self._clock()
        try:
            reply = self._inner.complete(first, deadline=now + (deadline - now) * _DRAFT_SHARE)
        except (
            Refused,
            MalformedReply,
            ContextOverflow,
            InvalidInput,
            ModelUnavailable,
            ModelThrottled,
        ) as error:
            # InvalidInput: no model of the tier can take it; where it is the request's own fault, the next one says so.
            return Draft(None, 0.0, error.attempts, *_sum_attempts(error.attempts))
        usable, confidence = None, 0.0
        if reply.stop is StopReason.END:
            usable, confidence = extract_answer(reply, words=words)
        return Draft(usable, confidence, reply.attempts, reply.usage, reply.cost_nanousd)

    def _count(self, outcome: str, spec: CascadeSpec) -> None:
        self._telemetry.count(names.CASCADES, outcome=outcome, tier=spec.first)


def _sum_attempts(attempts: tuple[Any, ...]) -> tuple[Usage, int]:
    """Return the usage of attempts and their cost in nano-dollars."""
    return sum((each.usage for each in attempts), Usage()), sum(each.cost_nanousd for each in attempts)


def _mark_unsure(draft: ChatReply) -> ChatReply:
    """Return a draft that is better than nothing."""
    return draft.model_copy(update={"notices": (*draft.notices, UNSURE)})


def _add_attempts(
    reply: ChatReply, attempts: tuple[Any, ...], usage: Usage, cost_nanousd: int, *, before: bool = False
) -> ChatReply:
    """Return a reply with what else was asked for it."""
    update = {
        "attempts": (*attempts, *reply.attempts) if before else (*reply.attempts, *attempts),
        "usage": usage + reply.usage,
        "cost_nanousd": cost_nanousd + reply.cost_nanousd,
    }
    return reply.model_copy(update=update)
