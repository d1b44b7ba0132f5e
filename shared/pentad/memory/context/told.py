"""Find what was just told in a conversation. Pure.

Two who talk ask each other about what they have just spoken of. What speaks best to such a question stands in the
newest messages, which the model is sent anyway, and what was said of it long ago is of little use. Questions tell
nothing, and their answers do not count either: who asks the same again, since the answer was "I don't know", wants it
looked for again.
"""

from collections.abc import Sequence
from typing import Final

from pentad.memory.context.asking import is_mere_question
from pentad.memory.context.window import is_question
from pentad.memory.sessions.ports import StoredMessage

RECENT: Final = 8
"""So many messages before the newest. With 20, twice as many questions about something else were taken for these."""
_READ: Final = 20


def find_told(window: Sequence[StoredMessage], first_seq: int) -> frozenset[int]:
    """Return which of the newest messages tell something, by their sequence numbers.

    Args:
        window: messages of the session, in order; the last is the question.
        first_seq: the first message that the model is sent.
    """
    first = max(first_seq, window[-1].seq - RECENT)
    told: set[int] = set()
    asked = True  # An answer whose question was not read does not count.
    for one in window[-_READ:-1]:
        if is_question(one.message):
            asked = is_mere_question(one.message.text)
        elif one.message.role != "assistant":
            continue
        if one.seq >= first and not asked and not is_mere_question(one.message.text):
            told.add(one.seq)
    return frozenset(told)
