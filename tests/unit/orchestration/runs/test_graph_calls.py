"""A graph's call at the gateway: for whom it is, is proved; and its run's limits hold."""

from datetime import timedelta
from typing import Any

import pytest

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.errors import LimitReached, PolicyDenied
from pentad.domain.models import CallContext
from pentad.domain.usage import Limits, Spent, Usage
from pentad.models.remote.adapters.mac_memory import MemoryMacKey
from pentad.models.remote.identity import Identity, sign_identity
from pentad.orchestration.runs.graph_calls import CheckGraphCall
from tests.unit.orchestration.world import TENANT, World

KEY = MemoryMacKey()


class Edge:
    """A run of an agent, and what checks its graph's calls."""

    def __init__(self, limits: Limits | None = None, **spent: Any) -> None:
        agent = AgentSpec(name="helper", description="h", prompt="p", limits=limits or Limits())
        self.world = World()
        self.run = self.world.begin()
        kept = self.world.runs.get(TENANT, self.run.run_id)

        class Runs:
            def get(self, tenant_id: str, run_id: str) -> Any:
                assert (tenant_id, run_id) == (TENANT, kept.run_id)
                return kept.model_copy(update={"agent": "helper", "spent": Spent(**spent)})

        catalog = Catalog(agents={"helper": agent}, tools={})
        self.check = CheckGraphCall(Runs(), catalog, KEY, now=self.now)  # type: ignore[arg-type]
        self.moment = kept.created_at + timedelta(seconds=2)
        self.context = CallContext(
            tenant_id=TENANT, agent="helper", user_id="ada", session_id="s", run_id=kept.run_id, step=1, purpose="graph"
        )

    def now(self) -> Any:
        return self.moment

    def token(self, *, key: MemoryMacKey = KEY, seconds: float = 60, **changes: Any) -> str:
        context = self.context.model_copy(update=changes)
        return sign_identity(Identity(context=context, tool="research", expires=self.moment.timestamp() + seconds), key)


def test_a_call_with_the_runners_proof_is_for_whom_it_says() -> None:
    edge = Edge()
    assert edge.check(edge.context, edge.token()) == edge.context


@pytest.mark.parametrize(
    "named",
    [
        {"tenant_id": "other"},
        {"user_id": "eve"},
        {"user_id": None},
        {"session_id": "t"},
        {"run_id": "run_" + "9" * 26},
        {"agent": "root"},
        {"step": 2},
        {"purpose": "turn"},
    ],
)
def test_a_call_that_names_anybody_else_is_refused(named: dict[str, Any]) -> None:
    edge = Edge()
    with pytest.raises(PolicyDenied, match="names another"):
        edge.check(edge.context.model_copy(update=named), edge.token())


def test_a_proof_that_the_runner_did_not_sign_is_refused() -> None:
    edge = Edge()
    right = edge.token()
    claims, _, code = right.partition(".")
    other = edge.token(tenant_id="other").partition(".")[0]
    foreign = edge.token(key=MemoryMacKey(b"another key"))
    for token in (None, "", "x", f"{claims}.", f".{code}", f"{other}.{code}", foreign, f"{claims}.\u00e9", "." * 9_000):
        with pytest.raises(PolicyDenied):
            edge.check(edge.context, token)


def test_a_proof_is_of_no_use_after_the_tools_call() -> None:
    edge = Edge()
    with pytest.raises(PolicyDenied, match="has expired"):
        edge.check(edge.context, edge.token(seconds=-1))


def test_where_no_tool_is_a_graph_no_proof_counts() -> None:
    edge = Edge()
    check = CheckGraphCall(edge.world.runs, edge.world.catalog, None, now=edge.now)
    with pytest.raises(PolicyDenied):
        check(edge.context, edge.token())


@pytest.mark.parametrize(
    ("limits", "spent", "told"),
    [
        (Limits(cost_nanousd=50), {"cost_nanousd": 50}, "has used its \\$"),
        (Limits(tokens=9), {"usage": Usage(input_tokens=9)}, "has used its 9 tokens"),
        (Limits(seconds=1), {}, "has used its 1 seconds"),
    ],
)
def test_a_graph_asks_no_model_once_its_runs_limit_is_used_up(limits: Limits, spent: Any, told: str) -> None:
    edge = Edge(limits, **spent)
    with pytest.raises(LimitReached, match=told):
        edge.check(edge.context, edge.token())


def test_the_runs_steps_are_turns_and_do_not_stop_a_graph_within_one() -> None:
    edge = Edge(Limits(steps=1), steps=1)
    assert edge.check(edge.context, edge.token()) == edge.context
