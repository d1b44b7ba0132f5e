"""What ran on the twin replays offline: the replay's routes and requests are those of the deployed machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pentad.cli.deployable import Deployable
from pentad.orchestration.timetravel.recording import Recording
from pentad.testing.offline import OfflineReplay
from tests.recordings import capture, replay
from tests.twin.stack.world import Json, Stack, Tenant, word
from tests.twin.timetravel.test_forks import NOTE, SUM, fork

pytestmark = pytest.mark.twin


@pytest.fixture(scope="session")
def deployable(assembly_dir: Path) -> Deployable:
    """What the twin runs."""
    return Deployable(assembly_dir)


def _recording(tenant: Tenant, run_id: str) -> Recording:
    return Recording.model_validate(tenant.get(f"/v1/runs/{run_id}/recording"))


def _replays(recording: Recording, deployable: Deployable) -> None:
    machine, catalog = deployable.load_definition("assistant"), deployable.load_catalog()
    report = replay(capture(recording, machine), catalog, machine)
    assert report.same, report.first


def _note(tenant: Tenant, decision: str) -> str:
    view = tenant.ask(NOTE)
    assert tenant.decide(view["pending_approval"], decision, reason="because").status_code == 200
    tenant.settle(view["run_id"], after=view["pending_approval"])
    return str(view["run_id"])


def test_an_answer_with_citations_and_history_replays(tenant: Tenant, deployable: Deployable) -> None:
    tenant.ingest("lamp.md", "# Lamp\n\nThe lamp of the Skerry lighthouse burns colza oil.\n")
    first = tenant.ask("What does the lamp of the Skerry lighthouse burn?")
    second = tenant.ask("And what is 6 * 7?", session=first["session"])
    for view in (first, second):
        recording = _recording(tenant, view["run_id"])
        assert recording.outcome.answer == view["answer"]
        _replays(recording, deployable)


def test_tools_and_human_decisions_replay(tenant: Tenant, deployable: Deployable) -> None:
    runs = [tenant.ask(f"{SUM} And what is 5 + 5?")["run_id"], _note(tenant, "approve"), _note(tenant, "reject")]
    for run in runs:
        _replays(_recording(tenant, run), deployable)


def test_a_fork_replays(tenant: Tenant, deployable: Deployable) -> None:
    source = tenant.ask(SUM)
    view = fork(tenant, source["run_id"], at=1, prompt="Be brief.", tool_results=[{"call": 0, "content": "12"}])
    _replays(_recording(tenant, view["run_id"]), deployable)


def test_a_degraded_run_replays(stack: Stack, tenant: Tenant, deployable: Deployable) -> None:
    mark = word()
    with stack.overload(mark, "anthropic", "openai"):
        view = tenant.ask(f"Hello {mark}")
    assert view["status"] == "degraded"
    _replays(_recording(tenant, view["run_id"]), deployable)


def test_a_recording_is_of_an_ended_run(tenant: Tenant) -> None:
    view = tenant.ask(NOTE)
    answer = tenant.send("GET", f"/v1/runs/{view['run_id']}/recording")
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (409, "InvalidTransition", "run")


def test_the_command_line_forks_exports_and_replays(
    stack: Stack, tenant: Tenant, root: Path, pentad_replay: OfflineReplay, tmp_path: Path
) -> None:
    def pentad(*arguments: str, code: int = 0) -> Json:
        done = subprocess.run(
            [sys.executable, "-m", "pentad.cli.main", "--json", "--url", stack.url, "--key", tenant.token, *arguments],
            cwd=root,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(root), str(root / "shared")))},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        found: Json = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        return found

    result = tmp_path / "result.json"
    result.write_text('{"result": "4711"}')
    source = tenant.ask(SUM)
    view = pentad("fork", source["run_id"], "--at", "1", "--tool-result", str(result))
    assert "4711" in view["answer"]
    file = tmp_path / "run.json"
    pentad("runs", "export", view["run_id"], "--output", str(file))
    report = pentad("replay", str(file))
    assert (report["same"], report["steps"]) == (True, 1)
    assert pentad_replay(file).same
    changed = json.loads(file.read_text())
    changed["steps"][0]["request"]["system"] = "0" * 32
    file.write_text(json.dumps(changed))
    report = pentad("replay", str(file), code=1)
    assert report["divergences"][0]["field"] == "system prompt"
    assert [one.field for one in pentad_replay(file).divergences] == ["system prompt"]
    file.write_text("{}")
    pentad("replay", str(file), code=2)
