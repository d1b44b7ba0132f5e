"""``pentad update`` and ``pentad rollout`` against a running twin."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.commands.twin import update as command
from pentad.cli.main import app
from pentad.cli.target import STATE_VARIABLE
from tests.twin.update.assembly import CANARY, LIVE, MACHINE, role, write
from twin.running.options import TwinOptions
from twin.running.twin import Twin

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("twin-update")]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".pentad"


@pytest.fixture
def twin(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twin]:
    out = write(tmp_path / "cdk.out", "old", 1)
    monkeypatch.setattr(command, "find_project_root", lambda: tmp_path)
    monkeypatch.setattr(command, "ensure_assembly", lambda root: (out, True))
    monkeypatch.setenv(STATE_VARIABLE, str(state))
    with Twin.start(out, state, options=TwinOptions(vector_dimension=8)) as running:
        yield running


def called(*arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["--json", *arguments])
    return done.exit_code, json.loads(done.stdout) if done.stdout else done.stderr


def routes(twin: Twin) -> dict[str, int]:
    described = twin.get_admin_client("stepfunctions").describe_state_machine_alias(stateMachineAliasArn=LIVE)
    return {one["stateMachineVersionArn"]: one["weight"] for one in described["routingConfiguration"]}


def test_an_update_is_held_at_its_first_part_and_moved_on(twin: Twin, tmp_path: Path) -> None:
    write(tmp_path / "cdk.out", "new", 2, preference=CANARY)
    code, told = called("update", "--hold")
    assert (code, told["rollouts"][0]["shifted"], routes(twin)) == (0, 20, {f"{MACHINE}:1": 80, f"{MACHINE}:2": 20})
    code, told = called("rollout", "advance")
    assert (code, told["changes"], told["rollouts"]) == (0, [], [])
    assert [(one["alias_arn"], one["shifted"]) for one in told["moved"]] == [(LIVE, 100)]
    assert routes(twin) == {f"{MACHINE}:2": 100}


def test_an_update_is_rolled_back(twin: Twin, tmp_path: Path) -> None:
    write(tmp_path / "cdk.out", "new", 2)
    code, told = called("update")
    changed = {(one["how"], one["kind"].rpartition(":")[2], one["name"]) for one in told["changes"]}
    assert (code, told["rollouts"]) == (0, [])
    assert {("changed", "Function", "say"), ("new", "Version", "say:2"), ("changed", "StateMachine", "say")} <= changed
    assert {one["kind"] for one in told["changes"] if one["how"] == "removed"} == set()
    assert routes(twin) == {f"{MACHINE}:2": 100}
    code, told = called("rollout", "roll-back")
    names = {(one["how"], one["kind"], one["name"]) for one in told["changes"]}
    assert (code, ("changed", "AWS::Lambda::Function", "say") in names) == (0, True)
    assert routes(twin) == {f"{MACHINE}:1": 100}


def test_what_was_done_is_said(twin: Twin, tmp_path: Path) -> None:
    def say(*arguments: str) -> list[str]:
        return CliRunner().invoke(app, arguments).stdout.splitlines()

    done = "Done. Every alias points to one version; no rollout is in progress."
    assert say("update") == say("rollout", "finish") == ["Nothing changed.", done]
    extra = {f"Extra{number:02d}": role("lambda.amazonaws.com") for number in range(10)}
    write(tmp_path / "cdk.out", "new", 2, preference=CANARY, **extra)
    told = say("update", "--hold")
    assert "1 function changed: say" in told
    assert [line.split(": ")[0] for line in told if line.startswith("10 ")] == ["10 roles new"]
    assert told[-1] == "say: 20 % of new runs go to version 2, the others to 1"
    assert any(line.endswith(" and 2 more") for line in told)
    assert say("rollout", "advance") == ["say: all new runs go to version 2", done]
    write(tmp_path / "cdk.out", "new", 2, preference=CANARY)
    assert any(line.startswith("10 roles removed: ") for line in say("update"))


def test_what_is_refused_is_told(twin: Twin, tmp_path: Path) -> None:
    write(tmp_path / "cdk.out", "new", 2, Table={"Type": "AWS::SQS::Queue", "Properties": {}})
    done = CliRunner().invoke(app, ["update"])
    assert done.exit_code == 1
    assert "'Table' (AWS::SQS::Queue) is new" in " ".join(done.stderr.split())
