"""Cut a conversation down to what users and assistants said in their own words. Pure.

What is made of a conversation must not be made of what was recalled into it: a fact that is recalled, repeated by the
model and taken for a new fact fills a memory with copies of itself. So passages, recalled turns, tool results and what
the system says are no one's words here, nor is what an answer repeats of them
(`pentad.memory.remember.quotations`).
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from pentad.domain.messages import Message, ToolResultBlock
from pentad.memory.remember.ports import Spoken
from pentad.memory.remember.quotations import ShownToModel
from pentad.memory.sessions.ports import StoredMessage


def find_own_words(messages: Sequence[StoredMessage], before: Sequence[StoredMessage] = ()) -> tuple[Spoken, ...]:
    """Return what was said in messages, in order; a message in which nobody said anything is left out.

    Args:
        messages: in order.
        before: those right before them: what they showed to the model may be quoted too.
    """
    shown: list[str] = []
    for one in before:
        shown.extend(_list_shown(one))
    said: list[Spoken] = []
    for one in messages:
        shown.extend(_list_shown(one))
        speaker = _find_speaker(one.message)
        text = one.message.text
        if speaker is None or not text.strip():
            continue
        own = ((0, len(text)),) if speaker == "user" else ShownToModel(shown).find_own(text)
        taint = one.message.taint
        spoken = Spoken(one.seq, speaker, text, own, one.message.created_at, one.message.run_id, taint)
        if spoken.words:
            said.append(spoken)
    return tuple(said)


def _find_speaker(message: Message) -> Literal["user", "assistant"] | None:
    """Return whose words a message's text is; None for the system's, and for what carries tools' results."""
    if message.role == "assistant":
        # The words that end a stopped run are the agent's definition's.
        return "assistant" if message.stop_reason is None else None
    if any(isinstance(block, ToolResultBlock) for block in message.blocks):
        return None
    # Step 0 is a user's request. Later ones are of humans who decide, and of the system.
    return None if message.step else "user"


def _list_shown(one: StoredMessage) -> Iterable[str]:
    """Return what a message showed to the model that is not its speaker's."""
    yield from (passage.text for passage in one.passages)
    if one.remembered is not None:
        yield from (fact.text for fact in one.remembered.facts)
        yield "" if one.remembered.summary is None else one.remembered.summary.text
    yield from (utterance.text for utterance in one.recalled)
    yield from (block.content for block in one.message.blocks if isinstance(block, ToolResultBlock))
