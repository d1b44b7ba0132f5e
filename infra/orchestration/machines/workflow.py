"""Workflows: found in ``infra/workflows/``, each a state machine with a role that reaches its own parts only."""

from collections.abc import Mapping

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.orchestration.machines.machine import Machine
from infra.orchestration.machines.nesting import grant_agents
from infra.orchestration.machines.workflow_files import Written


class WorkflowMachine(Machine):
    """The state machine of one workflow."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        written: Written,
        functions: Mapping[str, lambda_.Function],
        tools: Mapping[str, lambda_.Function],
    ) -> None:
        """Make the machine.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            written: the workflow.
            functions: gateway, workflow and deliver.
            tools: the tools, name to function.
        """
        flow, spec = written.flow, written.spec
        super().__init__(scope, name, stage=build.stage, of=spec.name)
        called = {**functions, **{f"tool:{tool}": tools[tool] for tool in spec.tools}}
        # Published versions: a run in flight keeps its code.
        flow.bind({key: one.current_version.function_arn for key, one in called.items()})
        grants.grant_invoke_versions(self.role, list(called.values()))
        grant_agents(self.role, build, [flow.agents[agent] for agent in flow.used_agents])
        self.publish(
            sfn.DefinitionBody.from_chainable(written.chain),
            language=sfn.QueryLanguage.JSONATA,
            comment=f"Workflow {spec.name}: {spec.description.splitlines()[0]}",
        )
