"""Cut what was said into parts that are recalled one by one. Pure.

A part is what is found and shown: a long answer of which one sentence is wanted would use up the budget of all that is
recalled.
"""

import re
from collections.abc import Sequence
from typing import Final

from pentad.domain.knowledge import Utterance
from pentad.memory.remember.ports import Spoken
from pentad.memory.retrieval.citations import strip_markers
from pentad.memory.sessions.ports import Session

PART_CHARACTERS: Final = 480
"""About 120 tokens: four of the longest fit into the 500 tokens that are recalled by default."""
LONGEST_CHARACTERS: Final = 800
MAX_PARTS: Final = 64
"""Of one message: a pasted log is no conversation. The first and the last parts are kept."""

# A name that a message begins with, as bridges from chats of many people write it: "Ada Lovelace: I moved to Graz".
_NAME: Final = re.compile(r"([^\W\d_][\w.'-]{0,24}(?: [^\W\d_][\w.'-]{0,24}){0,2}): +(?=\S)")
_ROLES: Final = ("assistant", "system", "user", "developer", "tool", "agent", "ai", "human")
"""No names: whoever pastes "assistant: I agreed" has not let the agent say so."""
_SPACE: Final = re.compile(r"[ \t]+(?=[.,;:!?)\s]|\Z)")
_BREAK: Final = re.compile("\n\\s*\n|(?<=[.!?])\\s+|\n|(?<=[\u3002\uff01\uff1f])")


def make_utterances(spoken: Sequence[Spoken], session: Session) -> list[Utterance]:
    """Return what was said as it is kept: in parts, each with its speaker.

    Args:
        spoken: own words, in order.
        session: where they were said.
    """
    found: list[Utterance] = []
    for one in spoken:
        speaker = (session.user_id or "user") if one.speaker == "user" else session.agent
        words = _drop_markers(one.words) if one.speaker == "assistant" else one.words
        named = _NAME.match(words) if one.speaker == "user" else None
        if named is not None and named[1].casefold() not in {*_ROLES, session.agent}:
            speaker, words = named[1], words[named.end() :]
        for part, text in enumerate(cut_parts(words)):
            found.append(
                Utterance(
                    session_id=session.session_id,
                    seq=one.seq,
                    part=part,
                    speaker=speaker,
                    text=text,
                    at=one.at,
                    taint=one.taint,
                )
            )
    return found


def _drop_markers(text: str) -> str:
    bare = strip_markers(text)
    return text if bare == text else _SPACE.sub("", bare).strip()


def cut_parts(text: str) -> list[str]:
    """Return a text in parts of about 480 characters, cut between paragraphs and sentences; none is empty.

    What has no such place in 800 characters is cut there. Of more than 64 parts the middle is left out.
    """
    pieces: list[str] = []
    start = 0
    for end in (*(match.end() for match in _BREAK.finditer(text)), len(text)):
        pieces += (text[at : min(at + LONGEST_CHARACTERS, end)] for at in range(start, end, LONGEST_CHARACTERS))
        start = end
    parts: list[str] = []
    current = ""
    for piece in pieces:
        if current and len(current) + len(piece) > PART_CHARACTERS:
            parts.append(current.strip())
            current = ""
        current += piece
    parts.append(current.strip())
    parts = [part for part in parts if part]
    if len(parts) > MAX_PARTS:
        parts = [*parts[: MAX_PARTS // 2], *parts[-MAX_PARTS // 2 :]]
    return parts
