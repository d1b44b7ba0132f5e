"""A fork over every kind of store: what is copied comes out as it went in."""

import pytest

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import SessionBusy
from pentad.domain.ids import make_id
from pentad.domain.knowledge import Passage
from pentad.domain.messages import Message, ProviderRaw, TextBlock
from pentad.domain.runs import Manifest, Overrides, Run
from pentad.models.catalog.catalog import load
from pentad.observability.adapters.null import NullTelemetry
from pentad.orchestration.timetravel.fork import ForkRun
from pentad.orchestration.timetravel.fork_request import ForkRequest
from tests.unit.orchestration.world import FakeEngine

from .stores import Stores
from .test_runs import TENANT, end, started

CATALOG = Catalog(agents={"assistant": AgentSpec(name="assistant", description="helps", prompt="Help.")}, tools={})
PASSAGE = Passage(passage_id="p", document="a.md", version="1", title="A", text="words", start=0, end=5, score=0.5)


def _append(stores: Stores, run: Run, *messages: Message) -> None:
    head = stores.sessions.get(TENANT, run.session_id)
    assert head is not None
    stores.sessions.append(TENANT, run.session_id, messages, expected_version=head.version)


def _said(run: Run, step: int, text: str) -> Message:
    raw = ProviderRaw(provider="anthropic", model="m", content=[{"type": "thinking", "signature": "c2ln"}])
    return Message(
        message_id=f"msg_{run.run_id}_{step:05d}_h",
        role="user",
        blocks=(TextBlock(text=text),),
        created_at=run.created_at,
        run_id=run.run_id,
        step=step,
        raw=raw,
    )


def test_a_long_session_with_spilled_words_and_passages_is_copied_whole(stores: Stores) -> None:
    first = started(stores)
    _append(stores, first, *(_said(first, step, f"turn {step}") for step in range(1, 60)))
    end(stores, first)
    source = started(stores)
    stores.sessions.attach_passages(TENANT, "s1", source.request_seq, (PASSAGE,))
    manifest = Manifest(epoch_first_seq=0, request_seq=source.request_seq, passages=1, estimated_tokens=10)
    stores.runs.set_manifest(TENANT, source.run_id, manifest)
    _append(stores, source, *(_said(source, step, "ä" * 200_000) for step in (1, 2, 3)))
    engine, telemetry = FakeEngine(), NullTelemetry()
    fork = ForkRun(CATALOG, load, stores.runs, stores.sessions, engine, telemetry, now=stores.clock)
    new = fork(TENANT, source.run_id, ForkRequest(at=2, prompt="Be brief."), idempotency_key="k")

    before = stores.sessions.read(TENANT, "s1", 0, source.request_seq + 2)
    after = stores.sessions.read(TENANT, new.session_id, 0, 999)
    assert [(one.seq, one.message.blocks, one.message.raw) for one in after] == [
        (one.seq, one.message.blocks, one.message.raw) for one in before
    ]
    assert [one.passages for one in after] == [one.passages for one in before]
    assert [one.message.run_id for one in after[-3:]] == [new.run_id] * 3

    stored = stores.runs.get(TENANT, new.run_id)
    assert (stored.forked_from_run_id, stored.first_step, stored.request_seq) == (source.run_id, 3, source.request_seq)
    assert stored.overrides == Overrides(prompt="Be brief.")
    assert stored.manifest == manifest
    assert stores.runs.find_lease_holder(TENANT, new.session_id) == new.run_id
    assert fork(TENANT, source.run_id, ForkRequest(at=2, prompt="Be brief."), idempotency_key="k").run_id == new.run_id
    assert len(stores.sessions.read(TENANT, new.session_id, 0, 999)) == len(after)


def test_a_run_whose_conversation_is_there_takes_a_free_session_only_and_adds_nothing(stores: Stores) -> None:
    first = started(stores)
    late = first.model_copy(update={"run_id": make_id("run", stores.clock()), "if_busy": "enqueue", "request_seq": 0})
    with pytest.raises(SessionBusy):
        stores.runs.start(late, None, session_days=30, lease_seconds=60)
    end(stores, first)
    before = stores.sessions.get(TENANT, "s1")
    second = stores.runs.start(late, None, session_days=30, lease_seconds=60)
    after = stores.sessions.get(TENANT, "s1")
    assert before is not None
    assert after is not None
    assert (after.length, second.request_seq, after.fence) == (before.length, 0, second.fence)
    assert stores.runs.find_lease_holder(TENANT, "s1") == second.run_id
