"""Faults of tools: one fails whenever it is called."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pentad.cli.commands.operations.alarms.drill_project import TOOL
from pentad.cli.commands.operations.alarms.faults.asking import ask
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld
from pentad.models.providers.request_names import name_part
from pentad.orchestration.switches.switchboard import FAILURES

_TENANT: Final = "drill-tools"


@contextmanager
def heal_tool_after(world: FaultWorld) -> Iterator[None]:
    """Forget at the end that the tool failed, as time does."""
    from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches

    try:
        yield
    finally:
        DynamoSwitches(world.open_table("TransientTable")).forget(_TENANT, TOOL)


def call_tool(world: FaultWorld, broken: bool) -> None:
    """Have a model call the tool as often at once as it takes to be out of order."""
    client = world.open_tenant(_TENANT)
    of = [name_part("tenant", _TENANT, _TENANT), name_part("agent", _TENANT, world.agent)]
    calls = [{"name": TOOL, "arguments": {"expression": str(number), "fail": broken}} for number in range(FAILURES)]
    world.simulator.extend_private_script(of, {"reply": {"tool_calls": calls}}, {"reply": {"text": "Done."}})
    try:
        ask(client, world.agent, f"Call it{'' if broken else ' again'}.")
    finally:
        world.simulator.clear_private_script(of)
