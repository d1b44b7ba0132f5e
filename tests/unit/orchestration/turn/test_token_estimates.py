"""Estimates of tokens are held against what providers count, and the context's water marks follow."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.domain.declarations.agents import ContextSpec, ToolSpec
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import Attempt, CallContext, ChatReply, ChatRequest, Outcome, StopReason
from pentad.domain.usage import Usage
from pentad.memory.context.window import scale_budget
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.metrics import names
from pentad.orchestration.turn.token_estimates import (
    LEAST_PERMILLE,
    MOST_PERMILLE,
    ModelFactors,
    TokenEstimates,
    correct_factor,
    count_input,
    estimate_request,
    find_reported,
)
from tests.unit.orchestration.world import TENANT, World

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
CONTEXT = CallContext(tenant_id="acme")
SAID = Message(message_id="m", role="user", blocks=(TextBlock(text="x" * 4000),), created_at=AT)


def attempt(number: int, outcome: Outcome = Outcome.OK, *, is_estimated: bool = False) -> Attempt:
    return Attempt(
        attempt_id=f"a{number}",
        context=CONTEXT,
        provider="anthropic",
        model="m",
        tier="smart",
        link=0,
        number=number,
        outcome=outcome,
        started_at=AT,
        duration_ms=1,
        usage=Usage(input_tokens=100, cache_read_tokens=900, cache_write_5m_tokens=50, output_tokens=7),
        is_estimated=is_estimated,
    )


def reply(*attempts: Attempt) -> ChatReply:
    return ChatReply(
        message=SAID,
        stop=StopReason.END,
        usage=Usage(),
        cost_nanousd=0,
        provider="anthropic",
        model="m",
        attempts=attempts,
    )


def test_a_request_is_its_system_prompt_its_tools_and_its_messages() -> None:
    bare = estimate_request(ChatRequest(context=CONTEXT, messages=(SAID,)))
    tool = ToolSpec(name="search", description="d" * 400, input_schema={"type": "object"}, effects="none")
    full = estimate_request(ChatRequest(context=CONTEXT, messages=(SAID,), system="s" * 400, tools=(tool,)))
    assert 1000 <= bare < 1010
    assert 200 <= full - bare < 215


def test_what_a_model_has_read_is_what_it_read_from_its_cache_too() -> None:
    failed = attempt(1, Outcome.OVERLOAD)
    found = find_reported(reply(failed, attempt(2)))
    assert found is not None
    assert (found.number, count_input(found)) == (2, 1050)


def test_an_estimated_usage_and_a_reply_of_two_attempts_prove_nothing() -> None:
    assert find_reported(reply()) is None
    assert find_reported(reply(attempt(1, is_estimated=True))) is None
    assert find_reported(reply(attempt(1), attempt(2))) is None


@pytest.mark.parametrize(
    ("before", "estimated", "reported", "after"),
    [
        (0, 1000, 1300, 1300),
        (1000, 1000, 1300, 1150),
        (1300, 1000, 1300, 1300),
        (0, 1000, 1, LEAST_PERMILLE),
        (0, 1000, 10**9, MOST_PERMILLE),
        (1200, 50, 500, 1200),
        (1200, 1000, 0, 1200),
    ],
)
def test_the_factor_goes_half_of_the_way_and_stays_within_bounds(
    before: int, estimated: int, reported: int, after: int
) -> None:
    assert correct_factor(before, estimated, reported) == after


def test_a_model_that_makes_more_tokens_gets_a_shorter_context() -> None:
    budget = ContextSpec(high_water_tokens=60_000, low_water_tokens=30_000)
    scaled = scale_budget(budget, 1500)
    assert (scaled.high_water_tokens, scaled.low_water_tokens) == (40_000, 20_000)
    assert scale_budget(budget, 0) == scale_budget(budget, 1000) == budget


def test_a_turn_corrects_its_sessions_factor_and_counts_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    run = world.begin("word " * 1000, session="s1")
    complete = world.model.complete

    def complete_with_attempts(request: ChatRequest, *, deadline: float) -> ChatReply:
        answer = complete(request, deadline=deadline)
        attempts = tuple(world.ledger.list_for_run(TENANT, run.run_id))
        return answer.model_copy(update={"attempts": attempts})

    monkeypatch.setattr(world.model, "complete", complete_with_attempts)
    world.model.script = ["Fine."]
    world.turn(run)
    head = world.sessions.get(TENANT, "s1")
    assert head is not None
    # The scripted model counts 100 tokens of some 1,250.
    assert head.token_permille == LEAST_PERMILLE
    [error] = [one for one in world.telemetry.counts if one.name == names.ESTIMATE_ERROR]
    assert error.value > 1000


def hold(reported: int, permille: int, factors: ModelFactors, *, model: str = "m", characters: int = 4000) -> list[Any]:
    """Return the errors that were counted for a reply, and the session's factor after it."""
    telemetry = MemoryTelemetry()
    said = SAID.model_copy(update={"blocks": (TextBlock(text="x" * characters),)})
    one = attempt(1).model_copy(update={"model": model, "usage": Usage(input_tokens=reported)})
    request = ChatRequest(context=CONTEXT, messages=(said,))
    factor = TokenEstimates(telemetry, factors).hold(request, reply(one), permille)
    return [*(round(count.value) for count in telemetry.counts if count.name == names.ESTIMATE_ERROR), factor]


def test_the_error_that_is_counted_is_what_the_correction_has_left() -> None:
    factors = ModelFactors()
    first = hold(1_500, 0, factors)
    assert first[0] == pytest.approx(-33, abs=1)
    # Its model makes half as many more of everything: the session's later turns and other sessions know that.
    assert hold(1_500, first[1], factors)[0] == pytest.approx(0, abs=1)
    assert hold(1_500, 0, factors)[0] == pytest.approx(0, abs=1)
    assert hold(1_500, 0, factors)[1] == pytest.approx(1_500, abs=10)
    assert hold(1_500, 0, factors, model="other")[0] == pytest.approx(-33, abs=1)


def test_what_no_factor_corrects_is_an_error_each_time() -> None:
    factors, factor = ModelFactors(), 0
    for _ in range(5):
        error, factor = hold(400_000, factor, factors)
        assert error < -98
    assert factor == MOST_PERMILLE


def test_of_a_small_request_no_error_is_counted() -> None:
    factors = ModelFactors()
    assert hold(400, 0, factors, characters=100) == [0]
    assert factors.get("m") == 0


def test_the_models_that_were_seen_last_are_known() -> None:
    factors = ModelFactors()
    for number in range(100):
        factors.note(f"m{number}", 1_000, 2_000)
    assert [factors.get("m0"), factors.get("m99")] == [0, 2_000]
