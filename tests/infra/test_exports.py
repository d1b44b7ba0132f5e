"""What the state stack exports does not depend on what a project has: else a deployment could not take it away."""

import json
from pathlib import Path
from typing import Any

import pytest

from pentad.tools.declare.discovery import discover
from tests.infra.projects import make_project, synthesize

Json = dict[str, Any]

RELEASES = list((Path(__file__).parent / "releases").glob("*.json"))
"""Of each release: what the state stack exports, what the agent stack imports, and what holds data, by logical id."""
PROVIDER = "tiers:\n  fast: {chain: [gemini-3.8-flash]}\n"
"""A provider of the project's own, whose secret comes and goes with it."""


@pytest.fixture(scope="module")
def variants(
    root: Path, templates: dict[str, Json], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Json]]:
    """The templates of this project and of projects with other samples; its own assembly has built the layers."""
    declared = discover()
    without_notes = {name: tool for name, tool in declared.items() if name != "notes"}
    agents = [path.parent.name for path in (root / "agents").glob("*/agent.yaml")]
    workflows = [path.stem for path in (root / "infra" / "workflows").glob("[!_]*.py")]
    more = make_project(root, tmp_path_factory.mktemp("more"), tools=without_notes, agents=agents, workflows=workflows)
    (more / "models.yaml").write_text(PROVIDER, encoding="utf-8")
    bare = make_project(root, tmp_path_factory.mktemp("bare"), tools=(), agents=["assistant"], workflows=())
    return {
        "all": templates,
        "no notes, and a provider": synthesize(root, more, tmp_path_factory.mktemp("out"), without_notes),
        "no tool and no workflow": synthesize(root, bare, tmp_path_factory.mktemp("out"), {}),
    }


def exports_of(template: Json) -> dict[str, Any]:
    return {one["Export"]["Name"]: one["Value"] for one in template["Outputs"].values() if "Export" in one}


def imports_of(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for one in value for name in imports_of(one)}
    if not isinstance(value, dict):
        return set()
    own = {value["Fn::ImportValue"]} if isinstance(value.get("Fn::ImportValue"), str) else set()
    return own | imports_of(list(value.values()))


def test_every_variant_exports_the_same(variants: dict[str, dict[str, Json]]) -> None:
    exports = {name: exports_of(templates["pentad-dev-state"]) for name, templates in variants.items()}
    assert exports["all"]
    for name, found in exports.items():
        assert found == exports["all"], name


def test_whatever_is_deployed_finds_its_imports_in_whatever_comes_next(variants: dict[str, dict[str, Json]]) -> None:
    seen: set[str] = set()
    for before, deployed in variants.items():
        imported = imports_of(deployed["pentad-dev-agent"])
        seen |= imported
        for after, following in variants.items():
            missing = imported - set(exports_of(following["pentad-dev-state"]))
            assert not missing, f"from {before!r} to {after!r}"
    assert "records" in json.dumps(sorted(seen)), "no variant imports what only some tools need: nothing is tested"


@pytest.mark.parametrize("release", sorted(RELEASES), ids=lambda path: path.stem)
def test_a_stage_of_each_release_can_be_upgraded(release: Path, templates: dict[str, Json]) -> None:
    # The state stack is deployed first: CloudFormation refuses to take an export from a stack that still imports it.
    deployed = json.loads(release.read_text(encoding="utf-8"))
    state = templates["pentad-dev-state"]
    assert set(deployed["imports"]) <= set(deployed["exports"])
    assert set(deployed["imports"]) - set(exports_of(state)) == set()
    assert imports_of(templates["pentad-dev-agent"]) <= set(exports_of(state))
    # One with another id would be made anew, empty.
    found = {name: body["Type"] for name, body in state["Resources"].items()}
    assert deployed["stores"].items() <= found.items()


def test_a_providers_secret_is_named_in_the_gateways_environment_and_its_role(
    variants: dict[str, dict[str, Json]],
) -> None:
    templates = variants["no notes, and a provider"]
    agent = json.dumps(templates["pentad-dev-agent"])
    assert "secretgemini" not in agent, "an import would keep the provider from being removed"
    assert ":secret:pentad-dev/gemini-??????" in agent
    functions = [
        one["Properties"]
        for one in templates["pentad-dev-agent"]["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function"
    ]
    [gateway] = [one for one in functions if one["FunctionName"] == "pentad-dev-gateway"]
    assert json.loads(gateway["Environment"]["Variables"]["PROVIDER_SECRETS"]) == {"gemini": "pentad-dev/gemini"}
    secrets = [
        one["Properties"]["Name"]
        for one in templates["pentad-dev-state"]["Resources"].values()
        if one["Type"] == "AWS::SecretsManager::Secret"
    ]
    assert "pentad-dev/gemini" in secrets
