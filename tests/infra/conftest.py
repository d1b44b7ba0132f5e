"""The templates of the synthesized assembly."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]


@pytest.fixture(scope="session")
def templates(assembly_dir: Path) -> dict[str, Json]:
    """Every template by its stack's name."""
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in assembly_dir.glob("*.template.json")
    }


@pytest.fixture(scope="session")
def resources(templates: dict[str, Json]) -> list[tuple[str, Json]]:
    """Every resource of every stack with its logical id."""
    return [item for template in templates.values() for item in template["Resources"].items()]


@pytest.fixture(scope="session")
def functions(resources: list[tuple[str, Json]]) -> dict[str, Json]:
    """Properties of every function by its name."""
    return {
        body["Properties"]["FunctionName"]: body["Properties"]
        for _, body in resources
        if body["Type"] == "AWS::Lambda::Function"
    }


@pytest.fixture(scope="session")
def machines(resources: list[tuple[str, Json]]) -> dict[str, Json]:
    """Every state machine's definition by its name, tokens replaced by their text."""
    return {
        body["Properties"]["StateMachineName"]: json.loads(joined(body["Properties"]["DefinitionString"]))
        for _, body in resources
        if body["Type"] == "AWS::StepFunctions::StateMachine"
    }


@pytest.fixture(scope="session")
def definitions(machines: dict[str, Json]) -> dict[str, Json]:
    """The definitions of agents."""
    return {name: one for name, one in machines.items() if one["StartAt"] not in ("Begin", "Documents")}


@pytest.fixture(scope="session")
def workflows(machines: dict[str, Json]) -> dict[str, Json]:
    """The definitions of workflows."""
    return {name: one for name, one in machines.items() if one["StartAt"] == "Begin"}


def joined(value: Any) -> str:
    """Return a string that CloudFormation would put together, with a name in the place of each token."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return "".join(joined(part) for part in value["Fn::Join"][1])
    if "Fn::GetAtt" in value:
        return f"<{value['Fn::GetAtt'][0]}>"
    if "Ref" in value:
        return f"<{value['Ref']}>"
    if "Fn::ImportValue" in value:
        return f"<{value['Fn::ImportValue']}>"
    raise AssertionError(f"a token of an unknown kind: {value}")


def resolved(properties: Json) -> Json:
    """Return properties with a name in the place of each token, at any depth."""

    def resolve(value: Json) -> Any:
        return joined(value) if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")) else value

    found: Json = json.loads(json.dumps(properties), object_hook=resolve)
    return found


def states_of(definition: Json) -> Iterator[tuple[str, Json]]:
    """Yield every state, those inside a Map or Parallel as well."""
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states_of(state["ItemProcessor"])
        for branch in state.get("Branches", []):
            yield from states_of(branch)
