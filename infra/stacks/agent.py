"""Everything but the state: functions, state machines, queues, the bus, the API."""

from pathlib import Path

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.api.http import HttpApi
from infra.components.build import Build
from infra.config import Stage
from infra.memory.ingest import Ingest
from infra.memory.recall import Recall
from infra.models.catalog import Models, check_tasks
from infra.models.drill import Drill
from infra.models.gateway import Gateway
from infra.orchestration.functions.await_human import AwaitHuman
from infra.orchestration.functions.deliver import Deliver
from infra.orchestration.functions.ends import Ends
from infra.orchestration.functions.notices import Notices
from infra.orchestration.functions.schedules import Schedules
from infra.orchestration.functions.trigger import Trigger
from infra.orchestration.functions.workflow import WorkflowFunction
from infra.orchestration.machines.agent import AgentMachine
from infra.orchestration.machines.agent_files import build_catalog
from infra.orchestration.machines.workflow import WorkflowMachine
from infra.orchestration.machines.workflow_files import read_workflows
from infra.stacks.state import StateStack
from infra.tools import graph
from infra.tools.tool import ToolFunction
from layers import build as builds
from pentad.domain.declarations.agents import Catalog
from pentad.tools.declare.discovery import discover


class AgentStack(Stack):
    """The five layers of one stage."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, state: StateStack, root: Path, models: Models
    ) -> None:
        super().__init__(scope, construct_id)
        declared = discover()
        catalog = build_catalog(root / "agents", declared)
        workflows = read_workflows(
            self, root / "infra" / "workflows", stage=stage, agents=catalog.agents, tools=declared
        )
        catalog = catalog.model_copy(update={"workflows": {name: one.spec for name, one in workflows.items()}})
        check_tasks(models.catalog, catalog)
        build = Build(stage=stage, stores=state.stores, root=root, layers=self._layers(root, catalog, models))
        agents = sorted(catalog.agents)
        startable = sorted([*agents, *workflows])

        bus = events.EventBus(self, "bus", event_bus_name=stage.prefix, description="Pentad's events")
        gateway = Gateway(self, "models", build=build, models=models)
        Drill(self, "drill", stage=stage, models=models, gateway=gateway.function)
        recall = Recall(self, "memory", build=build, gateway=gateway.alias)
        ingest = Ingest(self, "documents", build=build, gateway=gateway.alias)
        await_human = AwaitHuman(self, "humans", build=build, bus=bus, agents=agents)
        deliver = Deliver(self, "delivery", build=build, bus=bus)
        frameworks = [graph.layer(self, root)] if any("langchain" in tool.needs for tool in declared.values()) else []
        tools = {
            name: ToolFunction(
                self,
                f"tool-{name}",
                build=build,
                tool=tool,
                gateway=gateway.alias,
                layers=frameworks if "langchain" in tool.needs else (),
            ).function
            for name, tool in declared.items()
        }
        for name, spec in sorted(catalog.agents.items()):
            AgentMachine(
                self,
                f"agent-{name}",
                stage=stage,
                spec=spec,
                functions={
                    "recall": recall.function,
                    "think": gateway.function,
                    "await_human": await_human.function,
                    "deliver": deliver.function,
                },
                tools={tool: tools[tool] for tool in sorted(spec.tools)},
            )
        if workflows:  # A role for no machine would have a statement without a resource.
            steps = WorkflowFunction(self, "workflow-steps", build=build, bus=bus, workflows=sorted(workflows))
        for name, written in workflows.items():
            WorkflowMachine(
                self,
                f"workflow-machine-{name}",
                build=build,
                written=written,
                functions={"gateway": gateway.function, "workflow": steps.function, "deliver": deliver.function},
                tools=tools,
            )
        trigger = Trigger(self, "triggers", build=build, bus=bus, agents=startable)
        queues = {"runs": trigger.queue, "dead": trigger.dead}
        ends = Ends(self, "ends", build=build, bus=bus, agents=startable, **queues)
        Schedules(self, "schedules", build=build, agents={**catalog.agents, **catalog.workflows}, **queues)
        api = HttpApi(
            self, "api", build=build, bus=bus, agents=startable, tools=list(tools.values()), gateway=gateway.alias
        )
        Notices(self, "notices", build=build, bus=bus, api_url=api.api.api_endpoint)
        CfnOutput(self, "EventBus", value=bus.event_bus_name)
        CfnOutput(self, "RunsQueue", value=trigger.queue.queue_url)
        CfnOutput(self, "RunsDlq", value=trigger.dead.queue_url)
        CfnOutput(self, "FailedRuns", value=ends.failed.queue_url)
        CfnOutput(self, "IngestDlq", value=ingest.dead.queue_url)

    def _layers(self, root: Path, catalog: Catalog, models: Models) -> list[lambda_.ILayerVersion]:
        folders = {
            "dependencies": builds.dependencies(root),
            "pentad": builds.pentad(root),
            "catalog": builds.catalog(root, catalog.model_dump_json(indent=1), models.overlay),
        }
        return [
            lambda_.LayerVersion(
                self,
                f"layer-{name}",
                code=lambda_.Code.from_asset(str(folder)),
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
                compatible_architectures=[lambda_.Architecture.ARM_64],
                description=f"Pentad: {name}",
            )
            for name, folder in folders.items()
        ]
