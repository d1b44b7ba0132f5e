"""The handlers over services in memory: what goes in, what comes out, which errors leave."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from functions.api import authorizer, http
from functions.memory import ingest, recall, remember
from functions.models import gateway
from functions.orchestration import await_human, deliver, run_tool, trigger
from functions.tools.calculator import calculator
from pentad.api.identity.adapters.keys_memory import MemoryKeys
from pentad.api.identity.authorize import Authorize
from pentad.api.identity.keys import KeyAuthenticator, create_key
from pentad.api.identity.signed import SignedRequests, sign_request
from pentad.api.rates.adapters.rates_memory import MemoryRateCounter
from pentad.api.rates.rates import RateLimits, RequestRate, RequestRates
from pentad.aws.redelivery import SqsRedelivery
from pentad.domain.errors import InvalidInput, ModelThrottled, NotFound, PentadError, PolicyDenied, StoreUnavailable
from pentad.domain.models import CallContext, EmbedReply
from pentad.domain.runs import CallStatus, Manifest, RunStatus
from pentad.domain.tracing import find_run_place
from pentad.domain.usage import Usage
from pentad.models.remote.adapters.mac_memory import MemoryMacKey
from pentad.models.remote.identity import Identity, sign_identity
from pentad.models.shares.adapters.shares_memory import MemoryShares
from pentad.models.shares.fair_share import FairShare
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.orchestration.lifecycle.queue_messages import ReadQueues
from pentad.orchestration.runs.graph_calls import CheckGraphCall
from pentad.orchestration.switches.call_gate import CallGate
from pentad.orchestration.switches.ports import Switch
from pentad.runtime import entrypoint, queue_batch, tool_entrypoint
from pentad.runtime.fair_queue import FairQueue
from pentad.runtime.wiring import api as api_wiring
from pentad.runtime.wiring import authorizer as authorizer_wiring
from pentad.runtime.wiring import await_human as await_human_wiring
from pentad.runtime.wiring import deliver as deliver_wiring
from pentad.runtime.wiring import gateway as gateway_wiring
from pentad.runtime.wiring import ingest as ingest_wiring
from pentad.runtime.wiring import recall as recall_wiring
from pentad.runtime.wiring import remember as remember_wiring
from pentad.runtime.wiring import trigger as trigger_wiring
from pentad.runtime.wiring.tools import run_tool as run_tool_wiring
from pentad.runtime.wiring.tools import tool as tool_wiring
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.runtime.handed import HandedCall
from pentad.tools.runtime.serve import ServeTool
from tests.unit.api.client import Client
from tests.unit.functions.events import Context, failed, sqs
from tests.unit.orchestration.world import START, TENANT, World, triggered

RUN = "run_" + "0" * 26


class _Telemetry(MemoryTelemetry):
    """The recorder, as the entrypoint binds it."""

    @contextmanager
    def bind(self, **keys: Any) -> Iterator[None]:
        self.keys.update(keys)
        yield


class NoRedelivery:
    """The queue's own timeout is left as it is."""

    def postpone(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        return None


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    telemetry = _Telemetry()
    world.telemetry = telemetry
    for module in (entrypoint, queue_batch):
        monkeypatch.setattr(module, "telemetry_of", lambda service: telemetry)
    for wiring in (authorizer_wiring, gateway_wiring):
        monkeypatch.setattr(wiring, "make_telemetry", lambda: telemetry)
    monkeypatch.setattr(recall, "load_catalog", lambda: world.catalog)
    monkeypatch.setattr(queue_batch, "make_redelivery", lambda: NoRedelivery())
    monkeypatch.setattr(trigger_wiring, "make_triggered", lambda: triggered(world))
    rates = RequestRates(MemoryRateCounter(), telemetry, limits=RateLimits(queue=RequestRate(9, 9, 4)))
    monkeypatch.setattr(trigger_wiring, "make_rates", lambda: rates)
    share = FairShare(MemoryShares(), telemetry, most=1)
    monkeypatch.setattr(gateway_wiring, "make_share", lambda: share)
    reader = ReadQueues("arn:lifecycle", SignedRequests(KeyAuthenticator(PRODUCERS, now=world.clock), now=world.clock))
    monkeypatch.setattr(trigger_wiring, "make_reader", lambda: reader)
    monkeypatch.setattr(gateway_wiring, "make_think", lambda: world.think)
    gate = CallGate(world.switches.store, clock=lambda: world.clock().timestamp())
    monkeypatch.setattr(gateway_wiring, "make_call_gate", lambda: gate)
    monkeypatch.setattr(await_human_wiring, "make_asking", lambda: world.asking)
    monkeypatch.setattr(deliver_wiring, "make_deliver", lambda: world.deliver)
    return world


PRODUCERS = MemoryKeys()
_, PRODUCER = create_key(PRODUCERS, TENANT, now=START, scopes=["runs:write"])
_TIMES = count()


def _message(**values: Any) -> str:
    asked = {"agent": "assistant", "message": "Hello"} | values
    return json.dumps(sign_request(PRODUCER, asked, now=START + timedelta(milliseconds=next(_TIMES))))


def test_the_trigger_starts_a_run_for_each_message(world: World) -> None:
    assert failed(trigger.handler(sqs(_message(), _message()), Context())) == []
    assert len(world.engine.started) == 2


def test_what_a_tenants_keys_ask_for_beyond_the_rate_comes_again_later(world: World) -> None:
    result = trigger.handler(sqs(*(_message() for _ in range(6))), Context())
    assert failed(result) == ["m4", "m5"]
    assert len(world.engine.started) == 4
    refused = [event.fields for event in world.telemetry.events if event.name == "trigger.refused"]
    assert [(one["error"], one["again_after_seconds"]) for one in refused] == [("ModelThrottled", 300)] * 2


def test_a_message_delivered_twice_is_one_run(world: World) -> None:
    message = _message()
    for _ in range(2):
        trigger.handler(sqs(message), Context())
    assert len(world.engine.started) == 1


def test_events_of_one_key_are_one_run(world: World) -> None:
    body = json.loads(_message(idempotency_key="k"))
    events = [json.dumps({"id": name, "detail-type": "pentad.run.requested", "detail": body}) for name in ("e1", "e2")]
    trigger.handler(sqs(*events), Context())
    assert len(world.engine.started) == 1


@pytest.mark.parametrize(
    ("bad", "error"),
    [("{", "InvalidInput"), (_message(agent="nobody"), "InvalidInput"), (_message(session="../x"), "InvalidInput")],
    ids=["json", "agent", "session"],
)
def test_a_bad_message_goes_back_alone_with_its_reason_in_the_log(world: World, bad: str, error: str) -> None:
    result = trigger.handler(sqs(bad, _message()), Context())
    assert failed(result) == ["m0"]
    [told] = [event for event in world.telemetry.events if event.name == "trigger.refused"]
    assert (told.fields["error"], told.fields["message_id"]) == (error, "m0")
    assert len(world.engine.started) == 1


def test_a_batch_of_bad_messages_goes_back_without_an_error(world: World) -> None:
    assert failed(trigger.handler(sqs("{", "{"), Context())) == ["m0", "m1"]


def test_a_busy_session_goes_back_to_the_queue(world: World) -> None:
    result = trigger.handler(sqs(_message(session="s1"), _message(session="s1")), Context())
    assert failed(result) == ["m1"]


def test_think_returns_a_small_decision(world: World) -> None:
    world.model.script = ["4"]
    run = world.begin()
    event = {
        "op": "think",
        "tenant": TENANT,
        "run": run.run_id,
        "session": run.session_id,
        "agent": run.agent,
        "step": 1,
    }
    assert gateway.handler(event, Context("7")) == {"kind": "answer", "step": 1, "calls": []}


def test_the_gateway_raises_an_error_or_answers_it_as_it_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_wiring, "make_chat_model", lambda: world.model)
    event = {"op": "complete", "request": {"messages": 1}, "context": {"tenant": TENANT}}
    with pytest.raises(InvalidInput, match="messages"):
        gateway.handler(event, Context("live"))
    told = gateway.handler(event | {"errors": "return"}, Context("live"))["error"]
    assert (told["type"], told["details"]["field"]) == ("InvalidInput", "request.messages")


def test_a_call_beyond_the_tenants_share_of_the_gateway_is_throttled(world: World) -> None:
    event = {"op": "complete", "request": {"messages": []}, "context": {"tenant": TENANT}, "errors": "return"}
    turn = {"op": "think", "tenant": TENANT, "run": RUN, "session": "s1", "agent": "assistant", "step": 1}
    with gateway_wiring.make_share().hold(TENANT):
        told = gateway.handler(event, Context("live"))["error"]
        with pytest.raises(ModelThrottled):
            gateway.handler(turn, Context("7"))
    assert told["type"] == "ModelThrottled"


def test_a_schema_from_a_graph_is_limited_before_a_model_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_wiring, "make_chat_model", lambda: world.model)
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=a)b"}}}
    event = {"op": "complete", "request": {"messages": [], "output_schema": schema}, "context": {"tenant": TENANT}}
    told = gateway.handler(event | {"errors": "return"}, Context("live"))["error"]
    assert (told["type"], told["details"]["field"]) == ("InvalidInput", "request.output_schema.properties.a.pattern")


@pytest.mark.parametrize(("given", "used"), [(10.0, 10.0), (None, None), (1e12, None)])
def test_the_gateway_completes_by_the_callers_deadline_or_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch, given: float | None, used: float | None
) -> None:
    deadlines: list[float] = []

    class Model:
        def complete(self, request: Any, *, deadline: float) -> Any:
            deadlines.append(deadline)
            return world.model.complete(request, deadline=deadline)

    world.model.script = ["4"]
    monkeypatch.setattr(gateway_wiring, "make_chat_model", lambda: Model())
    message = {"message_id": "m", "role": "user", "blocks": [{"type": "text", "text": "2 + 2?"}], "created_at": 0}
    event = {"op": "complete", "request": {"messages": [message]}, "context": {"tenant": TENANT}, "deadline": given}
    result = gateway.handler(event, Context("live"))
    assert result["message"]["blocks"][0]["text"] == "4"
    own = time.time() + Context().get_remaining_time_in_millis() / 1000
    assert deadlines[0] == used if used is not None else own - 10 < deadlines[0] < own


def test_the_gateway_embeds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Embedding:
        def embed(self, texts: Any, context: Any, *, deadline: float, dimensions: int | None) -> EmbedReply:
            assert dimensions is None
            vectors = tuple((1.0, 0.0) for _ in texts)
            return EmbedReply(vectors=vectors, provider="p", model="m", dimensions=2, usage=Usage(), cost_nanousd=1)

    monkeypatch.setattr(gateway_wiring, "make_embedder", lambda: Embedding())
    event = {"op": "embed", "texts": ["a", "b"], "context": {"tenant": TENANT, "purpose": "embed_query"}}
    result = gateway.handler(event, Context("live"))
    assert (len(result["vectors"]), result["dimensions"]) == (2, 2)


@pytest.mark.parametrize("op", ["complete", "embed"])
@pytest.mark.parametrize(("scope", "subject"), [("all", "*"), ("tenant", TENANT)])
def test_a_switch_stops_the_door_ingestion_memories_and_graphs(
    world: World, monkeypatch: pytest.MonkeyPatch, op: str, scope: Any, subject: str
) -> None:
    def refuse() -> Any:
        raise AssertionError("a model is asked")

    monkeypatch.setattr(gateway_wiring, "make_chat_model", refuse)
    monkeypatch.setattr(gateway_wiring, "make_embedder", refuse)
    world.switches.store.put(Switch(scope=scope, subject=subject, reason="too dear", by="ann", at=START))
    given: dict[str, Any] = {"request": {"messages": []}} if op == "complete" else {"texts": ["a"]}
    event = {"op": op, "context": {"tenant": TENANT, "purpose": "embed_document"}, "errors": "return", **given}
    told = gateway.handler(event, Context("live"))["error"]
    assert told["type"] == "PolicyDenied"
    assert "switched off by an operator: too dear" in told["message"]


def test_await_human_asks_and_expires(world: World) -> None:
    world.model.script = [[("calculator", {"x": 1}), ("notes", {"title": "a"})]]
    run = world.begin()
    world.turn(run)
    reference = {"tenant": TENANT, "run": run.run_id, "session": run.session_id, "agent": run.agent, "step": 1}
    asked = await_human.handler({"op": "request", "task_token": "t"} | reference, Context())
    assert world.approvals.get_token(TENANT, asked["approval"]) == "t"
    world.clock.advance(3601)
    expired = await_human.handler({"op": "expire"} | reference, Context())
    assert expired["calls"] == [{"tool": "calculator", "index": 0}]


def test_deliver_ends_the_run(world: World) -> None:
    world.model.script = ["4"]
    run = world.begin()
    world.turn(run)
    event = {"op": "deliver", "tenant": TENANT, "run": run.run_id, "step": 1, "kind": "answer"}
    assert deliver.handler(event, Context()) == {"tenant": TENANT, "run": run.run_id, "status": "succeeded"}


def test_abort_ends_the_run(world: World) -> None:
    run = world.begin()
    event = {"op": "abort", "tenant": TENANT, "run": run.run_id, "error": "States.Timeout", "cause": ""}
    assert deliver.handler(event, Context())["status"] == "failed"
    assert world.runs.get(TENANT, run.run_id).status is RunStatus.FAILED


def test_call_failed_ends_the_call(world: World) -> None:
    world.model.script = [[("calculator", {"x": 1})]]
    run = world.begin()
    world.turn(run)
    event = {
        "op": "call_failed",
        "tenant": TENANT,
        "run": run.run_id,
        "step": 1,
        "index": 0,
        "error": "E",
        "cause": "c",
    }
    assert deliver.handler(event, Context()) == {"index": 0, "status": CallStatus.FAILED}


def test_recall_returns_the_number_of_passages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Recalling:
        def run(self, tenant_id: str, run_id: str, session_id: str, agent: Any, *, deadline: float) -> Manifest:
            assert (tenant_id, run_id, session_id, agent.name) == (TENANT, RUN, "s1", "assistant")
            return Manifest(epoch_first_seq=0, request_seq=0, passages=3, estimated_tokens=1)

    monkeypatch.setattr(recall_wiring, "make_recall", lambda: Recalling())
    event = {"tenant": TENANT, "run": RUN, "session": "s1", "agent": "assistant"}
    assert recall.handler(event, Context()) == {"passages": 3}
    with pytest.raises(NotFound):
        recall.handler(event | {"agent": "nobody"}, Context())


class Fair:
    """Holds a slot for every message but those of the tenant ``busy``."""

    @contextmanager
    def hold(self, tenant_id: str, queue_arn: str, message: Any) -> Iterator[bool]:
        assert queue_arn.startswith("arn:")
        yield tenant_id != "busy"


def test_ingest_indexes_and_sends_back_what_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Ingesting:
        def handle(self, event: Any, *, deadline: float, last: bool) -> None:
            if event.name == "bad.md":
                raise StoreUnavailable("down")
            seen.append(f"{event.tenant_id}/{event.name}")

    monkeypatch.setattr(ingest_wiring, "make_ingest", lambda: Ingesting())
    monkeypatch.setattr(ingest_wiring, "make_fair_queue", lambda: Fair())

    def body(key: str) -> str:
        detail = {"bucket": {"name": "docs"}, "object": {"key": key, "size": 3, "etag": "e"}}
        return json.dumps({"detail-type": "Object Created", "detail": detail})

    result = ingest.handler(sqs(body("acme/a.md"), body("acme/bad.md"), "{", body("busy/a.md")), Context())
    assert (seen, failed(result)) == (["acme/a.md"], ["m1", "m2"])


def test_remember_works_through_the_session_of_each_run_and_sends_back_what_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []

    class Remembering:
        def run(self, ended: Any, *, deadline: float, last: bool) -> None:
            if ended.session_id == "down":
                raise StoreUnavailable("down")
            assert deadline > time.time()
            seen.append((ended.tenant_id, ended.session_id))

    monkeypatch.setattr(remember_wiring, "make_remember", lambda: Remembering())

    def body(session: str) -> str:
        return json.dumps({"detail-type": "pentad.run.finished", "detail": {"tenant": "acme", "session": session}})

    result = remember.handler(sqs(body("s1"), body("down"), "{", "[]", body("s2")), Context())
    assert (seen, failed(result)) == ([("acme", "s1"), ("acme", "s2")], ["m1", "m2", "m3"])


def test_ingest_indexes_what_a_bulk_ingestion_lists_and_leaves_the_retry_to_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool, bool]] = []

    class Ingesting:
        def reconcile_many(
            self, tenant_id: str, batch: Any, attempt: Any, *, until: float, alone: bool
        ) -> dict[str, Any]:
            assert time.time() < until < attempt.deadline
            seen.extend((f"{tenant_id}/{name}", attempt.last, alone) for name in batch)
            busy = StoreUnavailable("another writer is at it")
            return {name: busy if name == "busy.md" else None for name in batch if name != "late.md"}

    monkeypatch.setattr(ingest_wiring, "make_ingest", lambda: Ingesting())
    share = FairQueue(MemoryShares(), SqsRedelivery(None), world.telemetry, most=1)
    monkeypatch.setattr(ingest_wiring, "make_bulk_share", lambda: share)

    def listed(*names: str) -> dict[str, Any]:
        return {"Items": [{"key": name} for name in names]}

    left = ingest.handler(listed("acme/a b.md", "acme/folder/", "acme/busy.md", "acme/late.md"), Context())
    assert left == listed("acme/late.md", "acme/busy.md")
    assert seen == [(f"acme/{name}", False, False) for name in ("a b.md", "busy.md", "late.md")]
    with pytest.raises(StoreUnavailable):
        ingest.handler(left | {"last": True, "alone": True}, Context())
    assert seen[-1] == ("acme/late.md", True, True) or seen[-1] == ("acme/busy.md", True, True)
    assert ingest.handler(listed("acme/folder/"), Context()) == {"Items": []}
    faults: list[dict[str, Any]] = [{}, {"Items": []}, {"Items": [{}]}, listed("acme/a.md", "b/a.md"), listed("../a")]
    for broken in faults:
        with pytest.raises(InvalidInput):
            ingest.handler(broken, Context())
    with share.hold_or_refuse("acme"), pytest.raises(StoreUnavailable, match="its share"):
        ingest.handler(listed("acme/a.md"), Context())


def test_ingest_knows_when_the_queue_does_not_deliver_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    class Ingesting:
        def handle(self, event: Any, *, deadline: float, last: bool) -> None:
            seen.append(last)

    monkeypatch.setattr(ingest_wiring, "make_ingest", lambda: Ingesting())
    monkeypatch.setattr(ingest_wiring, "make_fair_queue", lambda: Fair())
    detail = {"bucket": {"name": "docs"}, "object": {"key": "acme/a.md", "size": 3, "etag": "e"}}
    for receives in ("1", "2", "3", "4"):
        event = sqs(json.dumps({"detail": detail}))
        event["Records"][0]["attributes"]["ApproximateReceiveCount"] = receives
        ingest.handler(event, Context())
    assert seen == [False, False, True, True]


@pytest.mark.parametrize(
    ("qualifier", "op"),
    [
        *(("live", op) for op in ("think", "task")),
        *(("graphs", op) for op in ("think", "task", "embed", "drill")),
        *(("7", op) for op in ("complete", "embed", "drill")),
        *(("", op) for op in ("think", "task", "complete", "embed")),
        ("$LATEST", "embed"),
        ("other", "complete"),
    ],
)
def test_the_gateway_does_for_a_caller_what_it_is_invoked_for_only(world: World, qualifier: str, op: str) -> None:
    place = {"tenant": TENANT, "run": RUN, "session": "s", "agent": "assistant", "step": 1}
    events: dict[str, dict[str, Any]] = {
        "think": place,
        "task": {**place, "step": "facts", "place": 1, "refs": {}, "retry": 0},
        "drill": {},
        "embed": {"texts": ["a"], "context": {"tenant": TENANT}},
        "complete": {"request": {}, "context": {"tenant": TENANT}},
    }
    with pytest.raises(PolicyDenied, match=f"does not do '{op}'"):
        gateway.handler({"op": op} | events[op], Context(qualifier))


def test_a_graphs_call_is_for_those_that_its_proof_names(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[CallContext] = []

    class Model:
        def complete(self, request: Any, *, deadline: float) -> Any:
            asked.append(request.context)
            return world.model.complete(request, deadline=deadline)

    run = world.begin()
    world.model.script = ["4"]
    key = MemoryMacKey()
    check = CheckGraphCall(world.runs, world.catalog, key, now=world.clock)
    monkeypatch.setattr(gateway_wiring, "make_chat_model", lambda: Model())
    monkeypatch.setattr(gateway_wiring, "make_graph_check", lambda: check)
    context = CallContext(tenant_id=TENANT, run_id=run.run_id, agent=run.agent, purpose="graph")
    token = sign_identity(Identity(context=context, tool="t", expires=1e12), key)
    message = {"message_id": "m", "role": "user", "blocks": [{"type": "text", "text": "2 + 2?"}], "created_at": 0}
    event = {"op": "complete", "request": {"messages": [message]}, "context": context.model_dump(), "identity": token}
    assert gateway.handler(event, Context("graphs"))["message"]["blocks"][0]["text"] == "4"
    assert asked == [context]
    for other in ({"context": {"tenant": "other"}}, {"identity": None}, {"identity": f"{token}x"}):
        with pytest.raises(PolicyDenied):
            gateway.handler(event | other, Context("graphs"))
    assert asked == [context]


def test_a_call_is_run_and_undone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Runner:
        def execute(self, *place: Any, invocation: Any) -> dict[str, Any]:
            return {"ran": place, "request": invocation.request_id, "function": invocation.function}

        def undo(self, *place: Any, invocation: Any) -> dict[str, Any]:
            return {"undone": place, "function": invocation.function}

    monkeypatch.setattr(run_tool_wiring, "make_tool_runner", lambda: Runner())
    place = {"tenant": TENANT, "run": RUN, "step": 1, "index": 0}
    ran = run_tool.handler({"op": "run", "agent": "assistant", "function": "arn:f:3"} | place, Context())
    assert ran == {"ran": (TENANT, RUN, "assistant", 1, 0), "request": "request-1", "function": "arn:f:3"}
    undone = run_tool.handler({"op": "undo"} | place, Context())
    assert undone == {"undone": (TENANT, RUN, 1, 0), "function": None}


def test_a_tools_function_answers_what_it_is_handed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def make_served_tool(handed: HandedCall) -> ServeTool:
        return ServeTool(calculator, records=lambda given: MemoryRecords().get_store(given.tenant_id), now=world.clock)

    monkeypatch.setattr(tool_wiring, "make_served_tool", make_served_tool)
    monkeypatch.setattr(tool_wiring, "tool_service", lambda: "tool-calculator")
    handed = {"op": "run", "tenant": TENANT, "run": RUN, "session": "s", "agent": "assistant", "step": 1, "index": 0}
    handed |= {"effect_key": "k", "deadline": 1e12}
    answer = tool_entrypoint.handler(handed | {"arguments": {"expression": "6 * 7"}}, Context())
    assert (answer["kind"], answer["value"]["result"]) == ("value", "42")
    assert tool_entrypoint.handler(handed | {"arguments": {}}, Context())["kind"] == "rejected"


@pytest.mark.parametrize(
    "event",
    [{}, {"op": "nothing"}, {"op": "deliver", "tenant": "A#B", "run": RUN, "step": 1, "kind": "answer"}, [], None],
)
def test_a_wrong_event_is_invalid_input(world: World, event: Any) -> None:
    with pytest.raises(InvalidInput):
        deliver.handler(event, Context())


def test_an_error_leaves_under_its_own_name_and_is_told(world: World) -> None:
    event = {"op": "deliver", "tenant": TENANT, "run": RUN, "step": 1, "kind": "answer"}
    with pytest.raises(PentadError) as caught:
        deliver.handler(event, Context())
    assert type(caught.value).__name__ == "NotFound"
    [told] = [one for one in world.telemetry.events if one.name == "invocation.failed"]
    assert told.fields["error"] == "NotFound"
    assert [one.dimensions["error"] for one in world.telemetry.counts if one.name == "Errors"] == ["NotFound"]


def test_the_invocation_carries_run_and_request(world: World) -> None:
    run = world.begin()
    deliver.handler({"op": "abort", "tenant": TENANT, "run": run.run_id, "error": "E"}, Context())
    assert (world.telemetry.keys["run"], world.telemetry.keys["request_id"]) == (run.run_id, "request-1")


def test_the_api_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(world)
    monkeypatch.setattr(api_wiring, "make_api", lambda: client.api)
    event = {
        "version": "2.0",
        "rawPath": "/v1/agents",
        "headers": {},
        "requestContext": {
            "stage": "$default",
            "requestId": "r",
            "http": {"method": "GET", "path": "/v1/agents"},
            "authorizer": {"lambda": {"tenant": TENANT, "key_id": "k", "user": "", "scopes": "runs:read"}},
        },
    }
    assert http.handler(event, Context())["statusCode"] == 200


def test_a_good_key_is_authorised_and_a_wrong_one_is_exactly_unauthorized(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryKeys()
    _, token = create_key(store, TENANT, now=world.clock(), scopes=["runs:read"])
    authorize = Authorize(KeyAuthenticator(store, now=world.clock))
    monkeypatch.setattr(authorizer_wiring, "make_authorize", lambda: authorize)
    answer = authorizer.handler({"headers": {"authorization": f"Bearer {token}"}}, Context())
    assert (answer["isAuthorized"], answer["context"]["tenant"], answer["context"]["scopes"]) == (
        True,
        TENANT,
        "runs:read",
    )
    for headers in ({}, {"authorization": "Bearer ptd.x"}, {"authorization": f"Bearer {token[:-1]}!"}):
        with pytest.raises(Exception, match=r"^Unauthorized$") as caught:
            authorizer.handler({"headers": headers}, Context())
        assert type(caught.value) is Exception
    # A wrong key is no function that fails: whoever sends many would page the people on call.
    assert {one.name for one in world.telemetry.counts} & {"Errors", "Faults", "Raised"} == set()


@pytest.mark.parametrize(
    "module",
    [recall, deliver, await_human, gateway],
    ids=lambda module: module.__name__,
)
def test_handlers_are_short(module: Any) -> None:
    source = module.handler.__wrapped__.__code__
    lines = {line for _, _, line in source.co_lines() if line}
    assert max(lines) - source.co_firstlineno <= 20


def test_a_handler_imports_no_vendor_before_it_is_asked() -> None:
    """But boto3, without which no function has its tables."""
    import subprocess

    code = (
        "import sys; import functions.memory.recall, functions.orchestration.deliver, functions.models.gateway;"
        "import functions.api.authorizer, functions.api.http, pentad.runtime.tool_entrypoint;"
        "print([n for n in ('anthropic','openai','pinecone','jwt','langgraph','aws_cdk') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_tools_function_imports_the_http_client_only_where_it_declares_hosts() -> None:
    import subprocess

    code = (
        "import sys; import pentad.runtime.tool_entrypoint, functions.orchestration.run_tool;"
        "print([n for n in sys.modules if n in ('httpcore', 'h11', 'psycopg') or n.startswith('pentad.tools.egress')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


CALLER = f"00-{'a' * 32}-{'b' * 16}-01"


def test_a_message_brings_its_senders_trace_as_attribute_or_beside_the_signed_text(world: World) -> None:
    beside = json.dumps(json.loads(_message()) | {"traceparent": CALLER})
    detail = json.loads(_message()) | {"traceparent": CALLER}
    by_bus = json.dumps({"id": "e", "detail-type": "pentad.run.requested", "detail": detail})
    batch = sqs(_message(), beside, by_bus, _message())
    batch["Records"][0]["messageAttributes"] = {"traceparent": {"stringValue": CALLER, "dataType": "String"}}
    assert failed(trigger.handler(batch, Context())) == []
    runs = [world.runs.get(TENANT, run_id) for run_id in world.engine.started]
    assert [run.traceparent for run in runs] == [CALLER, CALLER, CALLER, None]
    assert {find_run_place(run).trace_id for run in runs[:3]} == {"a" * 32}
