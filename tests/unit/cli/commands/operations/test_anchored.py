"""``pentad audit verify`` over a tenant's anchors, and ``pentad audit export``, over AWS's own SDK."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from pentad.aws.sealed import HEAD, SealedLog
from pentad.cli import operator
from pentad.cli.commands.operations import anchored, audit, exported
from pentad.cli.console import OPTIONS
from pentad.domain.keys import audit_pk
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.observability.anchors.adapters.anchors_s3 import S3Anchors, name_key
from pentad.observability.anchors.adapters.heads_dynamodb import DynamoHeads
from pentad.observability.anchors.write import WriteAnchors
from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit
from pentad.tools.runtime.ports import AuditEntry
from tests.moto_clients import client
from tests.unit.cli.commands.operations.test_audit import RUN, Deployment

RUNS = [f"run_{number:026d}" for number in range(1, 6)]


class Anchoring(Deployment):
    """A deployment whose function anchors when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.now(UTC)
        self.store = S3Anchors(client("s3"), "anchors")

    def log(self) -> SealedLog:
        return SealedLog(self.ledger, self.key, now=lambda: self.now)

    def act(self, run: str, index: int = 0, *, tenant: str = "acme", tool: str = "notes") -> None:
        fields = {"tenant": tenant, "run": run, "step": 1, "index": index, "agent": "helper", "tool": tool}
        rest = {"action": "executed", "arguments_hash": "h", "outcome": "ok", "at": self.now, "duration_ms": 3}
        entry = AuditEntry.model_validate(fields | rest | {"request_id": f"q{index}"})
        DynamoAudit(self.ledger, self.log()).append(entry)

    def anchor(self) -> int:
        heads = DynamoHeads(self.ledger)
        return WriteAnchors(heads, self.store, self.key, MemoryTelemetry(), now=lambda: self.now)()


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Anchoring]:
    with mock_aws():
        found = Anchoring()
        monkeypatch.setattr(operator, "create_client", lambda service, stage: client(service))
        monkeypatch.setattr(operator, "get_output", lambda stage, name: found.outputs[name])
        yield found


def run_command(*arguments: str) -> tuple[int, str]:
    reply = CliRunner().invoke(audit.app, [*arguments])
    return reply.exit_code, " ".join(reply.output.split())


def verify(*arguments: str) -> tuple[int, str]:
    return run_command("verify", *arguments, "--tenant", "acme")


def make_hours(deployment: Anchoring) -> None:
    """Three hours in which two tenants' runs act and are anchored."""
    deployment.now -= timedelta(hours=2)
    for hour, run in enumerate(RUNS[:3]):
        deployment.act(run)
        deployment.act(run, 1)
        deployment.act(RUNS[0], 10 + hour)
        deployment.act(run, tenant="other")
        deployment.anchor()
        deployment.now += timedelta(hours=1)
    deployment.now -= timedelta(hours=1)


def rewrite(deployment: Anchoring, run: str) -> None:
    """As the tool runner, taken over, does: the chain is written anew and signed."""
    pk = audit_pk("acme", run)
    count = sum(1 for _ in deployment.ledger.iter_items(pk)) - 1
    for item in list(deployment.ledger.iter_items(pk)):
        deployment.ledger.delete(pk, item["sk"])
    for index in range(count):
        deployment.act(run, index, tool="nothing")


def test_a_tenant_that_is_as_it_was_anchored_is_said_to_be(deployment: Anchoring) -> None:
    make_hours(deployment)
    assert verify() == (0, "3 anchors and 3 chains of 'acme' are as they were written")
    assert verify(RUNS[0])[0] == 0


def test_history_written_anew_by_who_may_sign_is_found_by_the_anchors(deployment: Anchoring) -> None:
    make_hours(deployment)
    rewrite(deployment, RUNS[1])
    pk = audit_pk("acme", RUNS[1])
    for arguments in ((RUNS[1],), ()):
        code, shown = verify(*arguments)
        assert code == 1
        assert f"{pk}: an entry from 1 to 2 is not as it was anchored" in shown
    assert verify(RUNS[0])[0] == 0


def test_a_chain_that_is_gone_is_found_by_the_anchors(deployment: Anchoring) -> None:
    make_hours(deployment)
    pk = audit_pk("acme", RUNS[2])
    for item in list(deployment.ledger.iter_items(pk)):
        deployment.ledger.delete(pk, item["sk"])
    for arguments in ((RUNS[2],), ()):
        code, shown = verify(*arguments)
        assert (code, f"{pk}: entry 2 is gone, as it was anchored" in shown) == (1, True)


def test_an_end_cut_off_with_an_older_head_put_back_is_found_by_the_anchors(deployment: Anchoring) -> None:
    make_hours(deployment)
    pk = audit_pk("acme", RUNS[0])
    items = sorted(
        (one for one in deployment.ledger.iter_items(pk) if one["sk"] != HEAD), key=lambda one: one["number"]
    )
    for item in items[3:]:
        deployment.ledger.delete(pk, item["sk"])
    [head] = [one for one in deployment.ledger.iter_items(pk) if one["sk"] == HEAD]
    deployment.ledger.put(head | {"number": 3, "hash": items[2]["hash"]})
    assert deployment.log().check(pk).faults == []
    code, shown = verify(RUNS[0])
    assert (code, f"{pk}: entry 4 is gone" in shown) == (1, True)


def test_a_gap_in_the_anchors_and_a_fork_are_told(deployment: Anchoring) -> None:
    make_hours(deployment)
    s3 = client("s3")
    newest = deployment.store.get_newest("acme")
    assert newest is not None
    fork = newest.model_copy(update={"heads": ()}).sign(deployment.key)
    s3.put_object(Bucket="anchors", Key=name_key("acme", 3), Body=fork.model_dump_json(by_alias=True).encode())
    code, shown = verify()
    assert (code, "stands twice: somebody wrote a fork" in shown) == (1, True)
    key = name_key("acme", 2)
    [version] = [one["VersionId"] for one in s3.list_object_versions(Bucket="anchors", Prefix=key)["Versions"]]
    s3.delete_object(Bucket="anchors", Key=key, VersionId=version)
    assert "is the next after 1: 2 missing" in verify()[1]
    s3.delete_object(Bucket="anchors", Key=name_key("acme", 1))
    assert "somebody has put a delete marker on" in verify()[1]


def test_an_anchor_that_does_not_come_is_told(deployment: Anchoring, monkeypatch: pytest.MonkeyPatch) -> None:
    make_hours(deployment)
    deployment.act(RUNS[4])
    later = deployment.now + timedelta(hours=4)

    class Later(anchored.Anchored):
        def __init__(self, stage: str | None) -> None:
            super().__init__(stage, now=later)

    monkeypatch.setattr(audit, "Anchored", Later)
    code, shown = verify()
    assert code == 1
    assert "nothing was anchored within 3:00:00" in shown
    assert f"{audit_pk('acme', RUNS[4])}: entries from 1 to 1 were not anchored within 3:00:00" in shown
    code, shown = verify(RUNS[4])
    assert (code, "were not anchored within" in shown) == (1, True)


def test_what_was_done_a_moment_ago_need_not_be_anchored_yet(deployment: Anchoring) -> None:
    make_hours(deployment)
    deployment.act(RUNS[4])
    assert verify(RUNS[4])[0] == 0
    assert verify() == (0, "3 anchors and 4 chains of 'acme' are as they were written")


def export(folder: Path, *options: str, since: str = "2020-01-01") -> tuple[int, str]:
    return run_command("export", "--out", str(folder), "--since", since, "--tenant", "acme", *options)


def read_lines(folder: Path) -> list[dict[str, Any]]:
    files = json.loads((folder / "manifest.json").read_text())["files"]
    return [json.loads(line) for one in files for line in (folder / one["name"]).read_text().splitlines()]


def test_an_export_holds_all_entries_of_the_tenant_and_checks(deployment: Anchoring, tmp_path: Path) -> None:
    make_hours(deployment)
    deployment.act(RUNS[4])
    assert export(tmp_path)[0] == 0
    found = read_lines(tmp_path)
    assert len(found) == 10
    assert {one["chain"].split("#")[1] for one in found} == {"acme"}
    assert [(one["chain"], one["number"]) for one in found] == sorted((one["chain"], one["number"]) for one in found)
    assert found[0]["body"]["tool"] == "notes"
    assert run_command("check", str(tmp_path))[0] == 0
    [name] = [one.name for one in tmp_path.glob("audit-*")]
    (tmp_path / name).write_text((tmp_path / name).read_text().replace("notes", "other"))
    assert run_command("check", str(tmp_path)) == (1, f"{name} was changed")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    changes: list[dict[str, Any]] = [
        {"files": []},
        {"code": "00"},
        {"files": [], "digest": exported.digest_of(manifest | {"files": []})},
    ]
    for change in changes:
        (tmp_path / "manifest.json").write_text(json.dumps(manifest | change))
        assert run_command("check", str(tmp_path))[0] == 1


def test_a_time_narrows_it(deployment: Anchoring, tmp_path: Path) -> None:
    make_hours(deployment)
    middle = (deployment.now - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S")
    assert export(tmp_path / "late", since=middle)[0] == 0
    assert export(tmp_path / "early", "--until", middle)[0] == 0
    late, early = read_lines(tmp_path / "late"), read_lines(tmp_path / "early")
    assert (len(late), len(early)) == (3, 6)
    assert all(one["at"] >= middle for one in late) and all(one["at"] < middle for one in early)


def test_one_that_was_cut_off_goes_on_and_comes_to_the_same(
    deployment: Anchoring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_hours(deployment)
    monkeypatch.setattr(exported, "PART_ENTRIES", 2)
    assert export(tmp_path / "whole")[0] == 0
    write = exported._write_lines
    written: list[Any] = []

    def die(page: Any) -> bytes:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(page)
        return write(page)

    with monkeypatch.context() as patch:
        patch.setattr(exported, "_write_lines", die)
        assert export(tmp_path / "parts")[0] != 0
    assert not (tmp_path / "parts" / "manifest.json").exists()
    deployment.now = datetime.now(UTC)
    deployment.act(RUNS[4])  # After the first run has begun: it is not of what was asked then.
    assert export(tmp_path / "parts")[0] == 0
    assert read_lines(tmp_path / "parts") == read_lines(tmp_path / "whole")
    assert run_command("check", str(tmp_path / "parts"))[0] == 0
    assert sorted(one.name for one in (tmp_path / "parts").iterdir())[-1] == "manifest.json"
    code, shown = export(tmp_path / "parts", "--format", "csv")
    assert (code, "is of another export" in shown) == (1, True)


def test_a_table_holds_no_formula(deployment: Anchoring, tmp_path: Path) -> None:
    deployment.write_run()
    for item in list(deployment.ledger.iter_items(f"T#acme#ACTS#{RUN}")):
        if item["sk"] != HEAD:
            body = json.loads(item["body"])
            body["target"] = '=HYPERLINK("https://evil.example")'
            deployment.ledger.put(item | {"body": json.dumps(body)})
    assert export(tmp_path, "--format", "csv")[0] == 0
    [path] = tmp_path.glob("*.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    acts = [row for row in rows if row["kind"] == "act"]
    assert [(row["what"], row["outcome"], row["who"]) for row in acts] == [
        ("decide_approval", "asked", "ann"),
        ("decide_approval", "200", "ann"),
    ]
    assert {row["target"][0] for row in acts} == {"'"}
    assert [row["tool"] for row in rows if row["kind"] == "call"] == ["notes", "notes"]


def test_json_of_a_tenant_is_one_object(deployment: Anchoring, monkeypatch: pytest.MonkeyPatch) -> None:
    make_hours(deployment)
    monkeypatch.setattr(OPTIONS, "json", True)
    code, shown = verify()
    assert (code, json.loads(shown)) == (0, {"tenant": "acme", "anchors": 3, "chains": 3, "faults": []})
