"""Workflows: found in ``infra/workflows/``, each a state machine with a role that reaches its own parts only."""

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.components.build import Build
from infra.orchestration.machines.machine import Called, Machine
from infra.orchestration.machines.nesting import grant_agents
from infra.orchestration.machines.workflow_files import Written
from pentad.domain.declarations.agents import name_machine


class WorkflowMachine(Machine):
    """The state machine of one workflow."""

    def __init__(self, scope: Construct, name: str, *, build: Build, written: Written, called: Called) -> None:
        """Make the machine.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            written: the workflow.
            called: gateway, workflow, run_tool and deliver; and the workflow's tools.
        """
        flow, spec = written.flow, written.spec
        super().__init__(scope, name, stage=build.stage, title=name_machine(spec.name), called=called)
        tools = {f"tool:{tool}": arn for tool, arn in called.tool_versions.items()}
        flow.bind(called.function_versions | tools)
        grant_agents(self.role, build, [flow.agents[agent] for agent in flow.used_agents])
        self.publish(
            sfn.DefinitionBody.from_chainable(written.chain),
            language=sfn.QueryLanguage.JSONATA,
            comment=f"Workflow {spec.name}: {spec.description.splitlines()[0]}",
        )
