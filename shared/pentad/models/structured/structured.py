"""Ask a model for a value of a pydantic type: a strict schema on the way out, pydantic on the way in, one repair.

The gateway checks a reply against the schema, repairs it once and goes on to the next link. What the schema can't say
(bounds, patterns, a validator of one's own) pydantic checks here, and the model is told once what was wrong.

In the middle of a conversation `complete_in_words` asks without changing what stands before: providers put a schema
ahead of the system prompt, so a request with one reads nothing of the conversation from their caches (OpenAI's guide to
prompt caching: "the structured output schema serves as a prefix to the system message").
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from pentad.domain.display.unicode_text import mend_escapes
from pentad.domain.errors import ContextOverflow, InvalidInput, MalformedReply, Refused
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import ChatReply, ChatRequest, Outcome, StopReason
from pentad.models.ports import ChatModel
from pentad.models.providers import strictjson
from pentad.models.structured import checks
from pentad.models.structured.schemas import build_strict_schema

M = TypeVar("M", bound=BaseModel)
IN_WORDS = "Call no tool. Reply with one JSON value and nothing else, one that fits this JSON Schema:\n"


@dataclass(frozen=True)
class Structured(Generic[M]):
    """A value and how it came.

    Args:
        value: the value, validated.
        reply: the reply that holds it; usage, cost, notices and attempts are of all turns.
        repaired: the first reply did not fit.
    """

    value: M
    reply: ChatReply
    repaired: bool = False


def complete_as(model: ChatModel, request: ChatRequest, output: type[M], *, deadline: float) -> Structured[M]:
    """Return a model's answer as a value of a type.

    Args:
        model: the gateway, or anything that wraps it.
        request: what to ask; without tools and without a schema of its own.
        output: the type; each field is asked for, also those with a default.
        deadline: ``time.time()`` by which an answer is of use; both turns end before it.

    Raises:
        InvalidInput: the request has tools or a schema, or the type can't be asked for.
        MalformedReply: the reply did not fit, nor did its repair; or it was cut at the output limit.
        Refused: the model declined.
        ModelUnavailable: no model answered, so there is no value.
        ContextOverflow: no model holds the conversation.
        PentadError: whatever else the port raises.
    """
    if request.tools or request.output_schema is not None:
        raise InvalidInput(
            "a request for a typed value must not have tools or a schema of its own", field="request", fix="remove them"
        )
    return _ask(model, request.model_copy(update={"output_schema": build_strict_schema(output)}), output, deadline)


def complete_in_words(model: ChatModel, request: ChatRequest, output: type[M], *, deadline: float) -> Structured[M]:
    """Return a model's answer as a value of a type, the schema being told at the end of the last message.

    Tools, system prompt and earlier messages go out as they are, so a provider's cache serves them. Nothing but the
    check here makes the reply fit.

    Args:
        model: the gateway, or anything that wraps it.
        request: what to ask, tools included; its last message is the user's and holds the question.
        output: the type.
        deadline: ``time.time()`` by which an answer is of use; both turns end before it.

    Raises:
        InvalidInput: the request has a schema, or the type can't be asked for.
        MalformedReply: the reply did not fit, nor did its repair; or it called a tool; or it was cut.
        PentadError: as `complete_as`.
    """
    if request.output_schema is not None or not request.messages:
        raise InvalidInput(
            "a request for a value in words must have messages and no schema of its own", field="request"
        )
    *before, last = request.messages
    told = TextBlock(text=IN_WORDS + json.dumps(build_strict_schema(output), ensure_ascii=False))
    asking = last.model_copy(update={"blocks": (*last.blocks, told)})
    return _ask(model, request.model_copy(update={"messages": (*before, asking)}), output, deadline)


def _ask(model: ChatModel, asked: ChatRequest, output: type[M], deadline: float) -> Structured[M]:
    first = _check_ended(model.complete(asked, deadline=deadline))
    value, problems = _read(first, output)
    if value is not None:
        return Structured(value, first)
    if any(attempt.outcome is Outcome.MALFORMED for attempt in first.attempts):
        raise MalformedReply(
            f"the reply did not match {output.__name__}, though it was repaired once: {problems[0]}",
            fix="describe the fields more precisely, or ask a larger model",
        )
    second = _check_ended(model.complete(_make_repair_request(asked, first, problems), deadline=deadline))
    value, problems = _read(second, output)
    if value is None:
        raise MalformedReply(
            f"the reply did not match {output.__name__}, and neither did its repair: {problems[0]}",
            fix="describe the fields more precisely, or ask a larger model",
        )
    return Structured(value, join_replies(first, second), repaired=True)


def join_replies(first: ChatReply, last: ChatReply) -> ChatReply:
    """Return the last reply with the usage, cost, notices and attempts of both."""
    update = {
        "usage": first.usage + last.usage,
        "cost_nanousd": first.cost_nanousd + last.cost_nanousd,
        "notices": tuple(dict.fromkeys((*first.notices, *last.notices))),
        "attempts": (*first.attempts, *last.attempts),
    }
    return last.model_copy(update=update)


def _check_ended(reply: ChatReply) -> ChatReply:
    """Return a reply that ended by itself."""
    if reply.stop is StopReason.REFUSAL:
        raise Refused("the model declined")
    if reply.stop is StopReason.CONTEXT_OVERFLOW:
        raise ContextOverflow("the conversation does not fit the model", fix="shorten it")
    if reply.stop is not StopReason.END:
        raise MalformedReply("the reply did not end by itself", fix="raise the task's output_tokens")
    return reply


def _read(reply: ChatReply, output: type[M]) -> tuple[M | None, Sequence[str]]:
    """Return the value and nothing, or nothing and what is wrong."""
    text = checks.strip_fence(reply.message.text)
    try:
        found = strictjson.find_problem(strictjson.read(text))
        if found:
            return None, [f"the JSON of the reply {found}"]
        return output.model_validate_json(mend_escapes(text)), ()
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        places = ((".".join(map(str, each["loc"])) or "the value", each["msg"]) for each in errors)
        return None, [f"{place}: {message}"[:300] for place, message in places][: checks.MAX_PROBLEMS]
    except ValueError:
        return None, ["the reply is not JSON alone; write the JSON value and nothing else"]


def _make_repair_request(asked: ChatRequest, reply: ChatReply, problems: Sequence[str]) -> ChatRequest:
    note = Message(
        message_id=f"{reply.message.message_id}.repair",
        role="user",
        blocks=(TextBlock(text=checks.repair_note(problems)),),
        created_at=reply.message.created_at,
    )
    # Anew: a kept reply that was wrong once would be wrong again each time.
    return asked.model_copy(update={"messages": (*asked.messages, reply.message, note), "fresh": True})
