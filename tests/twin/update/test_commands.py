"""``pentad update`` and ``pentad rollout`` against a running twin."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.commands.twin import update as command
from pentad.cli.main import app
from tests.twin.update.assembly import CANARY, LIVE, MACHINE, write
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
    assert called("rollout", "advance") == (0, {"rollouts": []})
    assert routes(twin) == {f"{MACHINE}:2": 100}


def test_an_update_is_rolled_back(twin: Twin, tmp_path: Path) -> None:
    write(tmp_path / "cdk.out", "new", 2)
    assert called("update") == (0, {"rollouts": []})
    assert routes(twin) == {f"{MACHINE}:2": 100}
    assert called("rollout", "roll-back") == (0, {"rollouts": []})
    assert routes(twin) == {f"{MACHINE}:1": 100}


def test_what_is_refused_is_told(twin: Twin, tmp_path: Path) -> None:
    write(tmp_path / "cdk.out", "new", 2, Table={"Type": "AWS::SQS::Queue", "Properties": {}})
    done = CliRunner().invoke(app, ["update"])
    assert done.exit_code == 1
    assert "'Table' (AWS::SQS::Queue) is new" in " ".join(done.stderr.split())
