"""LoCoMo: are the turns that hold the evidence among what is recalled within a token budget?

Through the product's own code: sessions, the pipeline's steps that keep what was said, and the ranking and choice of
Recall. Conversations are two people's: one is the user here, the other the agent. Source: Maharana et al. 2024,
arXiv:2402.17753 (CC BY-NC 4.0: for measuring only, and no part of this project). Questions without an answer are left
out.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any

from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import CallContext
from pentad.domain.usage import estimate_tokens
from pentad.memory.remember.adapters.progress_memory import MemoryProgress
from pentad.memory.remember.remember import EndedRun, Remember
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.memory.sessions.ports import Session
from pentad.memory.turns.adapters.segments_memory import MemorySegments
from pentad.memory.turns.index import WEIGHTS, Ranking, Weights, rank_said
from pentad.memory.turns.ports import Owner, Place
from pentad.memory.turns.said import Memory, Said
from pentad.memory.turns.segments import name_model
from pentad.memory.turns.select import choose_said
from pentad.memory.turns.steps import KeepVectors, KeepWords
from pentad.models.ports import Embedder
from pentad.observability.adapters.null import NullTelemetry

FILE = "locomo_0_2.json"
BUDGETS = (500, 2000)
FITTED = frozenset({"conv-26", "conv-30"})
"""The weights were fitted on these; the others are what is reported."""
SIGNALS = ("words", "dense", "previous", "near", "next_near", "session", "named")
_TENANT = "bench"
_UNANSWERABLE = 5
_CONTEXT = CallContext(tenant_id=_TENANT, purpose="embed_query")


@dataclass(frozen=True)
class EvidenceQuestion:
    """A question with the places of its evidence."""

    text: str
    evidence: frozenset[Place]


@dataclass(frozen=True)
class Conversation:
    """A conversation as the product keeps it, and questions about it."""

    name: str
    memory: Memory
    questions: tuple[EvidenceQuestion, ...]


class Talks:
    """Conversations of one file, and what is found in them.

    Args:
        path: the file.
        embedder: makes the vectors.
        tell: is told what is going on.
    """

    def __init__(self, path: Path, embedder: Embedder, tell: Callable[[str], None]) -> None:
        self._embedder = embedder
        read: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        self.conversations = []
        for one in read:
            tell(f"keeping what was said in {one['sample_id']}")
            self.conversations.append(_keep_conversation(one, embedder))
        self._vectors: dict[str, Sequence[float]] = {}
        self._model = ""
        for conversation in self.conversations:
            texts = [question.text for question in conversation.questions]
            reply = embedder.embed(texts, _CONTEXT, deadline=0)
            self._vectors.update(zip(texts, reply.vectors, strict=True))
            self._model = name_model(reply.model, reply.dimensions)

    def find(self, weights: Weights = WEIGHTS, *, fitted: bool | None = None) -> tuple[dict[int, float], float]:
        """Return the mean share of the evidence within each budget, and the median milliseconds of a ranking.

        Args:
            weights: what each signal is worth.
            fitted: of the conversations that the weights were fitted on, or of the others; all where None.
        """
        found: dict[int, list[float]] = {budget: [] for budget in BUDGETS}
        took: list[float] = []
        for conversation, question in self._iter_questions(fitted):
            began = time.perf_counter()
            ranking = self._rank(conversation, question, weights)
            took.append(1000 * (time.perf_counter() - began))
            lines = [(one.utterance.place, estimate_tokens(one.utterance.line)) for one in ranking.scored]
            for budget in BUDGETS:
                found[budget].append(measure_share(lines, question.evidence, budget))
        return {budget: fmean(shares) for budget, shares in found.items()}, quantiles(took, n=100)[49]

    def choose(self, *, fitted: bool | None = None) -> dict[str, float]:
        """Return what Recall itself chooses: share of the evidence, tokens, how often more than 500, how often none."""
        shares: list[float] = []
        tokens: list[int] = []
        more = none = 0
        for conversation, question in self._iter_questions(fitted):
            ranking = self._rank(conversation, question, WEIGHTS)
            chosen = choose_said(ranking, question.text, is_shown=lambda one: False)
            places = {one.utterance.place for one in chosen.scored}
            shares.append(len(places & question.evidence) / len(question.evidence))
            tokens.append(chosen.tokens)
            more += chosen.reason in ("flat", "several parts")
            none += not chosen.scored
        return {
            "evidence": fmean(shares),
            "tokens": fmean(tokens),
            "more": more / len(shares),
            "none": none / len(shares),
        }

    def list_rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the rows of a table: all signals, then without each of them, on what was not fitted."""
        for name, weights in (
            ("all signals", WEIGHTS),
            *((f"without '{name}'", replace(WEIGHTS, **{name: 0.0})) for name in SIGNALS),
        ):
            found, took = self.find(weights, fitted=False)
            yield (name, *(f"{found[budget]:.3f}" for budget in BUDGETS), f"{took:.1f}")

    def _iter_questions(self, fitted: bool | None) -> Iterator[tuple[Conversation, EvidenceQuestion]]:
        for conversation in self.conversations:
            if fitted is None or (conversation.name in FITTED) == fitted:
                for question in conversation.questions:
                    yield conversation, question

    def _rank(self, conversation: Conversation, question: EvidenceQuestion, weights: Weights) -> Ranking:
        vector = self._vectors[question.text]
        return rank_said(conversation.memory, question.text, vector, model=self._model, weights=weights)


def parse_time(text: str) -> datetime:
    """Return the time that the file gives a session, such as ``1:56 pm on 8 May, 2023``, as UTC."""
    return datetime.strptime(text, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)


def measure_share(lines: Sequence[tuple[Place, int]], evidence: frozenset[Place], budget: int) -> float:
    """Return the share of the evidence among the best lines that fit into a budget of tokens.

    A part of a message counts for the message.
    """
    left = budget
    got: set[tuple[str, int]] = set()
    wanted = {place[:2] for place in evidence}
    for place, tokens in lines:
        if tokens <= left:
            left -= tokens
            if place[:2] in wanted:
                got.add(place[:2])
        if left < 10:
            break
    return len(got) / len(wanted)


def _keep_conversation(one: dict[str, Any], embedder: Embedder) -> Conversation:
    """Return a conversation, said in sessions and kept by the pipeline after a run."""
    talk = one["conversation"]
    user, agent = talk["speaker_a"], talk["speaker_b"]
    sessions, said = MemorySessions(), Said(MemorySegments())
    remember = Remember(
        sessions=sessions,
        progress=MemoryProgress(),
        steps=[KeepWords(said), KeepVectors(said, embedder)],
        telemetry=NullTelemetry(),
        clock=lambda: datetime.now(UTC),
        forget=lambda _: None,
    )
    places: dict[str, Place] = {}
    number = 1
    while f"session_{number}" in talk:
        session_id = f"session-{number:03d}"
        began = parse_time(talk[f"session_{number}_date_time"])
        _say(sessions, session_id, (user, agent), began, talk[f"session_{number}"])
        for seq, turn in enumerate(talk[f"session_{number}"]):
            places[turn["dia_id"]] = (session_id, seq, 0)
        remember.run(EndedRun(tenant_id=_TENANT, session_id=session_id), deadline=time.time() + 3600)
        number += 1
    questions = tuple(iter_evidence(one["qa"], places))
    return Conversation(str(one["sample_id"]), said.load(Owner(_TENANT, user, "")), questions)


def _say(
    sessions: MemorySessions, session_id: str, names: tuple[str, str], began: datetime, turns: list[dict[str, str]]
) -> None:
    user, agent = names
    head = Session(
        tenant_id=_TENANT,
        session_id=session_id,
        agent=agent,
        user_id=user,
        version=0,
        length=0,
        created_at=began,
        updated_at=began,
        expires_at=began + timedelta(days=36_500),
    )
    sessions.create(head)
    version = 0
    for seq, turn in enumerate(turns):
        is_user = turn["speaker"] == user
        message = Message(
            message_id=f"m{seq}",
            role="user" if is_user else "assistant",
            blocks=(TextBlock(text=turn["text"]),),
            created_at=began + timedelta(seconds=seq),
            step=0 if is_user else 1,
        )
        version = sessions.append(_TENANT, session_id, [message], expected_version=version).version


def iter_evidence(asked: Sequence[dict[str, Any]], places: dict[str, Place]) -> Iterator[EvidenceQuestion]:
    """Yield the questions that have an answer, with the places of their evidence.

    Args:
        asked: as the file has them.
        places: by the file's names of turns.
    """
    for one in asked:
        named = {found for each in one["evidence"] for found in re.findall(r"D\d+:\d+", each)}
        evidence = frozenset(places[name] for name in named if name in places)
        if one["category"] != _UNANSWERABLE and evidence:
            yield EvidenceQuestion(one["question"], evidence)
