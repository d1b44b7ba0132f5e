"""Cut a conversation down to what users and assistants said in their own words. Pure.

What is made of a conversation must not be made of what was recalled into it: a fact that is recalled, repeated by the
model and taken for a new fact fills a memory with copies of itself. So passages, recalled turns, tool results and what
the system says are no one's words here, and a sentence of an answer that stands in one of them is a quotation.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from pentad.domain.messages import Message, ToolResultBlock
from pentad.memory.remember.ports import Spoken
from pentad.memory.retrieval.citations import strip_markers
from pentad.memory.sessions.ports import StoredMessage

_SENTENCE_END: Final = re.compile("(?<=[.!?])\\s+|[\\n\\r\\v\\f\\x85\u2028\u2029]+|(?<=[\u3002\uff01\uff1f])")
_QUOTE_LETTERS: Final = 24
"""A shorter sentence ("Yes, of course.") is no quotation, wherever else it stands."""
_POOL_CHARACTERS: Final = 200_000
"""So much of what was shown to the model is compared, the newest: a tool may return megabytes."""
_LETTERS: Final = re.compile(r"[\W_]+")


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
        own = ((0, len(text)),) if speaker == "user" else _find_own_spans(text, _Pool(shown))
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


class _Pool:
    """What was shown, to look sentences up in.

    Args:
        texts: the newest last.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        kept: list[str] = []
        room = _POOL_CHARACTERS
        for text in reversed(texts):
            if room <= 0:
                break
            kept.append(_squeeze(text[:room]))
            room -= len(text)
        self._text = "\n".join(kept)

    def has(self, sentence: str) -> bool:
        """Tell whether a sentence is long enough for a quotation, and stands in what was shown."""
        squeezed = _squeeze(strip_markers(sentence))
        return len(squeezed) >= _QUOTE_LETTERS and squeezed in self._text


def _squeeze(text: str) -> str:
    """Return a text's letters and digits alone: a quotation may differ in blanks, marks and capitals."""
    return _LETTERS.sub("", text).casefold()


def _find_own_spans(text: str, pool: _Pool) -> tuple[tuple[int, int], ...]:
    """Return where a text is no quotation; neighbouring parts as one."""
    spans: list[tuple[int, int]] = []
    start = 0
    for end in (*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)):
        if end > start and not pool.has(text[start:end]):
            if spans and spans[-1][1] == start:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
        start = end
    return tuple(spans)
