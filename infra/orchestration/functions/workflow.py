"""The function that does the steps of workflows: functions.orchestration.workflow."""

from collections.abc import Sequence

from constructs import Construct

from infra.components import grants
from infra.components.build import Build, FunctionConstruct
from infra.components.function import FunctionOptions
from infra.components.run_grants import grant_switches
from infra.components.stage_bus import StageBus
from infra.orchestration.functions.await_human import build_asking_environment, grant_asking
from infra.orchestration.names import machine_arn
from pentad.domain import keys

MODULE = "functions.orchestration.workflow"


class WorkflowFunction(FunctionConstruct):
    """The function functions.orchestration.workflow."""

    def __init__(self, scope: Construct, name: str, *, build: Build, bus: StageBus, machines: Sequence[str]) -> None:
        options = FunctionOptions(
            name="workflow",
            module=MODULE,
            environment=build.state_environment
            | build_asking_environment(build, bus)
            | {"STATE_MACHINE_ARN_PREFIX": machine_arn(scope, build.stage, "")},
            timeout_seconds=30,
            description="The steps of workflows: agents' runs, tools' calls, humans, words, the end",
        )
        super().__init__(scope, name, build=build, options=options)
        transient = build.stores.transient_table
        # It asks humans, and it makes the runs of agents' steps, which takes their sessions' leases and frees them.
        grant_asking(self.role, build, bus, [machine_arn(self, build.stage, machine) for machine in machines])
        grants.grant_table(
            self.role,
            transient,
            ["dynamodb:GetItem", *grants.WRITE, *grants.DELETE],
            keys=[keys.session_pattern()],
        )
        grant_switches(self.role, transient, counts=True)
