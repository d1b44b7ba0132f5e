"""Conversations for tests: what was said, in parts as the pipeline gives them to a step."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import ChatReply, ChatRequest, StopReason
from pentad.domain.usage import Usage
from pentad.memory.facts.extract import FoundFact
from pentad.memory.remember.ports import Spoken, Work
from pentad.memory.sessions.ports import Session
from twin.simulator.neutral import Conversation, Turn
from twin.simulator.rules.engine import RuleEngine

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def say(*lines: str, first: int = 0, at: datetime = START) -> tuple[Spoken, ...]:
    """Return what was said: ``u: ...`` by the user, ``a: ...`` by the assistant, a minute apart."""
    return tuple(
        Spoken(
            seq=first + number,
            speaker="user" if line.startswith("u: ") else "assistant",
            text=line[3:],
            own=((0, len(line) - 3),),
            at=at + timedelta(minutes=number),
        )
        for number, line in enumerate(lines)
    )


def work(spoken: tuple[Spoken, ...], *, session: str = "s-1", user: str | None = "sam", tenant: str = "acme") -> Work:
    """Return a part of a session."""
    head = Session(
        tenant_id=tenant,
        session_id=session,
        agent="assistant",
        user_id=user,
        version=1,
        length=spoken[-1].seq + 1,
        created_at=START,
        updated_at=START,
        expires_at=START + timedelta(days=30),
    )
    return Work(
        session=head,
        first_seq=spoken[0].seq,
        next_seq=spoken[-1].seq + 1,
        messages=(),
        spoken=spoken,
        recipe="facts-1",
        deadline=1e12,
    )


def found(quote: str, text: str = "", *, seq: int = 0, kind: Any = "fact", **changes: Any) -> FoundFact:
    """Return a candidate."""
    fields: dict[str, Any] = {
        "kind": kind,
        "subject": "home",
        "text": text or f"The user says: {quote}",
        "seq": seq,
        "quote": quote,
        "single": False,
        "replaces": "",
        "until": "",
        "confidence": 0.8,
    }
    return FoundFact(**fields | changes)


@dataclass
class Simulated:
    """The simulator's rules as a chat model; ``scripted`` answers come first, errors are raised."""

    scripted: list[Any] = field(default_factory=list)
    requests: list[ChatRequest] = field(default_factory=list)

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        """Answer as the rules do."""
        self.requests.append(request)
        turns = tuple(Turn(one.role, one.text) for one in request.messages)
        if self.scripted:
            answer = self.scripted.pop(0)
            if isinstance(answer, Exception):
                raise answer
            text = answer if isinstance(answer, str) else json.dumps(answer)
        else:
            asked = Conversation("m", turns, request.system, schema=request.output_schema)
            text = RuleEngine().generate_reply(asked).text
        said = Message(message_id="m", role="assistant", blocks=(TextBlock(text=text),), created_at=START)
        return ChatReply(
            message=said, stop=StopReason.END, usage=Usage(), cost_nanousd=0, provider="simulator", model="m"
        )
