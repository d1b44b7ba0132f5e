"""Settings, catalog and wiring."""

import inspect
import sys
from pathlib import Path
from typing import Any

import pytest

from pentad.domain.errors import ConfigurationError
from pentad.runtime import accounts, bootstrap, gateway_services
from pentad.runtime import settings as environment
from pentad.runtime.api_services import ApiServices
from pentad.runtime.catalog import load_catalog
from pentad.runtime.model_providers import chat_providers, load_models
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
    "RECORDS_TABLE": "records",
    "PAYLOAD_BUCKET": "payload",
    "DOCUMENTS_BUCKET": "documents",
    "STATE_MACHINE_ARN_PREFIX": "arn:aws:states:us-east-1:123456789012:stateMachine:pentad-dev-agent-",
    "APPROVAL_KEY": "arn:key",
    "TOOL_FUNCTION_PREFIX": "pentad-dev-tool-",
    "GATEWAY_FUNCTION": "arn:gateway",
    "PINECONE_SECRET": "arn:pinecone",
    "ANTHROPIC_SECRET": "arn:anthropic",
    "OPENAI_SECRET": "arn:openai",
    "EVENT_BUS": "pentad-dev",
    "TOOL_MODULE": "functions.tools.calculator",
}


def _forget() -> None:
    for module in (bootstrap, gateway_services, accounts):
        for _, value in inspect.getmembers(module):
            if hasattr(value, "cache_clear"):
                value.cache_clear()
    load_catalog.cache_clear()


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
    "name", ["trigger", "recall", "ingest", "think", "asking", "deliver", "authorize", "api", "redelivery"]
)
def test_each_function_is_wired_once_without_a_call(wired: Any, name: str) -> None:
    make = getattr(bootstrap, name)
    assert make() is make()


@pytest.mark.parametrize("name", ["chat_model", "embedding_gateway", "drill", "breaker"])
def test_each_part_of_the_gateway_is_wired_once_without_a_call(wired: Any, name: str) -> None:
    make = getattr(gateway_services, name)
    assert make() is make()


def test_a_tool_is_wired_by_its_module(wired: Any) -> None:
    assert bootstrap.tool_runtime() is bootstrap.tool_runtime()
    assert bootstrap.tool_service() == "tool-calculator"


def test_every_collaborator_of_the_api_is_wired(wired: Any) -> None:
    services = ApiServices()
    names = [name for name, _ in inspect.getmembers(type(services)) if not name.startswith("_")]
    assert all(getattr(services, name) is not None for name in names)
    assert "decide" in names


def test_missing_variables_are_all_named(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_TABLE", "EVENT_BUS"):
        monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match="EVENT_BUS, STATE_TABLE"):
        bootstrap.settings(environment.DeliverSettings)


def test_an_issuer_is_wired_where_one_is_configured(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bootstrap.authorize()._tokens is None
    monkeypatch.setenv("OIDC_ISSUER", "https://issuer.example")
    monkeypatch.setenv("OIDC_AUDIENCE", "pentad")
    _forget()
    assert bootstrap.authorize()._tokens is not None


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
    with pytest.raises(ConfigurationError, match="not a catalog"):
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
    assert [link.model.name for link in bootstrap.models().route(task="classify").links][-1] == "qwen"
    providers = chat_providers(bootstrap.models(), bootstrap.provider_credentials)
    assert set(providers) == {"anthropic", "openai", "bedrock", "gemini", "den"}
    assert bootstrap.provider_credentials(None).get().api_key == ""
    load_models.cache_clear()
