"""The deployed gateway function: kept replies, cascades and values of a type, under its own role."""

import time
from typing import Literal

import pytest
from pydantic import BaseModel

from pentad.domain.models import CallContext, CascadeSpec, ChatReply, ChatRequest
from pentad.models.remote.adapters.gateway_lambda import LambdaChatModel
from pentad.models.structured.structured import complete_as
from tests.twin.stack.world import Stack, Tenant, word
from tests.unit.models.samples import SCHEMA, user

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("models-own")]


def model(stack: Stack) -> LambdaChatModel:
    return LambdaChatModel(stack.aws("lambda"), "pentad-dev-gateway:live")


def ask(stack: Stack, request: ChatRequest) -> ChatReply:
    return model(stack).complete(request, deadline=time.time() + 25)


def classify(tenant: Tenant, text: str) -> ChatRequest:
    return ChatRequest(
        context=CallContext(tenant_id=tenant.name), task="classify", messages=(user(text),), output_schema=SCHEMA
    )


def kept(stack: Stack, tenant: Tenant) -> list[str]:
    return [item["pk"] for item in stack.items(tenant.name) if item["pk"].startswith(f"T#{tenant.name}#CACHE#")]


def test_an_exact_repeat_is_answered_without_a_request_or_a_cost(stack: Stack, tenant: Tenant) -> None:
    asked = classify(tenant, f"How many are 3 of {word()}?")
    first = ask(stack, asked)
    before = len(stack.simulator.list_requests())
    second = ask(stack, asked)
    assert first.cost_nanousd > 0
    assert (second.cost_nanousd, second.attempts, second.message.text) == (0, (), first.message.text)
    assert len(stack.simulator.list_requests()) == before
    assert len(kept(stack, tenant)) == 1


def test_another_tenant_is_not_given_it(stack: Stack, tenant: Tenant) -> None:
    text = f"How many are 3 of {word()}?"
    ask(stack, classify(tenant, text))
    other = ask(stack, classify(stack.tenant(), text))
    assert other.cost_nanousd > 0


def test_a_task_that_does_not_declare_it_is_asked_each_time(stack: Stack, tenant: Tenant) -> None:
    asked = classify(tenant, f"How many are 3 of {word()}?").model_copy(update={"task": "judge"})
    assert [ask(stack, asked).cost_nanousd > 0 for _ in range(2)] == [True, True]
    assert kept(stack, tenant) == []


KNOWN = """<passages>
<passage cite="[cite:aaaaa2]" document="docs/leases.md" title="Leases">
A lease is the exclusive right of one run to write to a session. A lease ends after ninety seconds.
</passage>
</passages>
<question>What is a lease? [confidence 0.95]</question>"""


@pytest.mark.parametrize(
    ("question", "tiers"),
    [(KNOWN, ["fast"]), ("What is the third law of the sea?", ["fast", "primary"])],
    ids=["sure", "unsure"],
)
def test_a_cascade_asks_one_tier_or_two(stack: Stack, tenant: Tenant, question: str, tiers: list[str]) -> None:
    context = CallContext(tenant_id=tenant.name)
    cascade = CascadeSpec(first="fast", threshold=0.9)
    reply = ask(stack, ChatRequest(context=context, messages=(user(question),), cascade=cascade))
    assert [attempt.tier for attempt in reply.attempts] == tiers
    assert reply.cost_nanousd == sum(attempt.cost_nanousd for attempt in reply.attempts)
    assert '"confidence"' not in reply.message.text


class Ticket(BaseModel):
    """What is to be filled."""

    state: Literal["open", "closed"]
    title: str


def test_a_value_of_a_type_comes_through_the_function(stack: Stack, tenant: Tenant) -> None:
    asked = ChatRequest(context=CallContext(tenant_id=tenant.name), task="extract", messages=(user("It is open."),))
    found = complete_as(model(stack), asked, Ticket, deadline=time.time() + 25)
    assert (found.value.state, found.repaired) == ("open", False)
