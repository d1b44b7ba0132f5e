"""A project's own models.yaml at synth: a mistake stops it with the line, and chains decide on secrets and grants."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from pytest_socket import enable_socket

from infra.app import build_stacks
from infra.models.catalog import check_scales, read_models
from pentad.domain.declarations.agents import AgentSpec, Catalog, KnowledgeSpec
from pentad.domain.declarations.rates import Rate
from pentad.domain.errors import ConfigurationError
from pentad.models.catalog.catalog import load
from tests.infra.conftest import joined

Json = dict[str, Any]
OWN = """
providers:
  den:
    kind: openai_compatible
    base_url: http://gpu.internal:8000/v1
models:
  qwen:
    label: Qwen
    provider: den
    kind: chat
    context_tokens: 32768
    output_tokens: 4096
    capabilities: {tools: true}
    prices: {source: our own machine, date: 2026-11-22, input: "0", output: "0"}
tiers:
  fast: {chain: [gemini-3.8-flash, claude-haiku-5-5-bedrock, qwen]}
"""


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that shares all but models.yaml with this one."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("agents", "functions", "shared", "layers", "requirements", "build"):
        (folder / name).symlink_to(root / name)
    return folder


@pytest.fixture(scope="module")
def synthesized(project: Path, root: Path, assembly_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """Every resource with the project's own models; the shared assembly has built the layers before."""
    enable_socket()
    (project / "models.yaml").write_text(OWN)
    (project / "tools.yaml").write_text("rate_limits: {notes: 3/day per user}\n")
    context = json.loads((root / "cdk.json").read_text())["context"]
    app = App(context={**context, "pentad:checks": "off"}, outdir=str(tmp_path_factory.mktemp("out")))
    build_stacks(app, project)
    return [resource for stack in app.synth().stacks for resource in stack.template["Resources"].values()]


def _environment(resources: list[Json]) -> Json:
    functions = [one["Properties"] for one in resources if one["Type"] == "AWS::Lambda::Function"]
    gateway = next(one for one in functions if one["FunctionName"] == "pentad-dev-gateway")
    return dict(gateway["Environment"]["Variables"])


def _bedrock(resources: list[Json]) -> list[tuple[str, Json | None]]:
    statements = [
        statement
        for one in resources
        if one["Type"] == "AWS::IAM::Policy"
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
        if statement["Action"] == "bedrock:InvokeModel"
    ]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return [(joined(one["Resource"]), one.get("Condition")) for one in statements]


def test_a_mistake_stops_the_synth_with_file_and_line(project: Path) -> None:
    (project / "models.yaml").write_text("tiers:\n  fast:\n    chain: [claude-haiku-5-5, gpt-5]\n")
    with pytest.raises(ConfigurationError, match=r"models\.yaml:3: tiers\.fast\.chain\.1: no model .gpt-5."):
        build_stacks(App(), project)


def test_a_provider_that_a_chain_uses_gets_a_secret_and_its_arn_reaches_the_gateway(synthesized: list[Json]) -> None:
    names = {one["Properties"]["Name"] for one in synthesized if one["Type"] == "AWS::SecretsManager::Secret"}
    assert names == {f"pentad-dev/{name}" for name in ("anthropic", "openai", "pinecone", "gemini", "slack")}
    assert list(json.loads(joined(_environment(synthesized)["PROVIDER_SECRETS"]))) == ["gemini"]


def test_a_providers_secret_is_decrypted_through_secrets_manager_and_for_that_secret_only(
    synthesized: list[Json],
) -> None:
    statements = [
        statement
        for one in synthesized
        if one["Type"] == "AWS::IAM::Policy"
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
    ]
    for statement in statements:
        if "kms:Decrypt" in statement["Action"]:
            condition = json.dumps(statement["Condition"])
            assert "kms:ViaService" in condition or "kms:EncryptionContextKeys" in condition, statement
    [named] = [one["Condition"] for one in statements if "/gemini-??????" in json.dumps(one.get("Condition", {}))]
    assert joined(named["StringEquals"]["kms:ViaService"]).startswith("secretsmanager.")
    [pattern] = named["StringLike"]["kms:EncryptionContext:SecretARN"]
    assert joined(pattern).endswith(":secret:pentad-dev/gemini-??????")


def test_bedrock_is_granted_for_the_chains_model_and_its_profile_only(synthesized: list[Json]) -> None:
    granted = dict(_bedrock(synthesized))
    profile = next(arn for arn in granted if "inference-profile" in arn)
    model = next(arn for arn in granted if "foundation-model" in arn)
    assert profile.endswith("/global.anthropic.claude-haiku-5-5")
    assert model.endswith(":bedrock:*::foundation-model/anthropic.claude-haiku-5-5")
    assert len(granted) == 2
    condition = granted[model]
    assert condition is not None
    assert joined(condition["StringEquals"]["bedrock:InferenceProfileArn"]) == profile


def test_without_a_file_of_ones_own_there_is_no_other_secret_and_no_grant_on_bedrock(
    resources: list[tuple[str, Json]], root: Path
) -> None:
    everything = [resource for _, resource in resources]
    assert read_models(root).overlay is None
    assert _bedrock(everything) == []
    assert "PROVIDER_SECRETS" not in _environment(everything)


def test_the_layer_brings_the_file(synthesized: list[Json], project: Path) -> None:
    found = [path.read_text() for path in (project / "build").glob("layer-catalog-*/python/pentad_catalog/models.yaml")]
    assert OWN in found


def test_rates_of_the_projects_tools_file_reach_the_catalog_and_the_runner_may_count_them(
    synthesized: list[Json], project: Path
) -> None:
    files = (project / "build").glob("layer-catalog-*/python/pentad_catalog/models.yaml")
    catalogs = [path.with_name("catalog.json") for path in files if path.read_text() == OWN]
    rates = [Catalog.model_validate_json(path.read_bytes()).tools["notes"].rates for path in catalogs]
    assert (Rate(calls=3, seconds=86_400, scope="user"),) in rates
    policies = [json.dumps(one) for one in synthesized if one["Type"] == "AWS::IAM::Policy"]
    assert any("TOOLRATES" in one for one in policies)


EMBEDS = """
models:
  bge:
    label: BGE
    provider: openai
    kind: embedding
    context_tokens: 512
    dimensions: 384
    prices: {source: our own machine, date: 2026-11-22, input: "0"}
tiers:
  embeddings: {chain: [bge]}
"""


@pytest.mark.parametrize(
    ("knowledge", "tools", "refused"),
    [
        (KnowledgeSpec(), (), True),
        (KnowledgeSpec(top_k=0), ("search_knowledge",), True),
        (KnowledgeSpec(top_k=0), (), False),
        (KnowledgeSpec(minimum_score=0.6), (), False),
        (KnowledgeSpec(minimum_relevance=0), (), False),
    ],
)
def test_an_embedding_model_whose_cosines_say_nothing_is_refused_where_they_would_decide(
    knowledge: KnowledgeSpec, tools: tuple[str, ...], refused: bool
) -> None:
    agent = AgentSpec(name="helper", description="d", prompt="p", knowledge=knowledge, tools=tools)
    catalog = Catalog(agents={"helper": agent}, tools={})
    check_scales(load(strict=True), catalog)  # of the bundled model they say something
    own = load(overlay=EMBEDS, strict=True)
    if not refused:
        check_scales(own, catalog)
        return
    with pytest.raises(ConfigurationError, match=r"agents/helper/agent\.yaml: knowledge: .*'bge'") as told:
        check_scales(own, catalog)
    assert "minimum_score" in str(told.value.fix)
