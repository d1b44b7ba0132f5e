"""Choose and assemble the context of a model turn. Pure: the same messages give the same context, byte for byte.

The context is the session's messages since its epoch began, as they were sent, and last the newest message with its
passages. Within an epoch nothing before the newest message changes, so a provider can read it from its cache. When the
messages no longer fit below the high-water mark, a new epoch begins at the earliest question from which they fit below
the low-water mark: one change of the prefix, then stability again.

An epoch begins at a question (a user's message that carries no tool results), so a tool call is never split from its
result, nor an assistant's thinking from its calls. Where the newest run alone has outgrown the budget, an epoch begins
inside it, at an assistant's message: the run's question stays in front with a note that steps were left out, whole
turns (calls with their results, thinking with its signature) go, and then nothing changes again until the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pentad.domain.declarations.agents import ContextSpec
from pentad.domain.display.frames import escape_text
from pentad.domain.messages import ContentBlock, Message, TextBlock, ToolResultBlock
from pentad.domain.usage import estimate_tokens
from pentad.memory.retrieval.citations import resolve_citations
from pentad.memory.retrieval.knowledge import with_citable_results
from pentad.memory.retrieval.passages import edge_order, estimate_given, render_question, take_passages_apart
from pentad.memory.retrieval.remembered import estimate_remembered, render_remembered
from pentad.memory.sessions.ports import StoredMessage
from pentad.memory.tokens import Counter, estimate_message

__all__ = [
    "Epoch",
    "advance_epoch",
    "assemble",
    "choose_epoch",
    "edge_order",
    "estimate_context",
    "is_question",
    "mark_bare",
    "render_question",
    "resolve_citations",
    "scale_budget",
]

LEFT_OUT = "[The beginning of this conversation was left out to save room.]"
STEPS_LEFT_OUT = "[The first {steps} steps of your work on this were left out to save room; what they did stands.]"
UNANSWERED = "The run ended before this tool answered."


@dataclass(frozen=True)
class Epoch:
    """Where the context begins and what it holds from there."""

    first_seq: int
    estimated_tokens: int


def is_question(message: Message) -> bool:
    """Tell whether a context may begin with this message: a user's message, no tool results."""
    return message.role == "user" and not any(isinstance(block, ToolResultBlock) for block in message.blocks)


def estimate_context(one: StoredMessage, count: Counter = estimate_tokens) -> int:
    """Return the estimated tokens of a message as it is sent, with all that is given with it."""
    own = one.estimated_tokens or estimate_message(one.message, count)
    return own if one.is_bare else own + estimate_given(one, count)


def mark_bare(stored: Sequence[StoredMessage], before_seq: int) -> list[StoredMessage]:
    """Return messages, those before a place as they are sent since an epoch turned there: by themselves.

    What was retrieved for an earlier question is most of a history, and of little use to a later one.
    """
    return [one.model_copy(update={"is_bare": True}) if one.seq < before_seq else one for one in stored]


def scale_budget(budget: ContextSpec, token_permille: int) -> ContextSpec:
    """Return a budget's water marks in estimated tokens, where a model makes more or fewer tokens of the same words.

    Args:
        budget: the agent's, in the model's tokens.
        token_permille: how many the model makes of 1,000 estimated ones; 0 where that is not known.
    """
    if token_permille in (0, 1000):
        return budget
    marks = {name: getattr(budget, name) * 1000 // token_permille for name in ("high_water_tokens", "low_water_tokens")}
    return budget.model_copy(update=marks)


def choose_epoch(stored: Sequence[StoredMessage], budget: ContextSpec, count: Counter = estimate_tokens) -> Epoch:
    """Return where the context begins, given the messages since the current epoch began, the newest last.

    The choice is over the budget only where the newest turn alone is.

    Args:
        stored: at least one message; passages of the newest are already with it.
        budget: the agent's water marks, in tokens.
        count: estimates the tokens of a text.
    """
    # Messages before the first question can be left over where the beginning of a session has expired; an assistant's
    # is where an earlier run was cut.
    starts = [index for index, one in enumerate(stored) if _is_start(index, one.message)] or [0]
    remaining = _count_remaining(stored, count)
    low = min(budget.low_water_tokens, budget.high_water_tokens)
    chosen = starts[0]
    if remaining[chosen] > budget.high_water_tokens:
        chosen = next((index for index in starts if remaining[index] <= low), starts[-1])
    return Epoch(stored[chosen].seq, remaining[chosen])


def advance_epoch(
    stored: Sequence[StoredMessage],
    budget: ContextSpec,
    *,
    request_seq: int,
    pinned: bool = False,
    count: Counter = estimate_tokens,
) -> Epoch | None:
    """Return where the context of a run in progress has to begin, or None while it fits below the high-water mark.

    Older questions go first; then the run's own turns, oldest first, while its question stays in front. At least the
    newest turn stays, so the choice is over the budget only where that and the question are.

    Args:
        stored: what the model is to be sent, the newest last; the run's question among them.
        budget: the agent's water marks, in tokens.
        request_seq: where the run's question stands.
        pinned: the first is the run's question, and the second where its epoch began before.
        count: estimates the tokens of a text.
    """
    remaining = _count_remaining(stored, count)
    if remaining[0] <= budget.high_water_tokens:
        return None
    question = next((estimate_context(one, count) for one in stored if one.seq == request_seq), 0)
    front = 1 if pinned else 0
    places = [
        (one.seq, remaining[index] + (question if one.seq > request_seq else 0))
        for index, one in enumerate(stored)
        if index > front and _is_run_start(one, request_seq)
    ]
    if not places:
        return None
    low = min(budget.low_water_tokens, budget.high_water_tokens)
    return Epoch(*next((place for place in places if place[1] <= low), places[-1]))


def _is_run_start(one: StoredMessage, request_seq: int) -> bool:
    if one.seq <= request_seq:
        return is_question(one.message)
    return one.message.role == "assistant"


def _count_remaining(stored: Sequence[StoredMessage], count: Counter) -> list[int]:
    """Return the tokens from each message to the end, and 0 for the end itself."""
    remaining = [0] * (len(stored) + 1)
    for index in range(len(stored) - 1, -1, -1):
        remaining[index] = remaining[index + 1] + estimate_context(stored[index], count)
    if stored and stored[0].remembered is not None:
        remaining[0] += estimate_remembered(stored[0].remembered, count)
    return remaining


def assemble(stored: Sequence[StoredMessage], *, pinned: bool = False) -> tuple[Message, ...]:
    """Return the messages to send, given those since the epoch began, in order.

    Questions are rendered with their passages, and beside that as text with these apart, for a provider that cites
    passages itself. A run that ended between a tool call and its result leaves a call that
    no provider would accept: it is given an error result, so that the conversation can go on.

    Args:
        stored: the messages.
        pinned: the first is the question of a run whose first steps were left out; the second is where it goes on.
    """
    first = next((index for index, one in enumerate(stored) if _is_start(index, one.message)), 0)
    messages: list[Message] = []
    for index, one in enumerate(stored[first:]):
        message = _render_message(one)
        front = _make_front(one) if index == 0 else None
        if index == 0 and message.role == "assistant":
            messages.append(_put_in_front(_make_lead(message), front))
        elif index == 0 and pinned and len(stored) > 1:
            message = _put_in_front(_add_note(message, stored[1].message), front)
        elif index == 0:
            message = _put_in_front(message, front)
        if messages:
            _answer_open_calls(messages, message)
        last = messages[-1] if messages else None
        kept = _drop_orphans(last, message)
        if kept.blocks:
            messages.append(with_citable_results(kept, last))
    return tuple(messages)


def _is_start(index: int, message: Message) -> bool:
    """Tell whether a context may begin here; with an assistant's message only where an epoch began inside a run."""
    return is_question(message) or (index == 0 and message.role == "assistant")


def _make_lead(message: Message) -> Message:
    """Return a user's message for the front of a conversation whose beginning is gone: providers ask for one."""
    return Message(
        message_id=f"{message.message_id}.lead",
        role="user",
        blocks=(TextBlock(text=LEFT_OUT),),
        created_at=message.created_at,
    )


def _make_front(one: StoredMessage) -> str | None:
    """Return what stands in front of the epoch that begins at a message, as text; None where nothing does."""
    return None if one.remembered is None or one.remembered.is_empty else render_remembered(one.remembered)


def _put_in_front(message: Message, front: str | None) -> Message:
    """Return a message with what is remembered before its words, which then stand in the frame of a question."""
    if front is None:
        return message
    words = [block for block in message.blocks if isinstance(block, TextBlock)]
    others = [block for block in message.blocks if not isinstance(block, TextBlock)]
    framed = [block if "</question>" in block.text else _frame_question(block) for block in words]
    return message.model_copy(update={"blocks": (*others, TextBlock(text=front), *framed)})


def _frame_question(block: TextBlock) -> TextBlock:
    return TextBlock(text=f"<question>{escape_text(block.text)}</question>")


def _add_note(question: Message, following: Message) -> Message:
    steps = (following.step or 1) - 1
    if steps < 1:
        return question
    note = TextBlock(text=STEPS_LEFT_OUT.format(steps=steps))
    return question.model_copy(update={"blocks": (*question.blocks, note)})


def _render_message(one: StoredMessage) -> Message:
    if not one.message.text or not is_question(one.message):
        return one.message
    others: list[ContentBlock] = [block for block in one.message.blocks if not isinstance(block, TextBlock)]
    given = ((), ()) if one.is_bare else (one.passages, one.recalled)
    rendered = render_question(one.message.text, *given)
    if rendered == one.message.text:
        return one.message
    citable = take_passages_apart(one.message.text, *given)
    return one.message.model_copy(update={"blocks": (*others, TextBlock(text=rendered, citable=citable))})


def _answer_open_calls(messages: list[Message], following: Message) -> None:
    """Close the calls of the last message that the following one does not answer."""
    last = messages[-1]
    answered = {block.call_id for block in following.blocks if isinstance(block, ToolResultBlock)}
    missing = tuple(
        ToolResultBlock(call_id=call.call_id, content=UNANSWERED, is_error=True)
        for call in last.tool_calls
        if call.call_id not in answered
    )
    if not missing or answered:
        # Partial answers are completed by _without_orphans, in the message that carries the others.
        return
    messages.append(
        Message(
            message_id=f"{last.message_id}.unanswered",
            role="user",
            blocks=missing,
            created_at=last.created_at,
            run_id=last.run_id,
            step=last.step,
        )
    )


def _drop_orphans(last: Message | None, message: Message) -> Message:
    """Return the message with a result for each call of the one before, and none for calls that are not there."""
    given = [block for block in message.blocks if isinstance(block, ToolResultBlock)]
    calls = [call.call_id for call in last.tool_calls] if last is not None else []
    if not given or [block.call_id for block in given] == calls:
        return message
    results = {block.call_id: block for block in given}
    answers = [
        results.get(call_id) or ToolResultBlock(call_id=call_id, content=UNANSWERED, is_error=True) for call_id in calls
    ]
    others = [block for block in message.blocks if not isinstance(block, ToolResultBlock)]
    return message.model_copy(update={"blocks": (*answers, *others)})
