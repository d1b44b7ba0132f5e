"""What a failed first deployment, a roll back and `cdk destroy` leave behind, as synthesized."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.config import STAGES
from infra.stacks.state import StateStack

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
KEPT_ON_SUCCESS = "RetainExceptOnCreate"


def state_of(stage: str) -> dict[str, Json]:
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    stack = StateStack(App(context=context), f"pentad-{stage}-state", stage=STAGES[stage], provider_secrets=["gemini"])
    found: dict[str, Json] = Template.from_stack(stack).to_json()["Resources"]
    return found


@pytest.mark.parametrize("stage", ["staging", "prod"])
def test_what_has_a_name_of_its_own_does_not_outlive_a_failed_creation(stage: str) -> None:
    for name, body in state_of(stage).items():
        named = any(key in body["Properties"] for key in ("Name", "TableName", "BucketName", "AliasName"))
        if named and body["Type"] != "AWS::KMS::Alias":
            assert body["DeletionPolicy"] == KEPT_ON_SUCCESS, name
        if named and body["Type"] == "AWS::KMS::Alias":
            assert body.get("DeletionPolicy", "Delete") == "Delete", "an alias holds nothing"


@pytest.mark.parametrize("stage", ["staging", "prod"])
def test_nothing_that_holds_data_is_deleted_with_its_stack(stage: str) -> None:
    holding = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"}
    found = [body for body in state_of(stage).values() if body["Type"] in holding]
    assert {body["Type"] for body in found} == holding
    assert {body["DeletionPolicy"] for body in found} <= {"Retain", KEPT_ON_SUCCESS}
    assert {body["UpdateReplacePolicy"] for body in found} == {"Retain"}


@pytest.mark.parametrize("stage", ["staging", "prod"])
def test_a_roll_back_never_deletes_a_table_that_refuses_it(stage: str) -> None:
    tables = [body for body in state_of(stage).values() if body["Type"] == "AWS::DynamoDB::Table"]
    assert len(tables) == 4
    for table in tables:
        assert table["Properties"]["DeletionProtectionEnabled"] is True
        assert table["DeletionPolicy"] == "Retain"
        assert "TableName" not in table["Properties"], "one that stays behind would be in the way"


def test_deleting_dev_deletes_all_but_buckets_which_cannot_be_deleted_with_objects_in_them() -> None:
    made = state_of("dev").values()
    policies = {
        kind: {body.get("DeletionPolicy", "Delete") for body in made if (body["Type"] == "AWS::S3::Bucket") == kind}
        for kind in (True, False)
    }
    assert policies == {True: {KEPT_ON_SUCCESS}, False: {"Delete"}}


def test_a_functions_version_goes_when_a_deployment_is_rolled_back_and_stays_after_one(
    resources: list[tuple[str, Json]],
) -> None:
    versions = [body for _, body in resources if body["Type"] == "AWS::Lambda::Version"]
    assert versions
    for body in versions:
        assert (body["DeletionPolicy"], body["UpdateReplacePolicy"]) == (KEPT_ON_SUCCESS, "Retain")


def test_the_command_line_of_the_cdk_runs_the_environment_that_make_makes(root: Path) -> None:
    command = json.loads((root / "cdk.json").read_text(encoding="utf-8"))["app"].split()
    assert command == [".venv/bin/python", "-m", "infra.app"]
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert "VENV ?= .venv\n" in makefile
