"""Settings, catalog and wiring."""

import dataclasses
import inspect
import sys
from pathlib import Path
from typing import Any

import pytest

from pentad.api.door.service import Door
from pentad.aws.clients import get_client
from pentad.domain.errors import ConfigurationError
from pentad.runtime import queue_batch
from pentad.runtime import settings as environment
from pentad.runtime.catalog import load_catalog
from pentad.runtime.models import load_models
from pentad.runtime.wiring import (
    api,
    authorizer,
    await_human,
    deliver,
    gateway,
    ingest,
    notify,
    recall,
    remember,
    trigger,
    workflow,
)
from pentad.runtime.wiring.ground.providers import chat_providers
from pentad.runtime.wiring.tools import rotate_secret, run_tool, tool
from pentad.tools.runtime.handed import HandedCall
from tests.unit.orchestration.world import CATALOG

ALL = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "PENTAD_STAGE": "dev",
    "PENTAD_PREFIX": "pentad-dev",
    "STATE_TABLE": "state",
    "TRANSIENT_TABLE": "transient",
    "LEDGER_TABLE": "ledger",
    "AUDIT_KEY": "arn:aws:kms:eu-central-1:123456789012:key/audit",
    "GATEWAY_SHARE": "5",
    "INGEST_SHARE": "2",
    "BULK_SHARE": "3",
    "RECORDS_TABLE": "records",
    "DECISIONS_DAYS": "90",
    "SAID_DAYS": "365",
    "PAYLOAD_BUCKET": "payload",
    "DOCUMENTS_BUCKET": "documents",
    "LOG_DAYS": "14",
    "ACCESS_LOGS_DAYS": "90",
    "BACKUP_DAYS": "7",
    "STATE_MACHINE_ARN_PREFIX": "arn:aws:states:us-east-1:123456789012:stateMachine:pentad-dev-",
    "APPROVAL_KEY": "arn:key",
    "TOOL_RUNNER": "arn:runner",
    "TOOL_FUNCTION_PREFIX": "pentad-dev-tool-",
    "AWS_REGION": "eu-central-1",
    "GATEWAY_FUNCTION": "arn:gateway",
    "VECTOR_STORE": "pinecone",
    "VECTOR_SECRET": "pentad-dev/pinecone",
    "ANTHROPIC_SECRET": "arn:anthropic",
    "OPENAI_SECRET": "arn:openai",
    "EVENT_BUS": "pentad-dev",
    "LIFECYCLE_QUEUE": "arn:aws:sqs:us-east-1:123456789012:pentad-dev-lifecycle",
    "NOTICE_GROUPS": '{"*": ["topic"]}',
    "NOTICE_LINK": "https://example.com/approvals",
    "NOTICE_TOPIC": "arn:topic",
    "SLACK_SECRET": "arn:slack",
    "TOOL_MODULE": "functions.tools.calculator",
    "SECRET_ROTATIONS": '{"pentad-dev/tools/hook": {"kind": "key"}}',
}


def _forget() -> None:
    modules = (
        api,
        authorizer,
        await_human,
        deliver,
        gateway,
        ingest,
        notify,
        recall,
        remember,
        rotate_secret,
        run_tool,
        tool,
        trigger,
        workflow,
    )
    for module in modules:
        for _, value in inspect.getmembers(module):
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The environment of all functions, and a catalog."""
    for name, value in ALL.items():
        monkeypatch.setenv(name, value)
    package = tmp_path / "pentad_catalog"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "catalog.json").write_text(CATALOG.model_dump_json())
    monkeypatch.syspath_prepend(str(tmp_path))
    _forget()
    yield
    _forget()


@pytest.mark.parametrize(
    "make",
    [
        trigger.make_triggered,
        trigger.make_reader,
        recall.make_recall,
        ingest.make_ingest,
        remember.make_remember,
        gateway.make_think,
        gateway.make_task,
        await_human.make_asking,
        deliver.make_deliver,
        notify.make_notify,
        workflow.make_workflow,
        rotate_secret.make_rotation,
        authorizer.make_authorize,
        api.make_api,
        queue_batch.make_redelivery,
    ],
    ids=lambda make: make.__name__,
)
def test_each_function_is_wired_once_without_a_call(wired: Any, make: Any) -> None:
    assert make() is make()


@pytest.mark.parametrize(
    "make",
    [gateway.make_chat_model, gateway.make_embedder, gateway.make_drill, gateway.make_breaker],
    ids=lambda make: make.__name__,
)
def test_each_part_of_the_gateway_is_wired_once_without_a_call(wired: Any, make: Any) -> None:
    assert make() is make()


def test_wiring_makes_no_client_before_it_is_used(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a client was made")

    get_client.cache_clear()
    monkeypatch.setattr("boto3.client", refuse)
    made = api.make_api(), gateway.make_think()
    get_client.cache_clear()
    assert None not in made


def test_a_tool_is_wired_by_its_module(wired: Any) -> None:
    handed = HandedCall(
        op="run",
        tenant_id="acme",
        run_id="run_1",
        session_id="s1",
        agent="assistant",
        step=1,
        index=0,
        effect_key="k",
        arguments={"expression": "2 + 3"},
        deadline=0,
    )
    assert tool.make_served_tool(handed)(handed, remaining_seconds=lambda: 1.0).value["result"] == "5"
    assert tool.tool_service() == "tool-calculator"


def test_the_tool_runner_is_wired_once(wired: Any) -> None:
    assert run_tool.make_tool_runner() is run_tool.make_tool_runner()


def test_every_collaborator_of_the_api_is_wired(wired: Any) -> None:
    made: Any = api.make_routers()
    routers, rules = made
    assert all(getattr(rules, field.name) is not None for field in dataclasses.fields(rules))
    used = {field.name: getattr(router, field.name) for router in routers for field in dataclasses.fields(router)}
    assert all(value is not None for value in used.values())
    assert isinstance(used["door"](), Door)
    assert "decide" in used


def test_missing_variables_are_all_named(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_TABLE", "EVENT_BUS"):
        monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match="EVENT_BUS, STATE_TABLE"):
        environment.read_settings(environment.DeliverSettings)


def test_an_issuer_is_wired_where_one_is_configured(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert authorizer.make_authorize()._tokens is None
    monkeypatch.setenv("OIDC_ISSUER", "https://issuer.example")
    monkeypatch.setenv("OIDC_AUDIENCE", "pentad")
    _forget()
    assert authorizer.make_authorize()._tokens is not None


def test_the_catalog_is_read_from_its_package(wired: Any) -> None:
    assert load_catalog() == CATALOG


def test_a_missing_catalog_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"no_such_package/catalog\.json") as caught:
        load_catalog("no_such_package")
    assert "layer" in (caught.value.fix or "")


def test_a_catalog_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "broken_catalog"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "catalog.json").write_text('{"agents": 3}')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match="not a valid catalog"):
        load_catalog("broken_catalog")


def test_the_trace_header_is_that_of_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    assert environment.trace_header() is None
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-0-0")
    assert environment.trace_header() == "Root=1-0-0"


def test_a_deployments_own_models_reach_the_gateway(
    wired: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pentad_catalog", raising=False)  # an earlier test's
    own = """
providers:
  den: {kind: openai_compatible, base_url: "http://gpu.internal:8000/v1"}
models:
  qwen:
    {label: Qwen, provider: den, kind: chat, context_tokens: 32768, output_tokens: 4096,
     prices: {source: ours, date: 2026-11-22, input: "0", output: "0"}}
tiers:
  fast: {chain: [gemini-3.8-flash, claude-haiku-5-5-bedrock, qwen]}
"""
    (tmp_path / "pentad_catalog" / "models.yaml").write_text(own)
    monkeypatch.setenv("PROVIDER_SECRETS", '{"gemini": "arn:gemini"}')
    load_models.cache_clear()
    assert [link.model.name for link in load_models().route(task="classify").links][-1] == "qwen"
    providers = chat_providers(load_models(), gateway.credentials_of)
    assert set(providers) == {"anthropic", "openai", "bedrock", "gemini", "den"}
    assert gateway.credentials_of(None).get().api_key == ""
    load_models.cache_clear()
