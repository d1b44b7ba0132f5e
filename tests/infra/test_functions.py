"""Functions as synthesized: environment against the settings models, assets, roles, log groups."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from pentad.runtime import settings
from tests.infra.conftest import joined, states_of

Json = dict[str, Any]

SETTINGS: dict[str, type[BaseSettings]] = {
    "pentad-dev-api": settings.ApiSettings,
    "pentad-dev-authorizer": settings.AuthorizerSettings,
    "pentad-dev-trigger": settings.TriggerSettings,
    "pentad-dev-workflow": settings.WorkflowSettings,
    "pentad-dev-recall": settings.RecallSettings,
    "pentad-dev-remember": settings.RememberSettings,
    "pentad-dev-erase": settings.EraseSettings,
    "pentad-dev-ingest": settings.IngestSettings,
    "pentad-dev-gateway": settings.GatewaySettings,
    "pentad-dev-await-human": settings.AwaitHumanSettings,
    "pentad-dev-deliver": settings.DeliverSettings,
    "pentad-dev-notify": settings.NotifySettings,
    "pentad-dev-run-tool": settings.ToolRunnerSettings,
    "pentad-dev-anchor": settings.AnchorSettings,
}


def settings_of(name: str) -> type[BaseSettings]:
    return SETTINGS.get(name, settings.ToolSettings)


def test_the_docs_name_every_function_queue_and_topic(resources: list[tuple[str, Json]], root: Path) -> None:
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    written = dict(re.findall(r"^\| (functions|queues|topics) \| `\{prefix\}-\{([\w,-]+)\}`", page, re.M))
    kinds = {"functions": "Lambda::Function", "queues": "SQS::Queue", "topics": "SNS::Topic"}
    for kind, resource_type in kinds.items():
        key = {"functions": "FunctionName", "queues": "QueueName", "topics": "TopicName"}[kind]
        names = [one["Properties"][key] for _, one in resources if one["Type"] == f"AWS::{resource_type}"]
        named = {name.removeprefix("pentad-dev-") for name in names}
        plain = {name for name in named if not name.startswith("tool-") and not name.endswith("-dlq")}
        assert plain == set(written[kind].split(",")), kind


def test_every_function_but_the_tools_has_a_settings_model(functions: dict[str, Json]) -> None:
    others = {name for name in functions if not name.startswith("pentad-dev-tool-")}
    assert others == set(SETTINGS)


def test_the_environment_satisfies_the_settings_model(
    functions: dict[str, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, properties in functions.items():
        with monkeypatch.context() as patch:
            patch.setenv("AWS_REGION", "eu-central-1")  # by Lambda itself
            for variable, value in properties["Environment"]["Variables"].items():
                patch.setenv(variable, joined(value))
            read = settings_of(name)()
        given = {key for key in properties["Environment"]["Variables"] if not key.startswith("POWERTOOLS_")}
        assert given <= {field.upper() for field in read.model_fields_set}, name


def test_the_environment_holds_nothing_that_the_settings_model_does_not_name(functions: dict[str, Json]) -> None:
    for name, properties in functions.items():
        known = {field.upper() for field in settings_of(name).model_fields}
        given = {key for key in properties["Environment"]["Variables"] if not key.startswith("POWERTOOLS_")}
        assert given <= known, f"{name}: {sorted(given - known)}"


def test_every_function_runs_python_3_13_on_arm64_with_tracing_and_its_own_log_group(
    functions: dict[str, Json],
) -> None:
    groups = [json.dumps(properties["LoggingConfig"]["LogGroup"]) for properties in functions.values()]
    assert len(set(groups)) == len(functions)
    for properties in functions.values():
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert properties["TracingConfig"] == {"Mode": "Active"}


def test_every_function_has_a_role_of_its_own(functions: dict[str, Json]) -> None:
    roles = [json.dumps(properties["Role"]) for properties in functions.values()]
    assert len(set(roles)) == len(functions)


def test_every_log_group_has_a_retention(resources: list[tuple[str, Json]]) -> None:
    groups = [body for _, body in resources if body["Type"] == "AWS::Logs::LogGroup"]
    assert groups
    assert all(body["Properties"].get("RetentionInDays") for body in groups)


def test_a_functions_asset_holds_its_module_and_the_packages_above_it_only(
    functions: dict[str, Json], assembly_dir: Path
) -> None:
    for name, properties in functions.items():
        handler = properties["Handler"]
        module = (
            properties["Environment"]["Variables"]["TOOL_MODULE"]
            if handler.startswith("pentad.runtime")
            else handler.rpartition(".")[0]
        )
        asset = assembly_dir / f"asset.{joined(properties['Code']['S3Key']).removesuffix('.zip')}"
        found = {path.relative_to(asset).as_posix() for path in asset.rglob("*.py")}
        folder = "/".join(module.split(".")[:2])
        assert found == {f"{module.replace('.', '/')}.py", "functions/__init__.py", f"{folder}/__init__.py"}, name


def test_the_layer_of_pentad_holds_every_layer_and_no_laptop_part(
    resources: list[tuple[str, Json]], assembly_dir: Path
) -> None:
    layers = {
        joined(body["Properties"]["Description"]): assembly_dir
        / f"asset.{joined(body['Properties']['Content']['S3Key']).removesuffix('.zip')}"
        for _, body in resources
        if body["Type"] == "AWS::Lambda::LayerVersion"
    }
    package = layers["Pentad: pentad"] / "python" / "pentad"
    parts = {path.name for path in package.iterdir() if path.is_dir()}
    assert {"domain", "models", "orchestration", "memory", "tools", "observability", "runtime"} <= parts
    assert not {"local", "cli"} & parts
    third_party = layers["Pentad: dependencies"] / "python"
    assert (third_party / "anthropic").is_dir()
    assert (third_party / "openai").is_dir()
    assert not (third_party / "botocore").exists()
    assert list(third_party.glob("pydantic_core/*aarch64*")), "compiled packages must be for arm64"
    catalog = json.loads((layers["Pentad: catalog"] / "python" / "pentad_catalog" / "catalog.json").read_text())
    assert set(catalog["agents"]) >= {"assistant"}
    assert set(catalog["tools"]) >= {"calculator", "date_time", "notes"}
    assert "search_knowledge" in catalog["agents"]["assistant"]["tools"]


def test_the_gateway_is_restored_from_a_snapshot_and_called_by_its_alias_or_a_version_only(
    functions: dict[str, Json], resources: list[tuple[str, Json]], definitions: dict[str, Json]
) -> None:
    assert functions["pentad-dev-gateway"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    aliases = {logical_id: body for logical_id, body in resources if body["Type"] == "AWS::Lambda::Alias"}
    [(alias, body)] = aliases.items()
    assert body["Properties"]["Name"] == "live"
    versions = {f"<{logical_id}>" for logical_id, body in resources if body["Type"] == "AWS::Lambda::Version"}
    for definition in definitions.values():
        thinks = [state for name, state in states_of(definition) if name == "Think"]
        assert {state["Arguments"]["FunctionName"] for state in thinks} <= versions
    users = [p["Environment"]["Variables"].get("GATEWAY_FUNCTION") for p in functions.values()]
    assert {joined(user) for user in users if user} == {f"<{alias}>"}


def test_only_who_sends_messages_back_to_its_queue_may_be_invoked_in_a_loop(functions: dict[str, Json]) -> None:
    # Lambda drops a message after 16 rounds otherwise; elsewhere its detection of loops stays on.
    assert {name for name, one in functions.items() if one.get("RecursiveLoop") == "Allow"} == {
        "pentad-dev-erase",
        "pentad-dev-ingest",
    }
