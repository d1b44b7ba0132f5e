"""What each choice of a vector store adds to the stacks, and that it adds nothing of the others."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from infra.components.build import Build
from infra.components.vectors import build_vector_environment, grant_vectors, list_vector_layers
from infra.config import STAGES, read_stage
from infra.stacks.state import StateStack
from pentad.domain.errors import ConfigurationError
from pentad.memory.retrieval.ports import VectorStoreName
from pentad.runtime.settings import VectorSettings
from tests.infra.conftest import Json, joined

STORES: tuple[VectorStoreName, ...] = get_args(VectorStoreName)


def test_a_projects_cdk_json_names_the_store_of_a_stage_and_the_laptop_has_its_own() -> None:
    context = {"stage": "dev", "vector_store": {"dev": "postgres"}}
    assert read_stage(App(context=context)).vector_store == "postgres"
    assert read_stage(App(context=context | {"stage": "prod"})).vector_store == "pinecone"
    assert read_stage(App(context=context | {"pentad:vectors": "local"})).vector_store == "pinecone"


@pytest.mark.parametrize("value", ["Pinecone", "", ["postgres"], 1])
def test_a_store_that_there_is_not_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="vector_store"):
        read_stage(App(context={"vector_store": {"dev": value}}))


@pytest.fixture(params=STORES)
def chosen(
    request: pytest.FixtureRequest, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Json, Json]:
    """The store's name, the state stack's resources, and those of a stack with a role that may use the store."""
    folder = tmp_path / "layer"
    folder.mkdir()
    (folder / "driver").write_text("")
    monkeypatch.setattr("layers.build.build_postgres_layer", lambda root: folder)
    app = App(outdir=str(tmp_path / "out"), context=json.loads((root / "cdk.json").read_text())["context"])
    stage = replace(STAGES["dev"], vector_store=request.param)
    state = StateStack(app, "state", stage=stage)
    stack = Stack(app, "agent")
    build = Build(stage=stage, stores=state.stores, root=tmp_path, layers=())
    role = iam.Role(stack, "role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    grant_vectors(role, build)
    for _ in range(2):
        assert len(list_vector_layers(stack, build)) == (request.param == "postgres")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # A finding of cdk-nag without a recorded reason ends it.
    return request.param, *(Template.from_stack(one).to_json()["Resources"] for one in (state, stack))


def test_a_choice_adds_what_it_needs_and_nothing_of_the_others(chosen: tuple[str, Json, Json]) -> None:
    name, state, agent = chosen
    secrets = {one["Properties"]["Name"] for one in state.values() if one["Type"] == "AWS::SecretsManager::Secret"}
    own = set() if name == "s3vectors" else {f"pentad-dev/{name}"}
    assert secrets == {"pentad-dev/anthropic", "pentad-dev/openai"} | own
    buckets = [one["Properties"] for one in state.values() if one["Type"] == "AWS::S3Vectors::VectorBucket"]
    assert [one["VectorBucketName"] for one in buckets] == (["pentad-dev-vectors"] if name == "s3vectors" else [])
    layers = [one for one in agent.values() if one["Type"] == "AWS::Lambda::LayerVersion"]
    assert len(layers) == (name == "postgres")


def test_a_role_reaches_the_chosen_store_only(chosen: tuple[str, Json, Json]) -> None:
    name, _, agent = chosen
    [policy] = [one["Properties"]["PolicyDocument"] for one in agent.values() if one["Type"] == "AWS::IAM::Policy"]
    reached = {
        joined(action): joined(one["Resource"])
        for one in policy["Statement"]
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    if name == "s3vectors":
        own = {resource for action, resource in reached.items() if action.startswith("s3vectors:")}
        assert len(own) == 1
        assert own.pop().endswith(":bucket/pentad-dev-vectors/index/*")
        assert "secretsmanager:GetSecretValue" not in reached
        assert {action for action in reached if action.startswith("kms:")} == {"kms:Decrypt", "kms:GenerateDataKey"}
    else:
        assert set(reached) == {"secretsmanager:GetSecretValue", "kms:Decrypt"}
        assert reached["secretsmanager:GetSecretValue"].endswith(f":secret:pentad-dev/{name}-??????")


@pytest.mark.parametrize("name", STORES)
def test_the_environment_of_a_choice_is_what_functions_read(
    name: VectorStoreName, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = build_vector_environment(replace(STAGES["dev"], vector_store=name))
    for variable, value in (given | {"PENTAD_STAGE": "dev", "PENTAD_PREFIX": "pentad-dev"}).items():
        monkeypatch.setenv(variable, value)
    values = VectorSettings()
    assert values.vector_store == name
    assert (values.vector_bucket is None) != (values.vector_secret is None)
