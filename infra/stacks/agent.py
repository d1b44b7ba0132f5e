"""Everything but the state: functions, state machines, queues, the bus, the API."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.api.http import HttpApi
from infra.assembly import MOST_RESOURCES
from infra.components import grants
from infra.components.build import Build
from infra.components.function import PythonFunction
from infra.components.stage_bus import StageBus
from infra.config import Stage
from infra.contents import check_agents
from infra.memory.bulk import BulkMachine
from infra.memory.erase import Erase
from infra.memory.ingest import Ingest
from infra.memory.recall import Recall
from infra.memory.remember import Remember
from infra.models.catalog import Models, check_scales, check_tasks, compute_tool_room
from infra.models.drill import Drill
from infra.models.gateway import Gateway
from infra.observability.alarms import Alarms, give_actions
from infra.observability.anchors import Anchors
from infra.observability.contents import RESOURCES as CONTENTS_RESOURCES
from infra.observability.contents import Contents
from infra.observability.export import Export
from infra.observability.metric_names import choose_metric_names
from infra.observability.queries import create_queries
from infra.orchestration.functions.await_human import AwaitHuman
from infra.orchestration.functions.deliver import Deliver
from infra.orchestration.functions.ends import Ends
from infra.orchestration.functions.notices import Notices
from infra.orchestration.functions.schedules import Schedules
from infra.orchestration.functions.trigger import Trigger
from infra.orchestration.functions.workflow import WorkflowFunction
from infra.orchestration.machines.agent import AgentMachine
from infra.orchestration.machines.agent_files import build_catalog
from infra.orchestration.machines.machine import Called
from infra.orchestration.machines.served import list_served_flows, read_served
from infra.orchestration.machines.workflow import WorkflowMachine
from infra.orchestration.machines.workflow_files import Written, list_workflow_names, read_workflows
from infra.retention import check_kept
from infra.stacks.state import StateStack
from infra.tools import graph
from infra.tools.credentials.rotation import Rotations, count_rotation_resources, list_rotated
from infra.tools.groups import ToolGroups, count_option_resources, estimate_resources
from infra.tools.limits import grant_sums
from infra.tools.packages import ToolLayers
from infra.tools.policy_file import check_taint_rules, read_policy
from infra.tools.runner import ToolRunner
from infra.tools.tool import ToolFunction
from infra.tools.tools_file import ToolsFile
from layers import build as builds
from pentad.domain.declarations.agents import AgentSpec, Catalog, name_machine
from pentad.domain.declarations.remote_tools import find_server
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.domain.knowledge import SEARCH_KNOWLEDGE
from pentad.tools.declare.discovery import AnyTool
from pentad.tools.mcp.deployed import read_servers
from pentad.tools.mcp.lock_file import read_lock
from pentad.tools.mcp.project_file import read_mcp_file
from pentad.tools.runtime.function_names import find_function


class AgentStack(Stack):
    """The five layers of one stage.

    Attributes:
        code: of each function, to be imported as Lambda will.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        state: StateStack,
        root: Path,
        models: Models,
        declared: dict[str, AnyTool],
        configured: ToolsFile | None = None,
    ) -> None:
        """Make the stack.

        Args:
            scope: the app.
            construct_id: the stack's name.
            stage: the stage.
            state: the stack with all that is retained.
            root: the project's folder.
            models: the models' catalog.
            declared: the tools, by name.
            configured: what ``tools.yaml`` says of them; nothing where None.
        """
        super().__init__(scope, construct_id)
        self._configured = configured or ToolsFile()
        self._declared = declared
        catalog, workflows = self._read_project(root, stage, declared, models)
        folders = self._build_layers(root, catalog, models)
        layers = [self._create_layer(name, folder) for name, folder in folders.items()]
        # What the catalog's layer holds is data: a prompt that changes can keep no function from being imported.
        code, data = [folders[name] for name in ("dependencies", "pentad")], [folders["catalog"]]
        self._build = Build(
            stage=stage, stores=state.stores, root=root, layers=layers, layer_folders=code, data_folders=data
        )
        self.code = self._build.code
        self._bus = StageBus(self, "bus", prefix=stage.prefix)
        identity = graph.create_identity_key(self, declared)
        self._gateway = Gateway(self, "models", build=self._build, models=models, identity=identity)
        # What plans calls looks at the sums of their rules.
        grant_sums(self._gateway.role, state.stores.transient_table, catalog.tools.values())
        Drill(self, "drill", stage=stage, models=models, gateway=self._gateway.alias)
        ingest = Ingest(self, "documents", build=self._build, bus=self._bus, gateway=self._gateway.alias)
        BulkMachine(self, "bulk-documents", build=self._build, ingest=ingest.function)
        deliver = Deliver(self, "delivery", build=self._build, bus=self._bus).function
        exports = bool(stage.trace_targets)
        resources = estimate_resources(catalog, declared, len(models.catalog.used_models), exports=exports)
        resources += count_option_resources(stage)
        resources += count_rotation_resources(self._configured) + (CONTENTS_RESOURCES if stage.contents else 0)
        groups = ToolGroups(self, declared, grouped=resources > MOST_RESOURCES, exports=exports)
        tools = self._tools(root, declared, groups)
        runner = ToolRunner(
            self,
            "tool-runner",
            build=self._build,
            tools=declared,
            functions=tools,
            groups=groups,
            identity=identity,
            configured=self._configured,
        )
        self._runner, self._runner_role = runner.function, runner.role
        self._agents(catalog, deliver, tools)
        self._workflows(workflows, deliver, tools)
        self._around(catalog)
        if list_rotated(self._configured):
            Rotations(self, "rotations", build=self._build, configured=self._configured)
        Anchors(self, "anchors", build=self._build)
        if stage.contents is not None:
            check_agents(stage.contents, catalog.agents)
            Contents(self, "contents", build=self._build, bus=self._bus, wanted=stage.contents)
        if stage.trace_targets:
            Export(self, "export", build=self._build)
        self._bus.refuse_others()
        give_actions(self, stage)
        names = [f"{stage.prefix}-{one.node.id}" for one in self.node.find_all() if isinstance(one, PythonFunction)]
        create_queries(self._alarms, stage=stage, functions=names)
        CfnOutput(self, "EventBus", value=self._bus.event_bus_name)
        CfnOutput(self, "IngestDlq", value=ingest.work.dead.queue_url)

    def _read_project(
        self, root: Path, stage: Stage, declared: dict[str, AnyTool], models: Models
    ) -> tuple[Catalog, dict[str, Written]]:
        """Return the project's agents, tools and workflows, checked against each other and the models."""
        catalog = build_catalog(root / "agents", declared, self._configured)
        folder = root / "infra" / "workflows"
        names = [*list_workflow_names(folder), *list_served_flows(root)]
        policy = read_policy(root, runners=[*catalog.agents, *names], tools=catalog.tools)
        check_taint_rules(catalog.tools)
        workflows = read_workflows(self, folder, stage=stage, agents=catalog.agents, tools=declared, policy=policy)
        flows, served = read_served(
            self, root, stage=stage, agents=catalog.agents, workflows=workflows.keys(), tools=declared, policy=policy
        )
        workflows |= flows
        specs = {name: one.spec for name, one in workflows.items()}
        servers = read_servers(read_mcp_file(root), read_lock(root)) if any(map(find_server, declared)) else {}
        found = {"workflows": specs, "served": served, "policy": policy, "mcp_servers": servers}
        catalog = catalog.model_copy(update=found)
        check_tasks(models.catalog, catalog)
        check_scales(models.catalog, catalog)
        check_kept(stage.retention, catalog, models.catalog)
        return catalog.model_copy(update={"tool_room": compute_tool_room(models.catalog, catalog)}), workflows

    def _tools(self, root: Path, declared: dict[str, AnyTool], groups: ToolGroups) -> dict[str, lambda_.Function]:
        """Make a function for each tool; all tools of a remote server have one."""
        layers = ToolLayers(self, root, declared)
        made: dict[str, lambda_.Function] = {}
        for name, tool in declared.items():
            if (named := find_function(name)) not in made:
                made[named] = ToolFunction(
                    groups.get_scope(name),
                    f"tool-{named}",
                    build=self._build,
                    tool=tool,
                    configured=self._configured,
                    grouped=groups.grouped,
                    gateway=self._gateway.graphs if graph.keeps_checkpoints(tool) else None,
                    layers=layers.get(name),
                ).function
        return {name: made[find_function(name)] for name in declared}

    def _agents(self, catalog: Catalog, deliver: lambda_.Function, tools: Mapping[str, lambda_.Function]) -> None:
        """Make the functions of agents' states, and a state machine for each agent."""
        build = self._build
        recall = Recall(self, "memory", build=build, gateway=self._gateway.alias)
        machines = [catalog.find_machine(name) for name in sorted(catalog.agents)]
        await_human = AwaitHuman(self, "humans", build=build, bus=self._bus, machines=machines)
        functions = {
            "recall": recall.function,
            "think": self._gateway.function,
            "await_human": await_human.function,
            "deliver": deliver,
            "run_tool": self._runner,
        }
        if SEARCH_KNOWLEDGE in catalog.tools:
            # Recall answers its calls: no tool's own function may reach the index, which holds every tenant's.
            tools = {**tools, SEARCH_KNOWLEDGE: recall.function}
            grants.grant_invoke(self._runner_role, [recall.function.function_arn])
            grants.grant_invoke_versions(self._runner_role, [recall.function])
        for _, spec in sorted(catalog.agents.items()):
            called = Called(functions=functions, tools={tool: tools[tool] for tool in sorted(spec.tools)})
            ordered = [tool for tool in sorted(spec.tools) if not catalog.tools[tool].parallel]
            AgentMachine(self, spec.machine, stage=build.stage, spec=spec, called=called, one_by_one=ordered)

    def _workflows(
        self, workflows: Mapping[str, Written], deliver: lambda_.Function, tools: Mapping[str, lambda_.Function]
    ) -> None:
        """Make the function of workflows' steps, and a state machine for each workflow."""
        if not workflows:  # A role for no machine would have a statement without a resource.
            return
        machines = [name_machine(name) for name in sorted(workflows)]
        steps = WorkflowFunction(self, "workflow-steps", build=self._build, bus=self._bus, machines=machines)
        grant_sums(steps.role, self._build.stores.transient_table, [one.spec for one in self._declared.values()])
        functions = {"gateway": self._gateway.function, "workflow": steps.function, "deliver": deliver}
        functions["run_tool"] = self._runner
        for name, written in workflows.items():
            called = Called(functions=functions, tools={tool: tools[tool] for tool in written.spec.tools})
            WorkflowMachine(self, f"workflow-machine-{name}", build=self._build, written=written, called=called)

    def _around(self, catalog: Catalog) -> None:
        """Make what starts runs and follows their ends: triggers, schedules, the API, notices."""
        build, bus = self._build, self._bus
        specs: dict[str, AgentSpec | WorkflowSpec] = {**catalog.agents, **catalog.workflows}
        machines = [catalog.find_machine(name) for name in sorted(specs)]
        trigger = Trigger(self, "triggers", build=build, bus=bus, machines=machines)
        queues = {"runs": trigger.lifecycle.queue, "dead": trigger.lifecycle.dead}
        ends = Ends(self, "ends", build=build, bus=bus, machines=machines, **queues)
        schedules = Schedules(self, "schedules", build=build, agents=specs, **queues)
        trigger.seal(rules=ends.rule_arns, roles=schedules.role_arns)
        remember = Remember(self, "remembering", build=build, bus=bus, gateway=self._gateway.alias)
        erase = Erase(self, "erasing", build=build, bus=bus, tools=self._declared)
        callees = {"gateway": self._gateway.alias, "runner": self._runner}
        api = HttpApi(self, "api", build=build, bus=bus, machines=machines, **callees)
        Notices(self, "notices", build=build, bus=bus, api_url=api.api.api_endpoint)
        self._alarms = Alarms(self, "alarms", build=build, api_id=api.api.api_id)
        CfnOutput(self, "RunsQueue", value=trigger.work.queue.queue_url)
        CfnOutput(self, "RunsDlq", value=trigger.work.dead.queue_url)
        CfnOutput(self, "FailedRuns", value=ends.failed.queue_url)
        CfnOutput(self, "RememberDlq", value=remember.work.dead.queue_url)
        CfnOutput(self, "EraseDlq", value=erase.work.dead.queue_url)

    def _build_layers(self, root: Path, catalog: Catalog, models: Models) -> dict[str, Path]:
        """Return the folders of every function's layers, by their names."""
        return {
            "dependencies": builds.build_dependencies_layer(root),
            "pentad": builds.build_pentad_layer(root),
            "catalog": builds.build_catalog_layer(
                root,
                catalog.model_dump_json(indent=1),
                models.overlay,
                choose_metric_names(self, catalog, models, self._declared),
            ),
        }

    def _create_layer(self, name: str, folder: Path) -> lambda_.ILayerVersion:
        return lambda_.LayerVersion(
            self,
            f"layer-{name}",
            code=lambda_.Code.from_asset(str(folder)),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            description=f"Pentad: {name}",
        )
