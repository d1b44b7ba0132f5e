"""What an operator is told of a stage that is not there, not deployed, or not to be reached."""

import json
from collections.abc import Iterator

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from pentad.cli import operator
from pentad.cli.commands.operations import keys
from pentad.cli.console import EXIT_UNAVAILABLE, CommandError
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


def test_a_name_that_no_stack_can_have_is_one_line() -> None:
    assert "a b" in refused("a b")


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
    with pytest.raises(CommandError, match="You must specify a region: set AWS_REGION"):
        operator.create_client("dynamodb", "prod")


@pytest.mark.parametrize("command", [["create"], ["list"], ["revoke", "0123456789abcdef"]], ids=lambda words: words[0])
def test_the_commands_of_keys_tell_a_stack_without_outputs_like_all_others(command: list[str]) -> None:
    deploy("dev")
    done = CliRunner().invoke(keys.app, [*command, "--stage", "dev", "--tenant", "acme"])
    assert done.exit_code == EXIT_UNAVAILABLE
    assert "'pentad-dev-state' has no outputs" in " ".join(done.output.split())
