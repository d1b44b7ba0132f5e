"""The function that asks humans: functions.orchestration.await_human."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.run_grants import grant_payloads, grant_run_items
from infra.components.stage_bus import StageBus
from infra.orchestration.names import machine_arn
from pentad.domain import keys


class AwaitHuman(FunctionConstruct):
    """The function functions.orchestration.await_human."""

    def __init__(self, scope: Construct, name: str, *, build: Build, bus: StageBus, machines: Sequence[str]) -> None:
        options = FunctionOptions(
            name="await-human",
            module="functions.orchestration.await_human",
            environment=build.state_environment | build_asking_environment(build, bus),
            timeout_seconds=30,
            description="Asks humans for decisions, reminds them, hands on what nobody decides",
        )
        super().__init__(scope, name, build=build, options=options)
        grant_asking(self.role, build, bus, [machine_arn(self, build.stage, machine) for machine in machines])


def build_asking_environment(build: Build, bus: StageBus) -> dict[str, str]:
    """Return the variables of a function that asks humans, beside those of the state."""
    return {"APPROVAL_KEY": build.stores.approval_key.key_arn, "EVENT_BUS": bus.event_bus_name}


def grant_asking(role: iam.Role, build: Build, bus: StageBus, machines: Sequence[str]) -> None:
    """Let a role ask humans.

    Args:
        role: who.
        build: the surroundings.
        bus: where notices begin.
        machines: ARNs of the state machines whose tasks it may wake: those whose decision was there before the task.
    """
    stores = build.stores
    grant_run_items(role, stores, conditions=True)
    grants.grant_table(role, stores.transient_table, ["dynamodb:UpdateItem"], keys=[keys.session_pattern()])
    grant_payloads(role, stores)
    grants.grant_key(role, stores.approval_key, ["kms:Encrypt"], conditions=grants.FOR_ONE_APPROVAL)
    role.add_to_policy(iam.PolicyStatement(actions=["states:SendTaskSuccess"], resources=list(machines)))
    bus.grant_sending(role)
