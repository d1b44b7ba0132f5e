"""What an operator is told of a stage that is not there, not deployed, or not to be reached."""

import json
from collections.abc import Iterator

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from infra.config import STAGES
from pentad.cli import operator
from pentad.cli.commands.operations import keys
from pentad.cli.console import EXIT_UNAVAILABLE, EXIT_USAGE, CommandError
from tests.moto_clients import client

_QUEUE = {"Type": "AWS::SQS::Queue"}


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in (("REGION", "us-east-1"), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(f"AWS_{'DEFAULT_' if name == 'REGION' else ''}{name}", value)
    with mock_aws():
        yield


def deploy(stage: str, **outputs: str) -> None:
    template = {
        "Resources": {"queue": _QUEUE},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    client("cloudformation").create_stack(StackName=f"pentad-{stage}-state", TemplateBody=json.dumps(template))


def refused(stage: str) -> str:
    with pytest.raises(CommandError) as caught:
        operator.open_table(stage, "StateTable")
    assert caught.value.code == EXIT_UNAVAILABLE
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_output_of_a_deployed_stage_is_read() -> None:
    deploy("dev", StateTable="pentad-state")
    assert operator.get_output("dev", "StateTable") == "pentad-state"


def test_a_stack_without_outputs_is_told_with_its_status_and_the_way_out() -> None:
    deploy("dev")
    told = refused("dev")
    assert "'pentad-dev-state' has no outputs" in told
    assert "CREATE_COMPLETE" in told
    assert "cdk deploy --all --context stage=dev" in told


def test_a_stage_that_is_not_deployed_is_told_as_such() -> None:
    deploy("dev", StateTable="pentad-state")
    assert "no stack 'pentad-prd-state'" in refused("prd")


@pytest.mark.parametrize("command", ["create", "list"])
def test_a_stage_that_there_is_not_is_told_with_those_that_there_are(command: str) -> None:
    done = CliRunner().invoke(keys.app, [command, "--stage", "qa", "--tenant", "acme"])
    assert done.exit_code == EXIT_UNAVAILABLE
    told = " ".join(done.output.split())
    assert "the stages are dev, staging, prod" in told
    assert "stage=qa" not in told, "read_stage refuses it"


def test_the_stages_that_are_told_are_those_of_the_deployment() -> None:
    assert operator.KNOWN_STAGES == tuple(STAGES)


@pytest.mark.parametrize("stage", ["", "a b", "dev/x"])
@pytest.mark.parametrize("service", ["cloudformation", "logs", "scheduler"])
def test_a_name_that_no_stage_can_have_is_one_line(stage: str, service: str) -> None:
    with pytest.raises(CommandError, match=f"no stage '{stage}': use one of dev, staging, prod") as caught:
        operator.create_client(service, stage)
    assert caught.value.code == EXIT_USAGE


def test_the_region_is_that_of_either_variable_and_aws_region_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_region() -> str:
        return str(operator.create_client("dynamodb", "dev").meta.region_name)

    assert find_region() == "us-east-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert find_region() == "eu-west-1"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert find_region() == "eu-west-1"
    assert operator.find_operator("dev").startswith("arn:aws:")
    assert "region 'eu-west-1'" in refused("dev")


def test_an_output_of_another_release_is_told() -> None:
    deploy("dev", LedgerTable="pentad-ledger")
    assert "no output 'StateTable'" in refused("dev")


@pytest.mark.parametrize("service", ["cloudformation", "dynamodb", "lambda"])
def test_credentials_without_a_region_are_one_line(monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(CommandError, match="region"):
        operator.create_client(service, "dev")


def test_a_region_that_is_not_set_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(CommandError, match="You must specify a region: set AWS_REGION or AWS_DEFAULT_REGION"):
        operator.create_client("dynamodb", "prod")


@pytest.mark.parametrize("command", [["create"], ["list"], ["revoke", "0123456789abcdef"]], ids=lambda words: words[0])
def test_the_commands_of_keys_tell_a_stack_without_outputs_like_all_others(command: list[str]) -> None:
    deploy("dev")
    done = CliRunner().invoke(keys.app, [*command, "--stage", "dev", "--tenant", "acme"])
    assert done.exit_code == EXIT_UNAVAILABLE
    assert "'pentad-dev-state' has no outputs" in " ".join(done.output.split())
