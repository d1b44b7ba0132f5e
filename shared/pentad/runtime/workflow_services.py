"""The wiring of the workflows' function, and of the gateway's part in workflows: a part of the bootstrap."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from pentad.runtime import bootstrap, human_services, lifecycle_services
from pentad.runtime import settings as environment

if TYPE_CHECKING:
    from pentad.orchestration.workflows.agent_steps import Children
    from pentad.orchestration.workflows.human_steps import Humans
    from pentad.orchestration.workflows.model_steps import Task
    from pentad.orchestration.workflows.run_ends import Ends
    from pentad.orchestration.workflows.steps import EnteredStep, Stores
    from pentad.orchestration.workflows.tool_steps import Calls


@cache
def stores(service: str = "workflow") -> "Stores":
    """Return what the services of workflows share.

    Args:
        service: the function's name without the deployment's prefix.
    """
    from pentad.orchestration.runs.spill import Spill
    from pentad.orchestration.workflows.adapters.results_dynamodb import DynamoResults
    from pentad.orchestration.workflows.steps import Stores

    values = bootstrap.settings(environment.StateTable)
    results = DynamoResults(bootstrap.table(values.state_table), Spill(bootstrap.objects(values.payload_bucket)))
    switches = lifecycle_services.switches(service)
    return Stores(bootstrap.catalog(), bootstrap.runs(), bootstrap.sessions(), results, bootstrap.now, switches)


@cache
def ends() -> "Ends":
    """Return what begins and ends runs."""
    from pentad.orchestration.workflows.run_ends import Ends

    return Ends(stores())


@cache
def children() -> "Children":
    """Return what starts and collects agents' runs."""
    from pentad.orchestration.workflows.agent_steps import Children

    return Children(stores(), bootstrap.settings(environment.WorkflowSettings).state_machine_arn_prefix)


@cache
def calls() -> "Calls":
    """Return what plans and collects tools' calls."""
    from pentad.orchestration.workflows.tool_steps import Calls
    from pentad.tools.runtime.adapters.effects_dynamodb import DynamoEffects

    table = bootstrap.table(bootstrap.settings(environment.StateTable).state_table)
    return Calls(stores(), DynamoEffects(table))


@cache
def humans() -> "Humans":
    """Return what asks humans."""
    from pentad.orchestration.workflows.human_steps import Humans

    values = bootstrap.settings(environment.WorkflowSettings)
    return Humans(stores(), bootstrap.approvals(None), human_services.asking("workflow", values))


def step(operation: str) -> "Callable[[EnteredStep], dict[str, Any]]":
    """Return what does one operation of a step."""
    operations: dict[str, Callable[[], Callable[[EnteredStep], dict[str, Any]]]] = {
        "child": lambda: children().begin,
        "child_done": lambda: children().collect,
        "call": lambda: calls().plan,
        "settle": lambda: humans().settle,
        "expire": lambda: humans().expire,
        "text": lambda: ends().text,
    }
    return operations[operation]()


@cache
def task() -> "Task":
    """Return what does models' steps, in the gateway's function."""
    from pentad.orchestration.workflows.model_steps import Task
    from pentad.runtime import accounts, gateway_services

    return Task(stores("gateway"), gateway_services.chat_model(), accounts.ledger())
