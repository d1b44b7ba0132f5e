"""Make a conversation that overflowed its model smaller, and go on: never the same payload again.

What goes first is the oldest: whole questions with all that followed them. Where the newest question alone is too much,
its tools' results are shortened, and then its oldest calls go, each with its result. The newest question, its passages
and the newest results' calls always stay, and a call is never apart from its result. `compact` is pure.
"""

from collections.abc import Sequence
from typing import Any

from pentad.domain.errors import ContextOverflow, ModelThrottled, ModelUnavailable, PentadError
from pentad.domain.messages import ContentBlock, Message, TextBlock, ToolResultBlock
from pentad.domain.models import Attempt, ChatReply, ChatRequest
from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelCatalog, Route
from pentad.models.gateway.candidates import output_cap
from pentad.models.gateway.tokens import estimate_message, estimate_request
from pentad.models.ports import ChatModel
from pentad.observability.metrics import names
from pentad.observability.ports import Telemetry

LEFT_OUT = "[Earlier parts of this conversation are left out: they did not fit.]"
COMPACTED = "Earlier parts of the conversation were left out, since they did not fit the model."

_FILL = 0.75
"""Share of the window's room that a compacted conversation takes: the next turns find some too."""
_SHRINK = 0.6
"""It is at most this share of what overflowed: where a provider counts more than we estimate, that has to show."""
_RESULT_CHARACTERS = (8_000, 4_000, 2_000, 1_000, 400)
"""What is tried as the length of the results of tools, one after the other."""


def compact(messages: Sequence[Message], target_tokens: float) -> tuple[Message, ...] | None:
    """Return a conversation of at most so many tokens, or None where its newest question alone has more.

    Args:
        messages: the conversation, the newest last.
        target_tokens: by the estimate of `pentad.models.gateway.tokens`, without a model's factor.
    """
    starts = [index for index, message in enumerate(messages) if _is_question(message)] or [0]
    for start in starts:
        kept = _with_note(messages, list(messages[start:]))
        if _count_tokens(kept) <= target_tokens:
            return kept
    newest = list(messages[starts[-1] :])
    for limit in _RESULT_CHARACTERS:
        newest = [_trim_results(message, limit) for message in newest]
        kept = _with_note(messages, newest)
        if _count_tokens(kept) <= target_tokens:
            return kept
    while (pair := _find_oldest_pair(newest)) is not None:
        del newest[pair : pair + 2]
        kept = _with_note(messages, newest)
        if _count_tokens(kept) <= target_tokens:
            return kept
    return None


def _is_question(message: Message) -> bool:
    return message.role == "user" and not any(isinstance(block, ToolResultBlock) for block in message.blocks)


def _count_tokens(messages: Sequence[Message]) -> int:
    return sum(estimate_message(message) for message in messages)


def _with_note(before: Sequence[Message], kept: Sequence[Message]) -> tuple[Message, ...]:
    """Return what is kept, after a word about what is not, where messages are missing."""
    if len(kept) == len(before) or not kept:
        return tuple(kept)
    note = TextBlock(text=LEFT_OUT)
    first = kept[0]
    return (
        Message(message_id=f"{first.message_id}.left-out", role="user", blocks=(note,), created_at=first.created_at),
        *kept,
    )


def _trim_results(message: Message, limit: int) -> Message:
    """Return the message with the beginning and the end of each result that is longer."""
    blocks: list[ContentBlock] = []
    for block in message.blocks:
        if isinstance(block, ToolResultBlock) and len(block.content) > limit + 100:
            missing = len(block.content) - limit
            text = f"{block.content[: limit // 2]}\n[{missing} characters left out]\n{block.content[-limit // 2 :]}"
            blocks.append(block.model_copy(update={"content": text, "citable": None}))
        else:
            blocks.append(block)
    return message if tuple(blocks) == message.blocks else message.model_copy(update={"blocks": tuple(blocks)})


def _find_oldest_pair(messages: Sequence[Message]) -> int | None:
    """Return where the oldest reply stands whose calls the next message answers; the newest such pair stays."""
    pairs = [
        index
        for index in range(len(messages) - 1)
        if messages[index].tool_calls and messages[index + 1].role == "user" and not _is_question(messages[index + 1])
    ]
    return pairs[0] if len(pairs) > 1 else None


def compute_target(request: ChatRequest, route: Route) -> float:
    """Return how many tokens the messages of a request that overflowed may have; 0 or less where nothing would fit."""
    model = max((link.model for link in route.links), key=lambda model: model.context_tokens)
    room = model.context_tokens - output_cap(request, model, route.output_tokens)
    fixed = estimate_request(request.model_copy(update={"messages": ()}))
    return min(_FILL * (room / model.token_factor - fixed), _SHRINK * _count_tokens(request.messages))


class CompactingChat:
    """A `pentad.models.ports.ChatModel` that goes on with less of a conversation that no model holds, once.

    Args:
        inner: asks the models; it has tried those with a larger window before it gives up.
        catalog: the models' windows.
        telemetry: counts.
    """

    def __init__(self, inner: ChatModel, catalog: ModelCatalog, telemetry: Telemetry) -> None:
        self._inner = inner
        self._catalog = catalog
        self._telemetry = telemetry

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Return the reply; see the port. One to a smaller conversation has a notice that says so."""
        try:
            return self._inner.complete(request, deadline=deadline)
        except ContextOverflow as error:
            smaller = self._reduce_request(request)
            if smaller is None:
                raise
            overflowed = error.attempts
        try:
            reply = self._inner.complete(smaller, deadline=deadline)
        except PentadError as error:
            error.attempts = (*overflowed, *error.attempts)
            if isinstance(error, ModelUnavailable | ModelThrottled):
                error.notices = (*error.notices, COMPACTED)
            raise
        return reply.model_copy(update=_merge_attempts(reply, overflowed))

    def _reduce_request(self, request: ChatRequest) -> ChatRequest | None:
        route = self._catalog.route(task=request.task, tier=request.tier, model=request.model)
        messages = compact(request.messages, compute_target(request, route))
        self._telemetry.count(
            names.CONTEXT_COMPACTIONS, tier=route.tier, outcome="too_large" if messages is None else "compacted"
        )
        return None if messages is None else request.model_copy(update={"messages": messages})


def _merge_attempts(reply: ChatReply, overflowed: Sequence[Attempt]) -> dict[str, Any]:
    """Return what changes in a reply by the attempts that came before it."""
    return {
        "notices": (*reply.notices, COMPACTED),
        "attempts": (*overflowed, *reply.attempts),
        "usage": sum((each.usage for each in overflowed), Usage()) + reply.usage,
        "cost_nanousd": sum(each.cost_nanousd for each in overflowed) + reply.cost_nanousd,
    }
