"""A conversation of hundreds of turns in one session: what its requests cost, and is the evidence in the context?

In this process, without a model: the messages are LoCoMo's, and for each of the user's Recall chooses the context as
for a run. What a request holds that the one before held too, from its beginning on, is read from the provider's cache;
the rest is written to it. Prices are those of a model that charges a tenth for what is read and a quarter more for what
is written. System prompt, tools and answers cost the same everywhere, and are left out.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.memory.locomo import EvidenceQuestion, iter_evidence, parse_time
from pentad.domain.declarations.agents import AgentSpec, ContextSpec, KnowledgeSpec, MemorySpec
from pentad.domain.knowledge import Utterance
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import CallContext
from pentad.domain.runs import Manifest, Run, RunStatus
from pentad.memory.context.asking import may_ask
from pentad.memory.context.recall import Recall
from pentad.memory.context.recall_turns import RecallTurns
from pentad.memory.context.told import find_told
from pentad.memory.context.window import assemble, mark_bare
from pentad.memory.remember.adapters.progress_memory import MemoryProgress
from pentad.memory.remember.remember import EndedRun, Remember
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.memory.sessions.ports import Session, StoredMessage
from pentad.memory.tokens import estimate_message
from pentad.memory.turns.adapters.segments_memory import MemorySegments
from pentad.memory.turns.index import Ranking, rank_said
from pentad.memory.turns.ports import Owner, Place
from pentad.memory.turns.said import Memory, Said
from pentad.memory.turns.segments import VectorSegment, WordSegment, name_model
from pentad.memory.turns.select import choose_said
from pentad.memory.turns.steps import KeepVectors, KeepWords
from pentad.models.ports import Embedder
from pentad.observability.adapters.null import NullTelemetry

READ, WRITE = 0.1, 1.25
"""Of the price of an input token."""
CONVERSATION = "conv-41"
_TENANT, _SESSION, _RUN = "bench", "s1", "run_" + "0" * 26
_CONTEXT = CallContext(tenant_id=_TENANT, purpose="embed_query")
_OWNER = Owner(_TENANT, None, _SESSION)
_ENDLESS = 10_000_000
_AMID, _WINDOW = 3, 20
"""So many places amid the talk for each question; so many messages before each stand in the window."""
Turn = tuple[bool, str, datetime]


@dataclass(frozen=True)
class Policy:
    """How an agent's context is chosen.

    Attributes:
        name: for the table.
        high: the high-water mark, in tokens.
        low: the low-water mark.
        recall: tokens of what was said earlier; 0 for none.
        most: tokens of it where the scores are flat or a question has several parts.
        caches: whether the provider's cache is used.
        told: recall for what is only told, too.
    """

    name: str
    high: int
    low: int
    recall: int
    caches: bool = True
    told: bool = False
    most: int = 4000


POLICIES = (
    Policy("full history, cached", _ENDLESS, _ENDLESS, 0),
    Policy("full history, no cache", _ENDLESS, _ENDLESS, 0, caches=False),
    Policy("window of 1,000 to 2,000 tokens", 2000, 1000, 0),
    Policy("the same, recall for all that is said", 2000, 1000, 500, told=True),
    Policy("the same, recall for what may ask", 2000, 1000, 500),
    Policy("window of 300 to 1,000 tokens, recall for what may ask", 1000, 300, 500),
    Policy("the same, never more than 500 tokens of recall", 1000, 300, 500, most=500),
    Policy("window of 100 to 1,000 tokens, at most 500 of recall", 1000, 100, 500, most=500),
    Policy("window of 100 to 600 tokens, recall for what may ask", 600, 100, 500),
    Policy("the same, never more than 500 tokens of recall", 600, 100, 500, most=500),
    Policy("the same, never more than 250 tokens of recall", 600, 100, 250, most=250),
)
AMID = POLICIES[5]
"""Its questions are asked amid the talk too."""
PIECES = ("first sent", "sent again", "read", "recalled, sent", "recalled, read")
"""Of what a conversation's requests cost: messages that are written to the cache for the first time, those that are
written again since an epoch has turned, those that are read from it; and the same of what was recalled."""


class _Runs:
    """One run at a time."""

    def __init__(self) -> None:
        self.run: Run | None = None

    def get(self, tenant_id: str, run_id: str) -> Run:
        assert self.run is not None
        return self.run

    def set_manifest(self, tenant_id: str, run_id: str, manifest: Manifest) -> Run:
        self.run = self.get(tenant_id, run_id).model_copy(update={"manifest": manifest})
        return self.run

    def set_status(self, tenant_id: str, run_id: str, status: RunStatus, *, waited_seconds: float = 0) -> Run:
        return self.get(tenant_id, run_id)


class _HeldSaid(Said):
    """What was said, held as it is read: a conversation that is stored anew with each turn takes minutes."""

    def __init__(self) -> None:
        super().__init__(MemorySegments())
        self._held = Memory((WordSegment(),), (VectorSegment(),))

    def load(self, owner: Owner, *, consistent: bool = False) -> Memory:
        """Return what is held."""
        return self._held

    def add(self, owner: Owner, said: Sequence[Utterance], *, expires_at: datetime) -> None:
        """Hold utterances."""
        for one in said:
            self._held.words[0].add(one)

    def add_vectors(
        self, owner: Owner, model: str, vectors: Mapping[Place, tuple[bytes, float]], *, expires_at: datetime
    ) -> None:
        """Hold vectors."""
        segment = self._held.vectors[0]
        segment.model = model
        segment.places += vectors
        segment.rows += [row for row, _ in vectors.values()]
        segment.scales += [scale for _, scale in vectors.values()]


@dataclass(frozen=True)
class _Sent:
    """A message as it is sent, with the tokens of its own words and of what is given with it."""

    seq: int
    text: str
    own: int
    given: int


def _describe_sent(stored: Sequence[StoredMessage]) -> list[_Sent]:
    """Return messages as they are sent, with the note in front of those that an assistant's begins."""
    messages = assemble(stored)
    lead = len(messages) - len(stored)
    sent = [_Sent(-1, message.text, estimate_message(message), 0) for message in messages[:lead]]
    for one, message in zip(stored, messages[lead:], strict=True):
        own = estimate_message(one.message)
        sent.append(_Sent(one.seq, message.text, own, estimate_message(message) - own))
    return sent


class LongTalk:
    """One session, and the contexts that are chosen in it.

    Args:
        names: of the user and of the agent.
        turns: whether the user said it, what, and when; in order.
        policy: how contexts are chosen.
        embedder: makes the vectors.
    """

    def __init__(self, names: tuple[str, str], turns: Sequence[Turn], policy: Policy, embedder: Embedder) -> None:
        self._turns, self._policy, self._embedder = turns, policy, embedder
        user, agent = names
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._sessions, self._said = MemorySessions(clock=lambda: self._now), _HeldSaid()
        self._runs = _Runs()
        self._remember = Remember(
            sessions=self._sessions,
            progress=MemoryProgress(),
            steps=[KeepWords(self._said), KeepVectors(self._said, embedder)],
            telemetry=NullTelemetry(),
            clock=lambda: datetime.now(UTC),
            forget=lambda _: None,
        )
        self._recall = Recall(
            sessions=self._sessions,
            vectors=MemoryVectors(),
            embedder=embedder,
            runs=self._runs,
            telemetry=NullTelemetry(),
            clock=lambda: datetime.now(UTC),
            turns=RecallTurns(self._said, asks=(lambda text: True) if policy.told else may_ask),
        )
        self._agent = AgentSpec(
            name="assistant",
            description="d",
            prompt="p",
            knowledge=KnowledgeSpec(top_k=0),
            memory=MemorySpec(recall_tokens=policy.recall, most_recall_tokens=policy.most),
            context=ContextSpec(high_water_tokens=policy.high, low_water_tokens=policy.low),
        )
        self._sessions.create(
            Session(
                tenant_id=_TENANT,
                session_id=_SESSION,
                agent=agent,
                user_id=user,
                version=0,
                length=0,
                created_at=self._now,
                updated_at=self._now,
                expires_at=self._now + timedelta(days=36_500),
            )
        )

    def talk(self) -> dict[str, float]:
        """Hold the conversation; return what its requests cost, in input tokens at full price, by piece."""
        cost = dict.fromkeys(PIECES, 0.0)
        before: list[_Sent] = []
        known: set[int] = set()
        read, write = (READ, WRITE) if self._policy.caches else (1.0, 1.0)
        for is_user, text, at in self._turns:
            self._now = at
            if is_user:
                sent = _describe_sent(self.ask(text))
                shared = 0
                while shared < min(len(sent), len(before)) and sent[shared] == before[shared]:
                    shared += 1
                for number, one in enumerate(sent):
                    is_read = number < shared
                    own = "read" if is_read else "sent again" if one.seq in known else "first sent"
                    cost[own] += one.own * (read if is_read else write)
                    cost[f"recalled, {'read' if is_read else 'sent'}"] += one.given * (read if is_read else write)
                before, known = sent, known | {one.seq for one in sent}
            else:
                self._append(text, is_user=False)
                if self._policy.recall:  # Else nobody looks at what is kept.
                    self._remember.run(EndedRun(tenant_id=_TENANT, session_id=_SESSION), deadline=time.time() + 3600)
        return cost

    def ask(self, text: str) -> list[StoredMessage]:
        """Ask, and return the messages that are sent."""
        seq = self._append(text, is_user=True)
        self._runs.run = Run(
            tenant_id=_TENANT,
            run_id=_RUN,
            agent="assistant",
            session_id=_SESSION,
            status=RunStatus.QUEUED,
            trigger="api",
            created_at=self._now,
            updated_at=self._now,
            request_seq=seq,
            request_hash="h",
        )
        manifest = self._recall.run(_TENANT, _RUN, _SESSION, self._agent)
        stored = self._sessions.read(_TENANT, _SESSION, manifest.epoch_first_seq, seq)
        return mark_bare(stored, manifest.bare_before_seq)

    def find(self, questions: Sequence[EvidenceQuestion]) -> float:
        """Ask questions about what was said, each by itself; return the mean share of the evidence in the context."""
        shares = []
        for question in questions:
            sent = self.ask(question.text)
            held = {one.seq for one in sent} | {said.seq for one in sent if not one.is_bare for said in one.recalled}
            wanted = {place[1] for place in question.evidence}
            shares.append(len(wanted & held) / len(wanted))
            for text, is_user in (("I see.", False), ("Thanks for that.", True), ("You are welcome.", False)):
                self._append(text, is_user=is_user)
        return sum(shares) / len(shares)

    def find_amid(self, questions: Sequence[EvidenceQuestion]) -> tuple[float, float]:
        """Ask questions amid the talk, at places after what they are about, with the 20 turns before in the window.

        Returns:
            Mean shares of the evidence that is recalled or stands in the window: as Recall chooses, and as it would if
            nothing counted as just told.
        """
        shares: list[tuple[float, float]] = []
        for question in questions:
            wanted = {place[1] for place in question.evidence}
            reply = self._embedder.embed([question.text], _CONTEXT, deadline=0)
            model = name_model(reply.model, reply.dimensions)
            ranking = rank_said(self._said.load(_OWNER), question.text, reply.vectors[0], model=model)
            first, last = max(wanted) + 1, len(self._turns) - 1
            for number in range(1, _AMID + 1):
                if first < last:
                    place = first + (last - first) * number // (_AMID + 1)
                    shares.append(self._choose_amid(ranking, question.text, wanted, place))
        return fmean(with_told for with_told, _ in shares), fmean(without for _, without in shares)

    def _choose_amid(self, ranking: Ranking, text: str, wanted: set[int], place: int) -> tuple[float, float]:
        window = self._sessions.read(_TENANT, _SESSION, max(0, place - _WINDOW), place)
        shown, told = {one.seq for one in window[:-1]}, find_told(window, window[0].seq)
        found = []
        for just_told in (told, frozenset[int]()):
            chosen = choose_said(
                ranking,
                text,
                is_shown=lambda one: one.utterance.seq >= window[0].seq,  # What comes later is not said yet.
                is_told=lambda one, told=just_told: one.utterance.seq in told,  # type: ignore[misc]
                tokens=self._policy.recall,
                most_tokens=self._policy.most,
            )
            held = shown | {one.utterance.seq for one in chosen.scored}
            found.append(len(wanted & held) / len(wanted))
        return found[0], found[1]

    def _append(self, text: str, *, is_user: bool) -> int:
        head = self._sessions.get(_TENANT, _SESSION)
        assert head is not None
        message = Message(
            message_id=f"m{head.length}",
            role="user" if is_user else "assistant",
            blocks=(TextBlock(text=text),),
            created_at=self._now,
            step=0 if is_user else 1,
        )
        self._sessions.append(_TENANT, _SESSION, [message], expected_version=head.version)
        return head.length


def list_costs(path: Path, embedder: Embedder, tell: Callable[[str], None]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each policy: what it cost, that of the cached full history's, by piece, evidence in the context.

    Evidence is looked for by itself, so that it is not paid for. The last column is for `AMID` alone: the evidence
    where questions are asked amid the talk, and what it would be if nothing counted as just told.
    """
    read: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    [found] = [one for one in read if one["sample_id"] == CONVERSATION]
    turns, questions = _read_turns(found)
    names = (found["conversation"]["speaker_a"], found["conversation"]["speaker_b"])
    full = float("nan")
    for policy in POLICIES:
        tell(f"holding a conversation of {len(turns)} turns: {policy.name}")
        talk = LongTalk(names, turns, policy, embedder)
        pieces = talk.talk()
        cost = sum(pieces.values())
        full = cost if policy is POLICIES[0] else full
        shares = [f"{pieces[name] / full:.1%}" if policy.caches else "" for name in PIECES]
        amid = ""
        if policy == AMID:
            amid = "{:.3f} ({:.3f})".format(*talk.find_amid(questions))
        yield policy.name, f"{cost:,.0f}", f"{cost / full:.1%}", *shares, f"{talk.find(questions):.3f}", amid


def _read_turns(found: dict[str, Any]) -> tuple[list[Turn], list[EvidenceQuestion]]:
    """Return all turns of a conversation as one session, and its questions."""
    talk = found["conversation"]
    turns: list[Turn] = []
    places: dict[str, tuple[str, int, int]] = {}
    number = 1
    while f"session_{number}" in talk:
        at = parse_time(talk[f"session_{number}_date_time"])
        for turn in talk[f"session_{number}"]:
            places[turn["dia_id"]] = (_SESSION, len(turns), 0)
            turns.append((turn["speaker"] == talk["speaker_a"], turn["text"], at))
        number += 1
    return turns, list(iter_evidence(found["qa"], places))
