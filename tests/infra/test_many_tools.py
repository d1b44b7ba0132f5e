"""A project with 300 tools fits into CloudFormation's limits; one with few stays as it is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk import Stack

from infra.assembly import MOST_OUTPUTS, MOST_RESOURCES
from infra.orchestration.machines.agent_files import build_catalog
from infra.tools.groups import ToolGroups, count_most_of_a_group, estimate_resources
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import TOOL_CHARACTERS
from pentad.observability.metrics.table import MOST_TOLD_APART, PLATFORM_FUNCTIONS
from pentad.tools.declare.declare import Grant, tool
from pentad.tools.declare.discovery import AnyTool, discover
from pentad.tools.runtime.function_names import find_group, name_function
from tests.infra.conftest import joined
from tests.infra.projects import make_project, synthesize
from twin.deploy.assembly import read_assembly
from twin.deploy.deployer import validate

Json = dict[str, Any]
TOOLS = 300
LONG = "a_tool_with_a_name_as_long_as_may_be_{}"
LONGEST = "a_tool_{}_with_a_name_as_long_as_providers_take_which_is_64_inn"
"""Lambda takes no such name: its function's is cut."""


def declare(name: str) -> AnyTool:
    """Return a tool with records of its own, as if a file of the project's declared it."""

    def act(text: str) -> str:
        """Act."""
        return text

    act.__name__, act.__module__ = name, f"functions.tools.{name}"
    # CloudFormation's limits are met the soonest where each tool has its own kind of record.
    grants = [Grant("records", "readwrite", keys=name.upper()[:40])]
    make: Callable[..., Any] = tool(effects="internal", permissions=grants)
    made: AnyTool = make(act)
    return made


def name_tools(count: int) -> list[str]:
    longest = [LONGEST.format(f"{number:03d}") for number in range(5)]
    return [*longest, *(LONG.format(f"{number:03d}") for number in range(45)), *(f"t{n}" for n in range(count - 50))]


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one agent that has all the tools."""
    return make_large(root, tmp_path_factory.mktemp("many"), name_tools(TOOLS))


def make_large(root: Path, folder: Path, names: list[str]) -> Path:
    make_project(root, folder, tools=(), agents=["assistant"], workflows=())
    (folder / "functions").unlink()
    shutil.copytree(root / "functions", folder / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    # Its own builds: so many assets are no one else's.
    (folder / "build").unlink()
    (folder / "build").mkdir()
    for path in (root / "build").glob("layer-*"):
        (folder / "build" / path.name).symlink_to(path)
    give_tools(folder, names)
    for name in names:
        (folder / "functions" / "tools" / f"{name}.py").write_text("", encoding="utf-8")
    return folder


def give_tools(project: Path, names: list[str]) -> None:
    settings = project / "agents" / "assistant" / "agent.yaml"
    content = yaml.safe_load(settings.read_text(encoding="utf-8")) | {"tools": names}
    settings.write_text(yaml.safe_dump(content), encoding="utf-8")


@pytest.fixture(scope="module")
def many(root: Path, project: Path, templates: dict[str, Json], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of 300 tools; the project's own has built the layers."""
    out = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:  # their files are empty: there is nothing to import
        patch.setattr("infra.app.check_imports", lambda root, code: None)
        synthesize(root, project, out, {name: declare(name) for name in name_tools(TOOLS)})
    return out


@pytest.fixture(scope="module")
def stacks(many: Path) -> dict[str, Json]:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in many.glob("*.template.json")}


def test_no_stack_is_over_a_limit_of_cloudformation(many: Path, stacks: dict[str, Json]) -> None:
    assert len(stacks) == 2 + 16 + 1, "state, agent, groups of tools, alarms"
    for name, template in stacks.items():
        assert len(template["Resources"]) <= MOST_RESOURCES, name
        assert len(template.get("Outputs", {})) <= 200, name
        assert len(template.get("Parameters", {})) <= 200, name
        assert (many / name).stat().st_size <= 1_000_000, name


def test_each_tool_has_a_function_with_a_name_of_its_own(stacks: dict[str, Json]) -> None:
    bodies = [body for template in stacks.values() for body in template["Resources"].values()]
    functions = [body["Properties"] for body in bodies if body["Type"] == "AWS::Lambda::Function"]
    names = [one["FunctionName"] for one in functions]
    assert len(set(names)) == len(names)
    wanted = {name_function("pentad-dev-tool-", name, grouped=True) for name in name_tools(TOOLS)}
    assert wanted <= set(names)
    assert len(wanted) == TOOLS
    assert max(map(len, name_tools(TOOLS))) == TOOL_CHARACTERS
    assert max(map(len, names)) <= 64 - (len("pentad-staging") - len("pentad-dev"))
    for one in functions:
        environment = one["Environment"]["Variables"]
        # A token is at most an ARN.
        assert sum(len(key) + len(joined_text(value)) for key, value in environment.items()) <= 3_500, one
        assert len(one["Layers"]) <= 5


def test_metrics_tell_a_bounded_number_of_them_apart_and_the_synth_says_so(many: Path, project: Path) -> None:
    [chosen] = [
        json.loads(path.read_text("utf-8")) for path in project.glob("build/*/python/pentad_catalog/metrics.json")
    ]
    assert (len(chosen["tool"]), len(chosen["function"])) == (MOST_TOLD_APART["tool"], MOST_TOLD_APART["function"])
    assert set(PLATFORM_FUNCTIONS) < set(chosen["function"])
    told = "".join(path.read_text("utf-8") for path in many.glob("*.metadata.json"))
    assert "metrics tell 60 names of 'tool' apart" in told


def joined_text(value: Any) -> str:
    """Return a string about as long as the one that CloudFormation makes."""
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(part if isinstance(part, str) else "x" * 100 for part in value["Fn::Join"][1])
    return value if isinstance(value, str) else "x" * 100


def test_no_role_has_more_policies_than_iam_takes(stacks: dict[str, Json]) -> None:
    for template in stacks.values():
        attached: dict[str, int] = {}
        for name, body in template["Resources"].items():
            if body["Type"] not in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
                continue
            size = len(json.dumps(shorten(body["Properties"]["PolicyDocument"]), separators=(",", ":")))
            assert size <= (10_240 if body["Type"] == "AWS::IAM::Policy" else 6_144), name
            if body["Type"] == "AWS::IAM::ManagedPolicy":
                for role in body["Properties"]["Roles"]:
                    attached[json.dumps(role)] = attached.get(json.dumps(role), 0) + 1
        assert max(attached.values(), default=0) <= 10


def shorten(value: Any) -> Any:
    """Return a policy with an ARN in the place of each token."""
    if isinstance(value, list):
        return [shorten(one) for one in value]
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            return joined_text(value)
        return {key: shorten(one) for key, one in value.items()}
    return value


def test_the_state_stack_exports_the_same_as_with_few_tools(
    stacks: dict[str, Json], templates: dict[str, Json]
) -> None:
    assert stacks["pentad-dev-state.template.json"]["Outputs"] == templates["pentad-dev-state"]["Outputs"]
    agent = stacks["pentad-dev-agent.template.json"]
    assert [name for name, one in agent["Outputs"].items() if "Export" in one] == []


def test_the_twin_takes_the_nested_stacks_and_finds_each_tool_in_the_machine(many: Path) -> None:
    for stack in read_assembly(many).stacks:
        validate(stack)
    agent = next(stack for stack in read_assembly(many).stacks if stack.name == "pentad-dev-agent")
    resources = agent.template["Resources"]
    machines = [body for body in resources.values() if body["Type"] == "AWS::StepFunctions::StateMachine"]
    [machine] = [body for body in machines if not body["Properties"]["StateMachineName"].endswith("-bulk-ingest")]
    definition = json.loads(joined(machine["Properties"]["DefinitionString"]))
    functions = definition["States"]["Recall"]["Assign"]["toolFunctions"]
    assert set(functions) == set(name_tools(TOOLS))
    for version in functions.values():
        assert resources[version.strip("<>")]["Type"] == "AWS::Lambda::Version"


def test_few_tools_are_where_they_were(templates: dict[str, Json]) -> None:
    assert not [name for name in templates if "nested" in name and "alarms" not in name]
    # These ids are deployed: a change would replace the functions.
    wanted = {"toolcalculatorfunction828BBB02", "tooldatetimetooldatetimefunction2883609D", "toolnotesfunctionDC2F3D4E"}
    assert wanted <= set(templates["pentad-dev-agent"]["Resources"])


def test_a_tools_group_depends_on_its_name_alone_and_stays() -> None:
    assert [find_group(name) for name in ("calculator", "date_time", "notes", "t1")] == GROUPS
    assert name_function("p-", "date_time", grouped=False) == "p-date-time"


GROUPS = ["02", "13", "00", "09"]


def test_the_estimate_is_what_is_there_or_a_few_more(
    root: Path, project: Path, stacks: dict[str, Json], templates: dict[str, Json]
) -> None:
    declared = discover()
    catalog = build_catalog(root / "agents", declared)
    names = [path.stem for path in (root / "infra" / "workflows").glob("[!_]*.py")]
    workflows = {name: WorkflowSpec(name=name, description="d", steps={}, answer="x") for name in map(dash, names)}
    made = templates["pentad-dev-agent"]["Resources"]
    estimate = estimate_resources(catalog.model_copy(update={"workflows": workflows}), declared, count_models(made))
    assert len(made) <= estimate <= len(made) + 16
    # Of 300 tools all that is in nested stacks but the roles of tools' data would be in the agent stack.
    many = {name: declare(name) for name in name_tools(TOOLS)}
    agent = stacks["pentad-dev-agent.template.json"]["Resources"]
    nested = [body for name, one in stacks.items() if "tools" in name for body in one["Resources"].items()]
    moved = sum("data" not in name for name, _ in nested)
    estimate = estimate_resources(build_catalog(project / "agents", many), many, count_models(agent))
    assert moved == 5 * TOOLS
    # The ten policies of one such role are counted too.
    assert len(agent) - 16 + moved + 10 <= estimate <= len(agent) - 16 + moved + 30 + 10


def test_the_most_tools_that_are_not_grouped_fit_with_the_options_that_add_most(
    root: Path, templates: dict[str, Json], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"t{number}" for number in range(90)]
    folder = tmp_path / "project"
    folder.mkdir()
    project = make_large(root, folder, names)
    models, beside = count_models(templates["pentad-dev-agent"]["Resources"]), 20 + 1

    def estimate(count: int) -> int:
        declared = {name: declare(name) for name in names[:count]}
        give_tools(project, names[:count])
        return estimate_resources(build_catalog(project / "agents", declared), declared, models) + beside

    most = max(count for count in range(40, 90) if estimate(count) <= MOST_RESOURCES)
    assert estimate(most) > MOST_RESOURCES - 10
    monkeypatch.setattr("infra.app.check_imports", lambda root, code: None)
    options: Json = {"cors": {"dev": ["https://a.example.com"]}, "vector_store": {"dev": "postgres"}}
    made = synthesize(root, project, tmp_path / "out", {name: declare(name) for name in names[:most]}, **options)
    assert not [name for name in made if "tools" in name]
    resources = made["pentad-dev-agent"]["Resources"]
    assert len(resources) <= estimate(most) <= MOST_RESOURCES


def dash(name: str) -> str:
    return name.replace("_", "-")


def count_models(resources: Json) -> int:
    return sum("link" in name and body["Type"] == "AWS::CloudWatch::Alarm" for name, body in resources.items())


@pytest.mark.parametrize(("exports", "of_a_tool", "most"), [(False, 5, 85), (True, 6, 80)])
def test_a_full_group_is_within_the_limits_with_and_without_exports(exports: bool, of_a_tool: int, most: int) -> None:
    # A tool is five resources (as the test of the estimate counts) and a filter where spans are exported. Beside them
    # is the role of their data with its own policy and ten managed ones, IAM's most, and the metadata of the CDK.
    assert count_most_of_a_group(exports=exports) == most
    assert most * of_a_tool + 2 + 10 + 1 <= MOST_RESOURCES
    assert most * 2 + 1 <= MOST_OUTPUTS


@pytest.mark.parametrize("exports", [False, True])
def test_tools_that_are_too_many_for_all_groups_are_told(exports: bool) -> None:
    names = [name for name in (f"t{number}" for number in range(4000)) if find_group(name) == "00"]
    most = count_most_of_a_group(exports=exports)
    tools = {name: declare(name) for name in names[: most + 1]}
    with pytest.raises(ConfigurationError, match=f"tools are too many: {most + 1} .* room for {most}"):
        ToolGroups(Stack(), tools, grouped=True, exports=exports)
    del tools[names[most]]
    groups = ToolGroups(Stack(), tools, grouped=True, exports=exports)
    assert list(map(len, groups.members.values())) == [most]


def test_tools_of_a_remote_server_count_as_the_one_function_that_they_are() -> None:
    tools = {f"{server}__t{number}": declare("t") for server in ("files", "mail") for number in range(200)}
    groups = ToolGroups(Stack(), tools, grouped=True, exports=True)
    assert sum(map(len, groups.members.values())) == 400
