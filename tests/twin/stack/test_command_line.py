"""The command line against a twin: its answers, its exit codes, its one-line errors, and what `pentad up` leaves."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from botocore.exceptions import ClientError

from pentad.testing.stack import keeper
from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Json, Stack, Tenant, await_memories, until
from twin.running import state_file

# The commands find the twin of the folder that they run in, which is the user's project.
pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

NOTE = 'Save a note titled "Oil" with the text "Order oil."'
_SECONDS = 90


def environment(**variables: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PENTAD_")} | variables


class CommandLine:
    """Runs commands as a user does.

    Args:
        folder: where.
        tenant: whose key they have.
    """

    def __init__(self, folder: Path, tenant: Tenant | None = None) -> None:
        self._folder, self._tenant = folder, tenant

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command."""
        key = {"PENTAD_KEY": self._tenant.token} if self._tenant else {}
        return subprocess.run(
            [sys.executable, "-m", "pentad.cli.main", *arguments],
            cwd=self._folder,
            env=environment(**key),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """Run one command that must succeed and return what it prints as JSON."""
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def tenant(own: OwnProject) -> Tenant:
    return own.stack.tenant()


@pytest.fixture
def pentad(own: OwnProject, tenant: Tenant) -> CommandLine:
    return CommandLine(own.folder, tenant)


def test_run_answers_and_runs_and_trace_show_it(pentad: CommandLine) -> None:
    view = pentad.json("run", "What is 6 * 7?")
    assert view["status"] == "succeeded"
    assert "42" in view["answer"]
    [listed] = pentad.json("runs")
    assert listed["run_id"] == view["run_id"]
    shown = pentad.json("runs", view["run_id"])
    assert {event["type"] for event in shown["events"]} >= {"run.created", "model_attempt", "tool_call", "run.ended"}
    trace = pentad.json("trace", view["run_id"])
    assert trace["transitions"] == 1 + (3 + 1) + 3
    spans = trace["spans"]
    assert {"run", "state", "function", "model", "tool"} == {span["kind"] for span in spans}
    above_tools = [spans[at - 1]["name"] for at, span in enumerate(spans) if span["kind"] == "tool"]
    assert above_tools
    assert all(name.endswith("-run-tool") for name in above_tools)
    estimate = trace["aws_estimate"]
    assert estimate["dynamodb_nanousd"] > 0
    assert estimate["unmeasured_invocations"] == 0


def test_answer_is_told_to_a_reader_without_json(pentad: CommandLine) -> None:
    done = pentad("run", "What is 6 * 7?")
    assert (done.returncode, "42" in done.stdout) == (0, True)


def test_approve_carries_out_and_undo_takes_back(pentad: CommandLine, tenant: Tenant) -> None:
    view = pentad.json("run", NOTE)
    assert view["status"] == "awaiting_human"
    [listed] = pentad.json("approvals")
    assert listed["approval"] == view["pending_approval"]
    assert pentad.json("approve", view["pending_approval"], "--yes")["status"] == "approved"
    assert tenant.settle(view["run_id"], after=view["pending_approval"])["status"] == "succeeded"
    assert [note["title"] for note in tenant.notes()] == ["Oil"]
    [planned] = pentad.json("undo", view["run_id"], "--dry-run")["effects"]
    assert (planned["tool"], planned["kind"], planned["outcome"]) == ("notes", "reversible", "to_undo")
    assert [note["title"] for note in tenant.notes()] == ["Oil"]
    [undone] = pentad.json("undo", view["run_id"])["effects"]
    assert undone == planned | {"outcome": "undone"}
    assert [one["outcome"] for one in pentad.json("undo", view["run_id"])["effects"]] == ["already_undone"]
    assert tenant.notes() == []
    of_tenant = (view["run_id"], "--tenant", tenant.name)
    done = [(entry["what"], entry["outcome"]) for entry in pentad.json("audit", "show", *of_tenant)]
    acts = {(what, how) for what in ("decide_approval", "undo_run") for how in ("asked", 200)}
    assert acts <= set(done)
    assert {("executed notes", "ok"), ("undone notes", "ok")} <= set(done)
    assert pentad.json("audit", "verify", *of_tenant) == {"subject": view["run_id"], "entries": 10, "faults": []}


def test_the_audit_is_anchored_and_holds_against_the_anchors(
    own: OwnProject, pentad: CommandLine, tenant: Tenant, tmp_path: Path
) -> None:
    view = pentad.json("run", "What is 6 * 7?")
    before = own.stack.aws("s3").list_buckets()["Buckets"]
    answer = own.stack.aws("lambda").invoke(FunctionName="pentad-dev-anchor", Payload=b'{"op": "anchor"}')
    assert json.loads(answer["Payload"].read())["anchors"] >= 2
    [bucket] = [one["Name"] for one in before if "anchors" in one["Name"]]
    s3 = own.stack.aws("s3")
    [version] = s3.list_object_versions(Bucket=bucket, Prefix=f"anchors/{tenant.name}/")["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    assert pentad.json("audit", "verify", view["run_id"], "--tenant", tenant.name)["faults"] == []
    whole = pentad.json("audit", "verify", "--tenant", tenant.name)
    assert (whole["anchors"], whole["chains"], whole["faults"]) == (1, 1, [])
    made = pentad.json("audit", "export", "--tenant", tenant.name, "--since", "2020-01-01", "--out", str(tmp_path))
    assert made["entries"] == 1
    assert pentad.json("audit", "check", str(tmp_path))["faults"] == []


def test_ingest_indexes_and_says_which_documents_failed(pentad: CommandLine, tmp_path: Path) -> None:
    good, bad = tmp_path / "fog.md", tmp_path / "plan.pdf"
    good.write_text("# Fog\n\nIn fog the harbour master of Brackwater hoists the yellow flag.\n")
    bad.write_bytes(b"%PDF-1.7 something")
    [entry] = pentad.json("ingest", str(good))
    assert (entry["name"], entry["status"]) == ("fog.md", "indexed")
    view = pentad.json("run", "Which flag does the harbour master of Brackwater hoist in fog?")
    assert view["citations"][0]["document"] == "fog.md"
    failed = pentad("--json", "ingest", str(bad))
    assert failed.returncode == 1
    assert [entry["status"] for entry in json.loads(failed.stdout)] == ["failed"]


def test_many_documents_are_ingested_at_once_and_those_that_failed_are_told(
    own: OwnProject, pentad: CommandLine, tmp_path: Path
) -> None:
    for number in range(12):
        (tmp_path / f"pier {number}.md").write_text(
            f"# Pier {number}\n\nPier {number} of Brackwater has {number} cranes.\n"
        )
    (tmp_path / "plan.pdf").write_bytes(b"%PDF-1.7 something")
    done = pentad("--json", "ingest", str(tmp_path), "--bulk")
    assert done.returncode == 1
    entries = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert len(entries) == 13
    assert [name for name, entry in entries.items() if entry["status"] != "indexed"] == [f"{tmp_path.name}/plan.pdf"]
    assert "PDF" in entries[f"{tmp_path.name}/plan.pdf"]["error"]
    states = own.stack.aws("stepfunctions")
    [machine] = [one for one in states.list_state_machines()["stateMachines"] if one["name"].endswith("-bulk-ingest")]
    newest = states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"][0]
    [run] = states.list_map_runs(executionArn=newest["executionArn"])["mapRuns"]
    counts = states.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
    assert (newest["status"], counts["succeeded"], counts["failed"]) == ("SUCCEEDED", 13, 0)
    view = pentad.json("run", "How many cranes does pier 7 of Brackwater have?")
    assert view["citations"][0]["document"] == f"{tmp_path.name}/pier 7.md"


def test_sessions_and_documents_are_deleted_and_the_audit_says_by_whom(
    pentad: CommandLine, tenant: Tenant, tmp_path: Path
) -> None:
    fog = tmp_path / "fog.md"
    fog.write_text("# Fog\n\nIn fog the harbour master of Brackwater hoists the yellow flag.\n")
    pentad.json("ingest", str(fog))
    view = pentad.json("run", "Which flag does the harbour master of Brackwater hoist in fog?")
    assert pentad.json("documents", "show", "fog.md")["chunks"] == 1
    assert pentad.json("documents", "delete", "fog.md", "--yes") == {"name": "fog.md", "status": "deleted"}
    assert pentad.json("documents", "list") == []
    assert pentad.json("sessions", "delete", view["session"], "--yes")["session"] == view["session"]
    assert tenant.send("GET", f"/v1/sessions/{view['session']}/messages").status_code == 404
    kept = tenant.get(f"/v1/runs/{view['run_id']}")
    assert (kept["answer"], kept["citations"]) == (view["answer"], view["citations"])
    for subject, act, target in (
        ("documents", ("delete_document", 202), "fog.md"),
        ("sessions", ("delete_session", 200), view["session"]),
    ):
        entries = pentad.json("audit", "show", subject, "--tenant", tenant.name)
        assert [(entry["what"], entry["outcome"]) for entry in entries] == [(act[0], "asked"), act]
        assert all(entry["details"].startswith(f"{target}, key ") and entry["source_ip"] for entry in entries)
        checked = pentad.json("audit", "verify", subject, "--tenant", tenant.name, "--logs")
        assert checked == {"subject": subject, "entries": 2, "faults": []}


def test_key_is_made_listed_used_and_revoked(own: OwnProject, pentad: CommandLine, tenant: Tenant) -> None:
    made = pentad.json("keys", "create", "--tenant", tenant.name, "--scope", "runs:read", "--name", "reader")
    listed = {key["key_id"]: key for key in pentad.json("keys", "list", "--tenant", tenant.name)}
    assert listed[made["key_id"]]["scopes"] == ["runs:read"]
    assert "secret_hash" not in json.dumps(list(listed.values()))
    reader = Tenant(own.stack, tenant.name, made["key"])
    assert reader.get("/v1/runs")["items"] == []
    assert reader.post("/v1/runs", {"agent": "assistant", "message": "hello"}).status_code == 403
    assert pentad.json("keys", "revoke", made["key_id"], "--tenant", tenant.name)["disabled_at"]


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (("run", "hello", "--agent", "nobody"), 1, "nobody"),
        (("runs", "run_" + "0" * 26), 1, "404"),
        (("run", "hello", "--session", "../x"), 1, "session"),
        (("ingest", "there-is-no-such-file"), 2, "does not exist"),
        (("keys", "revoke", "abcdefabcdef"), 1, "key"),
        (("approve",), 2, "missing argument 'approval'"),
    ],
)
def test_failure_is_one_line_and_an_exit_code(
    pentad: CommandLine, arguments: tuple[str, ...], code: int, part: str
) -> None:
    done = pentad(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert part in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("run", "hello"), ("runs",), ("keys", "list"), ("approvals",)])
def test_command_without_a_twin_says_so_and_exits_with_three(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    (tmp_path / "infra").mkdir()
    done = CommandLine(tmp_path)(*arguments)
    assert done.returncode == 3
    assert "pentad up" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_command_outside_of_a_project_is_wrong_use(tmp_path: Path) -> None:
    done = CommandLine(tmp_path)("runs")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


class Up:
    """A running ``pentad up``."""

    def __init__(self, root: Path, state: Path) -> None:
        self.state = state
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pentad.cli.main", "--json", "up", "--state", str(state)],
            cwd=root,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ready(self) -> Json:
        """Return what it prints once it is up."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line)
            if line.rstrip() == "}":
                told: Json = json.loads("".join(lines))
                return told
        raise AssertionError(self.process.communicate()[1])


@pytest.fixture(scope="module")
def two(root: Path, assembly_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Up, Up]]:
    """Two at once, in one project."""
    ups = (Up(root, tmp_path_factory.mktemp("one")), Up(root, tmp_path_factory.mktemp("two")))
    yield ups
    for up in ups:
        up.process.kill()
        up.process.communicate()


def test_two_at_once_do_not_collide_and_leave_nothing(two: tuple[Up, Up]) -> None:
    told = [up.ready() for up in two]
    assert len({one["api_url"] for one in told}) == 2
    with httpx.Client(timeout=40, trust_env=False) as http:
        for mine, other in (told, told[::-1]):
            key = {"Authorization": f"Bearer {mine['key']}"}
            assert http.get(f"{mine['api_url']}/v1/runs", headers=key).status_code == 200
            assert http.get(f"{other['api_url']}/v1/runs", headers=key).status_code == 401
            page = http.get(f"{mine['docs_url']}/")
            assert (page.status_code, "text/html" in page.headers["content-type"]) == (200, True)
            logs = http.get(f"{mine['docs_url']}/logs")
            assert (logs.status_code, "pentad-dev-gateway" in logs.text) == (200, True)
    children = [child for up in two for child in psutil.Process(up.process.pid).children(recursive=True)]
    assert len(children) >= len(two)
    for up in two:
        up.process.send_signal(signal.SIGINT)
    for up in two:
        _, errors = up.process.communicate(timeout=_SECONDS)
        assert up.process.returncode == 0
        assert "Traceback" not in errors
        assert not (up.state / "twin.json").exists()
    until(lambda: not any(keeper.lives(child) for child in children), "the end of their processes")


def test_what_it_held_survives_a_restart_until_it_is_reset(root: Path, assembly_dir: Path, tmp_path: Path) -> None:
    first = Up(root, tmp_path)
    try:
        told = first.ready()
        with local_tenant(first, told) as tenant:
            # Since yesterday: the test may run at the end of a month.
            spent = f"/v1/cost?by=model&from={datetime.now(UTC).date() - timedelta(days=1)}"
            tenant.ingest("tide.md", "# Tide\n\nThe tide of Brackwater turns at noon.\n")
            done = tenant.ask("When does the tide of Brackwater turn?")
            await_memories(tenant, done["session"])
            waiting = tenant.ask('Save a note titled "Tide" with the text "At noon."')
            assert waiting["status"] == "awaiting_human"
            documents, cost = tenant.get("/v1/documents"), tenant.get(spent)
            sessions = tenant.get("/v1/sessions")["items"]
        stop(first)
        reset = [sys.executable, "-m", "pentad.cli.main", "--json", "reset", "--state", str(tmp_path), "--yes"]
        second = Up(root, tmp_path)
        try:
            again = second.ready()
            assert (again["key"], again["kept"] > 10, again["interrupted"]) == (told["key"], True, 1)
            refused = subprocess.run(reset, cwd=root, capture_output=True, text=True, check=False)
            assert (refused.returncode, "stop it first" in refused.stdout) == (1, True)
            with local_tenant(second, again) as tenant:
                assert tenant.get("/v1/documents") == documents
                # What the interrupted run said is remembered as it ends, which embeds it: more may be counted by now.
                counted = {row["key"]: row["cost_nanousd"] for row in tenant.get(spent)["rows"]}
                assert cost["rows"]
                assert all(counted[row["key"]] >= row["cost_nanousd"] for row in cost["rows"])
                others = [one for one in sessions if one["session"] != waiting["session"]]
                listed = tenant.get("/v1/sessions")["items"]
                assert len(others) == len(sessions) - 1
                assert [one for one in listed if one["session"] != waiting["session"]] == others
                assert tenant.get(f"/v1/runs/{done['run_id']}")["answer"] == done["answer"]
                # Its execution is gone: it ends, its session is free, and an operator may let it go on.
                ended = tenant.get(f"/v1/runs/{waiting['run_id']}")
                assert (ended["status"], "ExecutionAborted" in ended["error"]) == ("failed", True)
                assert tenant.lease_is_free(waiting["session"])
                failed = read_failed_runs(tenant.stack)
                assert waiting["run_id"] in failed
                follow = tenant.ask("And when does the tide of Brackwater turn?", session=done["session"])
                assert follow["citations"][0]["document"] == "tide.md"
        finally:
            stop(second)
    finally:
        first.process.kill()
        first.process.communicate()
    assert subprocess.run(reset, cwd=root, capture_output=True, check=False).returncode == 0
    assert not {"kept", "key", "vectors.sqlite"} & {path.name for path in tmp_path.iterdir()}


def read_failed_runs(stack: Stack) -> str:
    """Return the messages of failed runs, which `pentad runs redrive` takes them from."""
    url = stack.queue_url("failed-runs-dlq")

    def receive() -> str | None:
        found = stack.aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return "".join(one["Body"] for one in found.get("Messages", ())) or None

    return str(until(receive, "the message of a failed run"))


@contextmanager
def local_tenant(up: Up, told: Json) -> Iterator[Tenant]:
    """The tenant whose key ``pentad up`` prints."""
    facts = state_file.read(up.state)
    assert facts is not None
    with Stack(facts) as stack:
        yield Tenant(stack, "local", told["key"])


def stop(up: Up) -> None:
    up.process.send_signal(signal.SIGINT)
    _, errors = up.process.communicate(timeout=_SECONDS)
    assert (up.process.returncode, "Traceback" in errors) == (0, False), errors
