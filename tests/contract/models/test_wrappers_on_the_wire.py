"""Compaction, cascade, response cache and budgets over the gateway, the real SDKs and the wire."""

import json
from typing import Any

import pytest

from pentad.domain.errors import ContextOverflow
from pentad.domain.messages import Message
from pentad.domain.models import CascadeSpec, ChatReply, ChatRequest, Outcome
from pentad.models.breaker.shared_breaker import AlwaysClosed
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore
from pentad.models.cache.adapters.response_cache_memory import MemoryResponseCache
from pentad.models.catalog.catalog import load
from pentad.models.gateway.compaction import COMPACTED, LEFT_OUT
from pentad.models.gateway.compose import compose_chat
from pentad.observability.adapters.memory import MemoryTelemetry
from tests.contract.models.conftest import Desk, Serve
from tests.unit.models.samples import SCHEMA, assistant, request, user
from twin.servers.loopback import Request, Response, json_response
from twin.simulator import SimulatorControl

OVERFLOW = {"kind": "context_overflow"}


class Whole:
    """All that stands around the gateway, as the deployed function has it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.chat = compose_chat(
            desk.adapters.by_provider,
            load(),
            ledger=desk.ledger,
            breaker=AlwaysClosed(),
            budget=MemoryBudget(MemoryBudgetStore()),
            replies=MemoryResponseCache(clock=lambda: desk.now),
            telemetry=MemoryTelemetry(),
            clock=lambda: desk.now,
            sleep=desk.sleep,
        )

    def ask(self, asked: ChatRequest) -> ChatReply:
        return self.chat.complete(asked, deadline=self.desk.now + 60)


@pytest.fixture
def whole(desk: Desk) -> Whole:
    return Whole(desk)


def talk() -> list[Message]:
    said = []
    for number in range(5):
        said += [user(f"Question {number}: {'and so on ' * 100}"), assistant(f"Answer {number}.")]
    return [*said, user("When does a lease end?")]


def test_after_an_overflow_of_every_link_a_smaller_conversation_is_answered(
    whole: Whole, control: SimulatorControl
) -> None:
    # Of the chain's three links only those with a larger window are tried with the same payload.
    control.add_faults({**OVERFLOW, "text": "Question 0:"})
    reply = whole.ask(request(*talk()))
    assert reply.notices[-1] == COMPACTED
    assert reply.attempts == tuple(whole.desk.ledger.all)
    outcomes = [attempt.outcome for attempt in reply.attempts]
    assert outcomes == [Outcome.CONTEXT_OVERFLOW] * (len(outcomes) - 1) + [Outcome.OK]
    assert len(control.list_requests()) == len(outcomes)


def test_a_second_overflow_is_a_typed_failure(whole: Whole, control: SimulatorControl) -> None:
    control.add_faults(OVERFLOW)
    with pytest.raises(ContextOverflow):
        whole.ask(request(*talk(), model="claude-sonnet-5-5"))
    assert len(control.list_requests()) == 2


def test_no_window_is_sent_a_payload_that_was_too_large_for_one_of_its_size(serve: Serve) -> None:
    sent: list[tuple[int, str]] = []
    windows = {entry.id: entry.context_tokens for entry in load().models.values()}

    def handler(asked: Request) -> Response:
        body = asked.json()
        sent.append((windows[body["model"]], json.dumps(body.get("messages") or body.get("input"))))
        problem = {"type": "invalid_request_error", "message": "prompt is too long", "code": "context_length_exceeded"}
        return json_response(400, {"type": "error", "error": problem})

    with pytest.raises(ContextOverflow):
        Whole(Desk(serve(handler))).ask(request(*talk()))
    first = [(window, len(text)) for window, text in sent if LEFT_OUT not in text]
    second = [(window, len(text)) for window, text in sent if LEFT_OUT in text]
    for tries in (first, second):
        assert [window for window, _ in tries] == sorted({window for window, _ in tries})
    assert max(size for _, size in second) < 0.7 * min(size for _, size in first)


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
@pytest.mark.parametrize(("confidence", "tiers"), [(0.9, ["fast"]), (0.2, ["fast", "primary"])])
def test_a_cascade_on_either_provider(
    whole: Whole, control: SimulatorControl, provider: str, confidence: float, tiers: list[str]
) -> None:
    other = {"anthropic": "openai", "openai": "anthropic"}[provider]
    control.add_faults({"kind": "status", "status": 401, "provider": other})
    wrapped = {"answer": {"answer": 7}, "confidence": confidence}
    steps: list[dict[str, Any]] = [{"match": {"provider": provider}, "reply": {"text": json.dumps(wrapped)}}]
    if len(tiers) == 2:
        steps.append({"match": {"provider": provider}, "reply": {"text": '{"answer": 8}'}})
    control.load_script(*steps)
    reply = whole.ask(request(user("Which?"), output_schema=SCHEMA, cascade=CascadeSpec()))
    assert json.loads(reply.message.text) == {"answer": 6 + len(tiers)}
    answered = [attempt.tier for attempt in reply.attempts if attempt.outcome is Outcome.OK]
    assert answered == tiers
    assert reply.attempts == tuple(whole.desk.ledger.all)
    control.assert_consumed()


def test_an_exact_repeat_makes_no_request(whole: Whole, control: SimulatorControl) -> None:
    asked = request(user("How many are 3?"), task="classify", output_schema=SCHEMA)
    first, second = whole.ask(asked), whole.ask(asked)
    assert second.message.text == first.message.text
    assert (second.cost_nanousd, second.attempts) == (0, ())
    assert len(control.list_requests()) == len(whole.desk.ledger.all) == 1


def test_a_fallbacks_reply_is_not_kept(whole: Whole, control: SimulatorControl) -> None:
    control.add_faults({"kind": "status", "status": 529, "provider": "anthropic", "times": 2})
    asked = request(user("How many are 3?"), task="classify", output_schema=SCHEMA)
    assert whole.ask(asked).provider == "openai"
    assert whole.ask(asked).provider == "anthropic"
