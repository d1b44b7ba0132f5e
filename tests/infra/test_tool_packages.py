"""A tool's packages are in a layer that its function has, and no other."""

import json
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from infra.components.build import Build
from infra.config import STAGES
from infra.stacks.state import StateStack
from infra.tools.packages import ToolLayers, count_layers
from infra.tools.tool import ToolFunction
from infra.tools.tools_file import ToolsFile
from layers.build import BuildError
from pentad.tools.declare.declare import tool
from pentad.tools.declare.discovery import AnyTool

LOCK = "beta==1 \\\n    --hash=sha256:aa\n    # via -r requirements/tools.in\nalpha==1 \\\n    --hash=sha256:bb\n"


def declare(name: str, *packages: str) -> AnyTool:
    def act() -> str:
        """Act."""
        return ""

    act.__name__, act.__module__ = name, "functions.tools.calculator"
    made: AnyTool = tool(effects="none", packages=packages)(act)
    return made


TOOLS = {name: declare(name, *packages) for name, *packages in (["one", "alpha", "beta"], ["two", "beta", "alpha"])}
TOOLS |= {"three": declare("three", "beta"), "plain": declare("plain")}


@pytest.fixture
def project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose packages are folders that are there already."""

    def build_layer(project: Path, name: str, lock: str) -> Path:
        folder = tmp_path / name
        for package in [line.partition("=")[0] for line in lock.splitlines() if "==" in line]:
            (folder / "python" / package).mkdir(parents=True, exist_ok=True)
            (folder / "python" / package / "__init__.py").write_bytes(b"#" * 1000)
        return folder

    monkeypatch.setattr("layers.build.build_packages_layer", build_layer)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "tools.txt").write_text(LOCK, encoding="utf-8")
    (tmp_path / "functions").symlink_to(root / "functions")
    return tmp_path


def synthesize(root: Path, project: Path) -> tuple[dict[str, list[str]], Build]:
    """Return the layers of each function by their descriptions, and the surroundings."""
    app = App(outdir=str(project / "out"), context=json.loads((root / "cdk.json").read_text())["context"])
    stage = STAGES["dev"]
    build = Build(stage=stage, stores=StateStack(app, "state", stage=stage).stores, root=project, layers=())
    stack = Stack(app, "agent")
    layers = ToolLayers(stack, project, TOOLS)
    for name, one in TOOLS.items():
        ToolFunction(stack, name, build=build, tool=one, gateway=None, configured=ToolsFile(), layers=layers.get(name))
    resources = Template.from_stack(stack).to_json()["Resources"]
    found = {
        body["Properties"]["FunctionName"]: [
            resources[one["Ref"]]["Properties"]["Description"] for one in body["Properties"].get("Layers", [])
        ]
        for body in resources.values()
        if body["Type"] == "AWS::Lambda::Function"
    }
    return found, build


def test_each_function_has_the_packages_that_its_tool_names(root: Path, project: Path) -> None:
    layers, build = synthesize(root, project)
    both = ["Pentad: alpha, beta"]
    assert layers == {
        "pentad-dev-tool-one": both,
        "pentad-dev-tool-two": both,
        "pentad-dev-tool-three": ["Pentad: beta"],
        "pentad-dev-tool-plain": [],
    }
    assert count_layers(TOOLS) == 2
    # What is looked at as Lambda will is these layers, and no others.
    folders = {one.name: [path.name for path in one.layers] for one in build.code}
    assert folders["tool-plain"] == [] and folders["tool-one"] == folders["tool-two"] != folders["tool-three"]


def test_code_that_lambda_would_not_take_is_refused(root: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.sizes.MOST_BYTES", 1500)
    with pytest.raises(BuildError, match=r"the function 'tool-\w+' has .* heaviest packages are"):
        synthesize(root, project)
