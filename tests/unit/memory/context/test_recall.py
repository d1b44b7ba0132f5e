"""Recall over in-memory stores."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.declarations.agents import AgentSpec, ContextSpec, KnowledgeSpec
from pentad.domain.errors import BudgetExceeded, ModelUnavailable, NotFound, StoreUnavailable
from pentad.domain.knowledge import find_collection
from pentad.domain.messages import Message, TextBlock, ToolCallBlock, ToolResultBlock
from pentad.domain.runs import Manifest, Run, RunStatus
from pentad.memory.context.recall import PAGE_MESSAGES, Recall, build_query
from pentad.memory.context.window import estimate_context
from pentad.memory.retrieval.adapters.vectors_memory import MemoryVectors
from pentad.memory.retrieval.ports import Match, Vector
from pentad.memory.retrieval.readers import label_document
from pentad.memory.retrieval.search import WORDS_ONLY
from pentad.memory.sessions.adapters.sessions_memory import MemorySessions
from pentad.memory.sessions.ports import Session, StoredMessage
from tests.unit.memory.fakes import RUN, START, Clock, Counts, Runs, WordEmbedder, embed

TEXTS = {
    "leases": "A session lease keeps two runs of one session apart.",
    "spill": "Long messages spill to the payload bucket in S3.",
    "money": "Money is kept in integer nano-dollars.",
}


def metadata(text: str, **changes: Any) -> dict[str, Any]:
    fields = {
        "kind": "document",
        "readers": label_document(changes.get("document", "a.md")),
        "collection": find_collection(changes.get("document", "a.md")),
        "document": "a.md",
        "version": "1",
        "title": "T",
        "text": text,
        "start": 0.0,
        "end": float(len(text)),
    }
    return fields | changes


def agent(top_k: int = 2, minimum_score: float = 0.1, **context: int) -> AgentSpec:
    return AgentSpec(
        name="assistant",
        description="d",
        prompt="p",
        knowledge=KnowledgeSpec(top_k=top_k, minimum_score=minimum_score),
        context=ContextSpec(**context),
    )


def says(name: str, text: str, role: Any = "user") -> Message:
    return Message(message_id=name, role=role, blocks=(TextBlock(text=text),), created_at=START)


@dataclass
class World:
    """A session with one run."""

    vectors: MemoryVectors = field(default_factory=MemoryVectors)
    embedder: WordEmbedder = field(default_factory=WordEmbedder)
    telemetry: Counts = field(default_factory=Counts)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.sessions = MemorySessions(clock=self.clock)
        self.runs = Runs()
        self.recall = Recall(
            sessions=self.sessions,
            vectors=self.vectors,
            embedder=self.embedder,
            runs=self.runs,
            telemetry=self.telemetry,
            clock=self.clock,
        )
        self.vectors.upsert(
            "acme",
            [
                Vector(vector_id=name, values=embed(text), text=text, metadata=metadata(text, document=f"{name}.md"))
                for name, text in TEXTS.items()
            ],
        )
        self.sessions.create(
            Session(
                tenant_id="acme",
                session_id="s1",
                agent="assistant",
                version=0,
                length=0,
                created_at=START,
                updated_at=START,
                expires_at=START + timedelta(days=30),
            )
        )

    def ask(self, *messages: Message) -> Run:
        head = self.sessions.get("acme", "s1")
        assert head is not None
        after = self.sessions.append("acme", "s1", messages, expected_version=head.version)
        run = Run(
            tenant_id="acme",
            run_id=RUN,
            agent="assistant",
            session_id="s1",
            user_id="ada",
            status=RunStatus.QUEUED,
            trigger="api",
            created_at=START,
            updated_at=START,
            request_seq=after.length - 1,
            request_hash="h",
        )
        self.runs.runs[RUN] = run
        return run

    def newest(self) -> StoredMessage:
        head = self.sessions.get("acme", "s1")
        assert head is not None
        return self.sessions.read("acme", "s1", head.length - 1, head.length)[0]


@pytest.fixture
def world() -> World:
    return World()


def test_the_nearest_passages_are_kept_with_the_question(world: World) -> None:
    world.ask(says("m1", "How does a lease keep the runs of a session apart?"))
    manifest = world.recall.run("acme", RUN, "s1", agent(top_k=1))
    assert (manifest.passages, manifest.request_seq, manifest.epoch_first_seq) == (1, 0, 0)
    [passage] = world.newest().passages
    assert (passage.passage_id, passage.document, passage.text) == ("leases", "leases.md", TEXTS["leases"])
    assert world.runs.get("acme", RUN).manifest == manifest


def test_the_query_is_embedded_on_behalf_of_the_run(world: World) -> None:
    world.ask(says("m1", "How does a lease keep the runs of a session apart?"))
    world.recall.run("acme", RUN, "s1", agent())
    [context] = world.embedder.contexts
    assert (context.tenant_id, context.run_id, context.session_id, context.user_id) == ("acme", RUN, "s1", "ada")
    assert context.purpose == "embed_query"


def test_a_repeat_returns_the_manifest_without_the_embedder(world: World) -> None:
    world.ask(says("m1", "How does a lease keep the runs of a session apart?"))
    first = world.recall.run("acme", RUN, "s1", agent())
    assert world.recall.run("acme", RUN, "s1", agent()) == first
    assert len(world.embedder.texts) == 1


def test_a_run_that_brings_its_manifest_goes_on_with_it(world: World) -> None:
    run = world.ask(says("m1", "How does a lease keep the runs of a session apart?"))
    manifest = Manifest(epoch_first_seq=0, request_seq=0, passages=0, estimated_tokens=9)
    world.runs.runs[RUN] = run.model_copy(update={"manifest": manifest, "status": RunStatus.QUEUED})
    assert world.recall.run("acme", RUN, "s1", agent()) == manifest
    assert (world.runs.runs[RUN].status, world.embedder.texts) == (RunStatus.RUNNING, [])


def test_passages_that_were_kept_before_a_crash_are_not_searched_for_again(world: World) -> None:
    run = world.ask(says("m1", "How does a lease keep the runs of a session apart?"))
    first = world.recall.run("acme", RUN, "s1", agent())
    world.runs.runs[RUN] = run
    assert world.recall.run("acme", RUN, "s1", agent()) == first
    assert len(world.embedder.texts) == 1


def test_an_agent_without_recall_touches_neither_embedder_nor_vectors(world: World) -> None:
    world.embedder.failures.append(ModelUnavailable("down"))
    world.recall = Recall(
        sessions=world.sessions,
        vectors=None,  # type: ignore[arg-type]
        embedder=world.embedder,
        runs=world.runs,
        telemetry=world.telemetry,
        clock=world.clock,
    )
    world.ask(says("m1", "How does a lease work?"))
    assert world.recall.run("acme", RUN, "s1", agent(top_k=0)).passages == 0


def test_where_the_embedder_is_down_words_find_the_passage_and_the_user_is_told(world: World) -> None:
    world.ask(says("m1", "How does a lease keep the runs of a session apart?"))
    world.embedder.failures.append(ModelUnavailable("down"))
    manifest = world.recall.run("acme", RUN, "s1", agent())
    assert [passage.document for passage in world.newest().passages] == ["leases.md"]
    assert manifest.notices == (WORDS_ONLY,)
    assert world.runs.get("acme", RUN).manifest == manifest


def test_an_embedder_that_is_down_is_told_to_the_state_where_words_find_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = world.vectors.capabilities.model_copy(update={"words": False})
    monkeypatch.setattr(MemoryVectors, "capabilities", without)
    world.ask(says("m1", "How does a lease work?"))
    world.embedder.failures.append(ModelUnavailable("down"))
    with pytest.raises(ModelUnavailable):
        world.recall.run("acme", RUN, "s1", agent())
    assert world.runs.get("acme", RUN).manifest is None


def test_a_used_up_budget_leaves_the_question_without_passages(world: World) -> None:
    world.ask(says("m1", "How does a lease work?"))
    world.embedder.failures.append(BudgetExceeded("the budget is used up"))
    assert world.recall.run("acme", RUN, "s1", agent()).passages == 0


def test_a_vector_store_that_is_down_is_told_to_the_state(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: Any, **kwargs: Any) -> list[Match]:
        raise StoreUnavailable("down")

    monkeypatch.setattr(world.vectors, "search", down)
    world.ask(says("m1", "How does a lease work?"))
    with pytest.raises(StoreUnavailable):
        world.recall.run("acme", RUN, "s1", agent())


def test_passages_of_another_tenant_are_not_found(world: World) -> None:
    world.vectors.delete("acme", list(TEXTS))
    world.vectors.upsert("other", [Vector(vector_id="x", values=embed("lease"), metadata=metadata("lease"))])
    world.ask(says("m1", "lease"))
    assert world.recall.run("acme", RUN, "s1", agent()).passages == 0


def test_passages_take_at_most_half_the_low_water_mark(world: World) -> None:
    long = "lease " * 200
    world.vectors.upsert(
        "acme",
        [
            Vector(vector_id=f"x{n}", values=embed(long), text=long, metadata=metadata(long + str(n), document=f"{n}"))
            for n in range(9)
        ],
    )
    world.ask(says("m1", "lease"))
    chosen = agent(top_k=9, high_water_tokens=4000, low_water_tokens=1500)
    assert world.recall.run("acme", RUN, "s1", chosen).passages == 2


def test_a_session_past_the_high_water_mark_begins_a_new_epoch(world: World) -> None:
    history = [
        message
        for n in range(10)
        for message in (says(f"q{n}", "q" * 1000), says(f"a{n}", "a" * 1000, role="assistant"))
    ]
    world.ask(*history, says("m1", "lease"))
    spec = agent(high_water_tokens=2000, low_water_tokens=1200)
    manifest = world.recall.run("acme", RUN, "s1", spec)
    head = world.sessions.get("acme", "s1")
    assert head is not None
    assert head.epoch_first_seq == manifest.epoch_first_seq == manifest.dropped_messages == 16
    assert manifest.estimated_tokens <= 1200


def reads(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list that will hold how many messages were read each time."""
    counts: list[int] = []
    read = world.sessions.read

    def counted(tenant_id: str, session_id: str, first: int, last: int) -> list[StoredMessage]:
        found = read(tenant_id, session_id, first, last)
        counts.append(len(found))
        return found

    monkeypatch.setattr(world.sessions, "read", counted)
    return counts


@pytest.mark.parametrize("earlier", [30, 300])
def test_what_is_read_does_not_grow_with_the_conversation(
    world: World, monkeypatch: pytest.MonkeyPatch, earlier: int
) -> None:
    for n in range(earlier):
        world.ask(says(f"q{n}", "How long does a lease last?"), says(f"a{n}", "An hour.", "assistant"))
    world.ask(says("m", "Why is that?"))
    counts = reads(world, monkeypatch)
    manifest = world.recall.run("acme", RUN, "s1", agent())
    assert counts == [PAGE_MESSAGES]
    monkeypatch.undo()
    stored = world.sessions.read("acme", "s1", 0, 2 * earlier)
    assert manifest.estimated_tokens == sum(estimate_context(one) for one in stored)
    assert (manifest.epoch_first_seq, manifest.request_seq) == (0, 2 * earlier)


def test_the_question_before_is_found_behind_a_long_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [says(f"a{n}", f"Step {n}.", "assistant") for n in range(50)]
    world.ask(says("q0", "Who painted it?"), says("q1", "How long does a session lease last?"), *steps)
    world.ask(says("m", "Why is that?"))
    counts = reads(world, monkeypatch)
    world.recall.run("acme", RUN, "s1", agent())
    assert counts == [PAGE_MESSAGES, 53 - PAGE_MESSAGES]
    assert world.embedder.texts[-1] == "How long does a session lease last?\nWhy is that?"


def test_an_agent_that_searches_nothing_reads_the_request_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.ask(says("q", "How long does a lease last?"), says("a", "An hour.", "assistant"))
    world.ask(says("m", "Why is that?"))
    counts = reads(world, monkeypatch)
    world.recall.run("acme", RUN, "s1", agent(top_k=0))
    assert counts == [1]


def test_passages_that_make_the_context_too_long_begin_a_new_epoch(world: World) -> None:
    for n in range(80):
        world.ask(says(f"q{n}", "How long does a lease last?"), says(f"a{n}", "An hour.", "assistant"))
    world.ask(says("m", "A session lease?"))
    head = world.sessions.get("acme", "s1")
    assert head is not None
    assert world.recall.run("acme", RUN, "s1", agent(high_water_tokens=head.estimated_tokens + 5)).epoch_first_seq > 0


def test_a_run_that_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.recall.run("acme", RUN, "s1", agent())


def test_a_request_that_is_not_in_the_session_is_not_found(world: World) -> None:
    run = world.ask(says("m1", "lease"))
    world.runs.runs[RUN] = run.model_copy(update={"request_seq": 7})
    with pytest.raises(NotFound):
        world.recall.run("acme", RUN, "s1", agent())


def asked(*texts: str) -> str:
    stored = []
    for seq, text in enumerate(texts):
        role = "assistant" if text.startswith("A:") else "user"
        stored.append(StoredMessage(seq=seq, message=says(f"m{seq}", text, role=role)))
    return build_query(stored)


@pytest.mark.parametrize(
    ("texts", "query"),
    [
        (("How do session leases work?",), "How do session leases work?"),
        (("How do leases work?", "A: so", "And why?"), "How do leases work?\nAnd why?"),
        (
            ("How do leases work?", "A: so", "Please explain once more how long they are valid for"),
            "How do leases work?\nPlease explain once more how long they are valid for",
        ),
        (
            ("How do leases work?", "A: so", "Please describe the format of money amounts in the ledger"),
            "Please describe the format of money amounts in the ledger",
        ),
        (("x" * 900, "A: so", "Why?"), "x" * 500 + "\nWhy?"),
        (("   ",), ""),
    ],
)
def test_a_follow_up_is_searched_with_the_question_before_it(texts: tuple[str, ...], query: str) -> None:
    assert asked(*texts) == query


def test_a_question_behind_4_000_characters_finds_its_passage() -> None:
    material = "Long messages spill to the payload bucket in S3. " * 100
    assert asked(f"{material}\n\nWhat keeps two runs of a session apart?") == "What keeps two runs of a session apart?"


def test_the_question_before_is_no_tool_result() -> None:
    call = Message(
        message_id="a",
        role="assistant",
        blocks=(ToolCallBlock(call_id="c", tool="t", arguments={}),),
        created_at=START,
    )
    result = Message(
        message_id="r", role="user", blocks=(ToolResultBlock(call_id="c", content="no question"),), created_at=START
    )
    messages = [says("q", "How do leases work?"), call, result, says("n", "Why?")]
    stored = [StoredMessage(seq=seq, message=message) for seq, message in enumerate(messages)]
    assert build_query(stored) == "How do leases work?\nWhy?"
