"""Values of a pydantic type through both providers' structured output, on the real SDKs and the wire."""

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from pentad.domain.errors import MalformedReply, Refused
from pentad.domain.models import Outcome
from pentad.models.structured.schemas import build_strict_schema
from pentad.models.structured.structured import Structured, complete_as
from tests.contract.models.conftest import Desk, Serve
from tests.unit.models.samples import request, user
from twin.servers.loopback import Request, Response, json_response
from twin.simulator import SimulatorControl

MODELS = {"anthropic": "claude-sonnet-5-5", "openai": "gpt-6.1-sol"}


class Part(BaseModel):
    name: str
    amount: int = Field(ge=1, description="How many.")


class Order(BaseModel):
    state: Literal["open", "closed"]
    parts: list[Part]
    note: str | None = None


GOOD: dict[str, Any] = {"state": "open", "parts": [{"name": "bolt", "amount": 4}], "note": None}
OUT_OF_BOUNDS = GOOD | {"parts": [{"name": "bolt", "amount": 0}]}
WRONG_SHAPE = GOOD | {"state": "lost"}


@pytest.fixture(params=["anthropic", "openai"])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask(desk: Desk, provider: str) -> Structured[Order]:
    asked = request(user("Four bolts, please. It is open."), model=MODELS[provider], task="extract")
    return complete_as(desk.gateway, asked, Order, deadline=desk.now + 60)


def play(control: SimulatorControl, *values: Any) -> None:
    control.load_script(*({"reply": {"text": json.dumps(value)}} for value in values))


def outcomes(desk: Desk) -> list[Outcome]:
    return [attempt.outcome for attempt in desk.ledger.all]


def test_a_value_comes_back(desk: Desk, control: SimulatorControl, provider: str) -> None:
    play(control, GOOD)
    found = ask(desk, provider)
    assert found.value == Order.model_validate(GOOD)
    assert (found.repaired, outcomes(desk)) == (False, [Outcome.OK])
    control.assert_consumed()


def test_the_simulators_own_rules_fill_the_schema(desk: Desk, control: SimulatorControl, provider: str) -> None:
    assert ask(desk, provider).value.state == "open"


def test_a_value_out_of_bounds_is_repaired(desk: Desk, control: SimulatorControl, provider: str) -> None:
    repaired = {"match": {"contains": "parts.0.amount"}, "reply": {"text": json.dumps(GOOD)}}
    control.load_script({"reply": {"text": json.dumps(OUT_OF_BOUNDS)}}, repaired)
    found = ask(desk, provider)
    assert (found.value.parts[0].amount, found.repaired) == (4, True)
    assert outcomes(desk) == [Outcome.OK, Outcome.OK]
    assert found.reply.cost_nanousd == sum(attempt.cost_nanousd for attempt in desk.ledger.all)
    control.assert_consumed()


def test_a_value_of_the_wrong_shape_is_repaired_by_the_gateway(
    desk: Desk, control: SimulatorControl, provider: str
) -> None:
    play(control, WRONG_SHAPE, GOOD)
    found = ask(desk, provider)
    assert (found.value.state, found.repaired) == ("open", False)
    assert outcomes(desk) == [Outcome.MALFORMED, Outcome.OK]
    control.assert_consumed()


@pytest.mark.parametrize("wrong", [OUT_OF_BOUNDS, WRONG_SHAPE], ids=["bounds", "shape"])
def test_wrong_twice_is_a_typed_failure(
    desk: Desk, control: SimulatorControl, provider: str, wrong: dict[str, Any]
) -> None:
    play(control, wrong, wrong)
    with pytest.raises(MalformedReply):
        ask(desk, provider)
    control.assert_consumed()


def test_a_refusal_is_one(desk: Desk, control: SimulatorControl, provider: str) -> None:
    control.add_faults({"kind": "refusal"})
    with pytest.raises(Refused):
        ask(desk, provider)


def test_a_value_cut_at_the_output_limit_is_a_typed_failure(
    desk: Desk, control: SimulatorControl, provider: str
) -> None:
    cut = {"reply": {"text": '{"state": "open", "parts": [', "stop_reason": "max_tokens"}}
    control.load_script(cut, cut)
    with pytest.raises(MalformedReply, match="output limit"):
        ask(desk, provider)
    assert outcomes(desk) == [Outcome.TRUNCATED, Outcome.TRUNCATED]


def test_the_schema_is_on_the_wire_as_each_provider_takes_it(serve: Serve, provider: str) -> None:
    seen: list[dict[str, Any]] = []

    def handler(asked: Request) -> Response:
        seen.append(asked.json())
        return json_response(400, {"error": {"message": "enough", "type": "invalid_request_error"}})

    adapters = serve(handler)
    with pytest.raises(Exception, match="the provider rejected the request"):
        ask(Desk(adapters), provider)
    if provider == "openai":
        form = seen[0]["text"]["format"]
        assert (form["schema"], form["strict"]) == (build_strict_schema(Order), True)
        return
    schema = seen[0]["output_config"]["format"]["schema"]
    assert schema["$defs"]["Part"] == build_strict_schema(Order)["$defs"]["Part"]
